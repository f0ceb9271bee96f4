/* tree_images.h - ties the rows of a tree to the images that they stand for. */
#ifndef HR_TREE_IMAGES_H
#define HR_TREE_IMAGES_H

#include "data/dataset.h"
#include "hier/tree.h"

/* Records the names of all images, and digests of some of their files, in the tree. */
hirl_status hr_tree_set_images(hirl_tree *tree, const hirl_dataset *dataset);
/* INVALID: the images are others than those that the tree was made from; the message has the first
 * difference. Logs a warning if some files have changed. */
hirl_status hr_tree_check_images(const hirl_tree *tree, const hirl_dataset *dataset);

#endif
