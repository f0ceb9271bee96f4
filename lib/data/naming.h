/* naming.h - names and classes that the application gives to its own images. */
#ifndef HR_DATA_NAMING_H
#define HR_DATA_NAMING_H

#include "data/dataset.h"
#include "types.h"

/* Copies names [count]. STATE: the images have names, or another handle uses the set. */
hirl_status hr_dataset_set_names(hirl_dataset *dataset, const char *const *name);
/* As hirl_dataset_set_classes. */
hirl_status hr_dataset_set_classes(hirl_dataset *dataset, int32_t level, int32_t n,
                                   const char *const *name, const int32_t *parent);

#endif
