/* image.h - JPEG and PNG bytes to u8 RGB, as Pillow decodes them. */
#ifndef HR_IMAGE_H
#define HR_IMAGE_H

#include "data/dataset.h"
#include "types.h"

/* FORMAT: damaged, truncated, or neither JPEG nor PNG; LIMIT: larger than the limits of dataset.h.
 * exif: the JPEG's orientation tag is applied. */
hirl_status hr_image_decode(hr_pixels *pixels, const uint8_t *bytes, size_t count, bool exif);
/* width and height from the header alone, orientation not applied */
hirl_status hr_image_measure(int64_t *width, int64_t *height, const uint8_t *bytes, size_t count);

/* one file each: jpeg.c, png.c, exif.c */
bool hr_is_jpeg(const uint8_t *bytes, size_t count);
bool hr_is_png(const uint8_t *bytes, size_t count);
hirl_status hr_jpeg_measure(int64_t *width, int64_t *height, const uint8_t *bytes, size_t count);
hirl_status hr_jpeg_decode(hr_pixels *pixels, const uint8_t *bytes, size_t count);
hirl_status hr_png_measure(int64_t *width, int64_t *height, const uint8_t *bytes, size_t count);
hirl_status hr_png_decode(hr_pixels *pixels, const uint8_t *bytes, size_t count);
/* 1 to 8 of a JPEG's APP1 segment; 1 when there is none or it makes no sense */
int hr_exif_orientation(const uint8_t *bytes, size_t count);
hirl_status hr_image_turn(hr_pixels *pixels, int orientation);

#endif
