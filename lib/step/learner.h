/* learner.h - one training step: networks, loss of eq. 4, optimiser, average; without data or epochs.
 *
 * A step computes, then commits (decision 15): a step that fails before commit has changed nothing.
 * With accumulation the batch is computed in micro-batches and committed once.
 */
#ifndef HR_LEARNER_H
#define HR_LEARNER_H

#include "hier/tree.h"
#include "nn/net.h"
#include "ssl/method.h"
#include "tape/tape.h"
#include "step/optim.h"
#include "types.h"

#include <hirl/method.h>

/* parameter groups: what decays and what does not, of the method; the predictor, the last layer; h_l */
enum {
    HR_GROUP_METHOD,
    HR_GROUP_PLAIN,
    HR_GROUP_PREDICTOR,
    HR_GROUP_PREDICTOR_PLAIN,
    HR_GROUP_LAST,
    HR_GROUP_PATH,
    HR_GROUP_PATH_PLAIN
};

typedef struct hr_learner_config {
    hr_model_config model;
    int32_t levels;                    /* L */
    int64_t batch;                     /* images a step on this rank */
    int64_t accumulate;                /* micro-batches that it is computed in */
    int64_t bn_groups, path_bn_groups; /* of a batch on this rank: encoder and heads; h_l */
    bool joint;                     /* views of one size in one pass, when the method says so too */
    bool reference;                 /* running statistics follow group 0 (spec.md 8.6) */
    bool bf16;                      /* activations in bf16 */
    bool decay_all, path_decay_all; /* biases and norms decay too; those of h_l */
    bool own_teacher;               /* of method=own */
    double momentum;
    hr_optim_config optim;   /* `plain` is the learner's */
    hr_method_config method; /* what the method asks for; sizes are filled in by the learner */
    int64_t mask_most;       /* patches of an image that may be masked, at most */
    double spd_eps;
    uint64_t seed;
} hr_learner_config;

typedef struct hr_learner_paths {
    hirl_tree *tree;                 /* whose paths the loss follows, or NULL */
    hr_array proto[HR_LEVELS], path; /* its arrays on the device */
} hr_learner_paths;

typedef struct hr_learner {
    hr_learner_config config;
    hirl_context *context;
    hr_queue *queue;
    hr_tape tape;
    hr_net net;
    hr_weights online, teacher; /* teacher: backbone and head only; none for some methods */
    hr_optim *optim;
    hr_array bad, square; /* i32 [1] finite check; f64 [1] |gradient|^2 */
    int32_t leaves;       /* images of this step with a leaf, of all ranks */
    hr_array inverse;     /* real [K] lengths of prototypes, while they are made unit rows */
    hr_method kind;       /* the method as this run has it */
    const hr_method *method;
    void *method_state;
    hr_scalars scalars;
    hr_learner_paths paths;
} hr_learner;

/* numbers that a schedule gives for a step */
typedef struct hr_rates {
    double rate, predictor_rate;
    double decay, path_decay;
    double ema; /* of the average taken at this step's commit */
    double teacher_temperature;
    bool freeze_last; /* the last layer, or the prototypes, are not updated */
} hr_rates;

/* What one step gets; host arrays, read during the call. */
typedef struct hr_learner_input {
    int64_t n; /* rows: config.batch (evaluation: any that the groups divide) */
    int32_t globals, views;
    const float *view[HR_METHOD_VIEWS]; /* [n, size, size, 3]; global views first */
    int64_t size[HR_METHOD_VIEWS];
    const uint8_t *mask[HR_METHOD_VIEWS]; /* [n, P] of global views, 1: masked; NULL: nothing is */
    const int64_t *image;                 /* [n] ids */
    const int32_t *leaf;                  /* [n] positive leaves, -1: none; NULL: stage 1 */
    const int32_t *negative;              /* [n, negatives] */
    int64_t negatives;
    bool assigned; /* hr_learner_assign was called for this batch just before */
    hr_rates rates;
    double spd_weight;
    int64_t step; /* from 0; names draws and the place in queues */
} hr_learner_input;

typedef struct hr_learner_result {
    double loss, loss_image, loss_spd, grad_norm;
    double teacher_entropy, usage_entropy; /* of the targets (ssl/method.h), -1: there are none */
} hr_learner_result;

hirl_status hr_learner_create(hr_learner **learner, hirl_context *context,
                              const hr_learner_config *config);
void hr_learner_destroy(hr_learner *learner);
/* the host's functions of method=own (ssl/own.h) */
hirl_status hr_learner_set_calls(hr_learner *learner, const hirl_method_calls *calls);
/* STATE while method=own waits for them */
hirl_status hr_learner_ready(const hr_learner *learner);
hr_method_config hr_learner_numbers(const hr_learner *learner); /* what `chance` asks for */

/* copies the tree's arrays to the device; NULL: none. A failure leaves the tree in use as it was */
hirl_status hr_learner_set_tree(hr_learner *learner, hirl_tree *tree);

/* assign.c: leaf [n] of those that have one (not -1) becomes the nearest leaf of the tree in use, by view 1.
 * The step that follows, with `assigned`, commits what this pass did to the running statistics */
hirl_status hr_learner_assign(int32_t *leaf, hr_learner *learner, const hr_learner_input *input);

/* NONFINITE names the first tensor that is not finite, or says that it is of another rank; nothing is changed then */
hirl_status hr_learner_step(hr_learner_result *result, hr_learner *learner,
                            const hr_learner_input *input);
/* the losses alone: nothing is changed; batch statistics as in training */
hirl_status hr_learner_evaluate(hr_learner_result *result, hr_learner *learner,
                                const hr_learner_input *input);

/* everything that a step changes, under its own names; load needs a learner of the same config */
hirl_status hr_learner_save(hr_tensors *out, const hr_learner *learner);
hirl_status hr_learner_load(hr_learner *learner, const hr_tensors *in);
/* after weights were given from elsewhere: prototypes at unit length, copies in the run's precision, teacher */
hirl_status hr_learner_refresh(hr_learner *learner, bool teacher_follows);

#endif
