/* tree_file.h - the .hpt files of trees. */
#ifndef HR_TREE_FILE_H
#define HR_TREE_FILE_H

#include "base/stream.h"
#include "hier/tree.h"
#include "types.h"

/* A file is replaced atomically (base/file.h). */
hirl_status hr_tree_save(const hirl_tree *tree, const hr_to *to);
hirl_status hr_tree_load(hirl_tree **tree, hirl_context *context, const hr_from *from);

#endif
