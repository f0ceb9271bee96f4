/* hierarchy.h - the label levels of a data set, from the file hierarchy.tsv. */
#ifndef HR_DATA_HIERARCHY_H
#define HR_DATA_HIERARCHY_H

#include "data/dataset.h"
#include "types.h"

/* Fills levels, classes, parents and class names from hierarchy.tsv beside the data, if present. */
hirl_status hr_hierarchy_read(hirl_dataset *dataset, const char *data_path);

#endif
