/* epoch.h - what the end of an epoch measures and the end of a run writes. */
#ifndef HR_TRAIN_EPOCH_H
#define HR_TRAIN_EPOCH_H

#include "types.h"

#include <hirl/train.h>

/* Health figures of z0 over some images, and a sentence about them (health.h); a labelled run has none. */
hirl_status hr_epoch_measure(hirl_trainer *trainer, double loss);
/* model.safetensors, or the classifier of a labelled run */
hirl_status hr_epoch_save_model(const hirl_trainer *trainer);

#endif
