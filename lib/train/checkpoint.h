/* checkpoint.h - saves and loads everything that a run needs to resume bit-identically. */
#ifndef HR_TRAIN_CHECKPOINT_H
#define HR_TRAIN_CHECKPOINT_H

#include "base/stream.h"
#include "types.h"

#include <hirl/train.h>

hirl_status hr_trainer_to_tensors(hr_tensors *out, const hirl_trainer *trainer);
/* If it fails after the checks of format, data and settings, half_loaded of the trainer is set. */
hirl_status hr_trainer_from_tensors(hirl_trainer *trainer, const hr_tensors *in);
/* Writes a checkpoint; to NULL: into the directory of the run. NONFINITE if a weight is not
 * finite. */
hirl_status hr_trainer_save(hirl_trainer *trainer, const hr_to *to);

#endif
