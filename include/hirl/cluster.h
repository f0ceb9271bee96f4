/** @file cluster.h - hirl_tree: hierarchical k-means, prototypes, and the tree that they form.
 *
 * A tree has L levels. Level 1 is the finest: its M_1 prototypes are the leaves. Each prototype
 * below level L has a parent on the next level. A path is a leaf with all its ancestors, so it is
 * named by its leaf. A tree never changes after it was made.
 */
#ifndef HIRL_CLUSTER_H
#define HIRL_CLUSTER_H

#include <stddef.h>
#include <stdint.h>

#include "handles.h"
#include "status.h"
#include "stream.h"

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Hierarchical k-means (HIRL Alg. 1): level 1 clusters the n rows into M_1 prototypes, and each
 * level l above clusters the M_{l-1} prototypes of the level below into M_l.
 *
 * Differences from the authors' program: it L2-normalises the centroids before the next level
 * clusters them, which the paper does not state, and draws first centroids as faiss does;
 * profile=reference does both.
 *
 * @param[out] tree      [1] handle, new, released with hirl_tree_destroy(); NULL on failure
 * @param[in]  context   [1] handle, caller-owned, used during the call; its backend computes
 * @param[in]  features  [n, d] float32, caller-owned, read during the call; rows are L2-normalised
 *                       unless normalize=0
 * @param[in]  n         rows, 2 to 2^31 - 1
 * @param[in]  d         columns, 1 to 2^31 - 1
 * @param[in]  weight    [n] float32, caller-owned, read during the call; weight of each row, finite
 *                       and from 0; a row of weight 0 gets no leaf and influences no prototype, but
 *                       has to be finite; NULL: all weights are 1
 * @param[in]  previous  [1] handle, caller-owned, read during the call; with warm=1 (the default),
 *                       a level with as many prototypes as in this tree starts from its centroids,
 *                       once instead of kmeans_redo times; NULL: none
 * @param[in]  options   [1] handle, caller-owned, read during the call; keys prototypes,
 *                       kmeans_iterations, kmeans_redo, kmeans_seed, kmeans_between,
 *                       kmeans_max_points, warm, normalize, profile; NULL: defaults
 *                       (prototypes=auto)
 *
 * @retval HIRL_E_INVALID      a NULL, a size or weight outside its range, a previous tree of
 *                             another number of columns, or more prototypes than the rows allow
 * @retval HIRL_E_NONFINITE    a row is not finite; the message names it
 * @retval HIRL_E_UNSUPPORTED  the backend lacks operations, which the message names
 * @retval HIRL_E_CANCELED     stopped on request
 * @retval HIRL_E_NOMEM, HIRL_E_DEVICE
 *
 * Threads: safe. Since 0.1.
 */
HIRL_API HIRL_NODISCARD hirl_status hirl_cluster(hirl_tree **tree, hirl_context *context,
                                                 const float *features, int64_t n, int64_t d,
                                                 const float *weight, const hirl_tree *previous,
                                                 const hirl_options *options);

/**
 * Makes a tree of given prototypes and parents, which are copied.
 *
 * @param[out] tree        [1] handle, new, released with hirl_tree_destroy(); NULL on failure
 * @param[in]  context     [1] handle, caller-owned, used during the call
 * @param[in]  levels      L, 1 to 8
 * @param[in]  d           columns of the prototypes, 1 to 2^31 - 1
 * @param[in]  m           [L] int64, caller-owned, read during the call; M_l, number of prototypes
 *                         of each level, the finest first; each is smaller than the one before
 * @param[in]  prototypes  [L] pointers to [M_l, d] float32, caller-owned, read during the call;
 *                         rows are not zero; the tree has them L2-normalised
 * @param[in]  parents     [L - 1] pointers to [M_l] int32, caller-owned, read during the call;
 *                         parent of each prototype, 0 to M_{l+1} - 1; NULL: only with L = 1
 * @param[in]  leaf        [n] int32, caller-owned, read during the call; leaf of each row, 0 to
 *                         M_1 - 1, or -1: none; NULL: only with n = 0
 * @param[in]  n           rows of leaf, from 0
 *
 * @retval HIRL_E_INVALID  a NULL, a size outside its range, a prototype that is zero or not finite,
 *                         a parent or leaf outside the tree
 * @retval HIRL_E_NOMEM
 *
 * Threads: safe. Since 0.1.
 */
