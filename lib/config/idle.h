/* idle.h - warns of keys that have no effect in a run. */
#ifndef HR_IDLE_H
#define HR_IDLE_H

#include "base/option.h"
#include "config/run_config.h"
#include "ssl/method.h"

/* logs one warning that names all such keys, or nothing */
void hr_idle_keys(hirl_context *context, const hr_run_config *config, const hr_method *method,
                  const hirl_options *given);

#endif
