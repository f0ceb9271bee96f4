/* pretrain_config.c - converts the settings of a run to those of the self-supervised task. */
#include "train/pretrain_config.h"
#include "ssl/method_table.h"

#include <math.h>

#include "config/rates.h"

static hr_method_config method_config(const hr_train_config *t, const hr_run_views *views,
                                      int64_t per_epoch)
{
    return (hr_method_config){
        .globals = views->globals,
        .temperature = t->temperature,
        .first_teacher_temperature = hr_rates_at(t, 0, per_epoch).teacher_temperature,
        .center_momentum = t->center_momentum,
        .sinkhorn_eps = t->sinkhorn_eps,
        .sinkhorn_iterations = t->sinkhorn_iterations,
        .mask_share = t->mask_share,
        .queue = t->queue,
        .mask_own_keys = t->mask_own_keys,
        .queue_start = t->queue_start * per_epoch,
    };
}

/* Published constants: beta and eps of Adam (Kingma and Ba 2015), trust coefficient of LARS (You et
 * al. 2017). */
static hr_optim_config optim_config(const hr_train_config *t)
{
    return (hr_optim_config){ .kind = (hr_optim_kind)t->optimizer,
                              .clip = (hr_clip_kind)t->clip,
                              .clip_limit = t->clip_grad,
                              .beta1 = 0.9,
                              .beta2 = 0.999,
                              .eps = 1e-8,
                              .trust = 0.001 };
}

hr_learner_config hr_learner_config_of(const hr_train_config *t, int32_t ranks)
{
    return (hr_learner_config){ .batch = t->batch_size / ranks,
                                .accumulate = t->accumulate,
                                .bf16 = t->precision == HR_PRECISION_BF16,
                                .optim = optim_config(t),
                                .seed = (uint64_t)t->seed };
}

/* largest number of masked patches in an image */
static int64_t mask_most(const hr_run_config *config)
{
    int64_t side = config->model.image_size / hr_model_patch(&config->model);

    return (int64_t)floor(config->train.mask_high * (double)(side * side));
}

hr_pretrain_config hr_pretrain_config_of(const hr_run_config *config, const hr_run_views *views,
                                         int64_t per_epoch, int32_t ranks)
{
    const hr_train_config *t = &config->train;
    bool sync = hr_method_find(config->model.method)->sync;
    hr_pretrain_config c = {
        .learner = hr_learner_config_of(t, ranks),
        .model = config->model,
        .globals = views->globals,
        .views = views->count,
        .levels = config->levels,
        .bn_groups = sync ? t->bn_groups : t->bn_groups / ranks,
        .path_bn_groups = t->path_bn_groups,
        .joint = t->joint_views,
        .own_teacher = t->own_teacher,
        .reference = t->profile == HR_PROFILE_REFERENCE,
        .decay_all = t->decay_all,
        .path_decay_all = t->decay_all || !isnan(t->path_weight_decay),
        .reassign = t->iter_wise_assignment,
        .momentum = t->momentum,
        .method = method_config(t, views, per_epoch),
        .mask_most = hr_method_find(config->model.method)->patches ? mask_most(config) : 0,
        .negatives = config->spd.negatives,
        .draws_all = hr_spd_draws_all(&config->spd),
        .spd_weight = config->spd.spd_weight,
        .spd_eps = config->spd.spd_eps,
    };

    for (int v = 0; v < views->count; v++)
        c.size[v] = views->view[v].size;
    return c;
}
