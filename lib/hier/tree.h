/* tree.h - the prototype tree (HIRL Alg. 1) and its maker. Level l of the paper has index l - 1. */
#ifndef HR_TREE_H
#define HR_TREE_H

#include "hier/kmeans.h"
#include "types.h"

#include <hirl/cluster.h>

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
/* rows in the smallest, the median (the lower of two) and the largest leaf */
hirl_status hr_tree_leaf_sizes(int64_t size[3], const hirl_tree *tree);
hirl_status hr_tree_to_tensors(hr_tensors *out, const hirl_tree *tree, const char *prefix);
hirl_status hr_tree_from_tensors(hirl_tree **tree, hirl_context *context, const hr_tensors *in,
                                 const char *prefix);
/* tree_file.c: .hpt files, replaced atomically */
hirl_status hr_tree_save(const hirl_tree *tree, const char *path);
hirl_status hr_tree_load(hirl_tree **tree, hirl_context *context, const char *path);
/* path [M_1, L] <- the nodes of each leaf's path, the leaf first */
void hr_tree_paths(int32_t *path, const hirl_tree *tree);
/* export.c: format is "json", "dot", "newick", "graphml" or "csv"; name [n]: rows' names or NULL */
hirl_status hr_tree_export(const hirl_tree *tree, const char *path, const char *format,
                           const char *const *name);
/* scores.c: agreement with labels [n]; a row of label -1 does not count */
hirl_status hr_tree_evaluate(hirl_tree_score *score, const hirl_tree *tree, const int32_t *label);

/* Prototypes of each level. auto: M_l = max(2, round(n * M_l,paper / 1281167)), where a level equal
 * to the one below is dropped. INVALID: given numbers that do not fall or are more than n. */
hirl_status hr_tree_levels(int64_t m[HR_LEVELS], int32_t *levels, int64_t n,
                           const hr_cluster_config *config);

/* ---- making a tree, one Lloyd iteration a call; its state can be saved between any two ---- */

typedef struct hr_tree_maker hr_tree_maker;
/* Of n rows the usable ones are clustered; the others have no leaf. `features` is borrowed until
 * the maker is destroyed; the other arrays may go after hr_tree_maker_create. */
typedef struct hr_tree_input {
    hr_array features;         /* real [usable rows, d] on the device, of unit length if wanted */
    int64_t n;                 /* rows, unusable ones included */
    const uint8_t *usable;     /* host [n], 1 or 0; NULL: all rows are usable */
    const float *weight;       /* host [n]; NULL: all weights are 1 */
    const hirl_tree *previous; /* for a warm start; NULL: none */
} hr_tree_input;
hirl_status hr_tree_maker_create(hr_tree_maker **maker, hirl_context *context, hr_queue *queue,
                                 const hr_tree_input *in, const hr_cluster_config *config);
void hr_tree_maker_destroy(hr_tree_maker *maker);
hirl_status hr_tree_maker_step(bool *done, hr_tree_maker *maker);
/* iterations of all levels, and those of them that are made or skipped */
int64_t hr_tree_maker_total(const hr_tree_maker *maker);
int64_t hr_tree_maker_made(const hr_tree_maker *maker);
/* *tree <- a reference to the finished tree, dropped with hr_tree_drop */
hirl_status hr_tree_maker_finish(hirl_tree **tree, hr_tree_maker *maker);
hirl_status hr_tree_maker_save(hr_tensors *out, const hr_tree_maker *maker, const char *prefix);
hirl_status hr_tree_maker_load(hr_tree_maker *maker, const hr_tensors *in, const char *prefix);

#endif
