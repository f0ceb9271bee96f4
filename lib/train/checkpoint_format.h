/* checkpoint_format.h - the metadata that marks a file as a checkpoint of a run. */
#ifndef HR_CHECKPOINT_FORMAT_H
#define HR_CHECKPOINT_FORMAT_H

#include "base/tensors.h"

hirl_status hr_checkpoint_mark(hr_tensors *out);
/* FORMAT: not a checkpoint, or another program wrote the file; VERSION: a later version. */
hirl_status hr_checkpoint_check(const hr_tensors *in);

#endif
