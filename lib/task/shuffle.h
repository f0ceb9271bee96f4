/* shuffle.h - shuffle BN (MoCo): the order of the teacher's images. */
#ifndef HR_SHUFFLE_H
#define HR_SHUFFLE_H

#include "task/pretrain_state.h"

/* Draws the permutation of a step. */
hirl_status hr_shuffle_fill(hr_pretrain *pretrain, const hr_step_input *input);
/* z0 [batch,d] of the teacher's view, images permuted over all ranks; kept for the step */
hr_array hr_encode_keys(hr_pretrain *pretrain, bool update);
/* The keys of a micro-batch, each again at its image. */
void hr_keys_of_micro(hr_seen *seen, hr_pretrain *pretrain, const hr_micro *micro,
                      const hr_array *keys);

#endif
