/* sinkhorn.c - SwAV's targets by Sinkhorn-Knopp: equal use of all prototypes (Caron et al. 2020).
 *
 *   e_nk = exp((s_nk - top_n) / eps)                      top_n = max_k s_nk
 *   v_n  = exp((top_n - max_m top_m) / eps)               to start; then `iterations` times:
 *   u_k  = 1 / sum_n e_nk v_n      v_n = 1 / sum_k u_k e_nk
 *   y_rk = u_k e_nk v_n            n = first + r; every row sums to 1
 *
 * s [N,K], y [R,K]; sums in f64. The usual form also divides by K and N, which cancels in y. The
 * maximum is taken per row so that rows far below the largest score do not underflow.
 */
#include <math.h>

#include "cpu/cpu.h"
#include "cpu/part.h"

enum { COLS = 128 }; /* columns of one task */

typedef struct sinkhorn_job {
    const real *s;
    real *e, *y;
    double *u, *v; /* [K], [N] */
    int64_t rows, cols, first;
    double scale, top; /* 1 / eps; the largest score */
} sinkhorn_job;

/* v holds the largest score of each row until start_row overwrites it */
static void top_row(void *arg, int64_t n, int worker)
{
    const sinkhorn_job *job = arg;
    const real *s = job->s + n * job->cols;
    double top = (double)s[0];

    (void)worker;
    for (int64_t k = 1; k < job->cols; k++)
        top = fmax(top, (double)s[k]);
    job->v[n] = top;
}

static void start_row(void *arg, int64_t n, int worker)
{
    const sinkhorn_job *job = arg;
    double top = job->v[n];

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
        job->u[k] = sum[k - col.from] == 0 ? 0 : 1 / sum[k - col.from];
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

void hr_cpu_sinkhorn(hr_queue *q, const hr_array *y, const hr_array *s, int64_t first,
                     double epsilon, int iterations)
{
    int64_t rows = hr_rows_of(s), cols = hr_cols(s);
    sinkhorn_job job = { .s = hr_cpu_in(q, s),
                         .e = hr_cpu_work(q, (size_t)(rows * cols) * sizeof(real)),
                         .y = hr_cpu_out(q, y, false),
                         .u = hr_cpu_work(q, (size_t)cols * sizeof(double)),
                         .v = hr_cpu_work(q, (size_t)rows * sizeof(double)),
                         .rows = rows,
                         .cols = cols,
                         .first = first,
                         .scale = 1 / epsilon,
                         .top = -INFINITY };

    hr_cpu_run(q, rows, top_row, &job);
    if (hr_cpu_ok(q))
        for (int64_t n = 0; n < rows; n++)
            job.top = fmax(job.top, job.v[n]);
    hr_cpu_run(q, rows, start_row, &job);
    for (int i = 0; i < iterations; i++) {
        hr_cpu_run(q, hr_parts(cols, COLS), balance_cols, &job);
        hr_cpu_run(q, rows, balance_row, &job);
    }
    hr_cpu_run(q, hr_rows_of(y), finish_row, &job);
    hr_cpu_end(q);
}
