/* maker.c - hierarchical k-means, one Lloyd iteration at a time (HIRL Alg. 1).
 *
 *   Level 1 clusters the usable rows into M_1 centroids. Level l >= 2 clusters the centroids of the
 *   level below, as they are (profile paper) or scaled to unit length (profile reference).
 *
 *   leaf(row) = nearest raw centroid of level 1;  parent_{l-1}(j) = nearest raw centroid of level l
 *
 * Between two iterations the state is the finished levels and the state of the k-means of the first
 * unfinished level. A maker that loads it continues to the same bits. The first iteration of a
 * level creates its k-means.
 */
#include "hier/maker.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "hier/alike.h"
#include "hier/kmeans.h"
#include "hier/rows.h"

struct hr_tree_maker {
    hirl_context *context;
    hr_queue *queue;
    hr_cluster_config config;
    hirl_tree *previous; /* held, or NULL */
    hirl_tree *tree;     /* its levels below index `level` are finished */
    int32_t level;
    hr_kmeans *kmeans; /* clusters `level`; NULL before its first iteration */
    hr_array features; /* borrowed: the usable rows */
    hr_array points;   /* centroids of the level below, which a level from 2 on clusters */
    int64_t rows;      /* usable rows */
    int32_t *row;      /* [rows] their numbers among all rows */
    float *weight;     /* [rows] or NULL */
    int32_t *label;    /* [rows] leaves, once level 1 is finished */
};

/* ---- create, destroy ---- */

/* numbers and weights of the usable rows */
static hirl_status list_rows(hr_tree_maker *maker, const hr_tree_input *in)
{
    int64_t at = 0;

    maker->rows = 0;
    for (int64_t i = 0; i < in->n; i++)
        maker->rows += !in->usable || in->usable[i];
    if (maker->rows != maker->features.dim[0])
        return hr_fail(HIRL_E_INTERNAL, "cluster: %lld rows of features for %lld usable rows",
                       (long long)maker->features.dim[0], (long long)maker->rows);
    maker->label = hr_alloc_array((size_t)maker->rows, sizeof *maker->label);
    maker->row = hr_alloc_array((size_t)maker->rows, sizeof *maker->row);
    if (in->weight)
        maker->weight = hr_alloc_array((size_t)maker->rows, sizeof *maker->weight);
    if (!maker->label || !maker->row || (in->weight && !maker->weight))
        return HIRL_E_NOMEM;
    for (int64_t i = 0; i < in->n; i++) {
        if (in->usable && !in->usable[i])
            continue;
        maker->row[at] = (int32_t)i;
        if (in->weight)
            maker->weight[at] = in->weight[i];
        at++;
    }
    return HIRL_OK;
}

static hirl_status prepare(hr_tree_maker *maker, const hr_tree_input *in)
{
    int64_t n = in->n, m[HR_LEVELS];
    int32_t levels;

    if (n > INT32_MAX)
        return hr_fail(HIRL_E_LIMIT, "cluster: %lld rows, at most %d", (long long)n, INT32_MAX);
    HR_TRY(list_rows(maker, in));
    HR_TRY(hr_rows_finite(maker->queue, &maker->features, maker->row));
    HR_TRY(hr_tree_levels(m, &levels, maker->rows, &maker->config));
    HR_TRY(hr_rows_warn_alike(maker->context, maker->queue, &maker->features, m[0]));
    HR_TRY(hr_tree_alloc(&maker->tree, maker->context, levels, hr_cols(&maker->features), m, n));
    maker->tree->normalize = maker->config.normalize != 0;
    memset(maker->tree->leaf, 0xff, (size_t)n * sizeof *maker->tree->leaf); /* -1 */
    return HIRL_OK;
}

hirl_status hr_tree_maker_create(hr_tree_maker **out, hirl_context *context, hr_queue *queue,
                                 const hr_tree_input *in, const hr_cluster_config *config)
{
    hr_tree_maker *maker = hr_alloc(sizeof *maker);
    hirl_status status;

    if (!maker)
        return HIRL_E_NOMEM;
    maker->context = context;
    maker->queue = queue;
    maker->config = *config;
    maker->features = in->features;
    if (config->warm && in->previous && in->previous->d == hr_cols(&in->features)) {
        maker->previous = (hirl_tree *)in->previous; /* only its reference count changes */
        hr_tree_hold(maker->previous);
    }
    status = prepare(maker, in);
    if (status < 0) {
        hr_tree_maker_destroy(maker);
        return status;
    }
    *out = maker;
    return HIRL_OK;
}

static void end_kmeans(hr_tree_maker *maker)
{
    if (maker->kmeans)
        hr_kmeans_destroy(maker->kmeans);
    maker->kmeans = NULL;
    hr_array_give(&maker->points, maker->queue);
}

