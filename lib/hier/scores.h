/* scores.h - agreement of a tree with labels. */
#ifndef HR_SCORES_H
#define HR_SCORES_H

#include "hier/tree.h"
#include "types.h"

#include <hirl/cluster.h>

/* label [n]; a row of label -1 does not count */
hirl_status hr_tree_evaluate(hirl_tree_score *score, const hirl_tree *tree, const int32_t *label);

#endif
