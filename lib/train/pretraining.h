/* pretraining.h - a run that trains networks without labels: the losses of a method (eq. 4). */
#ifndef HR_TRAIN_PRETRAINING_H
#define HR_TRAIN_PRETRAINING_H

#include "train/run.h"

/* What a pretraining run adds to a run. Its result is model.safetensors. */
extern const hr_run_task hr_pretraining_run;

#endif
