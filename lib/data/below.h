/* below.h - finds data one or two folders below a folder without images. */
#ifndef HR_DATA_BELOW_H
#define HR_DATA_BELOW_H

#include "data/formats.h"
#include "types.h"

/* Fails with a message that names the data below `path`, or with the message of `failed`, which
 * opening `path` gave, when there is none. `formats` ends with NULL. */
hirl_status hr_below_hint(hirl_status failed, const char *path, const hr_format *const *formats);

#endif
