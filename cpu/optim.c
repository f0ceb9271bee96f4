/* optim.c - optimisers over flat arrays: SGD, AdamW, moving average, finite check, sum of squares.
 *
 *   sgd      v <- mu v + (grad + wd p)      p <- p - lr v      first step: v = grad + wd p
 *   adamw    p <- p (1 - lr wd)             (Loshchilov and Hutter 2019)
 *            m <- beta1 m + (1 - beta1) grad      v <- beta2 v + (1 - beta2) grad^2
 *            p <- p - lr (m / unbias1) / (sqrt(v / unbias2) + eps),  unbias_i = 1 - beta_i^t
 *   ema      y <- m y + (1 - m) x
 *
 * lr, wd, mu, unbias and m are read from hr_scalars.
 */
#include <tgmath.h>

#include "cpu/clones.h"
#include "cpu/cpu.h"
#include "cpu/part.h"

/* ---- SGD ---- */

typedef struct sgd_job {
    real *p, *v;
    const real *grad;
    int64_t n;
    real rate, decay, momentum;
} sgd_job;

static void sgd_part(void *arg, int64_t i, int worker)
{
    const sgd_job *job = arg;
    hr_range r = hr_range_of(job->n, HR_PART, i);
    real rate = job->rate, decay = job->decay, momentum = job->momentum;

    (void)worker;
    for (int64_t k = r.from; k < r.to; k++) {
        real d = job->grad[k] + decay * job->p[k];
        real v = momentum != 0 ? momentum * job->v[k] + d : d;

        job->v[k] = v;
        job->p[k] -= rate * v;
    }
}

void hr_cpu_sgd(hr_queue *q, const hr_array *p, const hr_array *v, const hr_array *grad,
                int32_t group)
{
    const hr_scalars *s = hr_cpu_state(q)->scalars;
    sgd_job job = { hr_cpu_out(q, p, true),
                    hr_cpu_out(q, v, true),
                    hr_cpu_in(q, grad),
                    hr_count(p),
                    (real)s->rate[group],
                    (real)s->decay[group],
                    s->first[group] != 0 ? 0 : (real)s->momentum[group] };

    hr_cpu_run(q, hr_parts(job.n, HR_PART), sgd_part, &job);
    hr_cpu_end(q);
}

/* ---- AdamW ---- */

typedef struct adamw_rates {
    real keep, step, root, beta1, take1, beta2, take2, eps;
} adamw_rates;

typedef struct adamw_job {
    real *p, *m, *v;
    const real *grad;
    int64_t n;
    adamw_rates rates;
} adamw_job;

/* p <- keep p - step m / (root sqrt(v) + eps), step = lr / unbias1, root = 1 / sqrt(unbias2) */
HR_CLONES static void adamw_numbers(real *restrict p, real *restrict m, real *restrict v,
                                    const real *restrict grad, int64_t n, const adamw_rates *rates)
{
    adamw_rates r = *rates;

    for (int64_t k = 0; k < n; k++) {
        real first = r.beta1 * m[k] + r.take1 * grad[k];
        real second = r.beta2 * v[k] + r.take2 * grad[k] * grad[k];

        m[k] = first;
        v[k] = second;
        p[k] = r.keep * p[k] - r.step * first / (r.root * sqrt(second) + r.eps);
    }
}

static void adamw_part(void *arg, int64_t i, int worker)
{
    const adamw_job *job = arg;
    hr_range r = hr_range_of(job->n, HR_PART, i);

    (void)worker;
    adamw_numbers(job->p + r.from, job->m + r.from, job->v + r.from, job->grad + r.from,
                  r.to - r.from, &job->rates);
}

