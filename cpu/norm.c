/* norm.c - batch normalisation by groups: statistics, scale and shift, gradients.
 *
 *   sums[g] = sum x, sum x^2          mean = s / n      var = ss / n - mean^2
 *   scale = gamma rstd                shift = beta - mean scale
 *   with d = dv (v > 0 if relu):  sums[g] = sum d, sum d xhat
 *   draw = beta draw + gamma rstd (d - sum d / n - xhat sum(d xhat) / n)
 *
 * Sums are f64: one pair of rows [2, C] a fixed part of a group, added in order.
 */
#include <math.h>
#include <string.h>

#include "cpu/cpu.h"
#include "cpu/map.h"
#include "cpu/part.h"

/* a grid of parts that never crosses a group */
typedef struct norm_grid {
    int64_t groups, group_rows, part_rows, parts; /* parts of one group */
} norm_grid;

static norm_grid grid_of(int64_t groups, int64_t rows, int64_t cols)
{
    norm_grid grid = { .groups = groups,
                       .group_rows = rows / groups,
                       .part_rows = hr_part_rows(cols) };

    grid.parts = hr_parts(grid.group_rows, grid.part_rows);
    return grid;
}

static hr_range grid_range(const norm_grid *grid, int64_t i)
{
    int64_t first = i / grid->parts * grid->group_rows;
    hr_range r = hr_range_of(grid->group_rows, grid->part_rows, i % grid->parts);

    return (hr_range){ first + r.from, first + r.to };
}

typedef struct sums_job {
    hr_queue *q;
    norm_grid grid;
    int64_t cols;
    const real *x, *dv, *mean, *rstd;
    hr_cpu_map map;
    double *part; /* [groups, parts, 2, C] */
    double *sums; /* [groups, 2, C] */
} sums_job;

static void add_parts(void *arg, int64_t g, int worker)
{
    const sums_job *job = arg;
    int64_t n = 2 * job->cols;
    double *sums = job->sums + g * n;

    (void)worker;
    memset(sums, 0, (size_t)n * sizeof *sums);
    for (int64_t i = 0; i < job->grid.parts; i++)
        for (int64_t c = 0; c < n; c++)
            sums[c] += job->part[(g * job->grid.parts + i) * n + c];
}

static void run_sums(sums_job *job, hr_task *task)
{
    int64_t parts = job->grid.groups * job->grid.parts;

    job->part = hr_cpu_work(job->q, (size_t)(parts * 2 * job->cols) * sizeof *job->part);
    hr_cpu_run(job->q, parts, task, job);
    hr_cpu_run(job->q, job->grid.groups, add_parts, job);
}

static void stats_part(void *arg, int64_t i, int worker)
{
    const sums_job *job = arg;
    hr_range r = grid_range(&job->grid, i);
    double *sum = job->part + i * 2 * job->cols, *square = sum + job->cols;

    (void)worker;
    memset(sum, 0, (size_t)(2 * job->cols) * sizeof *sum);
    for (int64_t row = r.from; row < r.to; row++)
        for (int64_t c = 0; c < job->cols; c++) {
            double v = (double)job->x[row * job->cols + c];

            sum[c] += v;
            square[c] += v * v;
        }
}

void hr_cpu_stats(hr_queue *q, double *sums, int64_t groups, const real *x, int64_t rows,
                  int64_t cols)
{
    sums_job job = {
        .q = q, .grid = grid_of(groups, rows, cols), .cols = cols, .x = x, .sums = sums
    };

    run_sums(&job, stats_part);
}

void hr_cpu_norm_stats(hr_queue *q, const hr_array *sums, const hr_array *x)
{
    hr_cpu_stats(q, sums->data, sums->dim[0], hr_cpu_in(q, x), hr_rows_of(x), hr_cols(x));
    hr_cpu_end(q);
}

/* ---- [G,C] arithmetic ---- */

