/* paths.h - the path loss of a micro-batch, its tree on the device. */
#ifndef HR_TASK_PATHS_H
#define HR_TASK_PATHS_H

#include "task/pretrain_state.h"

/* Copies the tree's arrays to the device; NULL: none. A failure leaves the tree in use as it was. */
hirl_status hr_pretrain_set_tree(hr_pretrain *pretrain, hirl_tree *tree);

/* the path loss of a micro-batch as its share of the step's, whose mean over ranks is taken later; NULL where
 * there is none */
hr_tensor *hr_path_loss(hr_pretrain *pretrain, const hr_micro *micro, hr_tensor *z0);

#endif
