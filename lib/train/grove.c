/* grove.c - the tree in use of a run, and the leaf of each image (grove.h). */
#include "train/grove.h"

#include "base/alloc.h"
#include "train/run.h"

void hr_grove_init(hirl_trainer *trainer)
{
    trainer->grove.tree_epoch = -1;
    trainer->grove.churn = -1;
}

void hr_grove_clear(hirl_trainer *trainer)
{
    hr_grove *grove = &trainer->grove;

    hr_tree_drop(grove->tree);
    hr_free(grove->own_leaf);
    grove->tree = NULL;
    grove->own_leaf = NULL;
    grove->own_tree = false;
    grove->tree_epoch = -1;
}

void hr_grove_set_own(hirl_trainer *trainer, hirl_tree *tree, int32_t *leaf)
{
    hr_grove *grove = &trainer->grove;

    hr_free(grove->own_leaf);
    hr_tree_drop(grove->tree);
    hr_tree_hold(tree);
    grove->tree = tree;
    grove->own_leaf = leaf;
    grove->own_tree = true;
}

hirl_tree *hr_grove_tree(const hirl_trainer *trainer)
{
    return trainer->grove.tree;
}

const int32_t *hr_grove_leaves(const hirl_trainer *trainer)
{
    const hr_grove *grove = &trainer->grove;

    return grove->own_leaf ? grove->own_leaf : grove->tree->leaf;
}

bool hr_grove_needs_tree(const hirl_trainer *trainer, int64_t epoch)
{
    return trainer->config.levels && !trainer->grove.own_tree &&
           epoch >= trainer->config.train.cluster_warmup_epoch &&
           trainer->grove.tree_epoch != epoch;
}

bool hr_grove_reassigns(const hirl_trainer *trainer)
{
    return trainer->config.train.iter_wise_assignment && trainer->grove.tree &&
           !trainer->grove.own_tree;
}

void hr_grove_assign(hirl_trainer *trainer, const int64_t *image, const int32_t *leaf, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        trainer->grove.own_leaf[image[i]] = leaf[i];
}

static int64_t empty_leaves(const hirl_tree *tree)
{
    int64_t empty = 0;

    for (int64_t i = 0; tree && i < tree->m[0]; i++)
        empty += tree->size[0][i] == 0;
    return empty;
}

void hr_grove_report(hirl_step_report *report, const hirl_trainer *trainer)
{
    const hr_grove *grove = &trainer->grove;

    report->churn = grove->churn;
    report->empty_clusters = empty_leaves(grove->tree);
    report->smallest_leaf = grove->leaf_size[0];
    report->median_leaf = grove->leaf_size[1];
    report->largest_leaf = grove->leaf_size[2];
}

void hr_grove_report_clustering(hirl_step_report *report, const hirl_trainer *trainer)
{
    report->clustered = trainer->grove.clustered;
    report->cluster_seconds = trainer->grove.clustered ? trainer->grove.seconds : 0;
}

void hr_grove_reported(hirl_trainer *trainer)
{
    trainer->grove.clustered = false;
}
