/* mocov3.c - MoCo v3: contrast within the batch (Chen, Xie and He 2021; L_img of HIRL eq. 4).
 *
 *   q_i = norm2(h(f(x_i))), k_j = norm2(f_m(x_j))      h: predictor; f_m: teacher, no gradient
 *   L   = sum over (i, j) = (0, 1), (1, 0) of
 *         2 T mean_n -log softmax_b( q_i,n . k_j,b / T )_{b = n}
 *   theta_m <- m theta_m + (1 - m) theta               at commit; m: `ema` to `ema_end`, cosine
 *
 * b runs over the images of all ranks; there is no key queue. The factor 2 T only scales gradients.
 * The patch embedding keeps its initial values (frozen_patch), which stabilises training.
 *
 * Chance level is 4 T ln(batch): all keys are equally similar to q. The loss starts slightly above
 * it, is level during the first steps of the warm-up, and then falls.
 */
#include "ssl/method.h"

#include <math.h>

static const hr_setting_pair paper[] = {
    { "recipe", "mocov3" },
    { "head", "mlp hidden hidden z bn out_bn" },
    { "hidden_dim", "4096" },
    { "z_dim", "256" },
    { "predictor", "mlp hidden z bn out_bn" },
    { "predictor_dim", "4096" },
    { "positions", "sincos" },
    { "vit_init", "xavier" },
    { "frozen_patch", "1" },
    { "optimizer", "adamw" },
    { "weight_decay", "0.1" },
    { "base_lr", "1e-4" },
    { "schedule", "cosine" },
    { "warmup_epochs", "40" },
    { "warmup_lr", "0" },
    { "min_lr", "0" },
    { "temperature", "0.2" },
    { "ema", "0.99" },
    { "ema_end", "1" },
    { "ema_late", "1" },
    { NULL, NULL },
};
static const hr_setting_pair reference[] = {
    { "frozen_patch", "0" },
    { NULL, NULL },
};

static hirl_status init(void *state, hr_queue *q, const hr_method_config *config)
{
    (void)q;
    *(hr_method_config *)state = *config;
    return HIRL_OK;
}

static void done(void *state, hr_queue *q)
{
    (void)state;
    (void)q;
}

/* 2 T times the cross-entropy of the scores of queries with the keys of all ranks */
static hr_tensor *contrast(hr_tape *t, hr_tensor *query, hr_tensor *key, const hr_array *label,
                           double temperature)
{
    hr_tensor *q = hr_normalize(t, query), *k = hr_normalize(t, key);
    hr_array all = hr_all_ranks(t, &k->x);
    hr_tensor *scores = hr_linear(t, q, hr_wrap(t, &all, NULL), NULL); /* [n, N] */

    return hr_scale(t, hr_cross_entropy(t, hr_scale(t, scores, 1 / temperature), label),
                    2 * temperature);
}

static hr_tensor *loss(void *state, hr_tape *t, const hr_seen *student, const hr_seen *teacher,
                       const hr_now *now)
{
    const hr_method_config *config = state;
    double tau = config->temperature;

    return hr_add(t, contrast(t, student->out[0], teacher->z0[1], &now->row, tau),
                  contrast(t, student->out[1], teacher->z0[0], &now->row, tau));
}

static double chance(const hr_method_config *config)
{
    return 4 * config->temperature * log((double)(config->batch * config->ranks));
}

/* The output of an untrained predictor is unrelated to its input, and so to the keys. */
static void first(double low_high[2], const hr_method_config *config)
{
    double keys = (double)(config->batch * config->ranks);

    low_high[0] = low_high[1] = 4 * config->temperature * hr_method_log_sum(keys, config);
}

const hr_method hr_method_mocov3 = {
    .name = "mocov3",
    .paper = paper,
    .reference = reference,
    .student = 3u,
    .teacher = 3u,
    .sync = true,
    .coupled = true,
    .predictor = true,
    .state_size = sizeof(hr_method_config),
    .init = init,
    .done = done,
    .loss = loss,
    .chance = chance,
    .first = first,
};
