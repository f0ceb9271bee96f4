/* norm.c - batch normalisation by groups: statistics, scale and shift, gradients.
 *
 *   norm_stats    sums[g] = (sum x, sum x^2) over the n rows of group g
 *   norm_finish   mean = sums[g,0] / n    var = sums[g,1] / n - mean^2    rstd = 1/sqrt(var + eps)
 *                 scale = gamma rstd      shift = beta - mean scale
 *   norm_running  running = keep running + (1 - keep) mean over groups of (mean, var n / (n - 1))
 *   norm_sums     sums[g] = (sum d, sum d xhat),  d = dv, or 0 where relu and v <= 0,
 *                 xhat = (x - mean) rstd
 *   norm_dx       draw = beta draw + gamma rstd (d - sum d / n - xhat sum(d xhat) / n)
 *
 * sums f64 [G,2,C]; mean, var, rstd, scale, shift [G,C]; gamma, beta [C]; v is the value of the map
 * (map.h). Each group is cut into parts of fixed size; a part has sums [2,C] in f64, and the parts
 * are added in order.
 */
#include "cpu/norm.h"

#include <math.h>
#include <string.h>

#include "cpu/clones.h"
#include "cpu/map.h"
#include "cpu/part.h"

enum { PART_ROWS = 64 }; /* least rows of a part: they must outweigh its sums, [2,C] in f64 */

/* parts of rows; no part crosses the border of a group */
typedef struct norm_grid {
    int64_t groups, group_rows, part_rows;
    int64_t parts; /* parts in each group */
} norm_grid;

