/* patches.h - the patches that iBOT compares: the student's masked ones, and the teacher's. */
#ifndef HR_PATCHES_H
#define HR_PATCHES_H

#include "task/pretrain_state.h"

/* Declares masks and lists of masked patches as inputs. */
hirl_status hr_patches_declare(hr_pretrain *pretrain);
/* Writes these inputs. INVALID: a micro-batch has more masked patches than mask_ratio allows. */
hirl_status hr_patches_fill(hr_pretrain *pretrain, const hr_step_input *input);
/* Writes logits of patches to `seen`, computed from the tokens of the first part: all patches for
 * the teacher, masked ones for the student. */
void hr_patches_encode(hr_seen *seen, hr_pretrain *pretrain, const hr_pass *pass,
                       const hr_encoding *encoding, hr_tensor *tokens, const hr_micro *micro);

#endif