void hr_cpu_adamw(hr_queue *q, const hr_array *p, const hr_array *m, const hr_array *v,
                  const hr_array *grad, int32_t group, double beta1, double beta2, double eps)
{
    const hr_scalars *s = hr_cpu_state(q)->scalars;
    adamw_job job = { hr_cpu_out(q, p, true),
                      hr_cpu_out(q, m, true),
                      hr_cpu_out(q, v, true),
                      hr_cpu_in(q, grad),
                      hr_count(p),
                      { .keep = (real)(1 - s->rate[group] * s->decay[group]),
                        .step = (real)(s->rate[group] / s->unbias1[group]),
                        .root = (real)(1 / sqrt(s->unbias2[group])),
                        .beta1 = (real)beta1,
                        .take1 = (real)(1 - beta1),
                        .beta2 = (real)beta2,
                        .take2 = (real)(1 - beta2),
                        .eps = (real)eps } };

    hr_cpu_run(q, hr_parts(job.n, HR_PART), adamw_part, &job);
    hr_cpu_end(q);
}

/* ---- moving average ---- */

typedef struct ema_job {
    real *y;
    const real *x;
    int64_t n;
    real keep, take;
} ema_job;

static void ema_part(void *arg, int64_t i, int worker)
{
    const ema_job *job = arg;
    hr_range r = hr_range_of(job->n, HR_PART, i);
    real keep = job->keep, take = job->take;

    (void)worker;
    for (int64_t k = r.from; k < r.to; k++)
        job->y[k] = keep * job->y[k] + take * job->x[k];
}

void hr_cpu_ema(hr_queue *q, const hr_array *y, const hr_array *x)
{
    double m = hr_cpu_state(q)->scalars->ema;
    ema_job job = { hr_cpu_out(q, y, true), hr_cpu_in(q, x), hr_count(y), (real)m, (real)(1 - m) };

    hr_cpu_run(q, hr_parts(job.n, HR_PART), ema_part, &job);
    hr_cpu_end(q);
}

/* ---- checks ---- */

typedef struct check_job {
    const real *x;
    int64_t n;
    int32_t *bad;
    double *sum; /* one of each part */
} check_job;

static void finite_part(void *arg, int64_t i, int worker)
{
    const check_job *job = arg;
    hr_range r = hr_range_of(job->n, HR_PART, i);
    int bad = 0;

    (void)worker;
    for (int64_t k = r.from; k < r.to; k++)
        bad |= !(job->x[k] - job->x[k] == 0); /* inf - inf and NaN - NaN are NaN */
    if (bad)
        __atomic_store_n(job->bad, 1, __ATOMIC_RELAXED);
}

void hr_cpu_finite(hr_queue *q, const hr_array *bad, const hr_array *x)
{
    check_job job = { .x = hr_cpu_in(q, x), .n = hr_count(x), .bad = bad->data };

    hr_cpu_run(q, hr_parts(job.n, HR_PART), finite_part, &job);
    hr_cpu_end(q);
}

enum { LANES = 8 };

static void square_part(void *arg, int64_t i, int worker)
{
    const check_job *job = arg;
    hr_range r = hr_range_of(job->n, HR_PART, i);
    double sum[LANES] = { 0 }, total = 0;
    int64_t k = r.from;

    (void)worker;
    for (; k + LANES <= r.to; k += LANES)
        for (int l = 0; l < LANES; l++)
            sum[l] += (double)job->x[k + l] * (double)job->x[k + l];
    for (; k < r.to; k++)
        sum[0] += (double)job->x[k] * (double)job->x[k];
    for (int l = 0; l < LANES; l++)
        total += sum[l];
    job->sum[i] = total;
}

void hr_cpu_square_sum(hr_queue *q, const hr_array *s, const hr_array *x)
{
    int64_t parts = hr_parts(hr_count(x), HR_PART);
    check_job job = { .x = hr_cpu_in(q, x), .n = hr_count(x) };
    double total = 0;

    job.sum = hr_cpu_work(q, (size_t)parts * sizeof *job.sum);
    hr_cpu_run(q, parts, square_part, &job);
    if (hr_cpu_ok(q)) {
        for (int64_t i = 0; i < parts; i++)
            total += job.sum[i];
        *(double *)s->data = total;
    }
    hr_cpu_end(q);
}
