/* pretrain_config.h - the settings of a run as the self-supervised task takes them: epochs as steps, flags, constants. */
#ifndef HR_PRETRAIN_CONFIG_H
#define HR_PRETRAIN_CONFIG_H

#include "config/run_config.h"
#include "config/views.h"
#include "task/pretrain.h"

/* what every task has: the settings of its learner; without a communicator */
hr_learner_config hr_learner_config_of(const hr_train_config *config);

/* config is resolved, views are its views, an epoch has per_epoch steps. Left at 0: the communicator, and what the
 * task finds out from its network (hr_pretrain_numbers). */
hr_pretrain_config hr_pretrain_config_of(const hr_run_config *config, const hr_run_views *views,
                                         int64_t per_epoch);

#endif
