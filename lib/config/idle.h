/* idle.h - keys that were set for a run that has no use for them. */
#ifndef HR_IDLE_H
#define HR_IDLE_H

#include "base/option.h"
#include "ssl/method.h"
#include "config/config.h"

/* one warning that names them, or none */
void hr_idle_keys(hirl_context *context, const hr_run_config *config, const hr_method *method,
                  const hirl_options *given);

#endif
