/* batch.h - a batch of augmented images, and the options of the loader that fills it. */
#ifndef HR_BATCH_H
#define HR_BATCH_H

#include "data/augment.h"
#include "types.h"

enum { HR_VIEWS = 16 };

/* What the loader does with a row whose image cannot be read. */
typedef enum hr_bad_row {
    HR_BAD_ROW_FAIL,    /* the whole batch fails */
    HR_BAD_ROW_REPLACE, /* the next readable image of the epoch's order takes the row */
    HR_BAD_ROW_BLANK    /* the row is zero and `readable` of it is 0 */
} hr_bad_row;

typedef struct hr_loader_config {
    int32_t batch; /* images of a batch on this rank */
    /* Rank r of R gets images [r batch, (r + 1) batch) of each global batch of R batch images: the
     * ranks together get what one rank gets with R times the batch. ranks 0: one rank. */
    int32_t rank, ranks;
    int32_t threads; /* 0: the calling thread decodes */
    uint64_t seed;
    bool shuffled;     /* false: images in order of the data set; the last batch may be short */
    hr_bad_row on_bad; /* must be HR_BAD_ROW_BLANK when not shuffled */
    double max_bad;    /* largest accepted share of unreadable images in the data set */
    bool labelled;     /* batches carry labels of this level, 0 the finest */
    int32_t label_level;
    int32_t views;
    hr_view view[HR_VIEWS];
} hr_loader_config;

struct hr_batch {
    int32_t n, views;
    int64_t epoch, step;
    int64_t *image;        /* [n] positions in the data set */
    uint8_t *readable;     /* [n] 1 or 0 */
    int32_t *label;        /* [n] classes, -1: none; NULL unless labelled */
    float *view[HR_VIEWS]; /* [n, size, size, 3] normalised, NHWC, in host memory */
    double waited;         /* seconds that hr_loader_next() waited for this batch */
};

#endif