void hr_cpu_norm_finish(hr_queue *q, const hr_array *scale, const hr_array *shift,
                        const hr_array *mean, const hr_array *rstd, const hr_array *sums,
                        const hr_array *gamma, const hr_array *beta, double count, double eps)
{
    const double *s = sums->data;
    const real *multiply = hr_cpu_in(q, gamma), *add = hr_cpu_in(q, beta);
    int64_t cols = hr_cols(scale), n = hr_count(scale);

    for (int64_t i = 0; hr_cpu_ok(q) && i < n; i++) {
        int64_t g = i / cols, c = i % cols;
        double m = s[2 * g * cols + c] / count;
        double var = s[(2 * g + 1) * cols + c] / count - m * m;
        double r = 1 / sqrt((var < 0 ? 0 : var) + eps), k = multiply ? (double)multiply[c] * r : r;

        ((real *)mean->data)[i] = (real)m;
        ((real *)rstd->data)[i] = (real)r;
        ((real *)scale->data)[i] = (real)k;
        ((real *)shift->data)[i] = (real)((add ? (double)add[c] : 0) - m * k);
    }
    hr_cpu_end(q);
}

void hr_cpu_norm_frozen(hr_queue *q, const hr_array *scale, const hr_array *shift,
                        const hr_array *mean, const hr_array *var, const hr_array *gamma,
                        const hr_array *beta, double eps)
{
    const real *multiply = hr_cpu_in(q, gamma), *add = hr_cpu_in(q, beta);
    const real *m = hr_cpu_in(q, mean), *v = hr_cpu_in(q, var);

    for (int64_t c = 0; hr_cpu_ok(q) && c < hr_cols(scale); c++) {
        double r = 1 / sqrt((double)v[c] + eps), k = multiply ? (double)multiply[c] * r : r;

        ((real *)scale->data)[c] = (real)k;
        ((real *)shift->data)[c] = (real)((add ? (double)add[c] : 0) - (double)m[c] * k);
    }
    hr_cpu_end(q);
}

void hr_cpu_norm_running(hr_queue *q, const hr_array *mean, const hr_array *var,
                         const hr_array *sums, double count, double keep, int64_t groups)
{
    const double *s = sums->data;
    real *m = hr_cpu_out(q, mean, true), *v = hr_cpu_out(q, var, true);
    int64_t cols = hr_cols(mean);

    for (int64_t c = 0; hr_cpu_ok(q) && c < cols; c++) {
        double mean_now = 0, var_now = 0;

        for (int64_t g = 0; g < groups; g++) {
            double centre = s[2 * g * cols + c] / count;
            double biased = s[(2 * g + 1) * cols + c] / count - centre * centre;

            mean_now += centre;
            var_now += (biased < 0 ? 0 : biased) * count / (count - 1);
        }
        m[c] = (real)(keep * (double)m[c] + (1 - keep) * mean_now / (double)groups);
        v[c] = (real)(keep * (double)v[c] + (1 - keep) * var_now / (double)groups);
    }
    hr_cpu_end(q);
}

/* ---- gradients ---- */

/* d [rows, C] of a range: dv where the value is positive or there is no ReLU */
static const real *masked(hr_queue *q, const hr_cpu_map *map, const real *dv, hr_range r,
                          int worker)
{
    int64_t n = (r.to - r.from) * map->cols;
    real *d;

    dv += r.from * map->cols;
    if (!map->relu)
        return dv;
    d = hr_cpu_scratch(q, worker, (size_t)n * sizeof *d);
    if (!d)
        return NULL;
    hr_cpu_map_rows(d, map, r.from, r.to - r.from);
    for (int64_t k = 0; k < n; k++)
        d[k] = d[k] > 0 ? dv[k] : 0;
    return d;
}

static void sums_part(void *arg, int64_t i, int worker)
{
    const sums_job *job = arg;
    hr_range r = grid_range(&job->grid, i);
    const real *d = masked(job->q, &job->map, job->dv, r, worker);
    const real *mean = job->mean + i / job->grid.parts * job->cols;
    const real *rstd = job->rstd + i / job->grid.parts * job->cols;
    double *sum = job->part + i * 2 * job->cols, *product = sum + job->cols;

    memset(sum, 0, (size_t)(2 * job->cols) * sizeof *sum);
    for (int64_t row = r.from; d && row < r.to; row++, d += job->cols)
        for (int64_t c = 0; c < job->cols; c++) {
            real xhat = (job->x[row * job->cols + c] - mean[c]) * rstd[c];

            sum[c] += (double)d[c];
            product[c] += (double)d[c] * (double)xhat;
        }
}