void hr_tree_maker_destroy(hr_tree_maker *maker)
{
    if (!maker)
        return;
    end_kmeans(maker);
    hr_tree_drop(maker->tree);
    hr_tree_drop(maker->previous);
    hr_free(maker->row);
    hr_free(maker->weight);
    hr_free(maker->label);
    hr_free(maker);
}

/* ---- iterations ---- */

static int64_t points_of(const hr_tree_maker *maker, int32_t level)
{
    return level ? maker->tree->m[level - 1] : maker->rows;
}

/* centroids for a warm start of a level; NULL: the previous tree has another number of them */
static const float *initial_of(const hr_tree_maker *maker, int32_t level)
{
    const hirl_tree *previous = maker->previous;

    if (!previous || level >= previous->levels || previous->m[level] != maker->tree->m[level])
        return NULL;
    return previous->centroid[level];
}

static hirl_status begin_level(hr_tree_maker *maker)
{
    int32_t level = maker->level;
    hirl_tree *tree = maker->tree;
    const hr_array *points = &maker->features;
    hirl_status status = HIRL_OK;

    if (level) {
        const float *below = hr_kmeans_unit_between(&maker->config) ? tree->proto[level - 1]
                                                                    : tree->centroid[level - 1];

        points = &maker->points;
        status = hr_rows_copy(&maker->points, maker->queue, HR_REAL, points_of(maker, level),
                              tree->d, below, HR_F32);
    }
    if (status >= 0)
        status =
            hr_kmeans_create(&maker->kmeans, maker->queue, points, level ? NULL : maker->weight,
                             tree->m[level], &maker->config, level, initial_of(maker, level));
    if (status < 0)
        end_kmeans(maker);
    return status;
}

static hirl_status end_level(hr_tree_maker *maker)
{
    int32_t level = maker->level;
    hirl_tree *tree = maker->tree;
    const real *centroid = hr_kmeans_centroids(maker->kmeans);

    HR_TRY(hr_kmeans_labels(level ? tree->parent[level - 1] : maker->label, maker->kmeans));
    for (int64_t i = 0; i < tree->m[level] * tree->d; i++)
        tree->centroid[level][i] = (float)centroid[i];
    hr_tree_set_prototypes(tree, level);
    for (int64_t i = 0; !level && i < maker->rows; i++)
        tree->leaf[maker->row[i]] = maker->label[i];
    hr_log(
        maker->context, HIRL_LOG_INFO,
        "cluster: level %d: %lld prototypes of %lld points, objective %.6g, %lld without members",
        level + 1, (long long)tree->m[level], (long long)points_of(maker, level),
        hr_kmeans_objective(maker->kmeans), (long long)hr_kmeans_empty(maker->kmeans));
    end_kmeans(maker);
    maker->level++;
    return HIRL_OK;
}

hirl_status hr_tree_maker_step(bool *done, hr_tree_maker *maker)
{
    bool level_done = false;

    *done = maker->level == maker->tree->levels;
    if (*done)
        return HIRL_OK;
    if (!maker->kmeans)
        HR_TRY(begin_level(maker));
    HR_TRY(hr_kmeans_step(&level_done, maker->kmeans));
    if (level_done)
        HR_TRY(end_level(maker));
    *done = maker->level == maker->tree->levels;
    return HIRL_OK;
}

static int64_t steps_below(const hr_tree_maker *maker, int32_t end)
{
    int64_t steps = 0;

    for (int32_t l = 0; l < end; l++) {
        hr_kmeans_plan plan = hr_kmeans_plan_of(points_of(maker, l), maker->tree->m[l],
                                                &maker->config, initial_of(maker, l) != NULL);

        steps += plan.redos * plan.iterations;
    }
    return steps;
}

int64_t hr_tree_maker_total(const hr_tree_maker *maker)
{
    return steps_below(maker, maker->tree->levels);
}

int64_t hr_tree_maker_made(const hr_tree_maker *maker)
{
    return steps_below(maker, maker->level) + (maker->kmeans ? hr_kmeans_made(maker->kmeans) : 0);
}

hirl_status hr_tree_maker_finish(hirl_tree **tree, hr_tree_maker *maker)
{
    if (maker->level < maker->tree->levels)
        return hr_fail(HIRL_E_STATE, "cluster: level %d of %d is not finished", maker->level + 1,
                       maker->tree->levels);
    hr_tree_count_rows(maker->tree);
    hr_tree_hold(maker->tree);
    *tree = maker->tree;
    return HIRL_OK;
}

/* ---- state ---- */

