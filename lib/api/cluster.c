/* cluster.c - functions of <hirl/cluster.h>: clustering, trees, their files, scores, exports. */
#include <hirl/cluster.h>

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/record.h"
#include "context.h"
#include "hier/assign.h"
#include "hier/export.h"
#include "hier/maker.h"
#include "hier/origin.h"
#include "hier/rows.h"
#include "hier/scores.h"
#include "hier/tree_file.h"
#include "train/tree_images.h"

/* ---- clustering ---- */

static hirl_status check_rows(const float *features, int64_t n, int64_t d, const float *weight)
{
    if (!features)
        return hr_fail(HIRL_E_INVALID, "cluster: features is NULL");
    if (n < 1 || n > INT32_MAX || d < 1 || d > INT32_MAX)
        return hr_fail(HIRL_E_INVALID,
                       "cluster: %lld rows of %lld columns; 1 to %d of each are expected",
                       (long long)n, (long long)d, INT32_MAX);
    for (int64_t i = 0; weight && i < n; i++)
        if (!(weight[i] >= 0) || !isfinite(weight[i]))
            return hr_fail(HIRL_E_INVALID,
                           "cluster: weight %g of row %lld; a finite number from 0 is expected",
                           (double)weight[i], (long long)i);
    for (int64_t i = 0; weight && i < n; i++)
        if (!(weight[i] > 0)) /* the others are checked when they are placed */
            HR_TRY(hr_rows_check(features + i * d, 1, d, i, NULL));
    return HIRL_OK;
}

static hirl_status make_tree(hirl_tree **tree, hr_tree_maker *maker, hirl_context *context)
{
    bool done = false;

    while (!done) {
        HR_TRY(hr_tree_maker_step(&done, maker));
        HR_TRY(
            hr_progress(context, "cluster", hr_tree_maker_made(maker), hr_tree_maker_total(maker)));
    }
    return hr_tree_maker_finish(tree, maker);
}

/* Rows of weight 0 are left out; *usable is NULL without weights. *count: usable rows. */
static hirl_status mark_usable(uint8_t **usable, int64_t *count, const float *weight, int64_t n)
{
    *count = n;
    if (!weight)
        return HIRL_OK;
    *usable = hr_alloc_array((size_t)n, 1);
    if (!*usable)
        return HIRL_E_NOMEM;
    *count = 0;
    for (int64_t i = 0; i < n; i++) {
        (*usable)[i] = weight[i] > 0;
        *count += (*usable)[i];
    }
    return HIRL_OK;
}

static hirl_status cluster(hirl_tree **tree, hr_queue *queue, hr_row_source *source,
                           const float *weight, const hirl_tree *previous,
                           const hr_cluster_config *config)
{
    hr_tree_input in = { .n = source->n, .weight = weight, .previous = previous };
    hr_tree_maker *maker = NULL;
    hr_rows_placed placed = { 0 };
    hr_array rows = { 0 };
    uint8_t *usable = NULL;
    int64_t count;
    hirl_status status = mark_usable(&usable, &count, weight, source->n);

    if (status >= 0)
        status = hr_rows_take(&rows, queue, HR_REAL, count ? count : 1, source->d);
    if (status >= 0)
        status = hr_rows_place(&placed, queue, &rows, source, config->normalize != 0, usable);
    in.features = hr_slice(&rows, 0, placed.kept);
    in.usable = usable;
    if (status >= 0)
        status = hr_tree_maker_create(&maker, queue->context, queue, &in, config);
    if (status >= 0)
        status = make_tree(tree, maker, queue->context);
    hr_tree_maker_destroy(maker);
    hr_free(usable);
    hr_array_give(&rows, queue);
    return status;
}