HIRL_API HIRL_NODISCARD hirl_status hirl_tree_create(hirl_tree **tree, hirl_context *context,
                                                     int32_t levels, int64_t d, const int64_t *m,
                                                     const float *const *prototypes,
                                                     const int32_t *const *parents,
                                                     const int32_t *leaf, int64_t n);

/**
 * Releases a tree.
 *
 * @param[in] tree  [1] handle, caller-owned, released by the call; NULL: nothing happens
 *
 * Threads: exclusive. Since 0.1.
 */
HIRL_API void hirl_tree_destroy(hirl_tree *tree);

/**
 * Reads a tree from a file that hirl_tree_save() wrote. A warning is logged if another program
 * wrote the file again, since damage may then go unseen.
 *
 * @param[out] tree     [1] handle, new, released with hirl_tree_destroy(); NULL on failure
 * @param[in]  context  [1] handle, caller-owned, used during the call
 * @param[in]  path     [] char, caller-owned, read during the call
 *
 * @retval HIRL_E_INVALID      a NULL
 * @retval HIRL_E_IO           the file cannot be read
 * @retval HIRL_E_FORMAT       no tree, or damaged; the message has what was expected
 * @retval HIRL_E_VERSION      written by a newer version
 * @retval HIRL_E_UNSUPPORTED, HIRL_E_LIMIT, HIRL_E_NOMEM
 *
 * Threads: safe. Since 0.1.
 */
HIRL_API HIRL_NODISCARD hirl_status hirl_tree_load(hirl_tree **tree, hirl_context *context,
                                                   const char *path);

/**
 * Reads a tree from a block of memory that holds the bytes of a file.
 *
 * @param[out] tree     [1] handle, new, released with hirl_tree_destroy(); NULL on failure
 * @param[in]  context  [1] handle, caller-owned, used during the call
 * @param[in]  data     [bytes] bytes, caller-owned, read during the call
 * @param[in]  bytes    of data
 *
 * Errors: as hirl_tree_load(), without those of files.
 *
 * Threads: safe. Since 0.1.
 */
HIRL_API HIRL_NODISCARD hirl_status hirl_tree_from_memory(hirl_tree **tree, hirl_context *context,
                                                          const void *data, size_t bytes);

/**
 * Reads a tree whose bytes a function of the application gives.
 *
 * @param[out] tree     [1] handle, new, released with hirl_tree_destroy(); NULL on failure
 * @param[in]  context  [1] handle, caller-owned, used during the call
 * @param[in]  read     [1] function, caller-owned, kept until the call returns
 * @param[in]  user     [any] bytes, caller-owned, kept until the call returns; passed to read
 * @param[in]  bytes    of the whole file
 *
 * @retval HIRL_E_CALLBACK  read failed; hirl_error_callback_value() returns its result
 * @retval HIRL_E_CANCELED  read stopped the call
 *
 * Errors: as hirl_tree_load(), without those of files.
 *
 * Threads: safe. Since 0.1.
 */
HIRL_API HIRL_NODISCARD hirl_status hirl_tree_read(hirl_tree **tree, hirl_context *context,
                                                   hirl_read_fn *read, void *user, int64_t bytes);

/**
 * Records which images the rows of a tree stand for: row i is image i. hirl_tree_save() stores
 * their names relative to the folder of the data, and digests of up to 64 of their files, so that
 * hirl_tree_check_images() recognises them later, also in a folder that was moved. The trees of a
 * trainer with a run directory have them.
 *
 * @param[in,out] tree    [1] handle, caller-owned, updated during the call
 * @param[in]     images  [1] handle, caller-owned, read during the call; as many images as rows
 *
 * @retval HIRL_E_INVALID  a NULL, or another number of images
 * @retval HIRL_E_NOMEM
 *
 * Threads: exclusive. Since 0.1.
 */
HIRL_API HIRL_NODISCARD hirl_status hirl_tree_set_images(hirl_tree *tree,
                                                         const hirl_dataset *images);

/**
 * Records names of the rows of a tree, for rows that are no images of a data set.
 *
 * @param[in,out] tree  [1] handle, caller-owned, updated during the call
 * @param[in]     name  [n] pointers to [] char, caller-owned, read during the call
 * @param[in]     n     rows of the tree
 *
 * @retval HIRL_E_INVALID  a NULL, or another n
 * @retval HIRL_E_NOMEM
 *
 * Threads: exclusive. Since 0.1.
 */
