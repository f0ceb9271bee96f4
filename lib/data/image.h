/* image.h - decodes JPEG and PNG to u8 RGB, with the same pixels as Pillow. */
#ifndef HR_DATA_IMAGE_H
#define HR_DATA_IMAGE_H

#include "data/dataset.h"
#include "types.h"

/* Decodes an image; with `exif` the orientation tag of a JPEG is applied. FORMAT when the file is
 * damaged, truncated, or neither JPEG nor PNG; LIMIT when it exceeds the limits of dataset.h. */
hirl_status hr_image_decode(hr_pixels *pixels, const uint8_t *bytes, size_t count, bool exif);
/* Reads width and height from the header, without the orientation tag. */
hirl_status hr_image_measure(int64_t *width, int64_t *height, const uint8_t *bytes, size_t count);

#endif
