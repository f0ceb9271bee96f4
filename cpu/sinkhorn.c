/* sinkhorn.c - SwAV's targets by Sinkhorn-Knopp: equal use of all prototypes (Caron et al. 2020).
 *
 *   e_nk = exp((s_nk - top_n) / eps)                      top_n = max_k s_nk
 *   v_n  = exp((top_n - max_m top_m) / eps)               to start; then `iterations` times:
 *   u_k  = 1 / sum_n e_nk v_n      v_n = 1 / sum_k u_k e_nk
 *   y_rk = u_k e_nk v_n            n = first + r; every row sums to 1
 *
 * s [N,K], y [R,K]; sums in f64. The usual form also divides by K and N, which cancels in y. The
 * maximum is taken per row so that rows far below the largest score do not underflow.
 *
 * Where an e would underflow (a small eps), the same iteration runs on the logarithms of e, u and
 * v, and takes the largest term out of each sum. Hence every sum is above 0: that of a column has
 * either the e of a row with v = 1, or its own largest term.
 */
#include <math.h>

#include "cpu/cpu.h"
#include "cpu/part.h"

enum {
    COLS = 128, /* columns of one task */
    RANGE = 87  /* largest -log e of a sum of values: exp(-87) is a normal f32 */
};

typedef struct sinkhorn_job {
    const real *s;
    real *e, *y;
    double *u, *v;        /* [K], [N]; of large ranges the logarithms */
    double *high, *range; /* [N] largest score of a row, and its distance to the smallest */
    int64_t rows, cols, first;
    double scale, top; /* 1 / eps; the largest score */
} sinkhorn_job;

static void top_row(void *arg, int64_t n, int worker)
{
    const sinkhorn_job *job = arg;
    const real *s = job->s + n * job->cols;
    double high = (double)s[0], low = high;

    (void)worker;
    for (int64_t k = 1; k < job->cols; k++) {
        high = fmax(high, (double)s[k]);
        low = fmin(low, (double)s[k]);
    }
    job->high[n] = high;
    job->range[n] = high - low;
}

/* sets top; whether no e underflows */
static bool fits(sinkhorn_job *job)
{
    double range = 0;

    for (int64_t n = 0; n < job->rows; n++) {
        job->top = fmax(job->top, job->high[n]);
        range = fmax(range, job->range[n]);
    }
    return job->scale * range <= RANGE;
}

/* ---- values ---- */

static void start_row(void *arg, int64_t n, int worker)
{
    const sinkhorn_job *job = arg;
    double top = job->high[n];

    (void)worker;
    for (int64_t k = n * job->cols; k < (n + 1) * job->cols; k++)
        job->e[k] = (real)exp(job->scale * ((double)job->s[k] - top));
    job->v[n] = exp(job->scale * (top - job->top));
}

/* u of a span of columns, summed over the rows in order */
static void balance_cols(void *arg, int64_t i, int worker)
{
    const sinkhorn_job *job = arg;
    hr_range col = hr_range_of(job->cols, COLS, i);
    double sum[COLS] = { 0 };

    (void)worker;
    for (int64_t n = 0; n < job->rows; n++)
        for (int64_t k = col.from; k < col.to; k++)
            sum[k - col.from] += (double)job->e[n * job->cols + k] * job->v[n];
    for (int64_t k = col.from; k < col.to; k++)
        job->u[k] = 1 / sum[k - col.from];
}

static void balance_row(void *arg, int64_t n, int worker)
{
    const sinkhorn_job *job = arg;
    double sum = 0;

    (void)worker;
    for (int64_t k = 0; k < job->cols; k++)
        sum += (double)job->e[n * job->cols + k] * job->u[k];
    job->v[n] = 1 / sum;
}

static void finish_row(void *arg, int64_t r, int worker)
{
    const sinkhorn_job *job = arg;
    const real *e = job->e + (job->first + r) * job->cols;

    (void)worker;
    for (int64_t k = 0; k < job->cols; k++)
        job->y[r * job->cols + k] = (real)(job->u[k] * (double)e[k] * job->v[job->first + r]);
}