HIRL_API HIRL_NODISCARD hirl_status hirl_tree_set_names(hirl_tree *tree, const char *const *name,
                                                        int64_t n);

/**
 * The name of a row.
 *
 * @param[in] tree  [1] handle, caller-owned, read during the call; NULL: the result is NULL
 * @param[in] row   0 to hirl_tree_rows() - 1
 * @return [] char, library-owned, valid until the tree is destroyed or gets other names; NULL: the
 *         row has no name, or there is no such row
 *
 * Threads: safe. Since 0.1.
 */
HIRL_API const char *hirl_tree_name(const hirl_tree *tree, int64_t row);

/**
 * Checks that a data set holds the images that a tree was made from, in its order. Names are
 * compared, and digests of up to 64 files. If at most half of these files have changed, the call
 * succeeds and logs a warning. Of a tree without names only the number of rows is checked, which
 * is logged.
 *
 * @param[in] tree    [1] handle, caller-owned, read during the call
 * @param[in] images  [1] handle, caller-owned, read during the call
 *
 * @retval HIRL_E_INVALID  a NULL, or other images; the message has the first difference
 * @retval HIRL_E_IO, HIRL_E_NOMEM
 *
 * Threads: safe. Since 0.1.
 */
HIRL_API HIRL_NODISCARD hirl_status hirl_tree_check_images(const hirl_tree *tree,
                                                           const hirl_dataset *images);

/**
 * Writes a tree to a file (.hpt): prototypes, centroids, parents, leaves and sizes in safetensors
 * format. An existing file is replaced atomically: after a failure it is as before.
 *
 * @param[in] tree  [1] handle, caller-owned, read during the call
 * @param[in] path  [] char, caller-owned, read during the call
 *
 * @retval HIRL_E_INVALID  a NULL
 * @retval HIRL_E_IO, HIRL_E_NOSPC, HIRL_E_DURABILITY, HIRL_E_NOMEM
 *
 * Threads: safe. Since 0.1.
 */
HIRL_API HIRL_NODISCARD hirl_status hirl_tree_save(const hirl_tree *tree, const char *path);

/**
 * Writes a tree into a new block of memory: the bytes that hirl_tree_save() writes to a file.
 *
 * @param[out] data   [bytes] bytes, new, released with hirl_free(); NULL on failure
 * @param[out] bytes  [1] size, caller-owned, written on success
 * @param[in]  tree   [1] handle, caller-owned, read during the call
 *
 * Errors: as hirl_tree_save(), without those of files.
 *
 * Threads: safe. Since 0.1.
 */
HIRL_API HIRL_NODISCARD hirl_status hirl_tree_to_memory(void **data, size_t *bytes,
                                                        const hirl_tree *tree);

/**
 * Passes the bytes that hirl_tree_save() writes to a file to a function of the application.
 *
 * @param[in] tree   [1] handle, caller-owned, read during the call
 * @param[in] write  [1] function, caller-owned, kept until the call returns
 * @param[in] user   [any] bytes, caller-owned, kept until the call returns; passed to write
 *
 * @retval HIRL_E_CALLBACK  write failed; hirl_error_callback_value() returns its result
 * @retval HIRL_E_CANCELED  write stopped the call
 *
 * Errors: as hirl_tree_save(), without those of files.
 *
 * Threads: safe. Since 0.1.
 */
HIRL_API HIRL_NODISCARD hirl_status hirl_tree_write(const hirl_tree *tree, hirl_write_fn *write,
                                                    void *user);

/**
 * Number of levels, L.
 *
 * @param[in] tree  [1] handle, caller-owned, read during the call; NULL: the result is 0
 * @return 1 to 8
 *
 * Threads: safe. Since 0.1.
 */
HIRL_API int32_t hirl_tree_levels(const hirl_tree *tree);

/**
 * Number of columns of the prototypes, d.
 *
 * @param[in] tree  [1] handle, caller-owned, read during the call; NULL: the result is 0
 * @return columns
 *
 * Threads: safe. Since 0.1.
 */
HIRL_API int64_t hirl_tree_dim(const hirl_tree *tree);

