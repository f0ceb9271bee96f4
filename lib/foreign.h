/* foreign.h - the log line for a file of tensors that another program wrote. */
#ifndef HR_FOREIGN_H
#define HR_FOREIGN_H

#include "base/tensors.h"
#include "context.h"

/* Logs a warning if the list was read from such a file. */
void hr_log_foreign(hirl_context *context, const hr_tensors *list, const char *path);

#endif