hirl_status hirl_cluster(hirl_tree **tree, hirl_context *context, const float *features, int64_t n,
                         int64_t d, const float *weight, const hirl_tree *previous,
                         const hirl_options *options)
{
    hr_rows_array rows = hr_rows_of_array(features, n, d);
    hr_cluster_config config;
    hr_queue *queue = NULL;
    hirl_status status;
    hr_call call;

    if (!tree || !context)
        return hr_fail(HIRL_E_INVALID, "cluster: tree or context is NULL");
    *tree = NULL;
    HR_TRY(check_rows(features, n, d, weight));
    if (previous && previous->d != d)
        return hr_fail(HIRL_E_INVALID,
                       "cluster: the previous tree has %lld columns, the features have %lld",
                       (long long)previous->d, (long long)d);
    HR_TRY(hr_options_read(&config, &hr_cluster_keys, options));
    HR_TRY(hr_context_enter(&call, context));
    status = hr_context_take_queue(&queue, context);
    if (status >= 0)
        status = cluster(tree, queue, &rows.rows, weight, previous, &config);
    hr_context_give_queue(queue);
    return hr_context_leave(&call, status);
}

/* ---- a tree from arrays ---- */

static hirl_status check_shape(int32_t levels, int64_t d, const int64_t *m, int64_t n)
{
    if (!m)
        return hr_fail(HIRL_E_INVALID, "tree: m is NULL");
    if (levels < 1 || levels > HR_LEVELS || d < 1 || d > INT32_MAX || n < 0 || n > INT32_MAX)
        return hr_fail(HIRL_E_INVALID,
                       "tree: %d levels, %lld columns, %lld rows; 1 to %d levels, 1 to %d columns "
                       "and 0 to %d rows are expected",
                       (int)levels, (long long)d, (long long)n, HR_LEVELS, INT32_MAX, INT32_MAX);
    for (int32_t l = 0; l < levels; l++)
        if (m[l] < 1 || m[l] > INT32_MAX || (l && m[l] >= m[l - 1]))
            return hr_fail(HIRL_E_INVALID,
                           "tree: %lld prototypes on level %d; counts must be above 0, and fall "
                           "from level to level",
                           (long long)m[l], (int)l + 1);
    return HIRL_OK;
}

static hirl_status copy_prototypes(hirl_tree *tree, int32_t level, const float *prototypes)
{
    if (!prototypes)
        return hr_fail(HIRL_E_INVALID, "tree: the prototypes of level %d are NULL", (int)level + 1);
    for (int64_t j = 0; j < tree->m[level]; j++) {
        const float *row = prototypes + j * tree->d;
        double square = 0;

        for (int64_t t = 0; t < tree->d; t++)
            square += (double)row[t] * (double)row[t];
        if (!(square > 0) || !isfinite(square))
            return hr_fail(HIRL_E_INVALID, "tree: prototype %lld of level %d is zero or not finite",
                           (long long)j, (int)level + 1);
    }
    memcpy(tree->centroid[level], prototypes,
           (size_t)(tree->m[level] * tree->d) * sizeof *prototypes);
    hr_tree_set_prototypes(tree, level);
    memcpy(tree->centroid[level], tree->proto[level],
           (size_t)(tree->m[level] * tree->d) * sizeof *prototypes);
    return HIRL_OK;
}

static hirl_status copy_nodes(int32_t *to, const int32_t *from, int64_t n, int64_t lowest,
                              int64_t count, const char *what)
{
    if (n && !from)
        return hr_fail(HIRL_E_INVALID, "tree: %s is NULL", what);
    for (int64_t i = 0; i < n; i++) {
        if (from[i] < lowest || from[i] >= count)
            return hr_fail(HIRL_E_INVALID, "tree: %s[%lld] is %d, outside %lld to %lld", what,
                           (long long)i, (int)from[i], (long long)lowest, (long long)count - 1);
        to[i] = from[i];
    }
    return HIRL_OK;
}

static hirl_status fill_tree(hirl_tree *tree, const float *const *prototypes,
                             const int32_t *const *parents, const int32_t *leaf)
{
    for (int32_t l = 0; l < tree->levels; l++) {
        HR_TRY(copy_prototypes(tree, l, prototypes[l]));
        if (tree->parent[l])
            HR_TRY(copy_nodes(tree->parent[l], parents ? parents[l] : NULL, tree->m[l], 0,
                              tree->m[l + 1], "parents"));
    }
    HR_TRY(copy_nodes(tree->leaf, leaf, tree->n, -1, tree->m[0], "leaf"));
    hr_tree_count_rows(tree);
    return HIRL_OK;
}

