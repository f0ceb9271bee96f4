/* step.h - one optimiser step of a learner. */
#ifndef HR_STEP_H
#define HR_STEP_H

#include "step/learner.h"

/* NONFINITE names the first tensor that is not finite, or says that it is of another rank. A step that fails
 * has changed nothing. Waits once for the device. */
hirl_status hr_learner_step(hr_step_result *result, hr_learner *learner,
                            const hr_step_input *input);
/* The losses alone, with batch statistics as in training: nothing is changed. */
hirl_status hr_learner_evaluate(hr_step_result *result, hr_learner *learner,
                                const hr_step_input *input);

#endif
