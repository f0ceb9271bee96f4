/* exchange.c - an application takes a copy of a network from a run, or sets a tree of its own. */
#include "train/exchange.h"

#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "nn/model.h"
#include "step/task.h"
#include "task/paths.h"
#include "train/grove.h"
#include "train/recluster.h"
#include "train/run.h"

hirl_status hr_trainer_model(hirl_model **out, const hirl_trainer *trainer, const char *network)
{
    const hr_learner *learner = trainer->learner;
    const hr_pretrain *pretrain = trainer->pretrain;
    bool automatic = !strcmp(network, "auto"), teacher;
    const hr_weights *from;
    hirl_model *model;
    hirl_status status;

    if (!pretrain)
        return hr_fail(HIRL_E_STATE,
                       "task=%s: no self-supervised network; use the model that the run was given",
                       learner->task->name);
    teacher = automatic ? pretrain->method->evaluate_teacher : !strcmp(network, "teacher");
    from = teacher ? &learner->teacher : &learner->online;
    if (!automatic && !teacher && strcmp(network, "online"))
        return hr_fail(HIRL_E_INVALID, "network is \"%s\", expected auto, online or teacher",
                       network);
    if (teacher && !pretrain->method->teacher)
        return hr_fail(HIRL_E_INVALID, "network=teacher: %s has no teacher; use online",
                       pretrain->method->name);
    HR_TRY(hr_model_alloc(&model, trainer->context, &trainer->config.model,
                          teacher ? 0 : pretrain->net.levels, teacher ? "teacher" : "online"));
    hr_weights_copy(&model->weights, from);
    status = model->queue->be->sync(model->queue);
    if (status < 0) {
        hr_model_destroy(model);
        return status;
    }
    *out = model;
    return HIRL_OK;
}

static hirl_status check_leaves(const hirl_tree *tree, const int32_t *leaf, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        if (leaf[i] < -1 || leaf[i] >= tree->m[0])
            return hr_fail(HIRL_E_INVALID, "leaf of image %lld is %d, but the tree has %lld leaves",
                           (long long)i, (int)leaf[i], (long long)tree->m[0]);
    return HIRL_OK;
}

hirl_status hr_trainer_set_tree(hirl_trainer *trainer, const hirl_tree *tree, const int32_t *leaf)
{
    int64_t n = trainer->dataset->count;
    hirl_status status;
    int32_t *copy;

    if (!trainer->pretrain)
        return hr_fail(HIRL_E_STATE, "task=%s has no path loss and accepts no tree",
                       trainer->learner->task->name);
    if (!tree) {
        hr_grove_clear(trainer);
        return hr_pretrain_set_tree(trainer->pretrain, NULL);
    }
    HR_TRY(check_leaves(tree, leaf, n));
    copy = hr_alloc_array((size_t)n, sizeof *copy);
    if (!copy)
        return HIRL_E_NOMEM;
    memcpy(copy, leaf, (size_t)n * sizeof *copy);
    status = hr_pretrain_set_tree(trainer->pretrain, (hirl_tree *)tree);
    if (status < 0) {
        hr_free(copy);
        return status;
    }
    hr_recluster_drop(trainer);
    hr_grove_set_own(trainer, (hirl_tree *)tree, copy);
    return HIRL_OK;
}
