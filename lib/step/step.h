/* step.h - one optimiser step of a learner. */
#ifndef HR_STEP_H
#define HR_STEP_H

#include "step/learner.h"

/* Makes one step, which waits for the device once. A step that fails has changed nothing. The
 * message of NONFINITE names the first tensor that is not finite, or reports that it is on another
 * rank. */
hirl_status hr_learner_step(hr_step_result *result, hr_learner *learner,
                            const hr_step_input *input);
/* Computes the losses only, with batch statistics as in training. Changes nothing. */
hirl_status hr_learner_evaluate(hr_step_result *result, hr_learner *learner,
                                const hr_step_input *input);

#endif
