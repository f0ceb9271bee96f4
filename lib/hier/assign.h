/* assign.h - paths of new rows in a tree. */
#ifndef HR_ASSIGN_H
#define HR_ASSIGN_H

#include "hier/tree.h"
#include "row_source.h"

/* path [n,L] and margin [n] (or NULL) of the n rows of a source, as assign.c defines them. After a
 * failure some of both may be written. */
hirl_status hr_tree_assign(int32_t *path, float *margin, const hirl_tree *tree, hr_queue *queue,
                           hr_row_source *source);

#endif
