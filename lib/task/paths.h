/* paths.h - the path loss of a micro-batch, and its tree on the device. */
#ifndef HR_TASK_PATHS_H
#define HR_TASK_PATHS_H

#include "task/pretrain_state.h"

/* Copies the tree to the device and uses it from then on; NULL: no tree. A failure leaves the tree
 * in use as it was. */
hirl_status hr_pretrain_set_tree(hr_pretrain *pretrain, hirl_tree *tree);

/* The share of a micro-batch in the path loss of the step (paths.c); NULL: the step has none. */
hr_tensor *hr_path_loss(hr_pretrain *pretrain, const hr_micro *micro, hr_tensor *z0);

#endif
