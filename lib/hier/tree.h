/* tree.h - the prototype tree (HIRL Alg. 1): levels, parents, leaf of each row; and its making. */
#ifndef HR_TREE_H
#define HR_TREE_H

#include "hier/kmeans.h"
#include "types.h"

#include <hirl/cluster.h>

struct hirl_tree {
    hirl_context *context;
    int32_t levels;             /* L */
    int64_t d, n;               /* columns; rows clustered */
    bool normalize;             /* rows are brought to unit length before they are assigned */
    int64_t m[HR_LEVELS];       /* M_l, m[0] leaves */
    float *proto[HR_LEVELS];    /* c^l: unit rows [M_l, d] */
    float *centroid[HR_LEVELS]; /* raw centroids [M_l, d]: assignments are nearest raw centroid */
    int32_t *parent[HR_LEVELS]; /* [M_l] into level l+1; NULL at the top */
    int64_t *size[HR_LEVELS];   /* [M_l] rows below */
    int32_t *leaf;              /* [n], -1: none */
    _Atomic int32_t references; /* trees are never changed: shared by reference */
};

hirl_status hr_tree_alloc(hirl_tree **tree, hirl_context *context, int32_t levels, int64_t d,
                          const int64_t *m, int64_t n);
void hr_tree_hold(hirl_tree *tree);
void hr_tree_drop(hirl_tree *tree); /* NULL is fine */
/* unit prototypes of a level from its centroids; sizes of all nodes from leaves and parents */
void hr_tree_set_prototypes(hirl_tree *tree, int32_t level);
void hr_tree_count_rows(hirl_tree *tree);
/* rows of the smallest, the median (lower of two) and the largest leaf */
hirl_status hr_tree_leaf_sizes(int64_t size[3], const hirl_tree *tree);
hirl_status hr_tree_to_tensors(hr_tensors *out, const hirl_tree *tree, const char *prefix);
hirl_status hr_tree_from_tensors(hirl_tree **tree, hirl_context *context, const hr_tensors *in,
                                 const char *prefix);
/* tree_file.c: .hpt files; replaced atomically */
hirl_status hr_tree_save(const hirl_tree *tree, const char *path);
hirl_status hr_tree_load(hirl_tree **tree, hirl_context *context, const char *path);
/* node of each level of a leaf's path, [M_1, L] i32 */
void hr_tree_paths(int32_t *path, const hirl_tree *tree);
/* "json", "dot", "newick", "graphml", "csv": export.c */
hirl_status hr_tree_export(const hirl_tree *tree, const char *path, const char *format,
                           const char *const *name);
/* agreement with labels [n], -1: does not count: scores.c */
hirl_status hr_tree_evaluate(hirl_tree_score *score, const hirl_tree *tree, const int32_t *label);

/* prototypes=auto: M_l = max(2, round(N * M_l,paper / 1281167)), equal levels dropped; explicit
 * counts are checked against n and refused with the numbers */
hirl_status hr_tree_levels(int64_t m[HR_LEVELS], int32_t *levels, int64_t n,
                           const hr_cluster_config *config);

/* The making of a tree, one Lloyd iteration a step, resumable between any two. */
typedef struct hr_tree_maker hr_tree_maker;
/* Of n rows the usable ones are clustered; the others have no leaf. Only `features` must outlive the
 * call to create: it stays as it is until the maker is destroyed. */
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
int64_t hr_tree_maker_total(const hr_tree_maker *maker);
int64_t hr_tree_maker_made(const hr_tree_maker *maker);
hirl_status hr_tree_maker_finish(hirl_tree **tree, hr_tree_maker *maker);
hirl_status hr_tree_maker_save(hr_tensors *out, const hr_tree_maker *maker, const char *prefix);
hirl_status hr_tree_maker_load(hr_tree_maker *maker, const hr_tensors *in, const char *prefix);

#endif
