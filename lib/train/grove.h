/* grove.h - the tree in use of a run, and the leaf of each image. */
#ifndef HR_TRAIN_GROVE_H
#define HR_TRAIN_GROVE_H

#include "types.h"

#include <hirl/train.h>

void hr_grove_init(hirl_trainer *trainer);
/* The run has no tree, and the leaves of images are freed. */
void hr_grove_clear(hirl_trainer *trainer);
/* Replaces the tree by one of the application, and takes over leaf [N], allocated with
 * hr_alloc_array. */
void hr_grove_set_own(hirl_trainer *trainer, hirl_tree *tree, int32_t *leaf);

hirl_tree *hr_grove_tree(const hirl_trainer *trainer); /* the tree in use, or NULL */
/* [N] the leaf of each image, -1: none; there is a tree. */
const int32_t *hr_grove_leaves(const hirl_trainer *trainer);
/* The tree of this epoch must be made first. */
bool hr_grove_needs_tree(const hirl_trainer *trainer, int64_t epoch);

/* Steps assign their images to leaves (iter_wise_assignment); leaves of the application's tree stay
 * as given. */
bool hr_grove_reassigns(const hirl_trainer *trainer);
/* Assigns n images to leaves. */
void hr_grove_assign(hirl_trainer *trainer, const int64_t *image, const int32_t *leaf, int64_t n);

/* Fills in the figures of the last clustering. */
void hr_grove_report(hirl_step_report *report, const hirl_trainer *trainer);
/* Fills in whether a tree was made since the last report, and the seconds that it took. */
void hr_grove_report_clustering(hirl_step_report *report, const hirl_trainer *trainer);
/* The clustering has been reported. */
void hr_grove_reported(hirl_trainer *trainer);

#endif
