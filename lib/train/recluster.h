/* recluster.h - the tree of an epoch: extracts and clusters the features of all images. */
#ifndef HR_TRAIN_RECLUSTER_H
#define HR_TRAIN_RECLUSTER_H

#include "nn/param.h"
#include "train/extract.h"
#include "types.h"

#include <hirl/train.h>

/* Makes the tree of this epoch. After CANCELED or a failure, the next call continues. */
hirl_status hr_trainer_recluster(hirl_trainer *trainer);
/* Drops an extraction or clustering that is under way. */
void hr_recluster_drop(hirl_trainer *trainer);
hr_extract_config hr_trainer_extract_config(const hirl_trainer *trainer);
/* The network whose features are clustered. */
const hr_weights *hr_trainer_clustered(const hirl_trainer *trainer);

#endif
