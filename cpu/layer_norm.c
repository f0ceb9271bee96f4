/* layer_norm.c - layer normalisation: each row by its own mean and variance (Ba et al. 2016).
 *
 *   y = gamma xhat + shift,  xhat = (x - mean) rstd,  rstd = 1 / sqrt(mean (x - mean)^2 + eps)
 *   dx = beta dx + rstd (d - mean d - xhat mean(d xhat)),  d = gamma dy
 *   dgamma += sum_r dy xhat      dshift += sum_r dy
 *
 * x, y [R,D]; mean, rstd [R]; gamma, shift [D]. Sums along a row are taken in LANES partial sums,
 * in an order that depends only on D. For the sums over rows, each fixed part of the rows has
 * sums [2,D] in f64, and the parts are added in order.
 */
#include <math.h>
#include <string.h>

#include "cpu/clones.h"
#include "cpu/cpu.h"
#include "cpu/part.h"

enum {
    LANES = 16,
    PART_ROWS = 64, /* least rows of a part */
    SUM_COLS = 256, /* columns of one task of the final sum */
};

typedef struct layer_job {
    hr_queue *q;
    real *to, *mean, *rstd;
    const real *x, *dy, *gamma, *shift, *mean_in, *rstd_in;
    double *part; /* [parts, 2, D]: sums of dy and of dy xhat */
    real *dgamma, *dshift;
    int64_t rows, cols, part_rows, parts;
    double eps;
    real beta;
} layer_job;

static void cut(layer_job *job)
{
    job->part_rows = hr_part_rows(job->cols);
    if (job->part_rows < PART_ROWS)
        job->part_rows = PART_ROWS;
    job->parts = hr_parts(job->rows, job->part_rows);
}

static inline double folded(const real *sum)
{
    double total = 0;

    for (int l = 0; l < LANES; l++)
        total += (double)sum[l];
    return total;
}

HR_CLONES static double mean_of(const real *x, int64_t n)
{
    real sum[LANES] = { 0 };
    int64_t k = 0;

    for (; k + LANES <= n; k += LANES)
        for (int l = 0; l < LANES; l++)
            sum[l] += x[k + l];
    for (int l = 0; k + l < n; l++)
        sum[l] += x[k + l];
    return folded(sum) / (double)n;
}

HR_CLONES static double variance_of(const real *x, real mean, int64_t n)
{
    real sum[LANES] = { 0 };
    int64_t k = 0;

    for (; k + LANES <= n; k += LANES)
        for (int l = 0; l < LANES; l++)
            sum[l] += (x[k + l] - mean) * (x[k + l] - mean);
    for (int l = 0; k + l < n; l++)
        sum[l] += (x[k + l] - mean) * (x[k + l] - mean);
    return folded(sum) / (double)n;
}

HR_CLONES static void write_row(real *restrict y, const real *restrict x,
                                const real *restrict gamma, const real *restrict shift, real mean,
                                real rstd, int64_t n)
{
    for (int64_t k = 0; k < n; k++)
        y[k] = gamma[k] * ((x[k] - mean) * rstd) + shift[k];
}

static void norm_part(void *arg, int64_t i, int worker)
{
    const layer_job *job = arg;
    hr_range r = hr_range_of(job->rows, job->part_rows, i);

    (void)worker;
    for (int64_t row = r.from; row < r.to; row++) {
        const real *x = job->x + row * job->cols;
        real mean = (real)mean_of(x, job->cols);
        real rstd = (real)(1 / sqrt(variance_of(x, mean, job->cols) + job->eps));

        job->mean[row] = mean;
        job->rstd[row] = rstd;
        write_row(job->to + row * job->cols, x, job->gamma, job->shift, mean, rstd, job->cols);
    }
}

void hr_cpu_layer_norm(hr_queue *q, const hr_array *y, const hr_array *mean, const hr_array *rstd,
                       const hr_array *x, const hr_array *gamma, const hr_array *shift, double eps)
{
    layer_job job = { .q = q,
                      .to = hr_cpu_out(q, y, false),
                      .mean = mean->data,
                      .rstd = rstd->data,
                      .x = hr_cpu_in(q, x),
                      .gamma = hr_cpu_in(q, gamma),
                      .shift = hr_cpu_in(q, shift),
                      .rows = hr_rows_of(x),
                      .cols = hr_cols(x),
                      .eps = eps };

    cut(&job);
    hr_cpu_run(q, job.parts, norm_part, &job);
    hr_cpu_end(q);
}

/* ---- gradients ---- */

