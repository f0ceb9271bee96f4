/* pretraining.c - what a pretraining run adds to a run: networks from a start model, health at the
 * end of an epoch, the final model. */
#include "train/pretraining.h"

#include "base/alloc.h"
#include "base/error.h"
#include "base/file.h"
#include "base/safetensors.h"
#include "context.h"
#include "nn/model.h"
#include "step/task.h"
#include "train/evaluate.h"
#include "train/exchange.h"
#include "train/feed.h"
#include "train/journal.h"
#include "train/pretrain_config.h"
#include "train/recluster.h"
#include "train/run.h"

enum { HEALTH_IMAGES = 256 };

/* ---- start ---- */

/* How many parameters are taken from the start model: the networks of the method if the model has
 * the same method, otherwise the backbone only. */
static int32_t params_from(const hr_net *net, const hirl_model *start, const hirl_trainer *trainer)
{
    if (start->config.method != trainer->config.model.method)
        return net->backbone_params;
    return start->weights.slots < net->method_params ? net->shared_params : net->method_params;
}

static hirl_status take_weights(hirl_trainer *trainer, const hirl_model *start)
{
    hr_learner *learner = trainer->learner;
    const hr_net *net = &trainer->pretrain->net;
    hr_tensors list;
    hirl_status status;
    int32_t params, norms;

    if (!start)
        return HIRL_OK;
    params = params_from(net, start, trainer);
    norms = params == net->backbone_params ? net->backbone_norms
            : params == net->shared_params ? net->shared_norms
                                           : net->method_norms;
    hr_tensors_init(&list);
    status = hr_model_to_tensors(&list, start);
    if (status >= 0)
        status =
            hr_layout_load(&learner->online.value, &net->params, params, learner->queue, &list, "");
    if (status >= 0)
        status =
            hr_layout_load(&learner->online.running, &net->norms, norms, learner->queue, &list, "");
    hr_tensors_done(&list);
    if (status < 0)
        return hr_fail_in(status, "start model");
    return hr_learner_restart(learner);
}

static hirl_status make(hirl_trainer *trainer, const hirl_model *start)
{
    hr_pretrain_config config =
        hr_pretrain_config_of(&trainer->config, hr_feed_views(trainer), trainer->progress.per_epoch,
                              hr_context_ranks(trainer->context));

    HR_TRY(hr_pretrain_create(&trainer->learner, &trainer->pretrain, trainer->context, &config));
    return take_weights(trainer, start);
}

/* ---- end of an epoch and of the run ---- */

/* Computes and judges the health figures (health.h) from z0 of some images. */
static hirl_status measure(hirl_trainer *trainer, double loss)
{
    hr_learner *learner = trainer->learner;
    const hr_pretrain *pretrain = trainer->pretrain;
    hr_extract_config config = hr_trainer_extract_config(trainer);
    int64_t n = trainer->dataset->count < HEALTH_IMAGES ? trainer->dataset->count : HEALTH_IMAGES;
    int64_t d = pretrain->net.z_dim;
    float *z = hr_alloc_array((size_t)((n + config.batch) * d), sizeof *z);
    double *work = hr_alloc_array((size_t)(d * d + d), sizeof *work);
    hr_extract *extract = NULL;
    hirl_status status;
    bool ended = false;

    config.batch = config.batch < n ? config.batch : (int32_t)n;
    config.sample = n;
    status = z && work ? HIRL_OK : HIRL_E_NOMEM;

    if (status >= 0)
        status = hr_extract_create(&extract, learner->queue, trainer->dataset, &pretrain->net,
                                   &learner->online, &config);
    while (status >= 0 && !ended)
        status = hr_extract_step(&ended, z, NULL, extract);
    if (status >= 0) {
        hr_health health;
        char judgement[HR_HEALTH_TEXT];

        hr_health_measure(&health, z, n, d, work);
        hr_health_judge(judgement, &health, loss, learner->task->chance(pretrain),
                        trainer->progress.step);
        hr_journal_health(trainer, &health, judgement);
    }
    hr_extract_destroy(extract);
    hr_free(work);
    hr_free(z);
    return status;
}

static hirl_status save_model(const hirl_trainer *trainer, const char *path)
{
    hirl_model *model = NULL;
    hr_tensors list;
    hirl_status status = hr_trainer_model(&model, trainer, "auto");

    hr_tensors_init(&list);
    if (status >= 0)
        status = hr_model_to_tensors(&list, model);
    if (status >= 0)
        status = hr_tensors_save(&list, path);
    hr_tensors_done(&list);
    hr_model_destroy(model);
    return status;
}

const hr_run_task hr_pretraining_run = {
    .make = make,
    .evaluate = hr_joint_loss_evaluate,
    .measure = measure,
    .save = save_model,
    .result = "model.safetensors",
};
