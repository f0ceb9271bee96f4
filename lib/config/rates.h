/* rates.h - values of the schedules of a run at a step. */
#ifndef HR_RATES_H
#define HR_RATES_H

#include "config/run_config.h"
#include "step/step_data.h"

hr_rates hr_rates_at(const hr_train_config *config, int64_t step, int64_t per_epoch);

#endif
