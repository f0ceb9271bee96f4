/* schedule.h - rates over epochs and steps, by integers (spec.md 6.2, 6). */
#ifndef HR_SCHEDULE_H
#define HR_SCHEDULE_H

#include "types.h"

/* Half a cosine from `first` at epoch 0 to `last` at `epochs`: MoCo v2, SimSiam. */
double hr_cosine_by_epoch(double first, double last, int64_t epoch, int64_t epochs);

#endif
