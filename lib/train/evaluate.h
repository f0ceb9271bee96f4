/* evaluate.h - the joint loss (HIRL eq. 4) on held-out images; the run is left unchanged. */
#ifndef HR_TRAIN_EVALUATE_H
#define HR_TRAIN_EVALUATE_H

#include "types.h"

#include <hirl/train.h>

hirl_status hr_joint_loss_evaluate(hirl_trainer_score *score, hirl_trainer *trainer,
                                   hirl_dataset *held_out);

#endif
