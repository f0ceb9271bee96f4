/* images.h - data sets and models, opened from data= and model=. */
#ifndef CLI_IMAGES_H
#define CLI_IMAGES_H

#include "cli.h"

/* help of the keys model= and layer= */
#define CLI_MODEL_HELP                                                                             \
    "run directory, checkpoint or model file; random: an untrained model of preset="
#define CLI_LAYER_HELP                                                                             \
    "backbone, z0, or z1 to zL (the heads of the tree levels, with network=online)"

enum { CLI_LABEL_LEVELS = 4 }; /* most label levels of a data set */

int cli_require_data(cli_session *session); /* refuses when data= was not given */
int cli_data_open(hirl_dataset **dataset, cli_session *session);
int cli_data_print(cli_session *session, const hirl_dataset *dataset);
const char *cli_level_name(int32_t level, int32_t levels); /* "fine", "coarse", "top" */
/* The labels [count] at one level. Row r belongs to image[r], or to image r when image is NULL.
 * Freed with free(); NULL: out of memory. */
int32_t *cli_labels(const hirl_dataset *dataset, const int64_t *image, int64_t count,
                    int32_t level);

/* model=random creates an untrained model from the options, unless a file has this name. */
bool cli_model_is_random(const cli_session *session);
int cli_model_open(hirl_model **model, cli_session *session);
/* features=random: an untrained model with the settings of a run directory; run "": of the keys */
int cli_model_untrained(hirl_model **model, cli_session *session, const char *run);

#endif
