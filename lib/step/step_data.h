/* step_data.h - what an optimiser step takes and returns. */
#ifndef HR_STEP_DATA_H
#define HR_STEP_DATA_H

#include "types.h"

enum { HR_STEP_VIEWS = 16 };

/* numbers that a schedule gives for a step */
typedef struct hr_rates {
    double rate, predictor_rate;
    double decay, path_decay;
    double ema; /* of the average taken at this step's commit */
    double teacher_temperature;
    bool freeze_last; /* the last layer, or the prototypes, are not updated */
} hr_rates;

/* The operations of a step. A backend that replays captured steps captures again when a stage changes. */
typedef struct hr_stage {
    uint32_t name;     /* the task's bits: two steps of one name have the same operations */
    uint32_t gradient; /* parameter groups that have a gradient, bit g is group g */
    uint32_t updated;  /* those that the optimiser updates */
} hr_stage;

/* What one step gets from its run: host arrays, read during the call. */
typedef struct hr_step_input {
    int64_t n;    /* images: config.batch */
    int64_t step; /* from 0: names draws, and places in key queues */
    hr_rates rates;
    int32_t globals, views;
    const float *view[HR_STEP_VIEWS]; /* [n,S,S,3] f32 normalised; global views first */
    int64_t size[HR_STEP_VIEWS];      /* S */
    const int64_t *image;             /* [n] ids */
    /* ---- pretraining ---- */
    const uint8_t
        *mask[HR_STEP_VIEWS]; /* [n,P] of global views, 1: masked; NULL: nothing is masked */
    const int32_t *leaf;      /* [n] positive leaves, -1: none; NULL: stage 1 */
    const int32_t *negative;  /* [n,K] leaves; with reassign drawn ones (hier/paths.h) */
    int32_t *chosen; /* not NULL: leaves are chosen anew before the losses, and a step that succeeds
                        writes them here, [n] */
    /* ---- labelled ---- */
    const int32_t *label; /* [n] classes */
    /* ---- any other task ---- */
    const void *more;
} hr_step_input;

/* numbers alone: a checkpoint holds them in this order */
typedef struct hr_step_result {
    double loss;
    double loss_image, loss_spd; /* pretraining: the two terms of HIRL eq. 4 */
    double grad_norm;
    double teacher_entropy, usage_entropy; /* of the targets (ssl/method.h), -1: there are none */
    double top1; /* labelled: share of images classified right, -1: none */
} hr_step_result;

#endif
