/* pool.c - maximum over windows and mean over all places of a pending map, with their gradients.
 *
 *   max_pool   y[n,p,c] = max_a x[n, stride p + a - pad, c]     at[n,p,c] = a of the maximum, the
 *                                                               first of equals; a NaN is a maximum
 *              dx = beta dx, then dx[n, stride p + at - pad, c] += dy[n,p,c]
 *   mean_pool  y[n,c] = mean over h, w of x[n,h,w,c]            dx = beta dx + dy / (H W)
 */
#include <string.h>

#include "cpu/cpu.h"
#include "cpu/map.h"
#include "cpu/part.h"

typedef struct pool_job {
    hr_queue *q;
    hr_geometry geo;
    int64_t images, h, w, c, oh, ow;
    hr_cpu_map map;
    real *y, *dx;
    const real *dy;
    int32_t *at;
    real beta;
} pool_job;

/* the rows (or columns) of the image in the window of output row `at`, cut at the borders */
static hr_range window(int64_t at, int64_t size, hr_geometry geo)
{
    int64_t from = at * geo.stride - geo.pad, to = from + geo.kernel;

    return (hr_range){ from < 0 ? 0 : from, to < size ? to : size };
}

static void take_larger(real *restrict y, int32_t *restrict at, const real *restrict x, int64_t n,
                        int32_t place)
{
    for (int64_t c = 0; c < n; c++) {
        bool wins = x[c] > y[c] || x[c] != x[c];

        y[c] = wins ? x[c] : y[c];
        at[c] = wins ? place : at[c];
    }
}

static void max_row(void *arg, int64_t i, int worker)
{
    const pool_job *j = arg;
    int64_t n = i / j->oh, oh = i % j->oh, c = j->c;
    hr_range rows = window(oh, j->h, j->geo);
    size_t bytes = (size_t)((rows.to - rows.from) * j->w * c) * sizeof(real);
    real *value = hr_cpu_scratch(j->q, worker, bytes);

    if (!value)
        return;
    hr_cpu_map_rows(value, &j->map, (n * j->h + rows.from) * j->w, (rows.to - rows.from) * j->w);
    for (int64_t ow = 0; ow < j->ow; ow++) {
        hr_range cols = window(ow, j->w, j->geo);
        real *y = j->y + (i * j->ow + ow) * c;
        int32_t *at = j->at + (i * j->ow + ow) * c;

        for (int64_t h = rows.from; h < rows.to; h++)
            for (int64_t w = cols.from; w < cols.to; w++) {
                const real *x = value + ((h - rows.from) * j->w + w) * c;
                int64_t row = h - oh * j->geo.stride + j->geo.pad;
                int32_t place =
                    (int32_t)(row * j->geo.kernel + w - ow * j->geo.stride + j->geo.pad);

                if (h == rows.from && w == cols.from) {
                    memcpy(y, x, (size_t)c * sizeof *y);
                    for (int64_t k = 0; k < c; k++)
                        at[k] = place;
                } else {
                    take_larger(y, at, x, c, place);
                }
            }
    }
}

static pool_job pool_of(hr_queue *q, const hr_array *x, const hr_array *y, hr_geometry geo)
{
    return (pool_job){ .q = q,
                       .geo = geo,
                       .images = x->dim[0],
                       .h = x->dim[1],
                       .w = x->dim[2],
                       .c = x->dim[3],
                       .oh = y->dim[1],
                       .ow = y->dim[2] };
}

void hr_cpu_max_pool(hr_queue *q, const hr_array *y, const hr_array *at, const hr_map *x,
                     hr_geometry geo)
{
    pool_job job = pool_of(q, &x->raw, y, geo);

    job.map = hr_cpu_map_in(q, x);
    job.y = hr_cpu_out(q, y, false);
    job.at = at->data;
    hr_cpu_run(q, job.images * job.oh, max_row, &job);
    hr_cpu_end(q);
}

