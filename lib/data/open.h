/* open.h - opens the data at a path, in any format. */
#ifndef HR_DATA_OPEN_H
#define HR_DATA_OPEN_H

#include "data/dataset.h"
#include "types.h"

/* Opens the data at `path`; NULL: at config->data. */
hirl_status hr_dataset_open(hirl_dataset **dataset, hirl_context *context, const char *path,
                            const hr_data_config *config);

#endif
