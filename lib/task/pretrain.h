/* pretrain.h - the self-supervised task: a method's loss, alone or with HIRL's path loss.
 *
 *   L = L_img + w L_SPD                                                        (HIRL eq. 4)
 *
 * The networks encode the views of a batch as the method says (encode.c), the method makes L_img
 * (ssl/<method>.c), the tree in use makes L_SPD (paths.c). What the host decides for a step is written by
 * draws.c before anything is computed.
 */
#ifndef HR_PRETRAIN_H
#define HR_PRETRAIN_H

#include "task/pretrain_state.h"

#include <hirl/method.h>

extern const hr_task hr_task_pretrain;

/* The task is the learner's self and lives as long as it. */
hirl_status hr_pretrain_create(hr_learner **learner, hr_pretrain **pretrain, hirl_context *context,
                               const hr_pretrain_config *config);
/* the application's functions of method=own (ssl/own.h) */
hirl_status hr_pretrain_set_calls(hr_pretrain *pretrain, const hirl_method_calls *calls);
hr_method_config hr_pretrain_numbers(const hr_pretrain *pretrain); /* what `chance` needs */

#endif
