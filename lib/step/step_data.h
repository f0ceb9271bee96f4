/* step_data.h - the input and the result of one optimiser step. */
#ifndef HR_STEP_DATA_H
#define HR_STEP_DATA_H

#include <stddef.h>

#include "types.h"

enum { HR_STEP_VIEWS = 16 };

/* numbers of a step that follow a schedule */
typedef struct hr_rates {
    double rate, decay; /* learning rate, weight decay */
    /* ---- pretraining ---- */
    double predictor_rate; /* learning rate of the predictor */
    double path_decay;     /* weight decay of the heads h_l */
    double ema;            /* m of the teacher's average, taken when this step commits */
    double teacher_temperature;
    bool freeze_last; /* the last layer or the prototypes are not updated */
} hr_rates;

/* The operations of a step, and the arrays that they read and write. A backend that captures and
 * replays steps captures again if they change. */
typedef struct hr_stage {
    uint16_t name;       /* chosen by the task: steps of one name have the same operations */
    uint8_t gradient;    /* parameter groups that have a gradient; bit g is group g */
    uint8_t updated;     /* parameter groups that the optimiser updates */
    uint32_t arrays;     /* rises when the task replaces an array that steps use; below 2^24 */
    int32_t host_points; /* times that the task waits for the device while it computes (task.h) */
    /* ---- set by the step ---- */
    bool evaluates; /* no gradients are computed */
    bool checks;    /* each tensor is checked after it is computed */
} hr_stage;

/* The input of one step, from the run: arrays in host memory that are read during the call. */
typedef struct hr_step_input {
    int64_t n;    /* images: config.batch */
    int64_t step; /* from 0; keys random draws, and decides positions in key queues */
    hr_rates rates;
    int32_t globals, views;
    const float *view[HR_STEP_VIEWS]; /* [n,S,S,3] f32, normalised; global views first */
    int64_t size[HR_STEP_VIEWS];      /* S of each view */
    const int64_t *image;             /* [n] image ids */
    /* ---- pretraining ---- */
    /* [n,P] for each global view, 1: the patch is masked; NULL: the view has no masks */
    const uint8_t *mask[HR_STEP_VIEWS];
    const int32_t *leaf; /* [n] positive leaves, -1: none; NULL: no path loss */
    const int32_t
        *negative; /* [n,K] negative leaves; with `chosen`, drawn numbers (hier/paths.h) */
    /* [n] written by a step that succeeds: the leaves that it assigned to its images before it
     * computed the losses, or `leaf` if it has no path loss; NULL: `leaf` is used as it is */
    int32_t *chosen;
    /* ---- labelled ---- */
    const int32_t *label; /* [n] classes */
    /* ---- other tasks ---- */
    const void *more;
} hr_step_input;

/* Numbers only. A checkpoint stores those before top1, in this order, as its tensor "last"; their
 * number and order are part of its format. */
typedef struct hr_step_result {
    double loss;
    double loss_image, loss_spd; /* pretraining: the two terms of HIRL eq. 4 */
    double grad_norm;
    double teacher_entropy, usage_entropy; /* see hr_entropy (ssl/method.h); -1: no targets */
    double top1; /* labelled: share of images classified correctly; -1: no labels */
} hr_step_result;
_Static_assert(offsetof(hr_step_result, top1) == 6 * sizeof(double), "format of checkpoints");

/* the result of a task that has neither targets nor labels, before its losses are set */
#define HR_NO_RESULT ((hr_step_result){ .teacher_entropy = -1, .usage_entropy = -1, .top1 = -1 })

#endif
