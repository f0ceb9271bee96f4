/* split.h - the splits of a data set: their names, and the selection of the key `split`. */
#ifndef HR_SPLIT_H
#define HR_SPLIT_H

#include "data/dataset.h"
#include "types.h"

enum { HR_SPLIT_NAMES = 5 };

/* Returns the name as a static string if it is that of a split ("train", "val", ...), else NULL. */
const char *hr_split_name(const char *name, size_t length);
/* The split of a file named <split><suffix>; NULL for any other name. */
const char *hr_split_of_file(const char *name, const char *suffix);

/* Returns the part of this name; NULL when there is none. */
hr_part *hr_dataset_part(hirl_dataset *dataset, const char *name);
/* Applies the key `split` to this data: marks parts as taken, sets split, splits and holdout. */
hirl_status hr_dataset_choose(hirl_dataset *dataset, const char *split);
/* True when the images of part i are selected, and for data without parts. */
bool hr_dataset_takes(const hirl_dataset *dataset, int32_t i);

#endif
