/* thumbnail.h - small JPEG files of images. */
#ifndef CLI_THUMBNAIL_H
#define CLI_THUMBNAIL_H

#include "cli.h"

/* The JPEG file of an image u8 RGB [height, width, 3], reduced to at most `side` pixels per side;
 * its size is returned in bytes, *w and *h. NULL: out of memory. Freed with free(). */
uint8_t *cli_thumbnail(size_t *bytes, int64_t *w, int64_t *h, const uint8_t *pixels, int64_t height,
                       int64_t width, int64_t side);

#endif
