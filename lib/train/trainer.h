/* trainer.h - the steps of a run (HIRL Alg. 2). */
#ifndef HR_TRAINER_H
#define HR_TRAINER_H

#include "types.h"

#include <hirl/train.h>

/* Starts at step 0. The length of the run is per_epoch steps times the key `epochs`. */
void hr_trainer_set_steps(hirl_trainer *trainer, int64_t per_epoch);
/* Makes one step, and the work at the start or end of its epoch. HIRL_DONE: the run is finished. */
hirl_status hr_trainer_step(hirl_step_report *report, hirl_trainer *trainer);

#endif
