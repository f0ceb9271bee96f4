/* linear.h - a labelled run: a linear classifier on the frozen encoder of a model. */
#ifndef HR_TRAIN_LINEAR_H
#define HR_TRAIN_LINEAR_H

#include "types.h"

#include <hirl/train.h>

/* Makes the learner of a labelled run. start NULL: the run is resumed, and the encoder comes from
 * its checkpoint. */
hirl_status hr_linear_make(hirl_trainer *trainer, const hirl_model *start);
/* Writes classifier.safetensors into the directory of the run: fc.weight [C,D], fc.bias [C]. */
hirl_status hr_linear_save(const hirl_trainer *trainer);
/* Computes top1 on held-out images in evaluation mode: centre crops, nothing random. */
hirl_status hr_linear_evaluate(hirl_step_report *report, hirl_trainer *trainer,
                               hirl_dataset *held_out);

#endif
