/* mocov2.c - MoCo v2: momentum contrast with a queue of keys (Chen et al. 2020; L_img of HIRL eq. 4).
 *
 *   q = norm2(f_q(x_0)),  k = norm2(f_k(x_1))                                   [n, d], no gradient to k
 *   L = mean_n -log( exp(q.k / T) / (exp(q.k / T) + sum_j exp(q.u_j / T)) )     u: queue [K, d]
 *   then the keys of this step replace the oldest rows of the queue
 *
 * A row of the queue that belongs to the same image is no negative: it is left out of the sum.
 * Chance level of the loss is ln(K + 1): all keys alike to q. It starts below, as the positive alone is
 * alike while the rows of the queue are random, reaches it when they are keys, K / batch steps later,
 * and then falls.
 */
#include "ssl/method.h"

#include <math.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/rng.h"

static const hr_setting_pair paper[] = {
    { "recipe", "mocov2" },   { "head", "mlp in z" },
    { "z_dim", "128" },       { "optimizer", "sgd" },
    { "momentum", "0.9" },    { "weight_decay", "1e-4" },
    { "base_lr", "0.03" },    { "schedule", "cosine_epoch" },
    { "temperature", "0.2" }, { "queue", "auto" },
    { "ema", "0.999" },       { NULL, NULL },
};
static const hr_setting_pair reference[] = { { NULL, NULL } };

typedef struct mocov2 {
    hr_array queue; /* [K, d] real, unit rows */
    hr_array owner; /* i64 [K] image of each row, -1: none */
    hr_method_config config;
} mocov2;

/* the keys of a step on their way into the queue */
typedef struct enqueue_job {
    mocov2 *self;
    hr_array keys, image; /* of all ranks */
    int64_t per_step, first;
} enqueue_job;

static hirl_status fill_at_random(mocov2 *self, hr_queue *q)
{
    int64_t rows = self->queue.dim[0], d = self->queue.dim[1];
    real *host = hr_alloc_array((size_t)(rows * d), sizeof *host);

    if (!host)
        return HIRL_E_NOMEM;
    for (int64_t r = 0; r < rows; r++) {
        double square = 0;
        hr_rng rng;

        hr_rng_init(&rng, self->config.seed, HR_RNG_QUEUE, 0, 0, (uint32_t)r);
        for (int64_t c = 0; c < d; c++) {
            double x = hr_rng_normal(&rng);

            host[r * d + c] = (real)x;
            square += x * x;
        }
        for (int64_t c = 0; c < d; c++)
            host[r * d + c] = (real)(host[r * d + c] / sqrt(square));
    }
    q->be->upload(q, &self->queue, host, HR_REAL);
    hr_free(host);
    return HIRL_OK;
}

static hirl_status init(void *state, hr_queue *q, const hr_method_config *config)
{
    mocov2 *self = state;

    self->config = *config;
    self->queue = hr_array_2(NULL, HR_REAL, config->queue, config->d);
    self->owner = hr_array_1(NULL, HR_I64, config->queue);
    HR_TRY(hr_method_take(&self->queue, q, &hr_method_mocov2));
    HR_TRY(hr_method_take(&self->owner, q, &hr_method_mocov2));
    HR_TRY(fill_at_random(self, q));
    q->be->fill(q, &self->owner, -1);
    return q->be->sync(q);
}

static void done(void *state, hr_queue *q)
{
    mocov2 *self = state;

    hr_method_give(&self->queue, q);
    hr_method_give(&self->owner, q);
}

static void enqueue(hr_queue *q, void *arg)
{
    enqueue_job *job = arg;

    q->be->ring_write(q, &job->self->queue, &job->keys, job->per_step, job->first);
    q->be->ring_write(q, &job->self->owner, &job->image, job->per_step, job->first);
}

/* keys and ids of all ranks, to be written at commit */
static void enqueue_at_commit(mocov2 *self, hr_tape *t, const hr_array *keys, const hr_now *now)
{
    enqueue_job *job = hr_tape_keep(t, sizeof *job);
    hr_array all_keys = hr_all_ranks(t, keys), all_images = hr_all_ranks(t, &now->image);
    int64_t rows = all_keys.dim[0];

    if (!job)
        return;
    *job = (enqueue_job){ .self = self,
                          .keys = hr_tape_keep_copy(t, &all_keys),
                          .image = hr_tape_keep_copy(t, &all_images),
                          .per_step = now->micros * rows,
                          .first = now->micro * rows };
    if (hr_tape_status(t) >= 0)
        hr_tape_at_commit(t, enqueue, job);
}

static hr_tensor *loss(void *state, hr_tape *t, const hr_seen *student, const hr_seen *teacher,
                       const hr_now *now)
{
    mocov2 *self = state;
    hr_tensor *query = hr_normalize(t, student->z0[0]);
    hr_tensor *key = hr_normalize(t, teacher->z0[1]);

    if (hr_tape_status(t) >= 0)
        enqueue_at_commit(self, t, &key->x, now);
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

const hr_method hr_method_mocov2 = {
    .name = "mocov2",
    .paper = paper,
    .reference = reference,
    .student = 1u << 0,
    .teacher = 1u << 1,
    .shuffle_teacher = true,
    .evaluate_teacher =
        false, /* official MoCo and HIRL evaluate the query encoder (spec.md 6.1, D8) */
    .queue = HR_QUEUE_NEGATIVES,
    .state_size = sizeof(mocov2),
    .init = init,
    .done = done,
    .loss = loss,
    .fields = fields,
    .chance = chance,
    .start = "begins below it, while the queue holds no images",
};
