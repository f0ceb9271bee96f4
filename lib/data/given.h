/* given.h - images that the application describes by hirl_image, and data sets of them. */
#ifndef HR_DATA_GIVEN_H
#define HR_DATA_GIVEN_H

#include <hirl/image.h>

#include "data/dataset.h"
#include "data/image.h"
#include "types.h"

/* Checks a whole struct, and replaces distances of 0 by those of packed pixels. */
hirl_status hr_given_complete(hirl_image *whole);
/* Copies the records first to first + n - 1 of image, each of its struct_size, to whole structs
 * [n], and checks that each can be read. INVALID names an image by its number. */
hirl_status hr_given_take(hirl_image *whole, const hirl_image *image, int64_t first, int64_t n);
/* Decodes an image, or converts its pixels. FORMAT: damaged, or a NaN. */
hirl_status hr_given_read(hr_pixels *pixels, const hirl_image *image, const hr_decoding *how);
/* Images u8 RGB without gaps need no conversion. */
bool hr_given_is_plain(const hirl_image *image);

/* A data set of `count` images, which it owns after success: a block of hr_alloc. */
hirl_status hr_given_open(hirl_dataset *dataset, hirl_image *image, int64_t count,
                          const hr_data_config *config);
/* The data set is made: it releases its images when it is destroyed. */
void hr_given_own(hirl_dataset *dataset);

#endif
