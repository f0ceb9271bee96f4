/* feed.h - what the steps of a run are fed with: batches, paths, masks, labels. */
#ifndef HR_TRAIN_FEED_H
#define HR_TRAIN_FEED_H

#include "data/loader.h"
#include "step/learner.h"
#include "types.h"

#include <hirl/train.h>

/* The loader and the views of a run; sets the number of steps. */
hirl_status hr_feed_open(hirl_trainer *trainer);
/* Room for what is drawn for each batch; the learner exists. */
hirl_status hr_feed_make(hirl_trainer *trainer);
void hr_feed_close(hirl_trainer *trainer);

hr_loader_config hr_feed_loader_config(const hirl_trainer *trainer); /* training views, shuffled */
/* The next batch of the run; a failure leaves the loader where it was. */
hirl_status hr_feed_next(const hr_batch **batch, hirl_trainer *trainer);
hirl_status hr_feed_seek(hirl_trainer *trainer, int64_t step);

/* What a step gets of a batch, without paths. */
hr_step_input hr_feed_input(hirl_trainer *trainer, const hr_batch *batch, int64_t step);
/* Adds positive leaves [N], looked up by image id, and negatives drawn for this step. */
void hr_feed_paths(hr_step_input *input, hirl_trainer *trainer, const int32_t *leaf,
                   const int64_t *image, int64_t step);
/* Leaves are chosen anew in each step; a tree of the application keeps its leaves. */
bool hr_feed_reassigns(const hirl_trainer *trainer);

#endif
