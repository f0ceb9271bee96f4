/* micro.h - a micro-batch of a step, and the pass of a network over it. */
#ifndef HR_MICRO_H
#define HR_MICRO_H

#include "task/pretrain_state.h"

/* images of a micro-batch */
int64_t hr_micro_images(const hr_pretrain *pretrain);
hr_micro hr_micro_of(const hr_pretrain *pretrain, int64_t index, int64_t count, bool update);
hr_pass hr_pass_of(hr_pretrain *pretrain, const hr_weights *weights, const hr_micro *micro);

#endif
