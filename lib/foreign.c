/* foreign.c - the log line for a file of tensors that another program wrote. */
#include "foreign.h"

void hr_log_foreign(hirl_context *context, const hr_tensors *list, const char *path)
{
    if (list->foreign)
        hr_log(context, HIRL_LOG_WARNING,
               "%s: another program wrote this file, so damage may go unseen; %d of %d tensors "
               "differ from their checksums",
               path, (int)list->stale, (int)list->count);
}