/**
 * Number of rows that were clustered, n, those without a leaf included.
 *
 * @param[in] tree  [1] handle, caller-owned, read during the call; NULL: the result is 0
 * @return rows
 *
 * Threads: safe. Since 0.1.
 */
HIRL_API int64_t hirl_tree_rows(const hirl_tree *tree);

/**
 * Number of prototypes of a level, M_l.
 *
 * @param[in] tree   [1] handle, caller-owned, read during the call; NULL: the result is 0
 * @param[in] level  1 (leaves) to L
 * @return prototypes; 0: level outside
 *
 * Threads: safe. Since 0.1.
 */
HIRL_API int64_t hirl_tree_count(const hirl_tree *tree, int32_t level);

/**
 * Prototypes of a level, c^l in the paper: the L2-normalised centres of the clusters.
 *
 * @param[in] tree   [1] handle, caller-owned, read during the call; NULL: the result is NULL
 * @param[in] level  1 (leaves) to L
 * @return [M_l, d] float32, library-owned, valid until the tree is destroyed; NULL: level outside
 *
 * Threads: safe. Since 0.1.
 */
HIRL_API const float *hirl_tree_prototypes(const hirl_tree *tree, int32_t level);

/**
 * Centroids of a level: the means of the rows of each cluster (above level 1: of the prototypes of
 * the level below), before they are normalised. A new row belongs to the leaf whose centroid is
 * nearest. In a tree from hirl_tree_create() they are the prototypes.
 *
 * @param[in] tree   [1] handle, caller-owned, read during the call; NULL: the result is NULL
 * @param[in] level  1 (leaves) to L
 * @return [M_l, d] float32, library-owned, valid until the tree is destroyed; NULL: level outside
 *
 * Threads: safe. Since 0.1.
 */
HIRL_API const float *hirl_tree_centroids(const hirl_tree *tree, int32_t level);

/**
 * Whether rows are L2-normalised before they are clustered or assigned: the key normalize.
 *
 * @param[in] tree  [1] handle, caller-owned, read during the call; NULL: the result is 0
 * @return 1 or 0
 *
 * Threads: safe. Since 0.1.
 */
HIRL_API int32_t hirl_tree_normalize(const hirl_tree *tree);

/**
 * Parent of each prototype of a level.
 *
 * @param[in] tree   [1] handle, caller-owned, read during the call; NULL: the result is NULL
 * @param[in] level  1 (leaves) to L - 1
 * @return [M_l] int32, library-owned, valid until the tree is destroyed; 0 to M_{l+1} - 1; NULL:
 *         level outside, or the top level
 *
 * Threads: safe. Since 0.1.
 */
HIRL_API const int32_t *hirl_tree_parents(const hirl_tree *tree, int32_t level);

/**
 * Number of rows below each prototype of a level.
 *
 * @param[in] tree   [1] handle, caller-owned, read during the call; NULL: the result is NULL
 * @param[in] level  1 (leaves) to L
 * @return [M_l] int64, library-owned, valid until the tree is destroyed; NULL: level outside
 *
 * Threads: safe. Since 0.1.
 */
HIRL_API const int64_t *hirl_tree_sizes(const hirl_tree *tree, int32_t level);

/**
 * The rows below a prototype, in ascending order.
 *
 * @param[out] row    [size] int64, caller-owned, written on success; size is
 *                    hirl_tree_sizes(tree, level)[node]
 * @param[in]  tree   [1] handle, caller-owned, read during the call
 * @param[in]  level  1 (leaves) to L
 * @param[in]  node   of the level, 0 to M_l - 1
 *
 * @retval HIRL_E_INVALID  a NULL, or level or node outside
 *
 * Threads: safe. Since 0.1.
 */
HIRL_API HIRL_NODISCARD hirl_status hirl_tree_node_rows(int64_t *row, const hirl_tree *tree,
                                                        int32_t level, int32_t node);

/**
 * Leaf of each row that was clustered.
 *
 * @param[in] tree  [1] handle, caller-owned, read during the call; NULL: the result is NULL
 * @return [n] int32, library-owned, valid until the tree is destroyed; 0 to M_1 - 1, or -1: none
 *
 * Threads: safe. Since 0.1.
 */
HIRL_API const int32_t *hirl_tree_leaves(const hirl_tree *tree);

