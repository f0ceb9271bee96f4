/* environment.h - env.json of a run: build, processor, threads and data. */
#ifndef HR_TRAIN_ENVIRONMENT_H
#define HR_TRAIN_ENVIRONMENT_H

#include "types.h"

#include <hirl/train.h>

/* Writes env.json, if the run has a directory. */
hirl_status hr_trainer_environment(hirl_trainer *trainer);

#endif