hirl_status hirl_tree_create(hirl_tree **out, hirl_context *context, int32_t levels, int64_t d,
                             const int64_t *m, const float *const *prototypes,
                             const int32_t *const *parents, const int32_t *leaf, int64_t n)
{
    hirl_tree *tree = NULL;
    hirl_status status;

    if (!out || !context || !prototypes)
        return hr_fail(HIRL_E_INVALID, "tree: tree, context or prototypes is NULL");
    *out = NULL;
    HR_TRY(check_shape(levels, d, m, n));
    HR_TRY(hr_tree_alloc(&tree, context, levels, d, m, n));
    status = fill_tree(tree, prototypes, parents, leaf);
    if (status < 0) {
        hr_tree_drop(tree);
        return status;
    }
    *out = tree;
    return HIRL_OK;
}

void hirl_tree_destroy(hirl_tree *tree)
{
    hr_tree_drop(tree);
}

/* ---- files ---- */

static hirl_status save(const hirl_tree *tree, const hr_to *to)
{
    if (!tree)
        return hr_fail(HIRL_E_INVALID, "tree: tree is NULL");
    HR_TRY(hr_to_check(to, "tree"));
    return hr_tree_save(tree, to);
}

hirl_status hirl_tree_save(const hirl_tree *tree, const char *path)
{
    return save(tree, &(hr_to){ .path = path });
}

hirl_status hirl_tree_to_memory(void **data, size_t *bytes, const hirl_tree *tree)
{
    return save(tree, &(hr_to){ .data = data, .bytes = bytes });
}

hirl_status hirl_tree_write(const hirl_tree *tree, hirl_write_fn *write, void *user)
{
    return save(tree, &(hr_to){ .write = write, .user = user });
}

static hirl_status load(hirl_tree **tree, hirl_context *context, const hr_from *from)
{
    hr_call call;

    if (!tree || !context)
        return hr_fail(HIRL_E_INVALID, "tree: tree or context is NULL");
    *tree = NULL;
    HR_TRY(hr_from_check(from, "tree"));
    HR_TRY(hr_context_enter(&call, context));
    return hr_context_leave(&call, hr_tree_load(tree, context, from));
}

hirl_status hirl_tree_load(hirl_tree **tree, hirl_context *context, const char *path)
{
    return load(tree, context, &(hr_from){ .path = path });
}

hirl_status hirl_tree_from_memory(hirl_tree **tree, hirl_context *context, const void *data,
                                  size_t bytes)
{
    return load(tree, context, &(hr_from){ .data = data, .bytes = (int64_t)bytes });
}

hirl_status hirl_tree_read(hirl_tree **tree, hirl_context *context, hirl_read_fn *read, void *user,
                           int64_t bytes)
{
    return load(tree, context, &(hr_from){ .read = read, .user = user, .bytes = bytes });
}

hirl_status hirl_tree_set_images(hirl_tree *tree, const hirl_dataset *images)
{
    if (!tree || !images)
        return hr_fail(HIRL_E_INVALID, "tree_set_images: tree or images is NULL");
    return hr_tree_set_images(tree, images);
}

hirl_status hirl_tree_set_names(hirl_tree *tree, const char *const *name, int64_t n)
{
    hr_origin *origin;

    if (!tree || !name || n != tree->n)
        return hr_fail(HIRL_E_INVALID,
                       "tree_set_names: tree or name is NULL, or n is not the number of rows");
    HR_TRY(hr_origin_new(&origin, name, n));
    hr_origin_free(tree->origin);
    tree->origin = origin;
    return HIRL_OK;
}

hirl_status hirl_tree_check_images(const hirl_tree *tree, const hirl_dataset *images)
{
    hr_call call;

    if (!tree || !images)
        return hr_fail(HIRL_E_INVALID, "tree_check_images: tree or images is NULL");
    HR_TRY(hr_context_enter(&call, images->context));
    return hr_context_leave(&call, hr_tree_check_images(tree, images));
}

const char *hirl_tree_name(const hirl_tree *tree, int64_t row)
{
    bool known = tree && row >= 0 && row < tree->n && tree->origin && tree->origin->name;

    return known ? tree->origin->name[row] : NULL;
}

