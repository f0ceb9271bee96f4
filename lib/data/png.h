/* png.h - decodes PNG to u8 RGB. */
#ifndef HR_DATA_PNG_H
#define HR_DATA_PNG_H

#include "data/dataset.h"
#include "types.h"

/* True when the bytes begin with the signature of a PNG file. */
bool hr_is_png(const uint8_t *bytes, size_t count);
/* Reads width and height from the header. */
hirl_status hr_png_measure(int64_t *width, int64_t *height, const uint8_t *bytes, size_t count);
/* FORMAT when the file is damaged or truncated; LIMIT when the image is too large. */
hirl_status hr_png_decode(hr_pixels *pixels, const uint8_t *bytes, size_t count);

#endif
