/* target.c - soft targets: softmax of the teacher's outputs, and the cross-entropy against them.
 *
 *   p_nk  = softmax((z_n - center) / T)[k]
 *   h_n   = - sum_k p_nk log p_nk
 *   loss  = sum_n w_n ( - sum_k p_nk log softmax(z_n / T)[k] )
 *         = sum_n w_n ( lse_n sum_k p_nk - sum_k p_nk z_nk / T ),  lse_n = log sum_c exp(z_nc / T)
 *   dz_nk = beta dz_nk + g w_n / T ( softmax(z_n / T)[k] sum_c p_nc - p_nk )
 *
 * p, z [N,K]; h [N]; center [K]; w [N], 1/N when absent. Rows of weight 0 are not read.
 */
#include <math.h>

#include "cpu/clones.h"
#include "cpu/cpu.h"
#include "cpu/dot.h"
#include "cpu/exp.h"
#include "cpu/part.h"

enum { LANES = 8, CHUNK = 256 };

typedef struct target_job {
    const real *z, *p, *center, *weight, *g, *lse_in;
    int64_t rows, cols;
    double scale, beta; /* scale: 1 / T */
    real *to, *lse;
    double *row; /* [N]: weighted loss of each row */
} target_job;

/* e_k = exp(scale (x_k - top)); returns their sum; e may be x */
HR_CLONES static double exponentials(real *e, const real *x, real top, real scale, int64_t n)
{
    double sum[LANES] = { 0 };
    int64_t k = 0;

    for (int64_t i = 0; i < n; i++)
        e[i] = hr_cpu_exp(scale * (x[i] - top));
    for (; k + LANES <= n; k += LANES)
        for (int l = 0; l < LANES; l++)
            sum[l] += (double)e[k + l];
    for (int l = 0; k + l < n; l++)
        sum[l] += (double)e[k + l];
    for (int l = 1; l < LANES; l++)
        sum[0] += sum[l];
    return sum[0];
}

/* ---- softmax ---- */

static void softmax_row(void *arg, int64_t n, int worker)
{
    const target_job *job = arg;
    const real *z = job->z + n * job->cols;
    real *p = job->to + n * job->cols, share;

    (void)worker;
    for (int64_t k = 0; k < job->cols; k++)
        p[k] = job->center ? z[k] - job->center[k] : z[k];
    share =
        (real)(1 / exponentials(p, p, hr_cpu_largest(p, job->cols), (real)job->scale, job->cols));
    for (int64_t k = 0; k < job->cols; k++)
        p[k] *= share;
}

void hr_cpu_target(hr_queue *q, const hr_array *p, const hr_array *z, const hr_array *center,
                   const hr_array *temperature)
{
    target_job job = { .z = hr_cpu_in(q, z),
                       .center = hr_cpu_in(q, center),
                       .rows = hr_rows_of(z),
                       .cols = hr_cols(z),
                       .scale = 1 / *(const double *)temperature->data,
                       .to = hr_cpu_out(q, p, false) };

    hr_cpu_run(q, job.rows, softmax_row, &job);
    hr_cpu_end(q);
}

/* ---- entropy ---- */

static void self_entropy_row(void *arg, int64_t n, int worker)
{
    const target_job *job = arg;
    const real *p = job->p + n * job->cols;
    double sum = 0;

    (void)worker;
    for (int64_t k = 0; k < job->cols; k++)
        sum -= p[k] > 0 ? (double)p[k] * log((double)p[k]) : 0;
    job->to[n] = (real)sum;
}

void hr_cpu_entropy(hr_queue *q, const hr_array *h, const hr_array *p)
{
    target_job job = { .p = hr_cpu_in(q, p),
                       .rows = hr_rows_of(p),
                       .cols = hr_cols(p),
                       .to = hr_cpu_out(q, h, false) };

    hr_cpu_run(q, job.rows, self_entropy_row, &job);
    hr_cpu_end(q);
}

/* ---- cross-entropy ---- */

static double weight_of(const target_job *job, int64_t n)
{
    return job->weight ? (double)job->weight[n] : 1 / (double)job->rows;
}

/* sum[0] = sum_k p_k, sum[1] = sum_k p_k (z_k - top) */
HR_CLONES static void target_sums(double sum[2], const real *p, const real *z, real top, int64_t n)
{
    double of_p[LANES] = { 0 }, of_z[LANES] = { 0 };
    int64_t k = 0;

    for (; k + LANES <= n; k += LANES)
        for (int l = 0; l < LANES; l++) {
            of_p[l] += (double)p[k + l];
            of_z[l] += (double)p[k + l] * ((double)z[k + l] - (double)top);
        }
    for (int l = 0; k + l < n; l++) {
        of_p[l] += (double)p[k + l];
        of_z[l] += (double)p[k + l] * ((double)z[k + l] - (double)top);
    }
    sum[0] = sum[1] = 0;
    for (int l = 0; l < LANES; l++) {
        sum[0] += of_p[l];
        sum[1] += of_z[l];
    }
}

