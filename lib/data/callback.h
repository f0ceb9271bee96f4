/* callback.h - a data set whose images a function of the application provides. */
#ifndef HR_DATA_CALLBACK_H
#define HR_DATA_CALLBACK_H

#include "data/dataset.h"
#include "types.h"

hirl_status hr_callback_open(hirl_dataset *dataset, hirl_image_fn *read, void *user, int64_t count,
                             const hr_data_config *config);
/* The data set is made: it releases `user` when it is destroyed. */
void hr_callback_release(hirl_dataset *dataset, hirl_release_fn *release);

#endif
