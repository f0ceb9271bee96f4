/* trees.c - scenarios with trees, the path loss and nearest neighbours. */
#include "oom/world.h"

static void with_tree(world *w)
{
    small_world_set(&w->small, "kmeans_max_points", "4");
    hr_assert_ok(hirl_cluster(&w->small.tree, w->small.context, small_rows, SMALL_ROWS, SMALL_D,
                              NULL, NULL, w->small.options));
}

static hirl_status rows_clustered(world *w)
{
    float weight[SMALL_ROWS];
    hirl_tree *tree = NULL;
    hirl_status status;

    for (int i = 0; i < SMALL_ROWS; i++)
        weight[i] = (float)(i % 5);
    status = hirl_cluster(&tree, w->small.context, small_rows, SMALL_ROWS, SMALL_D, weight,
                          w->small.tree, w->small.options);
    hirl_tree_destroy(tree);
    return status;
}

static hirl_status tree_saved_and_loaded(world *w)
{
    const char *path = hr_world_path(w, "tree.hpt");
    hirl_tree *tree = NULL;
    hirl_status status = hirl_tree_save(w->small.tree, path);

    if (status >= 0)
        status = hirl_tree_load(&tree, w->small.context, path);
    hirl_tree_destroy(tree);
    return status;
}

static hirl_status tree_exported(world *w)
{
    static const char *const format[] = { "json", "dot", "newick", "graphml", "csv" };
    hirl_status status = HIRL_OK;

    for (int i = 0; i < 5 && status >= 0; i++)
        status = hirl_tree_export(w->small.tree, hr_world_path(w, format[i]), format[i], NULL);
    return status;
}

static hirl_status tree_used(world *w)
{
    hirl_tree_score score = { .struct_size = sizeof score };
    int32_t path[2 * SMALL_ROWS];
    float margin[SMALL_ROWS];
    hirl_status status;

    status = hirl_tree_assign(path, margin, w->small.tree, small_rows, SMALL_ROWS);
    if (status >= 0)
        status = hirl_tree_evaluate(&score, w->small.tree, small_label, SMALL_ROWS);
    return status;
}

static hirl_status path_loss_made(world *w)
{
    float z[2 * 8 * SMALL_D], grad[2 * 8 * SMALL_D];
    double loss = -1;
    hirl_status status;

    for (int i = 0; i < 2 * 8 * SMALL_D; i++)
        z[i] = small_rows[i] + 0.5f;
    status = hirl_spd_loss(&loss, grad, w->small.context, w->small.tree, z, 8, small_label, NULL, 3,
                           1, w->small.options);
    ck_assert(status >= 0 || loss == -1); /* a failure leaves it unchanged */
    return status;
}

static hirl_status neighbours_found(world *w)
{
    hirl_knn_score report = { .struct_size = sizeof report };

    return hirl_knn_evaluate(&report, w->small.context, small_rows, small_label, SMALL_ROWS, NULL,
                             NULL, 0, SMALL_D, w->small.options);
}

static const scenario scenario_of[] = {
    { "rows are clustered", with_tree, rows_clustered, NULL },
    { "a tree is saved and loaded", with_tree, tree_saved_and_loaded, NULL },
    { "a tree is exported", with_tree, tree_exported, NULL },
    { "a tree assigns rows and is scored", with_tree, tree_used, NULL },
    { "the path loss is computed", with_tree, path_loss_made, NULL },
    { "neighbours are found", hr_world_nothing, neighbours_found, NULL },
};
const scenario_list hr_trees_scenarios = { scenario_of, sizeof scenario_of / sizeof *scenario_of };
