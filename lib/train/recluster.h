/* recluster.h - features of all images and their tree, at the start of an epoch (HIRL Algs. 1, 2). */
#ifndef HR_TRAIN_RECLUSTER_H
#define HR_TRAIN_RECLUSTER_H

#include "nn/param.h"
#include "train/extract.h"
#include "types.h"

#include <hirl/train.h>

/* Extraction and hierarchical k-means of this epoch, resumable at every poll. */
hirl_status hr_trainer_recluster(hirl_trainer *trainer);
void hr_recluster_drop(hirl_trainer *trainer);
hr_extract_config hr_trainer_extract_config(const hirl_trainer *trainer);
const hr_weights *hr_trainer_clustered(const hirl_trainer *trainer); /* whose features they are */

#endif
