/* tree.c - the prototype tree as data (HIRL sec. 4.1): levels, parents, leaf of each row.
 *
 *   path of leaf j:  P(j) = ( j, parent_1(j), parent_2(parent_1(j)), ... )            (Alg. 1)
 *   c^l = centroid^l / |centroid^l|, or 0 if the centroid is 0
 *   size of a leaf = number of its rows; size of a node above = sum over its children
 *
 * Level l of the paper has index l - 1. As tensors a tree is <prefix>shape = (L, d, n, normalize);
 * for each level prototypes.l, centroids.l, sizes.l and, below the top, parents.l; and leaf.
 */
#include "hier/tree.h"

#include <math.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "hier/origin.h"

#define UNIT_SLACK 1e-3 /* deviation from length 1 that a prototype in a file may have */
#define PAPER_IMAGES 1281167.0

static const int64_t paper_prototypes[] = { 30000, 10000, 1000 };
/* prototypes=auto in small sets */
enum {
    SMALL_ROWS = 15, /* rows of a leaf */
    SMALL_LEAVES = 300,
    LEAST_LEAVES = 3,
    LEAVES_OF_TOP = 30, /* leaves below a node of the top level */
    LEAST_TOP = 8,
    MOST_SMALL_TOP = 12,
};

/* ---- memory ---- */

hirl_status hr_tree_alloc(hirl_tree **out, hirl_context *context, int32_t levels, int64_t d,
                          const int64_t *m, int64_t n)
{
    hirl_tree *tree = hr_alloc(sizeof *tree);
    bool complete;

    if (!tree)
        return HIRL_E_NOMEM;
    tree->references = 1;
    tree->context = context;
    hr_context_hold(context);
    tree->levels = levels;
    tree->d = d;
    tree->n = n;
    tree->normalize = true;
    tree->leaf = hr_alloc_array((size_t)n, sizeof *tree->leaf);
    complete = tree->leaf != NULL;
    for (int32_t l = 0; l < levels && complete; l++) {
        size_t rows = (size_t)m[l];

        tree->m[l] = m[l];
        tree->proto[l] = hr_alloc_array(rows, (size_t)d * sizeof(float));
        tree->centroid[l] = hr_alloc_array(rows, (size_t)d * sizeof(float));
        tree->size[l] = hr_alloc_array(rows, sizeof(int64_t));
        if (l + 1 < levels)
            tree->parent[l] = hr_alloc_array(rows, sizeof(int32_t));
        complete = tree->proto[l] && tree->centroid[l] && tree->size[l] &&
                   (tree->parent[l] || l + 1 == levels);
    }
    if (!complete) {
        hr_tree_drop(tree);
        return HIRL_E_NOMEM;
    }
    *out = tree;
    return HIRL_OK;
}

void hr_tree_hold(hirl_tree *tree)
{
    atomic_fetch_add(&tree->references, 1);
}

void hr_tree_drop(hirl_tree *tree)
{
    if (!tree || atomic_fetch_sub(&tree->references, 1) > 1)
        return;
    for (int32_t l = 0; l < tree->levels; l++) {
        hr_free(tree->proto[l]);
        hr_free(tree->centroid[l]);
        hr_free(tree->parent[l]);
        hr_free(tree->size[l]);
    }
    hr_free(tree->leaf);
    hr_origin_free(tree->origin);
    hr_context_drop(tree->context);
    hr_free(tree);
}

/* ---- derived values: prototypes, sizes, paths ---- */

static double length_of(const float *row, int64_t d)
{
    double square = 0;

    for (int64_t t = 0; t < d; t++)
        square += (double)row[t] * (double)row[t];
    return sqrt(square);
}

void hr_tree_set_prototypes(hirl_tree *tree, int32_t level)
{
    for (int64_t j = 0; j < tree->m[level]; j++) {
        const float *centroid = tree->centroid[level] + j * tree->d;
        float *proto = tree->proto[level] + j * tree->d;
        double length = length_of(centroid, tree->d);

        for (int64_t t = 0; t < tree->d; t++)
            proto[t] = length > 0 ? (float)((double)centroid[t] / length) : 0;
    }
}

