/* dino.c - DINO: self-distillation with no labels (Caron et al. 2021; L_img of HIRL eq. 4).
 *
 *   p_u = softmax((t_u - c) / tau_t)                    u: a global view; no gradient
 *   L   = mean over u, and views v != u, of  mean_n - sum_k p_u,k log softmax(s_v / tau_s)_k
 *   c  <- m_c c + (1 - m_c) mean(t)                     at commit; m_c: center_momentum (center.c)
 *   theta_t <- m theta_t + (1 - m) theta_s              at commit; m: `ema` to `ema_end`, cosine
 *
 * s, t: logits [n, K] of student and teacher, norm2(z0) . norm2(w_k). The teacher encodes global
 * views only. Without the centre c one output would win for all images; without the low temperature
 * tau_t all targets would become uniform.
 *
 * Chance level is ln K. The loss starts below it while the centre is 0, rises towards it, then
 * falls. A loss that stays at ln K is a collapse, and so is a teacher entropy of ln K or 0.
 */
#include "ssl/dino.h"

#include <math.h>

extern const hr_method hr_method_dino; /* below */

static const hr_setting_pair paper[] = {
    { "recipe", "dino" },      { "head", "mlp hidden hidden z gelu normal" },
    { "hidden_dim", "2048" },  { "z_dim", "256" },
    { "last", "weight_norm" }, { "out_dim", "65536" },
    HR_DINO_SETTINGS,          { NULL, NULL },
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

hr_tensor *hr_dino_loss(hr_tape *t, const hr_seen *student, const hr_seen *teacher,
                        hr_center *center, const hr_now *now, double temperature)
{
    double rows = (double)(now->micros * now->globals * now->n);
    hr_tensor *sum = NULL;

    for (int u = 0; u < now->globals; u++) {
        hr_tensor *p = hr_target(t, teacher->out[u], &center->value, &now->teacher_temperature);

        if (u == 0)
            hr_method_entropy(now, t, p);
        for (int v = 0; v < now->views; v++) {
            hr_tensor *term;

            if (v == u)
                continue;
            term = hr_soft_cross_entropy(t, p, student->out[v], temperature, NULL);
            sum = sum ? hr_add(t, sum, term) : term;
        }
        hr_center_see(center, t, teacher->out[u], 1 / rows, u == 0 && now->micro == 0);
    }
    if (now->micro == 0)
        hr_center_at_commit(center, t);
    return hr_scale(t, sum, 1.0 / (double)(now->globals * (now->views - 1)));
}

static hr_tensor *loss(void *state, hr_tape *t, const hr_seen *student, const hr_seen *teacher,
                       const hr_now *now)
{
    dino *self = state;

    return hr_dino_loss(t, student, teacher, &self->center, now, self->temperature);
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

/* If all views have one embedding, the student's logits under p exceed their mean by std^2 / tau_t,
 * but by no more than the largest of K logits does. */
void hr_dino_first(double low_high[2], const hr_method_config *config)
{
    double std = 1 / sqrt((double)config->d), k = log((double)config->out);
    double preferred = fmin(std / config->first_teacher_temperature, sqrt(2 * k)) * std;

    low_high[1] = hr_method_log_sum((double)config->out, config);
    low_high[0] = fmax(low_high[1] - preferred / config->temperature, 0);
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
    .first = hr_dino_first,
};
