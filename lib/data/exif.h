/* exif.h - the orientation of a photo. */
#ifndef HR_EXIF_H
#define HR_EXIF_H

#include "types.h"

/* The orientation, 1 to 8, from the APP1 segment of a JPEG; 1 when it is missing or invalid. */
int hr_exif_orientation(const uint8_t *bytes, size_t count);

#endif
