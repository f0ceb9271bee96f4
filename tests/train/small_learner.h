/* small_learner.h - a few steps of any method on a small network and images of noise, with a tree of its own:
 * whole, in micro-batches, or on several ranks. */
#ifndef SMALL_LEARNER_H
#define SMALL_LEARNER_H

#include "base/tensors.h"
#include "step/learner.h"

enum {
    SMALL_ROWS = 16, /* images of a batch, all ranks together */
    SMALL_STEPS = 3,
    SMALL_METHODS = 7, /* in the order of the key `method` */
};

typedef struct small_run {
    int64_t method, accumulate,
        groups;    /* groups: bn_groups and path_bn_groups of the whole batch */
    int64_t queue; /* of SwAV; MoCo v2 has one of its own */
    bool plain;    /* without tree */
    hr_comm *comm; /* NULL: one rank */
    /* each step fails for want of memory wherever it takes some, and is tried again */
    bool starved;
    bool spoil; /* rank 1 has an image that is not finite before step 1 is made */
} small_run;

typedef struct small_outcome {
    hr_tensors state;
    double loss[SMALL_STEPS];
    char fault[256]; /* what was said of the spoilt step */
} small_outcome;

/* SMALL_STEPS steps from fresh weights; state ends with hr_tensors_done */
void small_learner_run(small_outcome *outcome, const small_run *run);
/* the same state but for tensors whose name contains one of the words of `without` (ended by NULL; NULL: all), to
 * limit (1 + |b|) */
void small_outcome_equal(const small_outcome *got, const small_outcome *want,
                         const char *const *without, double limit);

#endif
