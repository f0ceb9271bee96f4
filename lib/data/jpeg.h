/* jpeg.h - decodes JPEG to u8 RGB. */
#ifndef HR_DATA_JPEG_H
#define HR_DATA_JPEG_H

#include "data/dataset.h"
#include "types.h"

/* True when the bytes begin with the signature of a JPEG file. */
bool hr_is_jpeg(const uint8_t *bytes, size_t count);
/* Reads width and height from the header. */
hirl_status hr_jpeg_measure(int64_t *width, int64_t *height, const uint8_t *bytes, size_t count);
/* FORMAT when the file is damaged or truncated; LIMIT when the image is too large. */
hirl_status hr_jpeg_decode(hr_pixels *pixels, const uint8_t *bytes, size_t count);

#endif