/**
 * Finds the paths of new features: the leaf whose centroid is nearest to a row in Euclidean
 * distance, and its ancestors. Rows are L2-normalised first, unless the tree was made with
 * normalize=0.
 *
 * @param[out] path      [n, L] int32, caller-owned, written during the call; node on each level,
 *                       the leaf first
 * @param[out] margin    [n] float32, caller-owned, written during the call; cosine of the most
 *                       similar leaf prototype minus that of the second most similar (with one
 *                       leaf: minus -1); NULL: not wanted
 * @param[in]  tree      [1] handle, caller-owned, read during the call
 * @param[in]  features  [n, d] float32, caller-owned, read during the call; rows of any length
 * @param[in]  n         rows, from 1
 *
 * @retval HIRL_E_INVALID      a NULL, or n below 1
 * @retval HIRL_E_NONFINITE    a row is not finite; the message names it
 * @retval HIRL_E_UNSUPPORTED  the backend lacks operations, which the message names
 * @retval HIRL_E_NOMEM, HIRL_E_DEVICE
 *
 * Threads: safe. Since 0.1.
 */
HIRL_API HIRL_NODISCARD hirl_status hirl_tree_assign(int32_t *path, float *margin,
                                                     const hirl_tree *tree, const float *features,
                                                     int64_t n);

/** HIRL_LEVELS: the most levels that a tree can have. */
enum { HIRL_LEVELS = 8 };

/** Agreement of a tree with labels. Entry l - 1 of purity and nmi belongs to level l. */
typedef struct hirl_tree_score {
    /** bytes; set by the caller to sizeof(hirl_tree_score) */
    size_t struct_size;
    /** number of levels, L */
    int32_t levels;
    /** share of the rows that have the most frequent label of their node, 0 to 1 */
    double purity[HIRL_LEVELS];
    /** normalised mutual information of nodes and labels, 0 to 1; the normaliser is the arithmetic
     * mean of both entropies */
    double nmi[HIRL_LEVELS];
    /** mean over all pairs of rows with equal labels of the share of this label below their lowest
     * common ancestor, 0 to 1 (Heller and Ghahramani 2005); a root is added above the top level; 1
     * without a pair */
    double dendrogram_purity;
} hirl_tree_score;

/**
 * Compares a tree with one level of labels.
 *
 * @param[in,out] score  [1] struct, caller-owned, updated during the call; struct_size is set
 *                       before, the other fields are written on success
 * @param[in]     tree   [1] handle, caller-owned, read during the call
 * @param[in]     label  [n] int32, caller-owned, read during the call; class of each clustered row,
 *                       from 0; below 0: the row does not count
 * @param[in]     n      rows of label; has to be hirl_tree_rows()
 *
 * @retval HIRL_E_INVALID  a NULL, another n, struct_size not set, or no row that has both a leaf
 *                         and a label
 * @retval HIRL_E_NOMEM
 *
 * Threads: safe. Since 0.1.
 */
HIRL_API HIRL_NODISCARD hirl_status hirl_tree_evaluate(hirl_tree_score *score,
                                                       const hirl_tree *tree, const int32_t *label,
                                                       int64_t n);

/**
 * Writes a tree in a text format for other programs. An existing file is replaced atomically: after
 * a failure it is as before.
 *
 * @param[in] tree    [1] handle, caller-owned, read during the call
 * @param[in] path    [] char, caller-owned, read during the call
 * @param[in] format  [] char, caller-owned, read during the call; "json" (nested nodes), "dot"
 *                    (Graphviz), "newick" (phylogeny), "graphml", or "csv" (one line
 *                    row,level1,..,levelL per row that has a leaf)
 * @param[in] name    [n] pointers to [] char, caller-owned, read during the call; names of the rows
 *                    for json and csv; NULL: their numbers
 *
 * @retval HIRL_E_INVALID  a NULL, or another format
 * @retval HIRL_E_IO, HIRL_E_NOSPC, HIRL_E_DURABILITY, HIRL_E_NOMEM
 *
 * Threads: safe. Since 0.1.
 */
HIRL_API HIRL_NODISCARD hirl_status hirl_tree_export(const hirl_tree *tree, const char *path,
                                                     const char *format, const char *const *name);

#ifdef __cplusplus
}
#endif

#endif
