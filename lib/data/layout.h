/* layout.h - what the folders of a data set mean: splits, classes, or neither. */
#ifndef HR_DATA_LAYOUT_H
#define HR_DATA_LAYOUT_H

#include "data/dataset.h"
#include "data/role.h"
#include "data/walk.h"
#include "types.h"

/* The entries of a walk that lie in one folder. */
typedef struct hr_span {
    int64_t begin, end;
    size_t skip; /* bytes in their paths before the names within the folder */
} hr_span;

typedef struct hr_layout_part {
    hr_span all;     /* everything in the folder of the split */
    hr_span classes; /* its folder whose subfolders are classes */
    bool has_classes;
} hr_layout_part;

typedef struct hr_layout {
    int32_t parts; /* 0: no splits, and part[0] is the whole data */
    hr_layout_part part[HR_PART_LIMIT];
    char beside[256];  /* folders beside the splits, which are left out; "": none */
    char unclear[512]; /* a sentence when the layout has two readings; "": it has one */
    char no_train[64]; /* name of a folder for training without images; "": none */
} hr_layout;

/* Finds the layout. `wanted` is the value of the key split: if it names a split, a layout with two
 * readings is read as one with splits, and with "all" as one without. */
void hr_layout_find(hr_layout *layout, const hr_walk *walk, const char *wanted);

/* The name of the class folder of an entry below `classes`; *length 0: it lies in no such folder.
 * */
const char *hr_layout_class(size_t *length, const hr_walk *walk, const hr_span *classes,
                            int64_t index);
/* True when the split is chosen by its name, not by a rule. */
bool hr_names_a_split(const char *split);

#endif
