/* pretrain_config.h - converts the settings of a run to those of the self-supervised task. */
#ifndef HR_PRETRAIN_CONFIG_H
#define HR_PRETRAIN_CONFIG_H

#include "config/run_config.h"
#include "config/views.h"
#include "task/pretrain.h"

/* The settings of the learner, which every task has. The communicator is left NULL. */
hr_learner_config hr_learner_config_of(const hr_train_config *config);

/* config must be resolved. Left at 0: the communicator, and numbers that follow from the network
 * (hr_pretrain_numbers). */
hr_pretrain_config hr_pretrain_config_of(const hr_run_config *config, const hr_run_views *views,
                                         int64_t per_epoch);

#endif
