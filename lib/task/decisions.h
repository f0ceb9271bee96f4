/* decisions.h - the inputs of a pretraining step. */
#ifndef HR_DECISIONS_H
#define HR_DECISIONS_H

#include "task/pretrain_state.h"

/* Declares all inputs except those of encodings. */
hirl_status hr_decisions_declare(hr_pretrain *pretrain);
/* the function `fill` of the task: writes and sends all inputs */
hirl_status hr_decisions_fill(void *pretrain, hr_learner *learner, const hr_step_input *input,
                              hr_stage *stage);

#endif
