/* environment.h - env.json of a run: the build, processor, threads and data that it last ran with. */
#ifndef HR_TRAIN_ENVIRONMENT_H
#define HR_TRAIN_ENVIRONMENT_H

#include "types.h"

#include <hirl/train.h>

hirl_status hr_trainer_environment(hirl_trainer *trainer);

#endif