/* plain = mean d, product = mean(d xhat) of one row */
HR_CLONES static void row_means(double *plain, double *product, const real *restrict dy,
                                const real *restrict x, const real *restrict gamma, real mean,
                                real rstd, int64_t n)
{
    real sum[LANES] = { 0 }, with[LANES] = { 0 };
    int64_t k = 0;

    for (; k + LANES <= n; k += LANES)
        for (int l = 0; l < LANES; l++) {
            real d = gamma[k + l] * dy[k + l];

            sum[l] += d;
            with[l] += d * ((x[k + l] - mean) * rstd);
        }
    for (int l = 0; k + l < n; l++) {
        real d = gamma[k + l] * dy[k + l];

        sum[l] += d;
        with[l] += d * ((x[k + l] - mean) * rstd);
    }
    *plain = folded(sum) / (double)n;
    *product = folded(with) / (double)n;
}

typedef struct grad_row {
    real mean, rstd, plain, product, beta;
} grad_row;

HR_CLONES static void write_grad(real *restrict dx, const real *restrict dy, const real *restrict x,
                                 const real *restrict gamma, const grad_row *row, int64_t n)
{
    real mean = row->mean, rstd = row->rstd, plain = row->plain, product = row->product;

    if (row->beta == 0)
        for (int64_t k = 0; k < n; k++) {
            real xhat = (x[k] - mean) * rstd;

            dx[k] = rstd * (gamma[k] * dy[k] - plain - xhat * product);
        }
    else
        for (int64_t k = 0; k < n; k++) {
            real xhat = (x[k] - mean) * rstd;

            dx[k] = row->beta * dx[k] + rstd * (gamma[k] * dy[k] - plain - xhat * product);
        }
}

/* plain [D] += dy, product [D] += dy xhat */
HR_CLONES static void add_sums(double *restrict plain, double *restrict product,
                               const real *restrict dy, const real *restrict x, real mean,
                               real rstd, int64_t n)
{
    for (int64_t k = 0; k < n; k++) {
        plain[k] += (double)dy[k];
        product[k] += (double)(dy[k] * ((x[k] - mean) * rstd));
    }
}

static void grad_part(void *arg, int64_t i, int worker)
{
    const layer_job *job = arg;
    hr_range r = hr_range_of(job->rows, job->part_rows, i);
    int64_t n = job->cols;
    double *part = job->part ? job->part + 2 * i * n : NULL;

    (void)worker;
    if (part)
        memset(part, 0, (size_t)(2 * n) * sizeof *part);
    for (int64_t row = r.from; row < r.to; row++) {
        const real *x = job->x + row * n, *dy = job->dy + row * n;
        grad_row g = { .mean = job->mean_in[row], .rstd = job->rstd_in[row], .beta = job->beta };
        double plain, product;

        if (part)
            add_sums(part, part + n, dy, x, g.mean, g.rstd, n);
        if (!job->to)
            continue;
        row_means(&plain, &product, dy, x, job->gamma, g.mean, g.rstd, n);
        g.plain = (real)plain;
        g.product = (real)product;
        write_grad(job->to + row * n, dy, x, job->gamma, &g, n);
    }
}

static void add_parts(void *arg, int64_t i, int worker)
{
    const layer_job *job = arg;
    hr_range col = hr_range_of(job->cols, SUM_COLS, i);

    (void)worker;
    for (int64_t c = col.from; c < col.to; c++) {
        double plain = 0, product = 0;

        for (int64_t p = 0; p < job->parts; p++) {
            plain += job->part[2 * p * job->cols + c];
            product += job->part[(2 * p + 1) * job->cols + c];
        }
        job->dshift[c] += (real)plain;
        job->dgamma[c] += (real)product;
    }
}

void hr_cpu_layer_norm_grad(hr_queue *q, const hr_array *dx, const hr_array *dgamma,
                            const hr_array *dshift, const hr_array *dy, const hr_array *x,
                            const hr_array *mean, const hr_array *rstd, const hr_array *gamma,
                            double beta)
{
    layer_job job = { .q = q,
                      .to = hr_cpu_out(q, dx, beta != 0),
                      .dgamma = hr_cpu_out(q, dgamma, true),
                      .dshift = hr_cpu_out(q, dshift, true),
                      .dy = hr_cpu_in(q, dy),
                      .x = hr_cpu_in(q, x),
                      .mean_in = hr_cpu_in(q, mean),
                      .rstd_in = hr_cpu_in(q, rstd),
                      .gamma = hr_cpu_in(q, gamma),
                      .rows = hr_rows_of(x),
                      .cols = hr_cols(x),
                      .beta = (real)beta };

    cut(&job);
    if (job.dgamma)
        job.part = hr_cpu_work(q, (size_t)(job.parts * 2 * job.cols) * sizeof *job.part);
    hr_cpu_run(q, job.parts, grad_part, &job);
    if (job.dgamma)
        hr_cpu_run(q, hr_parts(job.cols, SUM_COLS), add_parts, &job);
    hr_cpu_end(q);
}
