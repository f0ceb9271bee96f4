/* extract.h - features of a whole data set in evaluation mode, batch by batch (HIRL Alg. 2). */
#ifndef HR_EXTRACT_H
#define HR_EXTRACT_H

#include "data/loader.h"
#include "nn/net.h"
#include "types.h"

typedef struct hr_extract_config {
    int32_t batch;   /* images at a time */
    int32_t threads; /* of the loader */
    int32_t size;    /* side of the input */
    int32_t filter;  /* of the resize: HR_FILTER_ (data/evaluation.h) */
    int32_t layer;   /* HR_LAYER_* or l-1 */
    float mean[3], std[3];
    double max_bad;
    int64_t sample; /* 0: all images in order; else at least so many, drawn evenly over the set */
    bool bf16;      /* activations in bf16 (feature_precision=run) */
} hr_extract_config;

/* an extraction that may be left and continued */
typedef struct hr_extract hr_extract;
hirl_status hr_extract_create(hr_extract **extract, hr_queue *queue, hirl_dataset *dataset,
                              const hr_net *net, const hr_weights *weights,
                              const hr_extract_config *config);
void hr_extract_destroy(hr_extract *extract);
/* the next batch into features f32 [count, dim] (host) and readable [count] (or NULL); *done after the last */
hirl_status hr_extract_step(bool *done, float *features, uint8_t *readable, hr_extract *extract);
/* all that is left, with progress under `phase`; CANCELED leaves it where it is */
hirl_status hr_extract_run(float *features, uint8_t *readable, hr_extract *extract,
                           const char *phase);

#endif
