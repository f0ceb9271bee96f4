/* shuffle.h - shuffle BN (MoCo: He et al. 2020): permutes the images that the teacher encodes. */
#ifndef HR_SHUFFLE_H
#define HR_SHUFFLE_H

#include "task/pretrain_state.h"

/* Draws the permutation of a step. */
hirl_status hr_shuffle_fill(hr_pretrain *pretrain, const hr_step_input *input);
/* Encodes the teacher's view of the whole batch: z0 [batch,d], in permuted order of images, kept
 * until the end of the step. */
hr_array hr_encode_keys(hr_pretrain *pretrain, bool update);
/* Writes the keys of a micro-batch to `seen`, back in the order of its images. */
void hr_keys_of_micro(hr_seen *seen, hr_pretrain *pretrain, const hr_micro *micro,
                      const hr_array *keys);

#endif