static norm_grid grid_of(int64_t groups, int64_t rows, int64_t cols)
{
    norm_grid grid = { .groups = groups,
                       .group_rows = rows / groups,
                       .part_rows = hr_part_rows(cols) };

    if (grid.part_rows < PART_ROWS)
        grid.part_rows = PART_ROWS;
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

static void run_sums(sums_job *job, hr_pool_task *task)
{
    int64_t parts = job->grid.groups * job->grid.parts;

    job->part = hr_cpu_work(job->q, (size_t)(parts * 2 * job->cols) * sizeof *job->part);
    hr_cpu_run(job->q, parts, task, job);
    hr_cpu_run(job->q, job->grid.groups, add_parts, job);
}

/* sum [width] += x, square [width] += x^2 over n numbers, four widths together */
HR_CLONES static void add_squares(double *restrict sum, double *restrict square,
                                  const real *restrict x, int64_t n, int64_t width)
{
    for (; n >= 4 * width; n -= 4 * width, x += 4 * width)
        for (int64_t c = 0; c < width; c++) {
            double x0 = (double)x[c], x1 = (double)x[c + width];
            double x2 = (double)x[c + 2 * width], x3 = (double)x[c + 3 * width];

            sum[c] += (x0 + x1) + (x2 + x3);
            square[c] += (x0 * x0 + x1 * x1) + (x2 * x2 + x3 * x3);
        }
    for (; n > 0; n -= width, x += width)
        for (int64_t c = 0; c < (n < width ? n : width); c++) {
            double x0 = (double)x[c];

            sum[c] += x0;
            square[c] += x0 * x0;
        }
}

/* to[c] = sum of the wide[k] with k mod cols = c; `width` is a multiple of cols */
static void fold(double *to, const double *wide, int64_t width, int64_t cols)
{
    for (int64_t c = 0; c < cols; c++) {
        double sum = 0;

        for (int64_t k = c; k < width; k += cols)
            sum += wide[k];
        to[c] = sum;
    }
}

static void stats_part(void *arg, int64_t i, int worker)
{
    const sums_job *job = arg;
    hr_range r = grid_range(&job->grid, i);
    int64_t cols = job->cols, width = hr_cpu_map_width(cols);
    double *sum = hr_cpu_scratch(job->q, worker, (size_t)(2 * width) * sizeof *sum);

    if (!sum)
        return;
    memset(sum, 0, (size_t)(2 * width) * sizeof *sum);
    add_squares(sum, sum + width, job->x + r.from * cols, (r.to - r.from) * cols, width);
    fold(job->part + 2 * i * cols, sum, width, cols);
    fold(job->part + (2 * i + 1) * cols, sum + width, width, cols);
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

/* ---- statistics to scale and shift: [G,C] ---- */

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

/* sum [width] += d, product [width] += d (x - mean) over n numbers, two widths together */
HR_CLONES static void add_products(double *restrict sum, double *restrict product,
                                   const real *restrict d, const real *restrict x,
                                   const real *restrict mean, int64_t n, int64_t width)
{
    for (; n >= 2 * width; n -= 2 * width, d += 2 * width, x += 2 * width)
        for (int64_t c = 0; c < width; c++) {
            double d0 = (double)d[c], d1 = (double)d[c + width];
            double x0 = (double)(x[c] - mean[c]), x1 = (double)(x[c + width] - mean[c]);

            sum[c] += d0 + d1;
            product[c] += d0 * x0 + d1 * x1;
        }
    for (; n > 0; n -= width, d += width, x += width)
        for (int64_t c = 0; c < (n < width ? n : width); c++) {
            sum[c] += (double)d[c];
            product[c] += (double)d[c] * (double)(x[c] - mean[c]);
        }
}

static void sums_part(void *arg, int64_t i, int worker)
{
    const sums_job *job = arg;
    hr_range r = grid_range(&job->grid, i);
    int64_t cols = job->cols, width = job->map.width, step = hr_map_block(cols),
            g = i / job->grid.parts;
    double *part = job->part + 2 * i * cols;
    size_t bytes = (size_t)width * (2 * sizeof(double) + sizeof(real));
    double *sum = hr_cpu_scratch(job->q, worker, bytes + (size_t)(step * cols) * sizeof(real));
    real *mean = (real *)(sum + 2 * width), *room = mean + width;

    if (!sum)
        return;
    memset(sum, 0, (size_t)(2 * width) * sizeof *sum);
    for (int64_t c = 0; c < width; c++)
        mean[c] = job->mean[g * cols + c % cols];
    for (int64_t row = r.from; row < r.to; row += step) {
        int64_t count = r.to - row < step ? r.to - row : step;
        const real *d = hr_cpu_map_masked(room, &job->map, job->dv + row * cols, row, count);

        add_products(sum, sum + width, d, job->x + row * cols, mean, count * cols, width);
    }
    fold(part, sum, width, cols);
    fold(part + cols, sum + width, width, cols);
    for (int64_t c = 0; c < cols; c++)
        part[cols + c] *= (double)job->rstd[g * cols + c];
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

/* coefficients of dx = k d - base - (x - mean) slope, [width] each */
typedef struct dx_line {
    real *k, *base, *mean, *slope;
} dx_line;

static void line_of(const dx_job *job, const dx_line *line, int64_t g)
{
    int64_t cols = job->cols;
    const double *sums = job->sums + 2 * g * cols;

    for (int64_t i = 0; i < job->map.width; i++) {
        int64_t c = i % cols;
        double rstd = (double)job->rstd[g * cols + c];
        double k = job->gamma ? (double)job->gamma[c] * rstd : rstd;

        line->k[i] = (real)k;
        line->base[i] = (real)(k * sums[c] / job->count);
        line->slope[i] = (real)(k * rstd * sums[cols + c] / job->count);
        line->mean[i] = job->mean[g * cols + c];
    }
}

HR_CLONES static void write_dx(real *to, const real *d, const real *x, const dx_line *line,
                               int64_t n, int64_t width, real beta)
{
    const real *k = line->k, *base = line->base, *mean = line->mean, *slope = line->slope;

    for (; n > 0; n -= width, d += width, x += width, to += width) {
        int64_t now = n < width ? n : width;

        if (beta == 0)
            for (int64_t c = 0; c < now; c++)
                to[c] = k[c] * d[c] - base[c] - (x[c] - mean[c]) * slope[c];
        else
            for (int64_t c = 0; c < now; c++)
                to[c] = beta * to[c] + (k[c] * d[c] - base[c] - (x[c] - mean[c]) * slope[c]);
    }
}

static void dx_part(void *arg, int64_t i, int worker)
{
    const dx_job *job = arg;
    hr_range r = grid_range(&job->grid, i);
    int64_t cols = job->cols, width = job->map.width, step = hr_map_block(cols);
    real *room = hr_cpu_scratch(job->q, worker, (size_t)(4 * width + step * cols) * sizeof *room);
    dx_line line = { room, room + width, room + 2 * width, room + 3 * width };

    if (!room)
        return;
    room += 4 * width;
    line_of(job, &line, i / job->grid.parts);
    for (int64_t row = r.from; row < r.to; row += step) {
        int64_t count = r.to - row < step ? r.to - row : step, at = row * cols;
        const real *d = hr_cpu_map_masked(room, &job->map, job->dv + at, row, count);

        write_dx(job->draw + at, d, job->map.base.raw + at, &line, count * cols, width, job->beta);
    }
}

/* to [C] += sum over g of sums[g, which] */
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
