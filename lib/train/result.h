/* result.h - the file that a finished run leaves in its directory: a model or a classifier. */
#ifndef HR_TRAIN_RESULT_H
#define HR_TRAIN_RESULT_H

#include "types.h"

#include <hirl/train.h>

/* Writes the result of the task; does nothing if the run has no directory. */
hirl_status hr_result_write(const hirl_trainer *trainer);
/* Writes the result of a finished run again if its file is lost or damaged, and logs this. */
hirl_status hr_result_restore(const hirl_trainer *trainer);

#endif
