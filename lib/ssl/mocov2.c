/* mocov2.c - MoCo v2: momentum contrast with a queue of keys (Chen et al. 2020; L_img of HIRL eq. 4).
 *
 *   q = norm2(f_q(x_0)),  k = norm2(f_k(x_1))                                   [N, d], no gradient to k
 *   L = mean_n -log( exp(q.k / T) / (exp(q.k / T) + sum_j exp(q.u_j / T)) )     u: queue [K, d]
 *   then the keys of this step replace the oldest rows of the queue
 *
 * A row of the queue that belongs to the same image is no negative: it is left out of the sum.
 * Chance level of the loss is ln(K + 1): q and all keys unrelated. It starts near it, may rise while
 * the random first rows of the queue are replaced, and then falls.
 */
#include "ssl/method.h"

#include <math.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/rng.h"

typedef struct mocov2 {
    hr_array queue; /* [K, d] real, unit rows */
    hr_array owner; /* i64 [K] image of each row, -1: none */
    hr_method_config config;
} mocov2;

/* the keys of a step on their way into the queue */
typedef struct enqueue_job {
    mocov2 *self;
    hr_array keys, image; /* of all ranks */
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
    self->queue.data = q->be->take(q, hr_bytes(&self->queue));
    self->owner.data = q->be->take(q, hr_bytes(&self->owner));
    if (!self->queue.data || !self->owner.data)
        return q->be->sync(q) < 0 ? HIRL_E_NOMEM
                                  : hr_fail(HIRL_E_NOMEM, "out of memory: queue of %lld keys",
                                            (long long)config->queue);
    HR_TRY(fill_at_random(self, q));
    q->be->fill(q, &self->owner, -1);
    return q->be->sync(q);
}

static void done(void *state, hr_queue *q)
{
    mocov2 *self = state;

    if (self->queue.data)
        q->be->give(q, self->queue.data);
    if (self->owner.data)
        q->be->give(q, self->owner.data);
}

static void enqueue(hr_queue *q, void *arg)
{
    enqueue_job *job = arg;

    q->be->ring_write(q, &job->self->queue, &job->keys);
    q->be->ring_write(q, &job->self->owner, &job->image);
}

/* keys and ids of all ranks, to be written at commit */
static void enqueue_at_commit(mocov2 *self, hr_tape *t, const hr_array *keys, const hr_array *image)
{
    enqueue_job *job = hr_tape_take(t, sizeof *job);
    hr_comm *comm = t->q->comm;
    int64_t ranks = comm ? comm->ranks : 1;
    int64_t shape[2] = { ranks * keys->dim[0], keys->dim[1] };

    if (!job)
        return;
    *job = (enqueue_job){ self, *keys, *image };
    if (ranks > 1) {
        job->keys = hr_tape_array(t, HR_REAL, 2, shape);
        job->image = hr_tape_array(t, HR_I64, 1, shape);
        if (!job->keys.data || !job->image.data)
            return;
        comm->all_gather(comm, t->q, &job->keys, keys);
        comm->all_gather(comm, t->q, &job->image, image);
    }
    hr_tape_at_commit(t, enqueue, job);
}

static hr_tensor *loss(void *state, hr_tape *t, const hr_outputs *out)
{
    mocov2 *self = state;
    hr_tensor *query = hr_normalize(t, out->student[0]);
    hr_tensor *key = hr_normalize(t, out->teacher[1]);

    if (hr_tape_status(t) >= 0)
        enqueue_at_commit(self, t, &key->x, &out->image);
    return hr_info_nce(t, query, key, &self->queue, &out->image, &self->owner,
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
    .views = 2,
    .student = 1u << 0,
    .teacher = 1u << 1,
    .shuffle_teacher = true,
    .cluster_teacher = true,
    .evaluate_teacher =
        false, /* official MoCo and HIRL evaluate the query encoder (spec.md 6.1, D8) */
    .state_size = sizeof(mocov2),
    .init = init,
    .done = done,
    .loss = loss,
    .fields = fields,
    .chance = chance,
};