static void entropy_row(void *arg, int64_t n, int worker)
{
    const target_job *job = arg;
    const real *z = job->z + n * job->cols, *p = job->p + n * job->cols;
    double weight = weight_of(job, n), sum = 0, of[2];
    real e[CHUNK], top;

    (void)worker;
    job->row[n] = 0;
    job->lse[n] = 0;
    if (weight == 0)
        return;
    top = hr_cpu_largest(z, job->cols);
    for (int64_t i = 0; i < hr_parts(job->cols, CHUNK); i++) {
        hr_range r = hr_range_of(job->cols, CHUNK, i);

        sum += exponentials(e, z + r.from, top, (real)job->scale, r.to - r.from);
    }
    target_sums(of, p, z, top, job->cols);
    job->lse[n] = (real)(job->scale * (double)top + log(sum));
    job->row[n] = weight * (of[0] * log(sum) - job->scale * of[1]);
}

void hr_cpu_soft_cross_entropy(hr_queue *q, const hr_array *loss, const hr_array *lse,
                               const hr_array *p, const hr_array *z, const hr_array *weight,
                               double temperature)
{
    target_job job = { .z = hr_cpu_in(q, z),
                       .p = hr_cpu_in(q, p),
                       .weight = hr_cpu_in(q, weight),
                       .rows = hr_rows_of(z),
                       .cols = hr_cols(z),
                       .scale = 1 / temperature,
                       .lse = hr_cpu_out(q, lse, false) };
    real *to = hr_cpu_out(q, loss, false);
    double sum = 0;

    job.row = hr_cpu_work(q, (size_t)job.rows * sizeof *job.row);
    hr_cpu_run(q, job.rows, entropy_row, &job);
    if (hr_cpu_ok(q)) {
        for (int64_t n = 0; n < job.rows; n++)
            sum += job.row[n];
        to[0] = (real)sum;
    }
    hr_cpu_end(q);
}

typedef struct slope {
    real beta, g, all, scale, lse;
} slope;

/* dz = beta dz + g (all softmax(z / T) - p) */
HR_CLONES static void add_slope(real *restrict dz, const real *restrict p, const real *restrict z,
                                slope s, int64_t n)
{
    if (s.beta == 0)
        for (int64_t k = 0; k < n; k++)
            dz[k] = s.g * (s.all * hr_cpu_exp(s.scale * z[k] - s.lse) - p[k]);
    else
        for (int64_t k = 0; k < n; k++)
            dz[k] = s.beta * dz[k] + s.g * (s.all * hr_cpu_exp(s.scale * z[k] - s.lse) - p[k]);
}

static void entropy_grad_row(void *arg, int64_t n, int worker)
{
    const target_job *job = arg;
    const real *z = job->z + n * job->cols, *p = job->p + n * job->cols;
    real *dz = job->to + n * job->cols;
    double weight = weight_of(job, n), of[2];

    (void)worker;
    if (weight == 0) {
        for (int64_t k = 0; k < job->cols; k++)
            dz[k] = job->beta == 0 ? 0 : (real)job->beta * dz[k];
        return;
    }
    target_sums(of, p, z, 0, job->cols);
    add_slope(dz, p, z,
              (slope){ (real)job->beta, (real)((double)job->g[0] * job->scale * weight),
                       (real)of[0], (real)job->scale, job->lse_in[n] },
              job->cols);
}

void hr_cpu_soft_cross_entropy_grad(hr_queue *q, const hr_array *dz, const hr_array *g,
                                    const hr_array *lse, const hr_array *p, const hr_array *z,
                                    const hr_array *weight, double temperature, double beta)
{
    target_job job = { .z = hr_cpu_in(q, z),
                       .p = hr_cpu_in(q, p),
                       .weight = hr_cpu_in(q, weight),
                       .g = hr_cpu_in(q, g),
                       .lse_in = hr_cpu_in(q, lse),
                       .rows = hr_rows_of(z),
                       .cols = hr_cols(z),
                       .scale = 1 / temperature,
                       .beta = beta,
                       .to = hr_cpu_out(q, dz, beta != 0) };

    hr_cpu_run(q, job.rows, entropy_grad_row, &job);
    hr_cpu_end(q);
}
