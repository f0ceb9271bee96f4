/* pretrain.h - the pretraining task: the loss of a self-supervised method, alone or with HIRL's
 * path loss.
 *
 *   L = L_img + w L_SPD                                                        (HIRL eq. 4)
 *
 *   decisions.c   writes the inputs of a step
 *   encode.c      encodes the views that the method lists; patches.c: iBOT; shuffle.c: shuffle BN
 *   losses.c      adds L_img (ssl/<method>.c) and L_SPD (paths.c) over micro-batches; coupled.c: if
 *                 L_img couples images
 *   reassign.c    chooses positive leaves anew before the losses
 */
#ifndef HR_PRETRAIN_H
#define HR_PRETRAIN_H

#include "task/pretrain_state.h"

#include <hirl/method.h>

extern const hr_task hr_task_pretrain;

/* The learner owns the task. */
hirl_status hr_pretrain_create(hr_learner **learner, hr_pretrain **pretrain, hirl_context *context,
                               const hr_pretrain_config *config);
/* Sets the application's functions of method=own (ssl/own.h). */
hirl_status hr_pretrain_set_calls(hr_pretrain *pretrain, const hirl_method_calls *calls);
/* the config of the method, with the sizes of the network and of the run */
hr_method_config hr_pretrain_numbers(const hr_pretrain *pretrain);

#endif
