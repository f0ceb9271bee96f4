/* linear.h - a labelled run: a linear classifier on the frozen encoder of a model (task/probe.h). */
#ifndef HR_TRAIN_LINEAR_H
#define HR_TRAIN_LINEAR_H

#include "types.h"

#include <hirl/train.h>

/* The learner of a labelled run. start NULL: a resumed run, whose checkpoint holds the encoder. */
hirl_status hr_linear_make(hirl_trainer *trainer, const hirl_model *start);
/* classifier.safetensors in the run's directory: fc.weight [C,D], fc.bias [C] */
hirl_status hr_linear_save(const hirl_trainer *trainer);
/* top1 of held-out images, in evaluation mode: centre crop, no random choices */
hirl_status hr_linear_evaluate(hirl_step_report *report, hirl_trainer *trainer,
                               hirl_dataset *held_out);

#endif
