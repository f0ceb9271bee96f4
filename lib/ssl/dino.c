/* dino.c - DINO: self-distillation with no labels (Caron et al. 2021; L_img of HIRL eq. 4).
 *
 *   p_u = softmax((t_u - c) / tau_t)                       the teacher sees the global views only
 *   L   = mean over (u, v), u global, v any other view, of mean_n H(p_u, softmax(s_v / tau_s))
 *   c  <- m c + (1 - m) mean(t)                            after the step
 *
 * s, t: logits [n, K] of student and teacher, norm2(z0) . norm2(w_k). Centring keeps the teacher from
 * choosing one output, the low temperature tau_t from choosing all alike. Chance level is ln K; the loss
 * starts below, while the centre is 0, rises towards it and falls again. A loss that stays there, or a
 * teacher entropy at ln K or 0, is a collapse.
 */
#include <math.h>

#include "ssl/distill.h"

static const hr_setting_pair paper[] = {
    { "recipe", "dino" },      { "head", "mlp hidden hidden z gelu normal" },
    { "hidden_dim", "2048" },  { "z_dim", "256" },
    { "last", "weight_norm" }, { "out_dim", "65536" },
    HR_DISTILL_SETTINGS,       { NULL, NULL },
};
static const hr_setting_pair reference[] = {
    { "clip", "global" },
    { "ema_late", "1" },
    { NULL, NULL },
};

typedef struct dino {
    hr_center center;
    double temperature;
} dino;

static hirl_status init(void *state, hr_queue *q, const hr_method_config *config)
{
    dino *self = state;

    self->temperature = config->temperature;
    return hr_center_init(&self->center, q, &hr_method_dino, config);
}

static void done(void *state, hr_queue *q)
{
    hr_center_done(&((dino *)state)->center, q);
}

static hr_tensor *loss(void *state, hr_tape *t, const hr_seen *student, const hr_seen *teacher,
                       const hr_now *now)
{
    dino *self = state;

    return hr_distill(t, student, teacher, &self->center, now, self->temperature);
}

static int fields(void *state, hr_field field[HR_METHOD_FIELDS])
{
    field[0] = (hr_field){ "center", &((dino *)state)->center.value };
    return 1;
}

static double chance(const hr_method_config *config)
{
    return log((double)config->out);
}

const hr_method hr_method_dino = {
    .name = "dino",
    .paper = paper,
    .reference = reference,
    .student = HR_SEES_ALL,
    .teacher = HR_SEES_GLOBAL,
    .joint = true,
    .sync = true,
    .distills = true,
    .evaluate_teacher = true,
    .last = HR_LAST_WEIGHT_NORM,
    .locals = true,
    .state_size = sizeof(dino),
    .init = init,
    .done = done,
    .loss = loss,
    .fields = fields,
    .chance = chance,
    .start = "begins below it, while the centre is 0",
};
