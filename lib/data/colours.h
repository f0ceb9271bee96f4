/* colours.h - mean and standard deviation of a data set's colours (mean=auto, std=auto). */
#ifndef HR_COLOURS_H
#define HR_COLOURS_H

#include "data/dataset.h"

/* over at most `images` evenly spaced readable images, channels 0 to 1 */
hirl_status hr_dataset_colours(double mean[3], double std[3], hirl_dataset *dataset,
                               int64_t images);

#endif
