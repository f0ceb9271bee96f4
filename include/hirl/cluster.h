/** @file cluster.h - hirl_tree: hierarchical k-means (HIRL Alg. 1), prototypes, parents, paths. */
#ifndef HIRL_CLUSTER_H
#define HIRL_CLUSTER_H

#include <stddef.h>
#include <stdint.h>

#include "handles.h"
#include "status.h"

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Clusters features level by level: level 1 the n rows into M_1 prototypes, level l the M_{l-1}
 * prototypes below into M_l.
 *
 * @param[out] tree  owned by the caller; knows the leaf of each row; NULL on failure
 * @param features   [n, d]  f32, row-major; rows are L2-normalised unless normalize=0
 * @param n          rows, 2 to 2^31 - 1
 * @param d          columns, >= 1
 * @param weight     [n]     >= 0, or NULL: all 1; a row of weight 0 has no leaf and counts for no
 *                   prototype; it must be finite like all others
 * @param previous   tree to start from (levels of equal prototype count begin at its centroids and make
 *                   one run), or NULL
 * @param options    prototypes, kmeans_iterations, kmeans_redo, kmeans_seed, kmeans_between,
 *                   kmeans_max_points, warm, normalize, profile; NULL: defaults (prototypes=auto)
 *
 * @retval HIRL_E_INVALID    sizes or prototype counts that the data cannot carry, with the numbers
 * @retval HIRL_E_NONFINITE  a row that is not finite, named
 * @retval HIRL_E_UNSUPPORTED  the backend lacks operations, named
 * @retval HIRL_E_CANCELED, HIRL_E_NOMEM, HIRL_E_DEVICE
 * Threads: one call per context at a time. Since 0.1.
 */
HIRL_API HIRL_NODISCARD hirl_status hirl_cluster(hirl_tree **tree, hirl_context *context,
                                                 const float *features, int64_t n, int64_t d,
                                                 const float *weight, const hirl_tree *previous,
                                                 const hirl_options *options);

/**
 * A tree from given prototypes and parents (copied).
 *
 * @param[out] tree   owned by the caller; NULL on failure
 * @param levels      L, 1 to 8
 * @param d           columns of the prototypes
 * @param m           [L]          prototypes of each level, strictly falling
 * @param prototypes  L pointers to f32 [M_l, d], rows of any length but zero (stored L2-normalised)
 * @param parents     L-1 pointers to i32 [M_l], values in [0, M_{l+1})
 * @param leaf        [n]          leaf of each row, -1: none; NULL with n 0
 * @param n           rows that have a leaf
 * @retval HIRL_E_INVALID  sizes that cannot be, a prototype that is zero or not finite, a parent or leaf outside
 * @retval HIRL_E_NOMEM
 * Threads: safe. Since 0.1.
 */
HIRL_API HIRL_NODISCARD hirl_status hirl_tree_create(hirl_tree **tree, hirl_context *context, int32_t levels,
                                                     int64_t d, const int64_t *m,
                                                     const float *const *prototypes,
                                                     const int32_t *const *parents, const int32_t *leaf,
                                                     int64_t n);
/** NULL is fine. Threads: not while another call uses it. Since 0.1. */
HIRL_API void hirl_tree_destroy(hirl_tree *tree);

/**
 * Reads and writes the .hpt file at `path`: safetensors with prototypes, parents, leaves, counts; a file is replaced
 * atomically. The tree read is owned by the caller; NULL on failure.
 * @retval HIRL_E_IO, HIRL_E_NOSPC, HIRL_E_DURABILITY, HIRL_E_FORMAT, HIRL_E_VERSION, HIRL_E_UNSUPPORTED, HIRL_E_LIMIT,
 *         HIRL_E_NOMEM  with what was expected
 * Threads: safe. Since 0.1.
 */
HIRL_API HIRL_NODISCARD hirl_status hirl_tree_load(hirl_tree **tree, hirl_context *context, const char *path);
HIRL_API HIRL_NODISCARD hirl_status hirl_tree_save(const hirl_tree *tree, const char *path);

