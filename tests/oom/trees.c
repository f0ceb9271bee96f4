/* trees.c - trees, the path loss and neighbours while memory is short. */
#include "oom/world.h"

static void with_tree(world *w)
{
    hr_world_set(w, "kmeans_max_points", "4");
    hr_assert_ok(hirl_cluster(&w->tree, w->context, w->rows, HR_WORLD_ROWS, HR_WORLD_COLUMNS, NULL,
                              NULL, w->options));
}

static hirl_status rows_clustered(world *w)
{
    float weight[HR_WORLD_ROWS];
    hirl_tree *tree = NULL;
    hirl_status status;

    for (int i = 0; i < HR_WORLD_ROWS; i++)
        weight[i] = (float)(i % 5);
    status = hirl_cluster(&tree, w->context, w->rows, HR_WORLD_ROWS, HR_WORLD_COLUMNS, weight,
                          w->tree, w->options);
    hirl_tree_destroy(tree);
    return status;
}

static hirl_status tree_saved_and_loaded(world *w)
{
    const char *path = hr_world_path(w, "tree.hpt");
    hirl_tree *tree = NULL;
    hirl_status status = hirl_tree_save(w->tree, path);

    if (status >= 0)
        status = hirl_tree_load(&tree, w->context, path);
    hirl_tree_destroy(tree);
    return status;
}

static hirl_status tree_exported(world *w)
{
    static const char *const format[] = { "json", "dot", "newick", "graphml", "csv" };
    hirl_status status = HIRL_OK;

    for (int i = 0; i < 5 && status >= 0; i++)
        status = hirl_tree_export(w->tree, hr_world_path(w, format[i]), format[i], NULL);
    return status;
}

static hirl_status tree_used(world *w)
{
    hirl_tree_score score = { .struct_size = sizeof score };
    int32_t path[2 * HR_WORLD_ROWS];
    float margin[HR_WORLD_ROWS];
    hirl_status status;

    status = hirl_tree_assign(path, margin, w->tree, w->rows, HR_WORLD_ROWS);
    if (status >= 0)
        status = hirl_tree_evaluate(&score, w->tree, w->label, HR_WORLD_ROWS);
    return status;
}

static hirl_status path_loss_made(world *w)
{
    float z[2 * 8 * HR_WORLD_COLUMNS], grad[2 * 8 * HR_WORLD_COLUMNS], loss = -1;
    hirl_status status;

    for (int i = 0; i < 2 * 8 * HR_WORLD_COLUMNS; i++)
        z[i] = w->rows[i] + 0.5f;
    status =
        hirl_spd_loss(&loss, grad, w->context, w->tree, z, 8, w->label, NULL, 3, 1, w->options);
    ck_assert(status >= 0 || loss == -1); /* on failure it is left as it was */
    return status;
}

static hirl_status neighbours_found(world *w)
{
    hirl_knn_report report = { .struct_size = sizeof report };

    return hirl_eval_knn(&report, w->context, w->rows, w->label, HR_WORLD_ROWS, NULL, NULL, 0,
                         HR_WORLD_COLUMNS, w->options);
}

static const scenario scenario_of[] = {
    { "rows are clustered", with_tree, rows_clustered, NULL },
    { "a tree is saved and loaded", with_tree, tree_saved_and_loaded, NULL },
    { "a tree is exported", with_tree, tree_exported, NULL },
    { "a tree assigns and is scored", with_tree, tree_used, NULL },
    { "the path loss is made", with_tree, path_loss_made, NULL },
    { "neighbours are found", hr_world_nothing, neighbours_found, NULL },
};
const scenario_list hr_trees_scenarios = { scenario_of, sizeof scenario_of / sizeof *scenario_of };
