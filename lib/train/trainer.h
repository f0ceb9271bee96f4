/* trainer.h - the steps of a run (HIRL Alg. 2). */
#ifndef HR_TRAINER_H
#define HR_TRAINER_H

#include "types.h"

#include <hirl/train.h>

/* The run is at step 0; its length follows from the steps of an epoch and the key `epochs`. */
void hr_trainer_set_steps(hirl_trainer *trainer, int64_t per_epoch);
/* One step, with everything that an epoch's start or end adds to it. HIRL_DONE: the run is finished. */
hirl_status hr_trainer_step(hirl_step_report *report, hirl_trainer *trainer);

#endif
