/* rows.h - rows of features, each with the number of its image. */
#ifndef CLI_ROWS_H
#define CLI_ROWS_H

#include "cli.h"

typedef struct cli_rows {
    float *value;   /* [count, dim] */
    int64_t *image; /* [count] number in the data set */
    int64_t count, dim;
    int64_t images; /* in the data set; images - count were unreadable */
    bool loaded;    /* the library allocated value */
} cli_rows;

/* Allocates zeroed rows for all images; count stays 0. */
int cli_rows_alloc(cli_rows *rows, cli_session *session, int64_t images, int64_t dim);
int cli_rows_embed(cli_rows *rows, cli_session *session, const hirl_model *model, const char *layer,
                   hirl_dataset *dataset);
void cli_rows_free(cli_rows *rows);
/* Writes "index<TAB>name<TAB>reason" for every image without a row. */
int cli_rows_write_skipped(cli_session *session, const cli_rows *rows, const hirl_dataset *dataset,
                           const char *folder);

#endif
