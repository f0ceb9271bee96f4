/* make.h - makes a trainer from a start model or from the last checkpoint of its run. */
#ifndef HR_TRAIN_MAKE_H
#define HR_TRAIN_MAKE_H

#include "types.h"

#include <hirl/train.h>

/* start NULL: new weights are drawn. */
hirl_status hr_trainer_create(hirl_trainer **trainer, hirl_context *context,
                              const hirl_model *start, hirl_dataset *dataset,
                              const hirl_options *options);
void hr_trainer_destroy(hirl_trainer *trainer); /* NULL is fine */

#endif
