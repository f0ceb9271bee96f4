/* exif.h - the orientation of a photo. */
#ifndef HR_EXIF_H
#define HR_EXIF_H

#include "types.h"

/* The orientation, 1 to 8, in an Exif block, which has the form of a TIFF file; 1 when it is
 * missing or invalid. */
int hr_exif_orientation(const uint8_t *tiff, size_t count);
/* Find the Exif block of an image file. NULL: there is none. */
const uint8_t *hr_exif_of_jpeg(size_t *bytes, const uint8_t *file, size_t count);
const uint8_t *hr_exif_of_png(size_t *bytes, const uint8_t *file, size_t count);

#endif
