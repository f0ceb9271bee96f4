/* learner_config.c - what the settings of a run are to its learner: epochs as steps, flags, constants. */
#include "train/learner_config.h"

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

/* constants of the optimisers: Kingma and Ba 2015, You et al. 2017 (spec.md 0.2, 1.5) */
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

hr_learner_config hr_learner_config_of(const hr_run_config *config, const hr_run_views *views,
                                       int64_t per_epoch)
{
    const hr_train_config *t = &config->train;

    return (hr_learner_config){
        .model = config->model,
        .levels = config->levels,
        .batch = t->batch_size,
        .accumulate = t->accumulate,
        .bn_groups = t->bn_groups,
        .path_bn_groups = t->path_bn_groups,
        .joint = t->joint_views,
        .own_teacher = t->own_teacher,
        .reference = t->profile == HR_PROFILE_REFERENCE,
        .bf16 = t->precision == HR_PRECISION_BF16,
        .decay_all = t->decay_all,
        .path_decay_all = t->decay_all || !isnan(t->path_weight_decay),
        .momentum = t->momentum,
        .optim = optim_config(t),
        .method = method_config(t, views, per_epoch),
        .spd_eps = config->spd.spd_eps,
        .seed = (uint64_t)t->seed,
    };
}
