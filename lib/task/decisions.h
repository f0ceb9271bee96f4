/* decisions.h - what the host decides for a step of pretraining. */
#ifndef HR_DECISIONS_H
#define HR_DECISIONS_H

#include "task/pretrain_state.h"

hirl_status hr_decisions_declare(hr_pretrain *pretrain);
/* the task's `fill` */
hirl_status hr_decisions_fill(void *pretrain, hr_learner *learner, const hr_step_input *input,
                              hr_stage *stage);

#endif
