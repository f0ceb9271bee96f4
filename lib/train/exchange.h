/* exchange.h - an application takes a copy of a network from a run, or sets a tree of its own. */
#ifndef HR_TRAIN_EXCHANGE_H
#define HR_TRAIN_EXCHANGE_H

#include "types.h"

#include <hirl/train.h>

/* network: "auto", "online" or "teacher" */
hirl_status hr_trainer_model(hirl_model **model, const hirl_trainer *trainer, const char *network);
/* leaf [N] is read during the call. tree NULL: the run makes its own trees again. */
hirl_status hr_trainer_set_tree(hirl_trainer *trainer, const hirl_tree *tree, const int32_t *leaf);

#endif