void hr_tree_count_rows(hirl_tree *tree)
{
    for (int32_t l = 0; l < tree->levels; l++)
        memset(tree->size[l], 0, (size_t)tree->m[l] * sizeof *tree->size[l]);
    for (int64_t i = 0; i < tree->n; i++)
        if (tree->leaf[i] >= 0)
            tree->size[0][tree->leaf[i]]++;
    for (int32_t l = 0; l + 1 < tree->levels; l++)
        for (int64_t j = 0; j < tree->m[l]; j++)
            tree->size[l + 1][tree->parent[l][j]] += tree->size[l][j];
}

static int ascending(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return (x > y) - (x < y);
}

hirl_status hr_tree_leaf_sizes(int64_t size[3], const hirl_tree *tree)
{
    size_t leaves = (size_t)tree->m[0];
    int64_t *sorted = hr_alloc_array(leaves, sizeof *sorted);

    if (!sorted)
        return HIRL_E_NOMEM;
    memcpy(sorted, tree->size[0], leaves * sizeof *sorted);
    qsort(sorted, leaves, sizeof *sorted, ascending);
    size[0] = sorted[0];
    size[1] = sorted[(leaves - 1) / 2];
    size[2] = sorted[leaves - 1];
    hr_free(sorted);
    return HIRL_OK;
}

int32_t hr_tree_ancestor(const hirl_tree *tree, int32_t leaf, int32_t level)
{
    for (int32_t l = 0; l < level; l++)
        leaf = tree->parent[l][leaf];
    return leaf;
}

void hr_tree_paths(int32_t *path, const hirl_tree *tree)
{
    for (int64_t j = 0; j < tree->m[0]; j++) {
        int32_t node = (int32_t)j;

        for (int32_t l = 0; l < tree->levels; l++) {
            path[j * tree->levels + l] = node;
            if (l + 1 < tree->levels)
                node = tree->parent[l][node];
        }
    }
}

/* ---- numbers of prototypes ---- */

static hirl_status given_levels(int64_t m[HR_LEVELS], const hr_key_list *list, int64_t n)
{
    for (int32_t l = 0; l < list->count; l++) {
        m[l] = list->item[l];
        if (l && m[l] >= m[l - 1])
            return hr_fail(
                HIRL_E_INVALID,
                "prototypes: level %d has %lld, level %d below it has %lld; the numbers must fall",
                l + 1, (long long)m[l], l, (long long)m[l - 1]);
    }
    if (m[0] > n)
        return hr_fail(
            HIRL_E_INVALID,
            "prototypes: %lld at level 1, but there are only %lld usable rows; give fewer, "
            "or prototypes=auto",
            (long long)m[0], (long long)n);
    return HIRL_OK;
}

static int64_t share_of(int64_t n, int64_t paper)
{
    return llround((double)n * (double)paper / PAPER_IMAGES);
}

/* leaves: the paper's share, or more of them in small sets: one for 15 rows, up to 300 */
static int64_t auto_leaves(int64_t n)
{
    int64_t few = (n + SMALL_ROWS / 2) / SMALL_ROWS, leaves = share_of(n, paper_prototypes[0]);

    few = few < SMALL_LEAVES ? few : SMALL_LEAVES;
    leaves = leaves < few ? few : leaves;
    leaves = leaves < LEAST_LEAVES ? LEAST_LEAVES : leaves;
    return leaves < n ? leaves : n;
}

/* The top in small trees: about one node for 30 leaves, within 8 to 12, and at most a third of the
 * level below. */
static int64_t auto_top(int64_t leaves, int64_t n)
{
    int64_t top = share_of(n, paper_prototypes[2]);

    if (leaves <= SMALL_LEAVES)
        top = leaves / LEAVES_OF_TOP;
    return top < LEAST_TOP ? LEAST_TOP : top;
}

/* A level has at most a third of the nodes of the one below. */
static int32_t auto_levels(int64_t m[HR_LEVELS], int64_t n)
{
    int64_t leaves = auto_leaves(n), middle = (leaves + 1) / 3, top = auto_top(leaves, n);

    m[0] = leaves;
    if (leaves > SMALL_LEAVES)
        middle = share_of(n, paper_prototypes[1]);
    if (3 * top <= middle) {
        m[1] = middle;
        m[2] = top;
        return 3;
    }
    m[1] = leaves / 3 < MOST_SMALL_TOP ? leaves / 3 : MOST_SMALL_TOP;
    return m[1] < 2 ? 1 : 2;
}

