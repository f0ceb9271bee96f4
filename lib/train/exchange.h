/* exchange.h - what an application takes from a run and gives to it: a snapshot of a network, its own tree. */
#ifndef HR_TRAIN_EXCHANGE_H
#define HR_TRAIN_EXCHANGE_H

#include "types.h"

#include <hirl/train.h>

hirl_status hr_trainer_model(hirl_model **model, const hirl_trainer *trainer, const char *network);
/* leaf [N]: read during the call; tree NULL: the run makes its own again */
hirl_status hr_trainer_set_tree(hirl_trainer *trainer, const hirl_tree *tree, const int32_t *leaf);

#endif