/** L, d, n: levels, columns, rows, those without a leaf included. Threads: safe. Since 0.1. */
HIRL_API int32_t hirl_tree_levels(const hirl_tree *tree);
HIRL_API int64_t hirl_tree_dim(const hirl_tree *tree);
HIRL_API int64_t hirl_tree_rows(const hirl_tree *tree);
/** M_l, levels from 1 (leaves) to L (top); 0 outside. Threads: safe. Since 0.1. */
HIRL_API int64_t hirl_tree_count(const hirl_tree *tree, int32_t level);
/** Unit prototypes c^l [M_l, d]; parents [M_l] (NULL at the top); rows below each node [M_l].
 * Borrowed. Threads: safe. Since 0.1. */
HIRL_API const float *hirl_tree_prototypes(const hirl_tree *tree, int32_t level);
HIRL_API const int32_t *hirl_tree_parents(const hirl_tree *tree, int32_t level);
HIRL_API const int64_t *hirl_tree_sizes(const hirl_tree *tree, int32_t level);
/** Leaf of each row [n], -1: none. Borrowed. Threads: safe. Since 0.1. */
HIRL_API const int32_t *hirl_tree_leaves(const hirl_tree *tree);

/**
 * Paths of new features: nearest leaf of each row (Euclid to the centroids of the clustering), then its
 * parents; rows are L2-normalised first unless the tree was made with normalize=0.
 * @param[out] path    [n, L]  node of each level, leaf first
 * @param[out] margin  [n]     cosine of the most similar leaf prototype minus that of the second (-1 when
 *                             there is one leaf only), or NULL
 * @param features     [n, d]  f32, rows of any length
 * @param n            rows, >= 1
 * @retval HIRL_E_INVALID    a NULL, or no row
 * @retval HIRL_E_NONFINITE  a row that is not finite, named
 * @retval HIRL_E_UNSUPPORTED  the backend lacks operations, named
 * @retval HIRL_E_NOMEM, HIRL_E_DEVICE
 * Threads: safe on one tree. Since 0.1.
 */
HIRL_API HIRL_NODISCARD hirl_status hirl_tree_assign(int32_t *path, float *margin, const hirl_tree *tree,
                                                     const float *features, int64_t n);

/** Agreement of a tree with labels. */
typedef struct hirl_tree_score {
    size_t struct_size;
    int32_t levels;
    double purity[8];         /**< share of rows whose node's most frequent label is theirs, by level */
    double nmi[8];            /**< normalised mutual information (arithmetic mean), by level */
    /** mean share of equal labels below the lowest common ancestor of two rows of equal label, over all
     *  pairs; a root stands above the top level; 1 without a pair */
    double dendrogram_purity;
} hirl_tree_score;

/** Scores against one level of labels, label [n] (-1: row does not count); score->struct_size is set by the caller.
 * @retval HIRL_E_INVALID, HIRL_E_NOMEM Threads: safe. Since 0.1. */
HIRL_API HIRL_NODISCARD hirl_status hirl_tree_evaluate(hirl_tree_score *score, const hirl_tree *tree,
                                                       const int32_t *label, int64_t n);

/**
 * Writes the tree as "json", "dot", "newick", "graphml" or "csv" (row,level1,..,levelL), replaced atomically.
 * @param path    of the file
 * @param format  one of the five
 * @param name    [n] names of the rows for csv and json, or NULL: their numbers
 * @retval HIRL_E_INVALID  another format
 * @retval HIRL_E_IO, HIRL_E_NOSPC, HIRL_E_DURABILITY, HIRL_E_NOMEM
 * Threads: safe. Since 0.1.
 */
HIRL_API HIRL_NODISCARD hirl_status hirl_tree_export(const hirl_tree *tree, const char *path, const char *format,
                                                     const char *const *name);

#ifdef __cplusplus
}
#endif

#endif
