/* losses.h - the losses of a batch, summed over its micro-batches. */
#ifndef HR_LOSSES_H
#define HR_LOSSES_H

#include "task/pretrain_state.h"

/* The losses of a batch, one micro-batch at a time. */
hirl_status hr_losses_separate(hr_pretrain *pretrain);
/* the input of the method's loss for a micro-batch, without `entropy` */
hr_now hr_now_of(hr_pretrain *pretrain, const hr_micro *micro);
/* Adds x to a number of the results; x NULL: adds nothing. */
void hr_losses_add(hr_pretrain *pretrain, int result, const hr_tensor *x);
/* Adds the entropies of one micro-batch, weighted by its share of the batch. */
void hr_losses_add_entropy(hr_pretrain *pretrain, const hr_entropy *entropy, int64_t micros);

#endif
