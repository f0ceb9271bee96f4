/* pixels.h - rows of features that are the pixels of the images. */
#ifndef CLI_PIXELS_H
#define CLI_PIXELS_H

#include "rows.h"

/* All images must have the same size. */
int cli_rows_pixels(cli_rows *rows, cli_session *session, const hirl_dataset *dataset);

#endif
