/* fit.h - values that shrink with a small data set or a short run. */
#ifndef HR_CONFIG_FIT_H
#define HR_CONFIG_FIT_H

#include "base/option.h"
#include "config/run_config.h"
#include "ssl/method.h"

/* With fit=1, reduces batch_size and queue to what n images allow, the learning rates with the
 * batch, and warmup_epochs to less than epochs. Values of files and of the caller stay. Writes what
 * changed to config->fitted. */
void hr_fit(hr_run_config *config, const hirl_options *options, const hr_method *method, int64_t n);

/* Refuses, in one message with the largest values that fit, two or more of batch_size, queue and
 * prototypes that n images do not allow. One alone is refused where it is resolved. */
hirl_status hr_fit_check(const hr_run_config *config, const hr_method *method, int64_t n);

/* the largest batch_size that n images allow */
int64_t hr_fit_batch(const hr_method *method, int64_t n);
/* the largest key queue of MoCo v2 that n images allow: half of them, but at least two */
int64_t hr_fit_queue(int64_t n);

#endif
