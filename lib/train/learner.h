/* learner.h - one training step: networks, loss of eq. 4, optimiser, average; without data or epochs.
 *
 * A step computes, then commits (decision 15): a step that fails before commit has changed nothing.
 */
#ifndef HR_LEARNER_H
#define HR_LEARNER_H

#include "hier/tree.h"
#include "nn/net.h"
#include "ssl/method.h"
#include "tape/tape.h"
#include "types.h"

enum { HR_GROUP_METHOD, HR_GROUP_PATH }; /* parameter groups: backbone and head; h_l */

typedef struct hr_learner_config {
    hr_model_config model;
    int32_t levels;    /* L */
    int64_t batch;     /* images a step on this rank */
    int64_t bn_groups; /* on this rank */
    bool reference;    /* running statistics follow group 0 (spec.md 8.6) */
    bool bf16;         /* activations in bf16 */
    double temperature, momentum, weight_decay, ema;
    int64_t queue;
    double spd_eps;
    uint64_t seed;
    hr_comm *comm; /* NULL: one rank */
} hr_learner_config;

typedef struct hr_learner {
    hr_learner_config config;
    hirl_context *context;
    hr_queue *queue;
    hr_tape tape;
    hr_net net;
    hr_weights online, teacher; /* teacher: backbone and head only */
    hr_array moment;            /* of SGD, laid out as online.value */
    hr_array bad, square;       /* i32 [1] finite check; f64 [1] |gradient|^2 */
    const hr_method *method;
    void *method_state;
    hr_scalars scalars;
    hirl_tree *tree;                 /* whose paths the loss follows, or NULL */
    hr_array proto[HR_LEVELS], path; /* its arrays on the device */
} hr_learner;

/* What one step gets; host arrays, read during the call. */
typedef struct hr_learner_input {
    int64_t n;                          /* rows: config.batch (evaluation: any) */
    const float *view[HR_METHOD_VIEWS]; /* [n, size, size, 3] */
    int64_t size[HR_METHOD_VIEWS];
    const int64_t *image;    /* [n] ids */
    const int32_t *leaf;     /* [n] positive leaves, -1: none; NULL: stage 1 */
    const int32_t *negative; /* [n, negatives] */
    int64_t negatives;
    double rate, spd_weight;
    int64_t step; /* from 0; names the shuffle and the place in the queue */
} hr_learner_input;

typedef struct hr_learner_result {
    double loss, loss_image, loss_spd, grad_norm;
} hr_learner_result;

hirl_status hr_learner_create(hr_learner **learner, hirl_context *context,
                              const hr_learner_config *config);
void hr_learner_destroy(hr_learner *learner);

/* copies the tree's arrays to the device; NULL: none. INVALID leaves the tree in use alone, another
 * failure leaves none */
hirl_status hr_learner_set_tree(hr_learner *learner, hirl_tree *tree);

/* NONFINITE names the first tensor that is not finite; nothing is changed then */
hirl_status hr_learner_step(hr_learner_result *result, hr_learner *learner,
                            const hr_learner_input *input);
/* the losses alone: nothing is changed; batch statistics as in training */
hirl_status hr_learner_evaluate(hr_learner_result *result, hr_learner *learner,
                                const hr_learner_input *input);

/* everything that a step changes, under its own names; load needs a learner of the same config */
hirl_status hr_learner_save(hr_tensors *out, const hr_learner *learner);
hirl_status hr_learner_load(hr_learner *learner, const hr_tensors *in);

#endif