/* ---- properties ---- */

static bool has_level(const hirl_tree *tree, int32_t level)
{
    return tree && level >= 1 && level <= tree->levels;
}

int32_t hirl_tree_levels(const hirl_tree *tree)
{
    return tree ? tree->levels : 0;
}

int64_t hirl_tree_dim(const hirl_tree *tree)
{
    return tree ? tree->d : 0;
}

int64_t hirl_tree_rows(const hirl_tree *tree)
{
    return tree ? tree->n : 0;
}

int64_t hirl_tree_count(const hirl_tree *tree, int32_t level)
{
    return has_level(tree, level) ? tree->m[level - 1] : 0;
}

const float *hirl_tree_prototypes(const hirl_tree *tree, int32_t level)
{
    return has_level(tree, level) ? tree->proto[level - 1] : NULL;
}

const float *hirl_tree_centroids(const hirl_tree *tree, int32_t level)
{
    return has_level(tree, level) ? tree->centroid[level - 1] : NULL;
}

int32_t hirl_tree_normalize(const hirl_tree *tree)
{
    return tree && tree->normalize;
}

const int32_t *hirl_tree_parents(const hirl_tree *tree, int32_t level)
{
    return has_level(tree, level) ? tree->parent[level - 1] : NULL;
}

const int64_t *hirl_tree_sizes(const hirl_tree *tree, int32_t level)
{
    return has_level(tree, level) ? tree->size[level - 1] : NULL;
}

const int32_t *hirl_tree_leaves(const hirl_tree *tree)
{
    return tree ? tree->leaf : NULL;
}

hirl_status hirl_tree_node_rows(int64_t *row, const hirl_tree *tree, int32_t level, int32_t node)
{
    int64_t n = 0;

    if (!row || !has_level(tree, level) || node < 0 || node >= tree->m[level - 1])
        return hr_fail(
            HIRL_E_INVALID,
            "tree_node_rows: row or tree is NULL, or the tree has no node %d on level %d",
            (int)node, (int)level);
    for (int64_t i = 0; i < tree->n; i++)
        if (tree->leaf[i] >= 0 && hr_tree_ancestor(tree, tree->leaf[i], level - 1) == node)
            row[n++] = i;
    return HIRL_OK;
}

/* ---- paths, scores, exports ---- */

hirl_status hirl_tree_assign(int32_t *path, float *margin, const hirl_tree *tree,
                             const float *features, int64_t n)
{
    hr_rows_array rows;
    hr_queue *queue = NULL;
    hirl_status status;
    hr_call call;

    if (!path || !tree || !features || n < 1)
        return hr_fail(HIRL_E_INVALID, "assign: path, tree or features is NULL, or n is below 1");
    rows = hr_rows_of_array(features, n, tree->d);
    HR_TRY(hr_context_enter(&call, tree->context));
    status = hr_context_take_queue(&queue, tree->context);
    if (status >= 0)
        status = hr_tree_assign(path, margin, tree, queue, &rows.rows);
    hr_context_give_queue(queue);
    return hr_context_leave(&call, status);
}

hirl_status hirl_tree_evaluate(hirl_tree_score *score, const hirl_tree *tree, const int32_t *label,
                               int64_t n)
{
    hirl_tree_score full = { .struct_size = sizeof full };

    HR_TRY(HR_RECORD_CHECK(score, "tree_evaluate: score", hirl_tree_score));
    if (!tree || !label)
        return hr_fail(HIRL_E_INVALID, "scores: tree or label is NULL");
    if (n != tree->n)
        return hr_fail(HIRL_E_INVALID, "scores: %lld labels, but the tree has %lld rows",
                       (long long)n, (long long)tree->n);
    HR_TRY(hr_tree_evaluate(&full, tree, label));
    hr_record_fill(score, &full, sizeof full);
    return HIRL_OK;
}

hirl_status hirl_tree_export(const hirl_tree *tree, const char *path, const char *format,
                             const char *const *name)
{
    if (!tree || !path || !format)
        return hr_fail(HIRL_E_INVALID, "export: tree, path or format is NULL");
    return hr_tree_export(tree, path, format, name);
}
