/* ibot.c - iBOT: DINO plus prediction of masked patches (Zhou et al. 2022; L_img of HIRL eq. 4).
 *
 *   L_cls   = DINO's loss (dino.c); the student's global views are masked
 *   L_patch = mean over global views g of
 *             mean_n [ sum_{i masked} H(p_gi, softmax(s_gi / tau_s)) / |mask| ]
 *   L       = L_cls + L_patch
 *   p_gi    = softmax((t_gi - c') / tau_t)       teacher, patch i of view g unmasked; no gradient
 *   c'     <- m_c c' + (1 - m_c) mean of t_gi    at commit: a second centre, over all patches
 *   theta_t <- m theta_t + (1 - m) theta_s       as in DINO
 *
 * H(p, q) = - sum_k p_k log q_k. An image without a mask adds 0 to L_patch but counts in the mean.
 * Class token and patches share head and last layer.
 *
 * Chance level is ln K for L_cls, and ln K times the share of masked views for L_patch. Both change
 * as DINO's loss does: at first they are below or near this level, then rise to it, then fall. The
 * loss is noisy, because the number of masked views differs between batches.
 */
#include "ssl/dino.h"

#include <math.h>

extern const hr_method hr_method_ibot; /* below */

static const hr_setting_pair paper[] = {
    { "recipe", "ibot" },
    { "head", "mlp hidden hidden z gelu normal" },
    { "hidden_dim", "2048" },
    { "z_dim", "256" },
    { "last", "weight_norm" },
    { "out_dim", "8192" },
    { "mask_token", "1" },
    { "mask_ratio", "0.1,0.5" },
    { "mask_share", "0.5" },
    HR_DINO_SETTINGS,
    { NULL, NULL },
};
static const hr_setting_pair reference[] = {
    { "clip", "global" },
    { "ema_late", "1" },
    { NULL, NULL },
};

typedef struct ibot {
    hr_center center, patch_center;
    double temperature;
} ibot;

static hirl_status init(void *state, hr_queue *q, const hr_method_config *config)
{
    ibot *self = state;

    self->temperature = config->temperature;
    HR_TRY(hr_center_init(&self->center, q, &hr_method_ibot, config));
    return hr_center_init(&self->patch_center, q, &hr_method_ibot, config);
}

static void done(void *state, hr_queue *q)
{
    ibot *self = state;

    hr_center_done(&self->center, q);
    hr_center_done(&self->patch_center, q);
}

static hr_tensor *patch_loss(ibot *self, hr_tape *t, const hr_seen *student, const hr_seen *teacher,
                             const hr_now *now)
{
    hr_tensor *sum = NULL;

    for (int g = 0; g < now->globals; g++) {
        hr_tensor *patches = teacher->patches[g]; /* [n P, K] */
        double rows = (double)(now->micros * now->globals) * (double)patches->x.dim[0];
        hr_tensor *p = hr_target(t, hr_gather(t, patches, &now->place[g]),
                                 &self->patch_center.value, &now->teacher_temperature);
        hr_tensor *term =
            hr_soft_cross_entropy(t, p, student->patches[g], self->temperature, &now->weight[g]);

        sum = sum ? hr_add(t, sum, term) : term;
        hr_center_see(&self->patch_center, t, patches, 1 / rows, g == 0 && now->micro == 0);
    }
    if (now->micro == 0)
        hr_center_at_commit(&self->patch_center, t);
    return hr_scale(t, sum, 1.0 / (double)now->globals);
}

static hr_tensor *loss(void *state, hr_tape *t, const hr_seen *student, const hr_seen *teacher,
                       const hr_now *now)
{
    ibot *self = state;

    return hr_add(t, hr_dino_loss(t, student, teacher, &self->center, now, self->temperature),
                  patch_loss(self, t, student, teacher, now));
}

static int fields(void *state, hr_field field[HR_METHOD_FIELDS])
{
    ibot *self = state;

    field[0] = (hr_field){ "center", &self->center.value };
    field[1] = (hr_field){ "patch_center", &self->patch_center.value };
    return 2;
}

static double chance(const hr_method_config *config)
{
    return (1 + config->mask_share) * log((double)config->out);
}

static void first(double low_high[2], const hr_method_config *config)
{
    hr_dino_first(low_high, config);
    for (int i = 0; i < 2; i++)
        low_high[i] *= 1 + config->mask_share;
}

const hr_method hr_method_ibot = {
    .name = "ibot",
    .paper = paper,
    .reference = reference,
    .student = HR_SEES_ALL,
    .teacher = HR_SEES_GLOBAL,
    .joint = true,
    .sync = true,
    .patches = true,
    .distills = true,
    .evaluate_teacher = true,
    .last = HR_LAST_WEIGHT_NORM,
    .locals = true,
    .state_size = sizeof(ibot),
    .init = init,
    .done = done,
    .loss = loss,
    .fields = fields,
    .chance = chance,
    .first = first,
};