hirl_status hr_tree_levels(int64_t m[HR_LEVELS], int32_t *levels, int64_t n,
                           const hr_cluster_config *config)
{
    *levels = config->prototypes.count;
    if (*levels)
        return given_levels(m, &config->prototypes, n);
    if (n < 2)
        return hr_fail(HIRL_E_INVALID,
                       "prototypes: a tree needs at least 2 usable rows, but there are %lld",
                       (long long)n);
    *levels = auto_levels(m, n);
    return HIRL_OK;
}

/* ---- tensors ---- */

typedef struct tensor_name {
    char text[HR_TENSORS_NAME];
} tensor_name;

static const char *name_of(tensor_name *name, const char *prefix, const char *what, int32_t level)
{
    snprintf(name->text, sizeof name->text, "%s%s.%d", prefix, what, (int)level + 1);
    return name->text;
}

static const char *plain_name(tensor_name *name, const char *prefix, const char *what)
{
    snprintf(name->text, sizeof name->text, "%s%s", prefix, what);
    return name->text;
}

hirl_status hr_tree_to_tensors(hr_tensors *out, const hirl_tree *tree, const char *prefix)
{
    const int64_t four = 4, numbers[] = { tree->levels, tree->d, tree->n, tree->normalize };
    tensor_name name;
    void *shape;

    HR_TRY(hr_tensors_new(&shape, out, plain_name(&name, prefix, "shape"), HR_I64, 1, &four));
    memcpy(shape, numbers, sizeof numbers);
    for (int32_t l = 0; l < tree->levels; l++) {
        const int64_t dim[] = { tree->m[l], tree->d };

        HR_TRY(hr_tensors_add(out, name_of(&name, prefix, "prototypes", l), HR_F32, 2, dim,
                              tree->proto[l]));
        HR_TRY(hr_tensors_add(out, name_of(&name, prefix, "centroids", l), HR_F32, 2, dim,
                              tree->centroid[l]));
        HR_TRY(
            hr_tensors_add(out, name_of(&name, prefix, "sizes", l), HR_I64, 1, dim, tree->size[l]));
        if (tree->parent[l])
            HR_TRY(hr_tensors_add(out, name_of(&name, prefix, "parents", l), HR_I32, 1, dim,
                                  tree->parent[l]));
    }
    return hr_tensors_add(out, plain_name(&name, prefix, "leaf"), HR_I32, 1, &tree->n, tree->leaf);
}

/* allocates a tree of the shape that the tensors have; its contents are not filled */
static hirl_status alloc_like(hirl_tree **tree, hirl_context *context, const hr_tensors *in,
                              const char *prefix)
{
    const int64_t four = 4;
    int64_t shape[4], m[HR_LEVELS];
    const hr_named *found;
    tensor_name name;

    HR_TRY(hr_tensors_need(&found, in, plain_name(&name, prefix, "shape"), HR_I64, 1, &four));
    memcpy(shape, found->data, sizeof shape);
    if (shape[0] < 1 || shape[0] > HR_LEVELS || shape[1] < 1 || shape[2] < 0)
        return hr_fail(HIRL_E_FORMAT,
                       "tree: impossible shape of %lld levels, %lld columns, %lld rows",
                       (long long)shape[0], (long long)shape[1], (long long)shape[2]);
    HR_TRY(hr_tensors_need(&found, in, plain_name(&name, prefix, "leaf"), HR_I32, 1, &shape[2]));
    for (int32_t l = 0; l < shape[0]; l++) {
        const int64_t dim[] = { -1, shape[1] };

        HR_TRY(
            hr_tensors_need(&found, in, name_of(&name, prefix, "prototypes", l), HR_F32, 2, dim));
        m[l] = found->dim[0];
        if (m[l] < 1 || m[l] > INT32_MAX || (l && m[l] >= m[l - 1]))
            return hr_fail(
                HIRL_E_FORMAT,
                "tree: level %d has %lld prototypes; expected at least 1, and fewer than the level "
                "below",
                l + 1, (long long)m[l]);
    }
    HR_TRY(hr_tree_alloc(tree, context, (int32_t)shape[0], shape[1], m, shape[2]));
    (*tree)->normalize = shape[3] != 0;
    return HIRL_OK;
}

