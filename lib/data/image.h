/* image.h - decodes JPEG and PNG to u8 RGB, with the same pixels as Pillow. */
#ifndef HR_DATA_IMAGE_H
#define HR_DATA_IMAGE_H

#include "data/dataset.h"
#include "types.h"

/* How image files are decoded. */
typedef struct hr_decoding {
    bool exif;          /* the orientation tag is applied */
    int64_t max_pixels; /* 0: only the limits of dataset.h hold */
} hr_decoding;

/* FORMAT when the file is damaged, truncated, or neither JPEG nor PNG; LIMIT when the image has too
 * many pixels. */
hirl_status hr_image_decode(hr_pixels *pixels, const uint8_t *bytes, size_t count,
                            const hr_decoding *how);
/* Whether a file that begins with these bytes is an image that the library decodes. */
bool hr_is_image(const uint8_t *bytes, size_t count);
/* Reads width and height from the header, without the orientation tag. */
hirl_status hr_image_measure(int64_t *width, int64_t *height, const uint8_t *bytes, size_t count);

#endif
