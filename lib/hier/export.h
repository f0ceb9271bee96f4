/* export.h - writes a tree in formats that other programs read. */
#ifndef HR_TREE_EXPORT_H
#define HR_TREE_EXPORT_H

#include "hier/tree.h"
#include "types.h"

/* `format` is "json", "dot", "newick", "graphml" or "csv". name [n]: the names of the rows; NULL:
 * none. */
hirl_status hr_tree_export(const hirl_tree *tree, const char *path, const char *format,
                           const char *const *name);

#endif
