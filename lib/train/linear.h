/* linear.h - a labelled run: a linear classifier on the frozen encoder of a model. */
#ifndef HR_TRAIN_LINEAR_H
#define HR_TRAIN_LINEAR_H

#include "train/run.h"

/* Writes classifier.safetensors into the directory of the run. */
extern const hr_run_task hr_linear_run;

#endif
