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

/* These are defined in jpeg.c, png.c, exif.c and image.c. */
bool hr_is_jpeg(const uint8_t *bytes, size_t count);
bool hr_is_png(const uint8_t *bytes, size_t count);
hirl_status hr_jpeg_measure(int64_t *width, int64_t *height, const uint8_t *bytes, size_t count);
hirl_status hr_jpeg_decode(hr_pixels *pixels, const uint8_t *bytes, size_t count);
hirl_status hr_png_measure(int64_t *width, int64_t *height, const uint8_t *bytes, size_t count);
hirl_status hr_png_decode(hr_pixels *pixels, const uint8_t *bytes, size_t count);
/* The orientation, 1 to 8, from the APP1 segment of a JPEG; 1 when it is missing or invalid. */
int hr_exif_orientation(const uint8_t *bytes, size_t count);
hirl_status hr_image_turn(hr_pixels *pixels, int orientation);

#endif
