/* map.c - the value of a pending feature map, some rows at a time; map_write, map_add_grad. */
#include "cpu/map.h"

#include <math.h>
#include <string.h>

#include "cpu/part.h"

static const real *constant(hr_queue *q, int64_t n, real value)
{
    real *x = hr_cpu_work(q, (size_t)n * sizeof *x);

    for (int64_t i = 0; x && i < n; i++)
        x[i] = value;
    return x;
}

static hr_cpu_layer layer_in(hr_queue *q, const hr_map *map)
{
    int64_t cols = hr_cols(&map->raw), groups = map->scale.data ? hr_rows_of(&map->scale) : 1;
    hr_cpu_layer layer = { .raw = hr_cpu_in(q, &map->raw),
                           .group_rows = hr_rows_of(&map->raw) / groups,
                           .floor = map->relu ? 0 : -(real)INFINITY };

    if (map->scale.data) {
        layer.scale = hr_cpu_in(q, &map->scale);
        layer.shift = hr_cpu_in(q, &map->shift);
    } else {
        layer.scale = constant(q, cols, 1);
        layer.shift = constant(q, cols, 0);
    }
    return layer;
}

hr_cpu_map hr_cpu_map_in(hr_queue *q, const hr_map *map)
{
    hr_cpu_map m = { .rows = hr_rows_of(&map->raw),
                     .cols = hr_cols(&map->raw),
                     .plain = !map->scale.data && !map->add && !map->relu,
                     .relu = map->relu };

    m.base = layer_in(q, map);
    if (map->add)
        m.add = layer_in(q, map->add);
    return m;
}

/* a NaN passes every floor */
static void one_layer(real *restrict out, const real *restrict x, const real *restrict scale,
                      const real *restrict shift, int64_t n, real floor)
{
    for (int64_t c = 0; c < n; c++) {
        real v = scale[c] * x[c] + shift[c];

        out[c] = floor > v ? floor : v;
    }
}

static void two_layers(real *restrict out, const real *restrict x, const real *restrict scale,
                       const real *restrict shift, const real *restrict more,
                       const real *restrict more_scale, const real *restrict more_shift, int64_t n,
                       real floor, real more_floor)
{
    for (int64_t c = 0; c < n; c++) {
        real a = more_scale[c] * more[c] + more_shift[c];
        real v = scale[c] * x[c] + shift[c] + (more_floor > a ? more_floor : a);

        out[c] = floor > v ? floor : v;
    }
}

void hr_cpu_map_rows(real *out, const hr_cpu_map *map, int64_t row, int64_t count)
{
    const hr_cpu_layer *base = &map->base, *add = &map->add;
    int64_t n = map->cols;

    if (map->plain) {
        memcpy(out, base->raw + row * n, (size_t)(count * n) * sizeof *out);
        return;
    }
    for (int64_t r = row; r < row + count; r++, out += n) {
        int64_t at = r / base->group_rows * n;

        if (add->raw) {
            int64_t more = r / add->group_rows * n;

            two_layers(out, base->raw + r * n, base->scale + at, base->shift + at, add->raw + r * n,
                       add->scale + more, add->shift + more, n, base->floor, add->floor);
        } else {
            one_layer(out, base->raw + r * n, base->scale + at, base->shift + at, n, base->floor);
        }
    }
}

/* ---- map_write ---- */

typedef struct write_job {
    real *y;
    hr_cpu_map map;
} write_job;

static void write_part(void *arg, int64_t i, int worker)
{
    const write_job *job = arg;
    hr_range r = hr_range_of(job->map.rows, hr_part_rows(job->map.cols), i);

    (void)worker;
    hr_cpu_map_rows(job->y + r.from * job->map.cols, &job->map, r.from, r.to - r.from);
}

void hr_cpu_map_write(hr_queue *q, const hr_array *y, const hr_map *x)
{
    write_job job = { hr_cpu_out(q, y, false), hr_cpu_map_in(q, x) };

    hr_cpu_run(q, hr_parts(job.map.rows, hr_part_rows(job.map.cols)), write_part, &job);
    hr_cpu_end(q);
}

/* ---- map_add_grad: da = beta da + dv (v > 0) ---- */

typedef struct add_grad_job {
    hr_queue *q;
    real *da;
    const real *dv;
    hr_cpu_map map;
    real beta;
} add_grad_job;

static void add_grad_part(void *arg, int64_t i, int worker)
{
    const add_grad_job *job = arg;
    hr_range r = hr_range_of(job->map.rows, hr_part_rows(job->map.cols), i);
    int64_t n = (r.to - r.from) * job->map.cols;
    real *da = job->da + r.from * job->map.cols, beta = job->beta;
    const real *dv = job->dv + r.from * job->map.cols;
    real *v = hr_cpu_scratch(job->q, worker, (size_t)n * sizeof *v);

    if (!v)
        return;
    if (job->map.relu)
        hr_cpu_map_rows(v, &job->map, r.from, r.to - r.from);
    else
        for (int64_t k = 0; k < n; k++)
            v[k] = 1;
    if (beta == 0)
        for (int64_t k = 0; k < n; k++)
            da[k] = v[k] > 0 ? dv[k] : 0;
    else
        for (int64_t k = 0; k < n; k++)
            da[k] = beta * da[k] + (v[k] > 0 ? dv[k] : 0);
}

void hr_cpu_map_add_grad(hr_queue *q, const hr_array *da, const hr_array *dv, const hr_map *x,
                         double beta)
{
    add_grad_job job = { q, hr_cpu_out(q, da, beta != 0), hr_cpu_in(q, dv), hr_cpu_map_in(q, x),
                         (real)beta };

    hr_cpu_run(q, hr_parts(job.map.rows, hr_part_rows(job.map.cols)), add_grad_part, &job);
    hr_cpu_end(q);
}
