/* losses.h - the losses of a batch over its micro-batches (HIRL eq. 4), and what computing them shares. */
#ifndef HR_LOSSES_H
#define HR_LOSSES_H

#include "task/encode.h"

/* losses of a batch; the tape holds what is to be done at its commit */
hirl_status hr_losses_of(hr_learner_result *result, hr_learner *learner, const hr_learner_input *in,
                         bool commit);
/* Images of the step that have a leaf, on all ranks, into learner->leaves. Where none has one there is no path
 * loss, and h_l rest: running statistics, decay and momentum included (spec.md 0.2). */
hirl_status hr_count_leaves(hr_learner *learner, const hr_learner_input *in);

/* ---- shared by losses.c and coupled.c ---- */

typedef struct hr_totals {
    double image, spd;
    double rows, usage; /* entropy of the targets */
    bool targets;
} hr_totals;

/* adds the mean over ranks of x [1]; NULL: nothing */
hirl_status hr_totals_add(double *sum, hr_learner *learner, hr_tensor *x);
/* of one of so many micro-batches, as its share of the batch's */
hirl_status hr_totals_entropy(hr_totals *sum, hr_learner *learner, const hr_entropy *entropy,
                              int64_t micros);
hr_now hr_now_of(hr_learner *learner, const hr_micro *micro);
/* the path loss of a micro-batch as its share of the step's, whose mean over ranks is taken later; NULL where
 * there is none */
hr_tensor *hr_path_loss_of(hr_learner *learner, const hr_micro *micro, hr_tensor *z0);
/* the losses of a batch in several micro-batches whose images are coupled: coupled.c */
hirl_status hr_losses_coupled(hr_totals *sum, hr_learner *learner, const hr_learner_input *in,
                              bool commit);

#endif
