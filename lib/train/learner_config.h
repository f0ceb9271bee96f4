/* learner_config.h - what the settings of a run are to its learner: epochs as steps, flags, constants. */
#ifndef HR_LEARNER_CONFIG_H
#define HR_LEARNER_CONFIG_H

#include "config/config.h"
#include "step/learner.h"
#include "config/views.h"

/* config is resolved, views are its views, an epoch has per_epoch steps. What does not come
 * from settings stays 0: mask_most, which needs the network's patches, and what a learner adds
 * itself (hr_learner_numbers, the optimiser's `plain`). */
hr_learner_config hr_learner_config_of(const hr_run_config *config, const hr_run_views *views,
                                       int64_t per_epoch);

#endif
