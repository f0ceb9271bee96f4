/* extract.h - features of a whole data set in evaluation mode, batch by batch (HIRL Alg. 2). */
#ifndef HR_EXTRACT_H
#define HR_EXTRACT_H

#include "data/loader.h"
#include "nn/net.h"
#include "types.h"

typedef struct hr_extract_config {
    int32_t batch;   /* images per forward pass */
    int32_t threads; /* loader threads */
    int32_t size;    /* side of the input */
    int32_t filter;  /* resize filter: HR_FILTER_ (data/evaluation.h) */
    int32_t layer;   /* HR_LAYER_*, or l-1 for the head h_l */
    float mean[3], std[3];
    double max_bad;
    /* 0: all images in order; otherwise at least this many, drawn uniformly from the data set */
    int64_t sample;
    bool bf16; /* activations in bf16 (feature_precision=run) */
} hr_extract_config;

/* an extraction that can be interrupted and continued */
typedef struct hr_extract hr_extract;
hirl_status hr_extract_create(hr_extract **extract, hr_queue *queue, hirl_dataset *dataset,
                              const hr_net *net, const hr_weights *weights,
                              const hr_extract_config *config);
void hr_extract_destroy(hr_extract *extract);
/* Extracts the next batch into features [count, dim] in host memory and readable [count] (may be
 * NULL). *done: it was the last one. After a failure the next call starts with the same batch. */
hirl_status hr_extract_step(bool *done, float *features, uint8_t *readable, hr_extract *extract);
/* As hr_extract_step, with the batch at the start of both arrays: they hold its rows and marks
 * alone. */
hirl_status hr_extract_next(bool *done, float *rows, uint8_t *readable, hr_extract *extract);
/* Continues with this image, a multiple of the batch; it does nothing if that is the next one. */
hirl_status hr_extract_seek(hr_extract *extract, int64_t image);
/* Extracts all remaining batches and reports progress as `phase`. After CANCELED it can be
 * continued. */
hirl_status hr_extract_run(float *features, uint8_t *readable, hr_extract *extract,
                           const char *phase);

#endif