void hr_cpu_norm_sums(hr_queue *q, const hr_array *sums, const hr_array *dv, const hr_map *x,
                      const hr_array *mean, const hr_array *rstd)
{
    sums_job job = { .q = q,
                     .cols = hr_cols(dv),
                     .dv = hr_cpu_in(q, dv),
                     .mean = hr_cpu_in(q, mean),
                     .rstd = hr_cpu_in(q, rstd),
                     .map = hr_cpu_map_in(q, x),
                     .sums = sums->data };

    job.x = job.map.base.raw;
    job.grid = grid_of(sums->dim[0], job.map.rows, job.cols);
    run_sums(&job, sums_part);
    hr_cpu_end(q);
}

typedef struct dx_job {
    hr_queue *q;
    norm_grid grid;
    int64_t cols;
    const real *dv, *mean, *rstd, *gamma;
    const double *sums;
    hr_cpu_map map;
    real *draw;
    double count;
    real beta;
} dx_job;

static void dx_part(void *arg, int64_t i, int worker)
{
    const dx_job *job = arg;
    hr_range r = grid_range(&job->grid, i);
    int64_t g = i / job->grid.parts, cols = job->cols;
    const real *d = masked(job->q, &job->map, job->dv, r, worker);
    const double *sums = job->sums + 2 * g * cols;

    for (int64_t row = r.from; d && row < r.to; row++, d += cols)
        for (int64_t c = 0; c < cols; c++) {
            real rstd = job->rstd[g * cols + c], k = job->gamma ? job->gamma[c] * rstd : rstd;
            real xhat = (job->map.base.raw[row * cols + c] - job->mean[g * cols + c]) * rstd;
            real dx = k * (d[c] - (real)(sums[c] / job->count) -
                           xhat * (real)(sums[cols + c] / job->count));
            real *to = &job->draw[row * cols + c];

            *to = job->beta == 0 ? dx : job->beta * *to + dx;
        }
}

/* to [C] += sum over groups of sums[., which] */
static void add_groups(hr_queue *q, const hr_array *to, const hr_array *sums, int which)
{
    real *d = hr_cpu_out(q, to, true);
    int64_t cols = hr_cols(sums);

    for (int64_t c = 0; d && c < cols; c++) {
        double sum = 0;

        for (int64_t g = 0; g < sums->dim[0]; g++)
            sum += ((const double *)sums->data)[(2 * g + which) * cols + c];
        d[c] = (real)((double)d[c] + sum);
    }
}

void hr_cpu_norm_dx(hr_queue *q, const hr_array *draw, const hr_array *dgamma,
                    const hr_array *dbeta, const hr_array *dv, const hr_map *x,
                    const hr_array *mean, const hr_array *rstd, const hr_array *gamma,
                    const hr_array *sums, double count, double beta)
{
    add_groups(q, dgamma, sums, 1);
    add_groups(q, dbeta, sums, 0);
    if (draw) {
        dx_job job = { .q = q,
                       .cols = hr_cols(dv),
                       .draw = hr_cpu_out(q, draw, beta != 0),
                       .dv = hr_cpu_in(q, dv),
                       .mean = hr_cpu_in(q, mean),
                       .rstd = hr_cpu_in(q, rstd),
                       .gamma = hr_cpu_in(q, gamma),
                       .sums = sums->data,
                       .map = hr_cpu_map_in(q, x),
                       .count = count,
                       .beta = (real)beta };

        job.grid = grid_of(sums->dim[0], job.map.rows, job.cols);
        hr_cpu_run(q, job.grid.groups * job.grid.parts, dx_part, &job);
    }
    hr_cpu_end(q);
}
