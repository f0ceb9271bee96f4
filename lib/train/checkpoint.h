/* checkpoint.h - everything that a run needs to go on to the same bits: save, load. */
#ifndef HR_TRAIN_CHECKPOINT_H
#define HR_TRAIN_CHECKPOINT_H

#include "base/tensors.h"
#include "types.h"

#include <hirl/train.h>

hirl_status hr_trainer_to_tensors(hr_tensors *out, const hirl_trainer *trainer);
hirl_status hr_trainer_from_tensors(hirl_trainer *trainer, const hr_tensors *in);
/* path NULL: into the run's directory */
hirl_status hr_trainer_save(hirl_trainer *trainer, const char *path);

#endif
