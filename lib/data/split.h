/* split.h - the splits of a data set, and the selection of the key `split`. */
#ifndef HR_SPLIT_H
#define HR_SPLIT_H

#include "data/dataset.h"
#include "types.h"

/* Returns the part of this name; NULL when there is none. */
hr_part *hr_dataset_part(hirl_dataset *dataset, const char *name);
/* Applies the key `split` to this data: marks parts as taken, sets split, splits and holdout. */
hirl_status hr_dataset_choose(hirl_dataset *dataset, const char *split);
/* The value of the key `split` that selects the same images as "auto" did, whatever lies beside
 * them later; NULL: the data has no splits. */
const char *hr_dataset_split_key(const hirl_dataset *dataset);
/* True when the images of part i are selected, and for data without parts. */
bool hr_dataset_takes(const hirl_dataset *dataset, int32_t i);

#endif
