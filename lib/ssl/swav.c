/* swav.c - SwAV: views predict each other's prototypes (Caron et al. 2020; L_img of HIRL eq. 4).
 *
 *   s_v = norm2(z_v) . c_k                      scores [n, K]; c: unit prototypes
 *   q_i = Sinkhorn(s_i / eps)                   i: a global view; no gradient
 *   L   = mean over i, and views v != i, of  mean_n - sum_k q_i,k log softmax(s_v / T)_k
 *
 * Sinkhorn starts from exp(s_i / eps) and repeats sinkhorn_iterations times: scale the columns to
 * equal sums, then the rows to sum 1. So each row is a distribution over prototypes, and all
 * prototypes are used about equally often.
 *
 * With small batches, embeddings of earlier steps join the batch in Sinkhorn (score_queue.c); they
 * are stored from queue_start on and used once the queue is full.
 *
 * Chance level is ln K. The loss starts slightly above it, falls slowly while the prototypes are
 * frozen, then faster.
 */
#include "ssl/score_queue.h"

#include <math.h>

extern const hr_method hr_method_swav; /* below */

static const hr_setting_pair paper[] = {
    { "recipe", "swav" },
    { "head", "mlp hidden z bn bias" },
    { "hidden_dim", "2048" },
    { "z_dim", "128" },
    { "last", "prototypes" },
    { "out_dim", "3000" },
    { "optimizer", "larc" },
    { "momentum", "0.9" },
    { "weight_decay", "1e-6" },
    { "base_lr", "0.3" },
    { "schedule", "cosine" },
    { "warmup_epochs", "10" },
    { "warmup_lr", "0.3" },
    { "min_lr", "0.0048" },
    { "temperature", "0.1" },
    { "sinkhorn_eps", "0.05" },
    { "sinkhorn_iterations", "3" },
    { "freeze_prototypes", "313" },
    { "queue", "0" },
    { NULL, NULL },
};
static const hr_setting_pair reference[] = {
    { "joint_views", "0" }, /* the authors of HIRL encode each view on its own */
    { "queue_start", "0" },
    { NULL, NULL },
};

typedef struct swav {
    hr_score_queue queue;
    hr_method_config config;
} swav;

static hirl_status init(void *state, hr_queue *q, const hr_method_config *config)
{
    swav *self = state;

    self->config = *config;
    return hr_score_queue_init(&self->queue, q, config, &hr_method_swav);
}

static void done(void *state, hr_queue *q)
{
    swav *self = state;

    hr_score_queue_done(&self->queue, q);
}

static hr_tensor *loss(void *state, hr_tape *t, const hr_seen *student, const hr_seen *teacher,
                       const hr_now *now)
{
    swav *self = state;
    hr_tensor *sum = NULL;

    (void)teacher;
    for (int i = 0; i < now->globals; i++) {
        hr_tensor *scores =
            hr_score_queue_join(&self->queue, t, student->out[i], &student->rows, i, now);
        hr_tensor *q = hr_sinkhorn(t, scores, self->config.sinkhorn_eps,
                                   (int)self->config.sinkhorn_iterations, now->n);

        if (i == 0)
            hr_method_entropy(now, t, q);
        for (int v = 0; v < now->views; v++) {
            hr_tensor *term;

            if (v == i)
                continue;
            term = hr_soft_cross_entropy(t, q, student->out[v], self->config.temperature, NULL);
            sum = sum ? hr_add(t, sum, term) : term;
        }
        hr_score_queue_put(&self->queue, t, student->z0[i], i, now);
    }
    return hr_scale(t, sum, 1.0 / (double)(now->globals * (now->views - 1)));
}

static int fields(void *state, hr_field field[HR_METHOD_FIELDS])
{
    swav *self = state;

    return hr_score_queue_fields(&self->queue, field);
}

static uint32_t stage(const void *state, int64_t step, int64_t n)
{
    return hr_score_queue_stage(&((const swav *)state)->queue, step, n);
}

static double chance(const hr_method_config *config)
{
    return log((double)config->out);
}

/* The similarity of views does not matter: Sinkhorn removes from the targets whatever all images of
 * the batch share, which is nearly everything at first. */
static void first(double low_high[2], const hr_method_config *config)
{
    low_high[0] = low_high[1] = hr_method_log_sum((double)config->out, config);
}

const hr_method hr_method_swav = {
    .name = "swav",
    .paper = paper,
    .reference = reference,
    .student = HR_SEES_ALL,
    .joint = true,
    .sync = true,
    .sync_images = 1024, /* SyncBN in groups of 8 GPUs, 128 images on each */
    .coupled = true,
    .queue = HR_QUEUE_ROWS,
    .last = HR_LAST_PROTOTYPES,
    .locals = true,
    .state_size = sizeof(swav),
    .init = init,
    .done = done,
    .loss = loss,
    .fields = fields,
    .chance = chance,
    .first = first,
    .stage = stage,
};
