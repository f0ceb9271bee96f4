/* patches.h - masked patches of the student and those of the teacher that they follow (iBOT). */
#ifndef HR_PATCHES_H
#define HR_PATCHES_H

#include "task/pretrain_state.h"

hirl_status hr_patches_declare(hr_pretrain *pretrain);
/* INVALID: an image has more masked patches than mask_ratio allows */
hirl_status hr_patches_fill(hr_pretrain *pretrain, const hr_step_input *input);
/* Logits of patches from the tokens of the first resolution: all of a teacher's, the masked ones of a student. */
void hr_patches_encode(hr_seen *seen, hr_pretrain *pretrain, const hr_pass *pass,
                       const hr_encoding *encoding, hr_tensor *tokens, const hr_micro *micro);

#endif
