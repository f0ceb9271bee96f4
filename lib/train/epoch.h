/* epoch.h - measures at the end of an epoch and writes the model at the end of a run. */
#ifndef HR_TRAIN_EPOCH_H
#define HR_TRAIN_EPOCH_H

#include "types.h"

#include <hirl/train.h>

/* Computes and judges the health figures (health.h) from z0 of some images. A labelled run has
 * none. */
hirl_status hr_epoch_measure(hirl_trainer *trainer, double loss);
/* Writes model.safetensors, or the classifier of a labelled run. */
hirl_status hr_epoch_save_model(const hirl_trainer *trainer);

#endif
