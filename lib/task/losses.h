/* losses.h - the losses of a batch over its micro-batches. */
#ifndef HR_LOSSES_H
#define HR_LOSSES_H

#include "task/pretrain_state.h"

/* the losses of a batch, one micro-batch after the other */
hirl_status hr_losses_separate(hr_pretrain *pretrain);
hr_now hr_now_of(hr_pretrain *pretrain, const hr_micro *micro);
void hr_losses_add(hr_pretrain *pretrain, int result, const hr_tensor *x); /* NULL: nothing */
/* entropy of the targets of one of so many micro-batches */
void hr_losses_add_entropy(hr_pretrain *pretrain, const hr_entropy *entropy, int64_t micros);

#endif
