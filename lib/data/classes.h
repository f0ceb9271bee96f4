/* classes.h - gives class ids to images whose classes are known by name. */
#ifndef HR_DATA_CLASSES_H
#define HR_DATA_CLASSES_H

#include "data/dataset.h"
#include "types.h"

/* The names of the classes of images, one entry per group of images: a folder, a run of lines. */
typedef struct hr_class_names {
    char **name;
    int64_t count, room;
} hr_class_names;

/* Adds a name of `length` bytes; the number of a name is its place. */
hirl_status hr_class_names_add(hr_class_names *names, const char *name, size_t length);
void hr_class_names_done(hr_class_names *names);
/* True when there are at least two different names. */
bool hr_class_names_differ(const hr_class_names *names);

/* Replaces the numbers of names in label [n], -1: none, by class ids. The id of a class is the one
 * that hierarchy.tsv gives to its name, else the place of the name among the sorted distinct
 * names. With `numbers`, names that all are numbers from 0 on are ids themselves. */
hirl_status hr_classes_assign(hirl_dataset *dataset, int32_t *label, int64_t n,
                              const hr_class_names *names, bool numbers);

#endif
