/* assign.h - paths of new rows in a tree. */
#ifndef HR_ASSIGN_H
#define HR_ASSIGN_H

#include "hier/tree.h"

/* path [n,L], margin [n] or NULL of host features [n,d]; on failure parts may be written */
hirl_status hr_tree_assign(int32_t *path, float *margin, const hirl_tree *tree, hr_queue *queue,
                           const float *features, int64_t n);

#endif
