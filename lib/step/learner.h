/* learner.h - trained weights, their optimiser and a task: what one optimiser step changes.
 *
 * A step computes, then commits: one that fails before the commit has changed nothing. With accumulation
 * the batch is computed in micro-batches and committed once.
 */
#ifndef HR_LEARNER_H
#define HR_LEARNER_H

#include "base/tensors.h"
#include "nn/param.h"
#include "step/inputs.h"
#include "step/optim.h"
#include "step/results.h"
#include "tape/tape.h"
#include "types.h"

enum { HR_STEP_VIEWS = 16 };

typedef struct hr_learner_config {
    int64_t batch;      /* images of a step on this rank */
    int64_t accumulate; /* micro-batches that they are computed in */
    bool bf16;          /* activations in bf16 */
    hr_optim_config optim;
    uint64_t seed;
} hr_learner_config;

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

struct hr_learner {
    hr_learner_config config;
    hirl_context *context;
    hr_queue *queue;
    const hr_task *task;
    void *self;                      /* the task's struct, owned */
    const hr_layout *params, *norms; /* of the weights, owned by the task */
    hr_weights online;               /* trained by gradients */
    hr_weights
        teacher; /* their moving average, over the first slots; made by the task, or absent */
    hr_optim *optim;
    hr_inputs inputs;
    hr_results results;
    hr_scalars scalars;
    hr_tape tape;
    hr_stage stage; /* of the last step */
};

/* Takes over self, also when it fails. */
hirl_status hr_learner_create(hr_learner **learner, hirl_context *context, const hr_task *task,
                              void *self, const hr_learner_config *config);
void hr_learner_destroy(hr_learner *learner); /* NULL is fine */
/* STATE: a step cannot be made yet */
hirl_status hr_learner_ready(const hr_learner *learner);
int32_t hr_learner_ranks(const hr_learner *learner);
/* Recomputes what follows the weights: the task's corrections, copies in the activation type. Does not wait. */
void hr_learner_refresh(hr_learner *learner);
/* After weights were loaded from elsewhere: refreshes, starts the teacher as a copy, and waits. */
hirl_status hr_learner_restart(hr_learner *learner);

/* ---- step.c ---- */

/* NONFINITE names the first tensor that is not finite, or says that it is of another rank. A step that fails
 * has changed nothing. Waits once for the device. */
hirl_status hr_learner_step(hr_step_result *result, hr_learner *learner,
                            const hr_step_input *input);
/* The losses alone, with batch statistics as in training: nothing is changed. */
hirl_status hr_learner_evaluate(hr_step_result *result, hr_learner *learner,
                                const hr_step_input *input);

/* ---- state.c: everything that a step changes, by name; load needs a learner of the same config ---- */

hirl_status hr_learner_save(hr_tensors *out, const hr_learner *learner);
hirl_status hr_learner_load(hr_learner *learner, const hr_tensors *in);
/* one named array of a task's state */
hirl_status hr_learner_save_array(hr_tensors *out, const hr_learner *learner, const char *name,
                                  const hr_array *array);
hirl_status hr_learner_load_array(hr_learner *learner, const hr_tensors *in, const char *name,
                                  const hr_array *array);

#endif
