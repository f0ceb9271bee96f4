/* small_learner.h - trains a small network for a few steps on noise images and a fixed tree, with
 * any method: in whole batches, in micro-batches, or on several ranks. */
#ifndef SMALL_LEARNER_H
#define SMALL_LEARNER_H

#include "base/tensors.h"
#include "task/pretrain.h"

enum {
    SMALL_ROWS = 16, /* images in a batch, summed over all ranks */
    SMALL_STEPS = 3,
    SMALL_METHODS = 7, /* in the order of the key `method` */
};

typedef struct small_run {
    int64_t method, accumulate, groups; /* bn_groups and path_bn_groups of the whole batch */
    int64_t queue;                      /* rows of SwAV's queue; MoCo v2's queue has a fixed size */
    bool plain;                         /* train without a tree */
    hr_comm *comm;                      /* NULL: one rank */
    /* fail the n-th allocation in attempt n of each step, until an attempt succeeds */
    bool starved;
    bool reassign;              /* leaves are chosen anew in each step */
    const hr_backend *steps_on; /* not NULL: runs the steps in place of the CPU backend */
    bool spoil;                 /* before step 1, attempt it with a non-finite pixel on rank 1 */
} small_run;

typedef struct small_outcome {
    hr_tensors state;
    double loss[SMALL_STEPS];
    int32_t host_points; /* that the last step declared */
    bool moved;          /* setting the tree a second time moved its arrays */
    char fault[256];     /* error message of the spoilt step */
} small_outcome;

/* Makes SMALL_STEPS steps from fresh weights. The caller frees outcome->state with
 * hr_tensors_done. */
void small_learner_run(small_outcome *outcome, const small_run *run);
/* Checks that losses agree to `limit` and that |got - want| <= limit (1 + |want|) for each tensor,
 * except tensors whose name contains a word of `without`, a list that ends with NULL (NULL: compare
 * all tensors). */
void small_outcome_equal(const small_outcome *got, const small_outcome *want,
                         const char *const *without, double limit);

#endif
