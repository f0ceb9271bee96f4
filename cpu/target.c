/* target.c - soft targets: softmax of a teacher's rows, and cross-entropy towards them.
 *
 *   p_nk  = softmax((z_n - center) / T)[k]
 *   loss  = sum_n w_n ( - sum_k p_nk log softmax(z_n / T)[k] )
 *         = sum_n w_n ( lse_n sum_k p_nk - sum_k p_nk z_nk / T )      lse_n = log sum_c exp(z_nc / T)
 *   dz_nk = beta dz_nk + g w_n / T ( softmax(z_n / T)[k] sum_c p_nc - p_nk )
 *
 * p, z [N,K]; center [K]; w [N], absent: 1/N. A row of weight 0 is not looked at.
 */
#include <math.h>

#include "cpu/cpu.h"

typedef struct target_job {
    const real *z, *p, *center, *weight, *g, *lse_in;
    int64_t rows, cols;
    double scale, beta; /* scale: 1 / T */
    real *to, *lse;
    double *row; /* loss of each row */
} target_job;

/* ---- softmax ---- */

static double centred(const target_job *job, const real *z, int64_t k)
{
    return job->scale * ((double)z[k] - (job->center ? (double)job->center[k] : 0));
}

static void softmax_row(void *arg, int64_t n, int worker)
{
    const target_job *job = arg;
    const real *z = job->z + n * job->cols;
    real *p = job->to + n * job->cols;
    double top = centred(job, z, 0), sum = 0;

    (void)worker;
    for (int64_t k = 1; k < job->cols; k++)
        top = fmax(top, centred(job, z, k));
    for (int64_t k = 0; k < job->cols; k++)
        sum += exp(centred(job, z, k) - top);
    for (int64_t k = 0; k < job->cols; k++)
        p[k] = (real)(exp(centred(job, z, k) - top) / sum);
}

void hr_cpu_target(hr_queue *q, const hr_array *p, const hr_array *z, const hr_array *center,
                   double temperature)
{
    target_job job = { .z = hr_cpu_in(q, z),
                       .center = hr_cpu_in(q, center),
                       .rows = hr_rows_of(z),
                       .cols = hr_cols(z),
                       .scale = 1 / temperature,
                       .to = hr_cpu_out(q, p, false) };

    hr_cpu_run(q, job.rows, softmax_row, &job);
    hr_cpu_end(q);
}

/* ---- cross-entropy ---- */

static double weight_of(const target_job *job, int64_t n)
{
    return job->weight ? (double)job->weight[n] : 1 / (double)job->rows;
}

static void entropy_row(void *arg, int64_t n, int worker)
{
    const target_job *job = arg;
    const real *z = job->z + n * job->cols, *p = job->p + n * job->cols;
    double top = job->scale * (double)z[0], sum = 0, all = 0, along = 0, weight = weight_of(job, n);

    (void)worker;
    job->row[n] = 0;
    job->lse[n] = 0;
    if (weight == 0)
        return;
    for (int64_t k = 1; k < job->cols; k++)
        top = fmax(top, job->scale * (double)z[k]);
    for (int64_t k = 0; k < job->cols; k++) {
        double of = job->scale * (double)z[k] - top;

        sum += exp(of);
        all += (double)p[k];
        along += (double)p[k] * of;
    }
    job->lse[n] = (real)(top + log(sum));
    job->row[n] = weight * (all * log(sum) - along);
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

static void entropy_grad_row(void *arg, int64_t n, int worker)
{
    const target_job *job = arg;
    const real *z = job->z + n * job->cols, *p = job->p + n * job->cols;
    real *dz = job->to + n * job->cols;
    double lse = (double)job->lse_in[n], weight = weight_of(job, n), all = 0;
    double g = (double)job->g[0] * job->scale * weight;

    (void)worker;
    for (int64_t k = 0; k < job->cols; k++)
        all += (double)p[k];
    for (int64_t k = 0; k < job->cols; k++) {
        double before = job->beta == 0 ? 0 : job->beta * (double)dz[k];
        double slope = weight == 0 ? 0 : exp(job->scale * (double)z[k] - lse) * all - (double)p[k];

        dz[k] = (real)(before + g * slope);
    }
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
