/* tree_file.h - the .hpt files of trees. */
#ifndef HR_TREE_FILE_H
#define HR_TREE_FILE_H

#include "hier/tree.h"
#include "types.h"

/* Replaces the file atomically (base/file.h). */
hirl_status hr_tree_save(const hirl_tree *tree, const char *path);
hirl_status hr_tree_load(hirl_tree **tree, hirl_context *context, const char *path);

#endif
