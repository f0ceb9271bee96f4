/* loader.h - threads that decode and augment ahead of the trainer.
 *
 * The batch of (seed, epoch, step) does not depend on the number of threads, on where the loader
 * was started, or on what was read before.
 */
#ifndef HR_LOADER_H
#define HR_LOADER_H

#include "data/augment.h"
#include "data/dataset.h"
#include "types.h"

enum { HR_VIEWS = 16 };

/* what stands in the row of an unreadable image */
typedef enum hr_bad_row {
    HR_BAD_ROW_FAIL,    /* the batch fails */
    HR_BAD_ROW_REPLACE, /* the next readable image of the epoch's order */
    HR_BAD_ROW_BLANK    /* zeros; `readable` says so */
} hr_bad_row;

typedef struct hr_loader_config {
    int32_t batch; /* images of this rank */
    /* Rank r of R gets images [r batch, (r + 1) batch) of each global batch of R batch images: the
     * ranks together get what one rank gets with R times the batch. ranks 0: one rank. */
    int32_t rank, ranks;
    int32_t threads; /* 0: the calling thread decodes */
    uint64_t seed;
    bool shuffled;     /* false: images in order, the last batch may be short */
    hr_bad_row on_bad; /* in order only HR_BAD_ROW_BLANK */
    double max_bad;    /* share of the set above which the run stops */
    int32_t views;
    hr_view view[HR_VIEWS];
} hr_loader_config;

struct hr_batch {
    int32_t n, views;
    int64_t epoch, step;
    int64_t *image;        /* [n] positions in the data set */
    uint8_t *readable;     /* [n] */
    float *view[HR_VIEWS]; /* [n, size, size, 3] normalised, NHWC, host */
    double waited;         /* seconds that next() waited */
};

hirl_status hr_loader_create(hr_loader **loader, hirl_dataset *dataset,
                             const hr_loader_config *config);
void hr_loader_destroy(hr_loader *loader);
int64_t hr_loader_steps(const hr_loader *loader); /* batches an epoch; shuffled: full ones only */
/* from this batch on; batches already prepared for elsewhere are dropped */
hirl_status hr_loader_seek(hr_loader *loader, int64_t epoch, int64_t step);
/* the next batch, valid until the next call; waits in small pieces and polls cancel (CANCELED).
 * Shuffled: epoch follows epoch. In order: HIRL_DONE after the last batch, *batch untouched. Images
 * found unreadable are marked in the data set here, batch by batch; FORMAT above max_bad of them. */
hirl_status hr_loader_next(const hr_batch **batch, hr_loader *loader);

#endif
