/* pretrain_config.h - converts the settings of a run to those of the self-supervised task. */
#ifndef HR_PRETRAIN_CONFIG_H
#define HR_PRETRAIN_CONFIG_H

#include "config/run_config.h"
#include "config/views.h"
#include "task/pretrain.h"

/* The settings of the learner on one of so many ranks, which every task has. */
hr_learner_config hr_learner_config_of(const hr_train_config *config, int32_t ranks);

/* config must be resolved. Fields of `method` that follow from the network stay 0; see
 * hr_pretrain_numbers. */
hr_pretrain_config hr_pretrain_config_of(const hr_run_config *config, const hr_run_views *views,
                                         int64_t per_epoch, int32_t ranks);

#endif
