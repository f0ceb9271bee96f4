/* linear.h - a labelled run: a linear classifier on the frozen encoder of a model. */
#ifndef HR_TRAIN_LINEAR_H
#define HR_TRAIN_LINEAR_H

#include "train/run.h"

/* What a labelled run adds to a run. Its result is classifier.safetensors. */
extern const hr_run_task hr_linear_run;

#endif