typedef struct state_name {
    char text[HR_TENSORS_NAME];
} state_name;

static const char *name_of(state_name *name, const char *prefix, const char *what, int32_t level)
{
    if (level < 0)
        snprintf(name->text, sizeof name->text, "%s%s", prefix, what);
    else
        snprintf(name->text, sizeof name->text, "%s%s.%d", prefix, what, (int)level + 1);
    return name->text;
}

hirl_status hr_tree_maker_save(hr_tensors *out, const hr_tree_maker *maker, const char *prefix)
{
    const int64_t three = 3;
    const hirl_tree *tree = maker->tree;
    state_name name;
    void *position;

    HR_TRY(
        hr_tensors_new(&position, out, name_of(&name, prefix, "position", -1), HR_I64, 1, &three));
    memcpy(position, (int64_t[]){ maker->level, maker->kmeans != NULL, maker->rows }, 24);
    for (int32_t l = 0; l < maker->level; l++) {
        const int64_t dim[] = { tree->m[l], tree->d };

        HR_TRY(hr_tensors_add(out, name_of(&name, prefix, "centroids", l), HR_F32, 2, dim,
                              tree->centroid[l]));
        if (l)
            HR_TRY(hr_tensors_add(out, name_of(&name, prefix, "parents", l - 1), HR_I32, 1,
                                  &tree->m[l - 1], tree->parent[l - 1]));
    }
    if (maker->level)
        HR_TRY(hr_tensors_add(out, name_of(&name, prefix, "leaf", -1), HR_I32, 1, &tree->n,
                              tree->leaf));
    if (!maker->kmeans)
        return HIRL_OK;
    return hr_kmeans_save(out, maker->kmeans, name_of(&name, prefix, "kmeans.", -1));
}

static hirl_status check_nodes(const int32_t *node, int64_t n, int64_t lowest, int64_t count)
{
    for (int64_t i = 0; i < n; i++)
        if (node[i] < lowest || node[i] >= count)
            return hr_fail(HIRL_E_FORMAT,
                           "cluster: the saved state has node %d, outside %lld to %lld",
                           (int)node[i], (long long)lowest, (long long)count - 1);
    return HIRL_OK;
}

static hirl_status load_level(hr_tree_maker *maker, int32_t l, const hr_tensors *in,
                              const char *prefix)
{
    hirl_tree *tree = maker->tree;
    const int64_t dim[] = { tree->m[l], tree->d };
    const hr_named *found;
    state_name name;

    HR_TRY(hr_tensors_need(&found, in, name_of(&name, prefix, "centroids", l), HR_F32, 2, dim));
    memcpy(tree->centroid[l], found->data, found->bytes);
    hr_tree_set_prototypes(tree, l);
    if (!l)
        return HIRL_OK;
    HR_TRY(hr_tensors_need(&found, in, name_of(&name, prefix, "parents", l - 1), HR_I32, 1,
                           &tree->m[l - 1]));
    memcpy(tree->parent[l - 1], found->data, found->bytes);
    return check_nodes(tree->parent[l - 1], tree->m[l - 1], 0, tree->m[l]);
}

hirl_status hr_tree_maker_load(hr_tree_maker *maker, const hr_tensors *in, const char *prefix)
{
    const int64_t three = 3;
    hirl_tree *tree = maker->tree;
    const hr_named *found;
    state_name name;
    int64_t position[3];

    HR_TRY(hr_tensors_need(&found, in, name_of(&name, prefix, "position", -1), HR_I64, 1, &three));
    memcpy(position, found->data, sizeof position);
    if (position[0] < 0 || position[0] > tree->levels || position[2] != maker->rows)
        return hr_fail(
            HIRL_E_FORMAT,
            "cluster: the saved state has level %lld and %lld rows, expected at most level %d and "
            "%lld rows",
            (long long)position[0] + 1, (long long)position[2], tree->levels,
            (long long)maker->rows);
    end_kmeans(maker);
    for (int32_t l = 0; l < position[0]; l++)
        HR_TRY(load_level(maker, l, in, prefix));
    if (position[0]) {
        HR_TRY(
            hr_tensors_need(&found, in, name_of(&name, prefix, "leaf", -1), HR_I32, 1, &tree->n));
        memcpy(tree->leaf, found->data, found->bytes);
        HR_TRY(check_nodes(tree->leaf, tree->n, -1, tree->m[0]));
    }
    maker->level = (int32_t)position[0];
    if (!position[1] || maker->level == tree->levels)
        return HIRL_OK;
    HR_TRY(begin_level(maker));
    return hr_kmeans_load(maker->kmeans, in, name_of(&name, prefix, "kmeans.", -1));
}
