/* simsiam.c - SimSiam: views predict each other (Chen and He 2021; L_img of HIRL eq. 4).
 *
 *   p_i = h(f(x_i)), z_i = f(x_i)                       h: predictor; f: encoder and head
 *   L   = - mean over i != j of mean_n cos(p_i, z_j)    in [-1, 1]; no gradient to z_j
 *
 * i, j run over global views. There is neither teacher nor negatives: the missing gradient to z_j,
 * and a predictor whose learning rate stays constant, prevent a collapse to one point.
 *
 * Chance level is 0 (unrelated directions). The loss falls towards -1. A loss of -1 early in
 * training is a collapse; the rank of z0 shows it.
 */
#include "ssl/method.h"

static const hr_setting_pair paper[] = {
    { "recipe", "mocov2" },
    { "head", "mlp hidden hidden z bn out_bn" },
    { "hidden_dim", "2048" },
    { "z_dim", "2048" },
    { "predictor", "mlp hidden z bn" },
    { "predictor_dim", "512" },
    { "zero_init_residual", "1" },
    { "optimizer", "sgd" },
    { "momentum", "0.9" },
    { "weight_decay", "1e-4" },
    { "base_lr", "0.05" },
    { "schedule", "cosine_epoch" },
    { "constant_predictor_lr", "1" },
    { NULL, NULL },
};
static const hr_setting_pair reference[] = { { NULL, NULL } };

static hr_tensor *loss(void *self, hr_tape *t, const hr_seen *student, const hr_seen *teacher,
                       const hr_now *now)
{
    int64_t views = now->globals;
    hr_tensor *sum = NULL;

    (void)self;
    (void)teacher;
    for (int i = 0; i < views; i++)
        for (int j = 0; j < views; j++) {
            hr_tensor *p, *z, *similar;

            if (i == j)
                continue;
            p = hr_normalize(t, student->out[i]);
            z = hr_normalize(t, hr_detach(t, student->z0[j]));
            similar = hr_mean(t, hr_row_dot(t, p, z));
            sum = sum ? hr_add(t, sum, similar) : similar;
        }
    return hr_scale(t, sum, -1.0 / (double)(views * (views - 1)));
}

static double chance(const hr_method_config *config)
{
    (void)config;
    return 0;
}

/* The output of an untrained predictor is unrelated to its input. */
static void first(double low_high[2], const hr_method_config *config)
{
    low_high[0] = low_high[1] = chance(config);
}

const hr_method hr_method_simsiam = {
    .name = "simsiam",
    .paper = paper,
    .reference = reference,
    .student = HR_SEES_ALL,
    .sync = true,
    .predictor = true,
    .loss = loss,
    .chance = chance,
    .first = first,
};
