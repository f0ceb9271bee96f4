/* trainer.h - the steps of a run (HIRL Alg. 2). */
#ifndef HR_TRAINER_H
#define HR_TRAINER_H

#include "types.h"

#include <hirl/train.h>

/* One step, with everything that an epoch's start or end adds to it. HIRL_DONE: the run is finished. */
hirl_status hr_trainer_step(hirl_step_report *report, hirl_trainer *trainer);

#endif
