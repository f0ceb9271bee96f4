/* mocov2.c - MoCo v2: momentum contrast with a key queue (Chen et al. 2020; L_img of HIRL eq. 4).
 *
 *   q = norm2(f_q(x_0)), k = norm2(f_k(x_1))                   [n, d], no gradient to k
 *   L = mean_n -log( exp(q.k / T) / (exp(q.k / T) + sum_j exp(q.u_j / T)) )
 *   theta_k <- m theta_k + (1 - m) theta_q                     at commit; m: `ema` (step/step.c)
 *
 * u [K, d] is the key queue: at commit the keys of the step replace its oldest rows. A row of the
 * same image is not a negative and is left out of the sum (mask_own_keys). The batch of the keys is
 * permuted before it is split into groups for batch norm (shuffle BN, bn_groups).
 *
 * Chance level is ln(K + 1): all keys are equally similar to q. The loss starts below it, because
 * the rows of the queue are random and only the positive is similar to q. It reaches chance level
 * after K / batch steps, when the queue holds keys only, and then falls.
 */
#include "ssl/ring.h"

#include <math.h>

extern const hr_method hr_method_mocov2; /* below */

static const hr_setting_pair paper[] = {
    { "recipe", "mocov2" },   { "head", "mlp in z" },
    { "z_dim", "128" },       { "optimizer", "sgd" },
    { "momentum", "0.9" },    { "weight_decay", "1e-4" },
    { "base_lr", "0.03" },    { "schedule", "cosine_epoch" },
    { "temperature", "0.2" }, { "queue", "auto" },
    { "ema", "0.999" },       { NULL, NULL },
};
static const hr_setting_pair reference[] = { { "mask_own_keys", "0" }, { NULL, NULL } };

typedef struct mocov2 {
    hr_array queue; /* [K, d] real, unit rows */
    hr_array owner; /* i64 [K] image id of each key, for which it is not a negative; -1: none */
    hr_method_config config;
} mocov2;

static hirl_status init(void *state, hr_queue *q, const hr_method_config *config)
{
    mocov2 *self = state;

    self->config = *config;
    self->owner = hr_array_1(NULL, HR_I64, config->queue);
    HR_TRY(hr_ring_init(&self->queue, q, config->queue, config->d, &hr_method_mocov2));
    HR_TRY(hr_array_take(&self->owner, q, hr_method_mocov2.name));
    HR_TRY(hr_ring_fill_unit(&self->queue, q, config->seed));
    q->be->fill(q, &self->owner, -1);
    return q->be->sync(q);
}

static void done(void *state, hr_queue *q)
{
    mocov2 *self = state;

    hr_array_give(&self->queue, q);
    hr_array_give(&self->owner, q);
}

/* [rows] owners of keys that are negatives for every image */
static hr_array no_owner(hr_tape *t, int64_t rows)
{
    hr_array none = hr_tape_array_1(t, HR_I64, rows);

    if (none.data)
        t->q->be->fill(t->q, &none, -1);
    return none;
}

/* Puts the keys of all ranks and their image ids into the queue, at commit. */
static void enqueue(mocov2 *self, hr_tape *t, const hr_array *keys, const hr_now *now)
{
    hr_array all_keys = hr_all_ranks(t, keys), all_images = hr_all_ranks(t, &now->image);

    if (!self->config.mask_own_keys)
        all_images = no_owner(t, all_images.dim[0]);
    if (hr_tape_status(t) < 0)
        return;
    hr_ring_put(&self->queue, t, &all_keys, now);
    hr_ring_put(&self->owner, t, &all_images, now);
}

static hr_tensor *loss(void *state, hr_tape *t, const hr_seen *student, const hr_seen *teacher,
                       const hr_now *now)
{
    mocov2 *self = state;
    hr_tensor *query = hr_normalize(t, student->z0[0]);
    hr_tensor *key = hr_normalize(t, teacher->z0[1]);

    if (hr_tape_status(t) >= 0)
        enqueue(self, t, &key->x, now);
    return hr_info_nce(t, query, key, &self->queue, &now->image, &self->owner,
                       self->config.temperature);
}

static int fields(void *state, hr_field field[HR_METHOD_FIELDS])
{
    mocov2 *self = state;

    field[0] = (hr_field){ "queue", &self->queue };
    field[1] = (hr_field){ "owner", &self->owner };
    return 2;
}

static double chance(const hr_method_config *config)
{
    return log((double)config->queue + 1);
}

static void first(double low_high[2], const hr_method_config *config)
{
    double others = hr_method_log_sum((double)config->queue, config);

    low_high[0] = log1p(exp(others - 1 / config->temperature));
    low_high[1] = log1p(exp(others));
}

const hr_method hr_method_mocov2 = {
    .name = "mocov2",
    .paper = paper,
    .reference = reference,
    .student = 1u << 0,
    .teacher = 1u << 1,
    .shuffle_teacher = true,
    .evaluate_teacher = false, /* the authors of MoCo and of HIRL evaluate the query encoder */
    .queue = HR_QUEUE_NEGATIVES,
    .state_size = sizeof(mocov2),
    .init = init,
    .done = done,
    .loss = loss,
    .fields = fields,
    .chance = chance,
    .first = first,
};
