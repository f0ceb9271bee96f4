/* feed.h - the inputs of training steps: batches, paths, masks, labels. */
#ifndef HR_TRAIN_FEED_H
#define HR_TRAIN_FEED_H

#include "config/views.h"
#include "data/loader.h"
#include "step/learner.h"
#include "types.h"

#include <hirl/train.h>

/* Opens the views and the loader of a run; *per_epoch: the steps of an epoch. */
hirl_status hr_feed_open(int64_t *per_epoch, hirl_trainer *trainer);
/* Allocates masks, leaves and negative paths of a batch; the learner must exist. */
hirl_status hr_feed_make(hirl_trainer *trainer);
void hr_feed_close(hirl_trainer *trainer);

const hr_run_views *hr_feed_views(const hirl_trainer *trainer);
/* The loader of training: shuffled, with the views of training. */
hr_loader_config hr_feed_loader_config(const hirl_trainer *trainer);
/* The next batch of the run. After a failure the next call returns the same batch. */
hirl_status hr_feed_next(const hr_batch **batch, hirl_trainer *trainer);
/* Makes the batch of a step the next one. */
hirl_status hr_feed_seek(hirl_trainer *trainer, int64_t step);

/* The input of a step made from a batch, without paths. */
hr_step_input hr_feed_input(hirl_trainer *trainer, const hr_batch *batch, int64_t step);
/* Adds the positive leaf of each image, leaf[image id], and negatives drawn for this step. */
void hr_feed_paths(hr_step_input *input, hirl_trainer *trainer, const int32_t *leaf,
                   const int64_t *image, int64_t step);
/* Adds the paths of a training step. The run must have a tree. */
void hr_feed_train_paths(hr_step_input *input, hirl_trainer *trainer);

#endif