/* a task handles one image: windows can overlap, so their gradients are added in order */
static void max_grad_image(void *arg, int64_t n, int worker)
{
    const pool_job *j = arg;
    int64_t size = j->h * j->w * j->c;
    real *dx = j->dx + n * size;

    (void)worker;
    if (j->beta == 0)
        memset(dx, 0, (size_t)size * sizeof *dx);
    else
        for (int64_t k = 0; k < size; k++)
            dx[k] *= j->beta;
    for (int64_t p = 0; p < j->oh * j->ow; p++) {
        int64_t top = p / j->ow * j->geo.stride - j->geo.pad;
        int64_t left = p % j->ow * j->geo.stride - j->geo.pad;
        const real *dy = j->dy + (n * j->oh * j->ow + p) * j->c;
        const int32_t *at = j->at + (n * j->oh * j->ow + p) * j->c;

        for (int64_t c = 0; c < j->c; c++) {
            int64_t h = top + at[c] / j->geo.kernel, w = left + at[c] % j->geo.kernel;

            dx[(h * j->w + w) * j->c + c] += dy[c];
        }
    }
}

void hr_cpu_max_pool_grad(hr_queue *q, const hr_array *dx, const hr_array *dy, const hr_array *at,
                          hr_geometry geo, double beta)
{
    pool_job job = pool_of(q, dx, dy, geo);

    job.dx = hr_cpu_out(q, dx, beta != 0);
    job.dy = hr_cpu_in(q, dy);
    job.at = at->data;
    job.beta = (real)beta;
    hr_cpu_run(q, job.images, max_grad_image, &job);
    hr_cpu_end(q);
}

/* ---- mean ---- */

static void mean_image(void *arg, int64_t n, int worker)
{
    const pool_job *j = arg;
    int64_t places = j->h * j->w;
    double *sum = hr_cpu_scratch(j->q, worker, (size_t)j->c * (sizeof(double) + sizeof(real)));
    real *value = (real *)(sum + j->c);

    if (!sum)
        return;
    memset(sum, 0, (size_t)j->c * sizeof *sum);
    for (int64_t p = 0; p < places; p++) {
        hr_cpu_map_rows(value, &j->map, n * places + p, 1);
        for (int64_t c = 0; c < j->c; c++)
            sum[c] += (double)value[c];
    }
    for (int64_t c = 0; c < j->c; c++)
        j->y[n * j->c + c] = (real)(sum[c] / (double)places);
}

void hr_cpu_mean_pool(hr_queue *q, const hr_array *y, const hr_map *x)
{
    pool_job job = {
        .q = q, .images = x->raw.dim[0], .h = x->raw.dim[1], .w = x->raw.dim[2], .c = x->raw.dim[3]
    };

    job.map = hr_cpu_map_in(q, x);
    job.y = hr_cpu_out(q, y, false);
    hr_cpu_run(q, job.images, mean_image, &job);
    hr_cpu_end(q);
}

static void mean_grad_image(void *arg, int64_t n, int worker)
{
    const pool_job *j = arg;
    int64_t places = j->h * j->w;
    real *dx = j->dx + n * places * j->c;
    const real *dy = j->dy + n * j->c;

    (void)worker;
    for (int64_t p = 0; p < places; p++, dx += j->c)
        for (int64_t c = 0; c < j->c; c++)
            dx[c] = (j->beta == 0 ? 0 : j->beta * dx[c]) + dy[c] / (real)places;
}

void hr_cpu_mean_pool_grad(hr_queue *q, const hr_array *dx, const hr_array *dy, double beta)
{
    pool_job job = { .q = q,
                     .images = dx->dim[0],
                     .h = dx->dim[1],
                     .w = dx->dim[2],
                     .c = dx->dim[3],
                     .beta = (real)beta };

    job.dx = hr_cpu_out(q, dx, beta != 0);
    job.dy = hr_cpu_in(q, dy);
    hr_cpu_run(q, job.images, mean_grad_image, &job);
    hr_cpu_end(q);
}