/* prototypes must have unit length, or be 0 where the centroid is 0 */
static hirl_status check_prototypes(const hirl_tree *tree, int32_t l)
{
    for (int64_t i = 0; i < tree->m[l] * tree->d; i++)
        if (!isfinite(tree->proto[l][i]) || !isfinite(tree->centroid[l][i]))
            return hr_fail(HIRL_E_FORMAT,
                           "tree: prototype %lld of level %d or its centroid is not finite",
                           (long long)(i / tree->d), l + 1);
    for (int64_t j = 0; j < tree->m[l]; j++) {
        double length = length_of(tree->proto[l] + j * tree->d, tree->d);

        if (length > 0 && !(fabs(length - 1) < UNIT_SLACK))
            return hr_fail(HIRL_E_FORMAT, "tree: prototype %lld of level %d has length %g, not 1",
                           (long long)j, l + 1, length);
    }
    return HIRL_OK;
}

static hirl_status read_level(hirl_tree *tree, int32_t l, const hr_tensors *in, const char *prefix)
{
    const int64_t dim[] = { tree->m[l], tree->d };
    const hr_named *found;
    tensor_name name;

    HR_TRY(hr_tensors_need(&found, in, name_of(&name, prefix, "prototypes", l), HR_F32, 2, dim));
    memcpy(tree->proto[l], found->data, found->bytes);
    HR_TRY(hr_tensors_need(&found, in, name_of(&name, prefix, "centroids", l), HR_F32, 2, dim));
    memcpy(tree->centroid[l], found->data, found->bytes);
    HR_TRY(check_prototypes(tree, l));
    if (!tree->parent[l])
        return HIRL_OK;
    HR_TRY(hr_tensors_need(&found, in, name_of(&name, prefix, "parents", l), HR_I32, 1, dim));
    memcpy(tree->parent[l], found->data, found->bytes);
    for (int64_t j = 0; j < tree->m[l]; j++)
        if (tree->parent[l][j] < 0 || tree->parent[l][j] >= tree->m[l + 1])
            return hr_fail(
                HIRL_E_FORMAT,
                "tree: node %lld of level %d has parent %d, but the level above has %lld nodes",
                (long long)j, l + 1, (int)tree->parent[l][j], (long long)tree->m[l + 1]);
    return HIRL_OK;
}

static hirl_status read_leaves(hirl_tree *tree, const hr_tensors *in, const char *prefix)
{
    const hr_named *found;
    tensor_name name;

    HR_TRY(hr_tensors_need(&found, in, plain_name(&name, prefix, "leaf"), HR_I32, 1, &tree->n));
    memcpy(tree->leaf, found->data, found->bytes);
    for (int64_t i = 0; i < tree->n; i++)
        if (tree->leaf[i] < -1 || tree->leaf[i] >= tree->m[0])
            return hr_fail(HIRL_E_FORMAT, "tree: row %lld has leaf %d, but there are %lld leaves",
                           (long long)i, (int)tree->leaf[i], (long long)tree->m[0]);
    hr_tree_count_rows(tree);
    for (int32_t l = 0; l < tree->levels; l++) {
        HR_TRY(hr_tensors_need(&found, in, name_of(&name, prefix, "sizes", l), HR_I64, 1,
                               &tree->m[l]));
        if (memcmp(found->data, tree->size[l], found->bytes))
            return hr_fail(HIRL_E_FORMAT,
                           "tree: the sizes of level %d do not agree with the leaves of the rows",
                           l + 1);
    }
    return HIRL_OK;
}

hirl_status hr_tree_from_tensors(hirl_tree **out, hirl_context *context, const hr_tensors *in,
                                 const char *prefix)
{
    hirl_tree *tree = NULL;
    hirl_status status = alloc_like(&tree, context, in, prefix);

    for (int32_t l = 0; status >= 0 && l < tree->levels; l++)
        status = read_level(tree, l, in, prefix);
    if (status >= 0)
        status = read_leaves(tree, in, prefix);
    if (status < 0) {
        hr_tree_drop(tree);
        return status;
    }
    *out = tree;
    return HIRL_OK;
}
