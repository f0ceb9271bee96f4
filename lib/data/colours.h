/* colours.h - mean and standard deviation of a data set's colours (mean=auto, std=auto). */
#ifndef HR_COLOURS_H
#define HR_COLOURS_H

#include "data/dataset.h"

/* Computes mean and standard deviation of each channel, scaled to 0..1, over the readable ones of
 * evenly spaced images: all when there are at most `images`, else at least `images` and fewer than
 * twice as many. */
hirl_status hr_dataset_colours(double mean[3], double std[3], hirl_dataset *dataset,
                               int64_t images);

#endif
