/* idle.c - warns of keys that have no effect in a run, because they belong to other methods or
 * networks.
 *
 * Only keys that the caller gave are named: the config.yaml of another run holds every key.
 */
#include "config/idle.h"

#include <stdio.h>
#include <string.h>

#include "context.h"
#include "step/optim.h"

typedef bool hr_use(const hr_run_config *c, const hr_method *m);

static bool of_vit(const hr_run_config *c, const hr_method *m)
{
    (void)m;
    return hr_arch_is_vit(c->model.arch);
}

static bool of_resnet(const hr_run_config *c, const hr_method *m)
{
    return !of_vit(c, m);
}

static bool of_teacher(const hr_run_config *c, const hr_method *m)
{
    (void)c;
    return m->teacher != 0;
}

/* an application's method receives the temperature too */
/* SimSiam compares by the cosine alone. */
static bool of_temperature(const hr_run_config *c, const hr_method *m)
{
    (void)c;
    for (const hr_setting_pair *pair = m->paper; pair->key; pair++)
        if (!strcmp(pair->key, "temperature"))
            return true;
    return m->distills;
}

static bool of_momentum(const hr_run_config *c, const hr_method *m)
{
    (void)m;
    return c->train.optimizer != HR_OPTIM_ADAMW;
}

static bool of_targets(const hr_run_config *c, const hr_method *m)
{
    (void)c;
    return m->distills || m->declared;
}

static bool of_center(const hr_run_config *c, const hr_method *m)
{
    (void)c;
    return m->distills;
}

static bool of_queue(const hr_run_config *c, const hr_method *m)
{
    (void)c;
    return m->queue != HR_QUEUE_NONE;
}

static bool of_negatives(const hr_run_config *c, const hr_method *m)
{
    (void)c;
    return m->queue == HR_QUEUE_NEGATIVES;
}

static bool of_assignments(const hr_run_config *c, const hr_method *m)
{
    (void)c;
    return m->queue == HR_QUEUE_ROWS;
}

static bool of_masks(const hr_run_config *c, const hr_method *m)
{
    (void)c;
    return m->patches;
}

static bool of_predictor(const hr_run_config *c, const hr_method *m)
{
    (void)m;
    return *c->model.predictor != 0;
}

static bool of_prototypes(const hr_run_config *c, const hr_method *m)
{
    (void)m;
    return c->model.last == HR_LAST_PROTOTYPES;
}

static bool of_weight_norm(const hr_run_config *c, const hr_method *m)
{
    (void)m;
    return c->model.last == HR_LAST_WEIGHT_NORM;
}

static bool of_rows(const hr_run_config *c, const hr_method *m)
{
    (void)m;
    return c->model.last != HR_LAST_NONE;
}

static const struct {
    const char *key;
    hr_use *use;
} some[] = {
    { "width", of_resnet },
    { "stem", of_resnet },
    { "zero_init_residual", of_resnet },
    { "patch_size", of_vit },
    { "vit_dim", of_vit },
    { "vit_depth", of_vit },
    { "vit_heads", of_vit },
    { "positions", of_vit },
    { "vit_init", of_vit },
    { "frozen_patch", of_vit },
    { "drop_path", of_vit },
    { "predictor_dim", of_predictor },
    { "constant_predictor_lr", of_predictor },
    { "out_dim", of_rows },
    { "freeze_last_layer", of_weight_norm },
    { "freeze_prototypes", of_prototypes },
    { "momentum", of_momentum },
    { "temperature", of_temperature },
    { "teacher_temperature", of_targets },
    { "warmup_teacher_temperature", of_targets },
    { "warmup_teacher_temperature_epochs", of_targets },
    { "center_momentum", of_center },
    { "ema", of_teacher },
    { "ema_end", of_teacher },
    { "ema_late", of_teacher },
    { "sinkhorn_eps", of_assignments },
    { "sinkhorn_iterations", of_assignments },
    { "queue", of_queue },
    { "queue_start", of_assignments },
    { "mask_own_keys", of_negatives },
    { "mask_ratio", of_masks },
    { "mask_shape", of_masks },
    { "mask_share", of_masks },
};

void hr_idle_keys(hirl_context *context, const hr_run_config *config, const hr_method *method,
                  const hirl_options *given)
{
    char keys[768]; /* room for all names of `some` */
    size_t used = 0;

    for (size_t i = 0; i < sizeof some / sizeof *some && used < sizeof keys; i++) {
        const hr_option *option = hr_options_find(given, some[i].key);

        if (option && option->origin == HR_FROM_CALLER && !some[i].use(config, method))
            used += (size_t)snprintf(keys + used, sizeof keys - used, "%s%s", used ? ", " : "",
                                     some[i].key);
    }
    if (used)
        hr_log(context, HIRL_LOG_WARNING, "%s of %s has no use for %s", method->name,
               hr_arch_name(config->model.arch), keys);
}
