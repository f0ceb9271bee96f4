/* map.c - the value of a pending feature map, some rows at a time; map_write, map_add_grad. */
#include "cpu/map.h"

#include <math.h>
#include <string.h>

#include "cpu/clones.h"
#include "cpu/part.h"

int64_t hr_cpu_map_width(int64_t cols)
{
    return cols >= HR_MAP_WIDTH ? cols : hr_parts(HR_MAP_WIDTH, cols) * cols;
}

/* x [groups, cols] with its columns repeated to [groups, width]; all `value` if x is NULL */
static const real *repeated(hr_queue *q, const real *x, real value, int64_t groups, int64_t cols)
{
    int64_t width = hr_cpu_map_width(cols);
    real *to;

    if (x && width == cols)
        return x;
    to = hr_cpu_work(q, (size_t)(groups * width) * sizeof *to);
    for (int64_t i = 0; to && i < groups * width; i++)
        to[i] = x ? x[i / width * cols + i % width % cols] : value;
    return to;
}

static hr_cpu_layer layer_in(hr_queue *q, const hr_map *map)
{
    int64_t cols = hr_cols(&map->raw), groups = map->scale.data ? hr_rows_of(&map->scale) : 1;

    return (hr_cpu_layer){ .raw = hr_cpu_in(q, &map->raw),
                           .scale = repeated(q, hr_cpu_in(q, &map->scale), 1, groups, cols),
                           .shift = repeated(q, hr_cpu_in(q, &map->shift), 0, groups, cols),
                           .group_rows = hr_rows_of(&map->raw) / groups,
                           .floor = map->relu ? 0 : -(real)INFINITY };
}

hr_cpu_map hr_cpu_map_in(hr_queue *q, const hr_map *map)
{
    hr_cpu_map m = { .rows = hr_rows_of(&map->raw),
                     .cols = hr_cols(&map->raw),
                     .plain = !map->scale.data && !map->add && !map->relu,
                     .relu = map->relu };

    m.width = hr_cpu_map_width(m.cols);
    m.base = layer_in(q, map);
    if (map->add) {
        m.add = layer_in(q, map->add);
        m.base.floor = -(real)INFINITY; /* the ReLU of the sum is applied after the addition */
    }
    return m;
}

/* out = max(scale x + shift, floor) for n numbers, `width` at a time; a NaN stays a NaN */
HR_CLONES static void one_layer(real *restrict out, const hr_cpu_layer *base, int64_t at,
                                const real *scale, const real *shift, int64_t n, int64_t width)
{
    const real *restrict x = base->raw + at;
    real floor = base->floor;

    for (; n > 0; n -= width, x += width, out += width) {
        int64_t now = n < width ? n : width;

        for (int64_t c = 0; c < now; c++) {
            real v = scale[c] * x[c] + shift[c];

            out[c] = floor > v ? floor : v;
        }
    }
}

/* out = max(out + value of `add`, floor); on entry out holds the value of the base layer */
HR_CLONES static void add_layer(real *restrict out, const hr_cpu_layer *add, int64_t at,
                                const real *scale, const real *shift, int64_t n, int64_t width,
                                real floor)
{
    const real *restrict x = add->raw + at;
    real add_floor = add->floor;

    for (; n > 0; n -= width, x += width, out += width) {
        int64_t now = n < width ? n : width;

        for (int64_t c = 0; c < now; c++) {
            real a = scale[c] * x[c] + shift[c];
            real v = out[c] + (add_floor > a ? add_floor : a);

            out[c] = floor > v ? floor : v;
        }
    }
}

/* how many of the `count` rows from `row` on belong to the group of `row` */
static int64_t same_group(const hr_cpu_layer *layer, int64_t row, int64_t count)
{
    int64_t left = layer->group_rows - row % layer->group_rows;

    return count < left ? count : left;
}

static void rows_of_layer(real *out, const hr_cpu_map *map, const hr_cpu_layer *layer, int64_t row,
                          int64_t count)
{
    for (int64_t now; count > 0; row += now, count -= now, out += now * map->cols) {
        int64_t group = row / layer->group_rows * map->width;
        const real *scale = layer->scale + group, *shift = layer->shift + group;

        now = same_group(layer, row, count);
        if (layer == &map->base)
            one_layer(out, layer, row * map->cols, scale, shift, now * map->cols, map->width);
        else
            add_layer(out, layer, row * map->cols, scale, shift, now * map->cols, map->width,
                      map->relu ? 0 : -(real)INFINITY);
    }
}

void hr_cpu_map_rows(real *out, const hr_cpu_map *map, int64_t row, int64_t count)
{
    if (map->plain) {
        memcpy(out, map->base.raw + row * map->cols, (size_t)(count * map->cols) * sizeof *out);
        return;
    }
    rows_of_layer(out, map, &map->base, row, count);
    if (map->add.raw)
        rows_of_layer(out, map, &map->add, row, count);
}

/* v = dv where v > 0, else 0 */
HR_CLONES static void mask(real *v, const real *dv, int64_t n)
{
    for (int64_t k = 0; k < n; k++)
        v[k] = v[k] > 0 ? dv[k] : 0;
}

const real *hr_cpu_map_masked(real *room, const hr_cpu_map *map, const real *dv, int64_t row,
                              int64_t count)
{
    if (!map->relu)
        return dv;
    hr_cpu_map_rows(room, map, row, count);
    mask(room, dv, count * map->cols);
    return room;
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

/* ---- map_add_grad: da = beta da + dv, or + 0 where relu and v <= 0 ---- */

typedef struct add_grad_job {
    hr_queue *q;
    real *da;
    const real *dv;
    hr_cpu_map map;
    real beta;
} add_grad_job;

HR_CLONES static void accumulate(real *da, const real *d, int64_t n, real beta)
{
    for (int64_t k = 0; k < n; k++)
        da[k] = beta * da[k] + d[k];
}

static void add_grad_part(void *arg, int64_t i, int worker)
{
    const add_grad_job *job = arg;
    hr_range r = hr_range_of(job->map.rows, hr_map_block(job->map.cols), i);
    int64_t n = (r.to - r.from) * job->map.cols, at = r.from * job->map.cols;
    real *room = job->da + at;
    const real *d;

    if (job->beta != 0)
        room = hr_cpu_scratch(job->q, worker, (size_t)n * sizeof *room);
    if (!room)
        return;
    d = hr_cpu_map_masked(room, &job->map, job->dv + at, r.from, r.to - r.from);
    if (job->beta != 0)
        accumulate(job->da + at, d, n, job->beta);
    else if (d != room)
        memcpy(room, d, (size_t)n * sizeof *room);
}

void hr_cpu_map_add_grad(hr_queue *q, const hr_array *da, const hr_array *dv, const hr_map *x,
                         double beta)
{
    add_grad_job job = { q, hr_cpu_out(q, da, beta != 0), hr_cpu_in(q, dv), hr_cpu_map_in(q, x),
                         (real)beta };

    hr_cpu_run(q, hr_parts(job.map.rows, hr_map_block(job.map.cols)), add_grad_part, &job);
    hr_cpu_end(q);
}
