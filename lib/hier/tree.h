/* tree.h - the prototype tree (HIRL Alg. 1). Level l of the paper has index l - 1. */
#ifndef HR_TREE_H
#define HR_TREE_H

#include "base/tensors.h"
#include "context.h"
#include "hier/cluster_config.h"
#include "types.h"

struct hirl_tree {
    hirl_context *context;
    int32_t levels;             /* L */
    int64_t d, n;               /* columns; rows, those without a leaf included */
    bool normalize;             /* rows are scaled to unit length before they are assigned */
    int64_t m[HR_LEVELS];       /* M_l: nodes of level l; m[0]: leaves */
    float *proto[HR_LEVELS];    /* prototypes c^l [M_l, d], of unit length */
    float *centroid[HR_LEVELS]; /* raw centroids [M_l, d]; a row belongs to the nearest one */
    int32_t *parent[HR_LEVELS]; /* [M_l] parents in level l+1; NULL at the top level */
    int64_t *size[HR_LEVELS];   /* [M_l] rows below each node */
    int32_t *leaf;              /* [n] leaf of each row, -1: none */
    struct hr_origin *origin;   /* the images that the rows stand for (origin.h); NULL: unknown */
    _Atomic int32_t references; /* a finished tree never changes and is shared */
};

hirl_status hr_tree_alloc(hirl_tree **tree, hirl_context *context, int32_t levels, int64_t d,
                          const int64_t *m, int64_t n);
void hr_tree_hold(hirl_tree *tree);
void hr_tree_drop(hirl_tree *tree); /* NULL is fine */
/* computes the prototypes of a level from its centroids */
void hr_tree_set_prototypes(hirl_tree *tree, int32_t level);
/* computes the sizes of all nodes from leaves and parents */
void hr_tree_count_rows(hirl_tree *tree);
/* The node of a level (0: leaves) above a leaf. */
int32_t hr_tree_ancestor(const hirl_tree *tree, int32_t leaf, int32_t level);
/* rows in the smallest, the median (the lower of two) and the largest leaf */
hirl_status hr_tree_leaf_sizes(int64_t size[3], const hirl_tree *tree);
hirl_status hr_tree_to_tensors(hr_tensors *out, const hirl_tree *tree, const char *prefix);
hirl_status hr_tree_from_tensors(hirl_tree **tree, hirl_context *context, const hr_tensors *in,
                                 const char *prefix);
/* path [M_1, L] <- the nodes of each leaf's path, the leaf first */
void hr_tree_paths(int32_t *path, const hirl_tree *tree);

/* Prototypes of each level. auto: the paper's shares, n M_l,paper / 1281167, from about 12,800 rows
 * on. In smaller sets M_1 = min(n / 15, 300), at least 3; the top has 8 to 12 nodes from 36 leaves
 * on, and a level has at most a third of the nodes of the one below. INVALID: given numbers that do
 * not fall or are more than n. */
hirl_status hr_tree_levels(int64_t m[HR_LEVELS], int32_t *levels, int64_t n,
                           const hr_cluster_config *config);

#endif