/* ---- logarithms ---- */

static double log_e(const sinkhorn_job *job, int64_t n, int64_t k)
{
    return job->scale * ((double)job->s[n * job->cols + k] - job->high[n]);
}

static void start_row_log(void *arg, int64_t n, int worker)
{
    const sinkhorn_job *job = arg;

    (void)worker;
    job->v[n] = job->scale * (job->high[n] - job->top);
}

static void balance_cols_log(void *arg, int64_t i, int worker)
{
    const sinkhorn_job *job = arg;
    hr_range col = hr_range_of(job->cols, COLS, i);
    double top[COLS], sum[COLS] = { 0 };

    (void)worker;
    for (int64_t k = col.from; k < col.to; k++)
        top[k - col.from] = log_e(job, 0, k) + job->v[0];
    for (int64_t n = 1; n < job->rows; n++)
        for (int64_t k = col.from; k < col.to; k++)
            top[k - col.from] = fmax(top[k - col.from], log_e(job, n, k) + job->v[n]);
    for (int64_t n = 0; n < job->rows; n++)
        for (int64_t k = col.from; k < col.to; k++)
            sum[k - col.from] += exp(log_e(job, n, k) + job->v[n] - top[k - col.from]);
    for (int64_t k = col.from; k < col.to; k++)
        job->u[k] = -top[k - col.from] - log(sum[k - col.from]);
}

static void balance_row_log(void *arg, int64_t n, int worker)
{
    const sinkhorn_job *job = arg;
    double top = log_e(job, n, 0) + job->u[0], sum = 0;

    (void)worker;
    for (int64_t k = 1; k < job->cols; k++)
        top = fmax(top, log_e(job, n, k) + job->u[k]);
    for (int64_t k = 0; k < job->cols; k++)
        sum += exp(log_e(job, n, k) + job->u[k] - top);
    job->v[n] = -top - log(sum);
}

static void finish_row_log(void *arg, int64_t r, int worker)
{
    const sinkhorn_job *job = arg;
    int64_t n = job->first + r;

    (void)worker;
    for (int64_t k = 0; k < job->cols; k++)
        job->y[r * job->cols + k] = (real)exp(log_e(job, n, k) + job->u[k] + job->v[n]);
}

typedef struct stages {
    hr_pool_task *start_row, *balance_cols, *balance_row, *finish_row;
} stages;

static const stages by_value = { start_row, balance_cols, balance_row, finish_row };
static const stages by_log = { start_row_log, balance_cols_log, balance_row_log, finish_row_log };

void hr_cpu_sinkhorn(hr_queue *q, const hr_array *y, const hr_array *s, int64_t first,
                     double epsilon, int iterations)
{
    int64_t rows = hr_rows_of(s), cols = hr_cols(s);
    sinkhorn_job job = { .s = hr_cpu_in(q, s),
                         .e = hr_cpu_work(q, (size_t)(rows * cols) * sizeof(real)),
                         .y = hr_cpu_out(q, y, false),
                         .u = hr_cpu_work(q, (size_t)cols * sizeof(double)),
                         .v = hr_cpu_work(q, (size_t)rows * sizeof(double)),
                         .high = hr_cpu_work(q, (size_t)rows * sizeof(double)),
                         .range = hr_cpu_work(q, (size_t)rows * sizeof(double)),
                         .rows = rows,
                         .cols = cols,
                         .first = first,
                         .scale = 1 / epsilon,
                         .top = -INFINITY };

    const stages *stage;

    hr_cpu_run(q, rows, top_row, &job);
    stage = !hr_cpu_ok(q) || fits(&job) ? &by_value : &by_log;
    hr_cpu_run(q, rows, stage->start_row, &job);
    for (int i = 0; i < iterations; i++) {
        hr_cpu_run(q, hr_parts(cols, COLS), stage->balance_cols, &job);
        hr_cpu_run(q, rows, stage->balance_row, &job);
    }
    hr_cpu_run(q, hr_rows_of(y), stage->finish_row, &job);
    hr_cpu_end(q);
}
