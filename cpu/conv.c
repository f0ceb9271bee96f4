/* conv.c - convolution of a pending map, and the gradient by its value.
 *
 *   y[n,p,o]  = sum_{a,i} x[n, stride p + a - pad, i] w[o,a,i]
 *   dx[n,h,i] = beta dx + sum_{a,o} dy[n, (h + pad - a) / stride, o] w[o,a,i]
 *
 * Both are one sweep: windows of a map times packed weights, panel by panel (tile.h). For dx the
 * map is dy, and rows and columns h, w fall into stride^2 phases: h = stride t + phase meets only
 * the taps a = phase + pad (mod stride), on rows of dy that are neighbours.
 */
#include <string.h>

#include "cpu/cpu.h"
#include "cpu/tile.h"
#include "cpu/window.h"

enum {
    TASKS = 64, /* at least so many when there are channels to divide */
    RUN = 256,  /* numbers of a window packed at once */
};

typedef struct conv_job {
    hr_queue *q;
    const hr_cpu_tile *tile;
    hr_cpu_window win;
    const real *w;        /* [O,k,k,I] */
    int64_t out, in, k;   /* O, I, kernel */
    int64_t tap_h, tap_w; /* dx: the first tap of a window; the next is a stride lower */
    real *panels;         /* [panels, taps, channels of the map, lanes] */
    int64_t panel_size, panel_count, group; /* panels of one task */
    real *to;
    int64_t to_h, to_w, to_c, to_step, phase_h, phase_w;
    real beta;
} conv_job;

/* ---- weights in panels ---- */

/* panel [k k I][lanes] of outputs, for y */
static void pack_outputs(void *arg, int64_t i, int worker)
{
    const conv_job *j = arg;
    int64_t lanes = j->tile->lanes, size = j->k * j->k * j->in;
    real *panel = j->panels + i * j->panel_size;

    (void)worker;
    for (int64_t first = 0; first < size; first += RUN)
        for (int64_t c = 0; c < lanes; c++) {
            const real *w = j->w + (i * lanes + c) * size;
            int64_t end = first + RUN < size ? first + RUN : size;

            for (int64_t s = first; s < end; s++)
                panel[s * lanes + c] = i * lanes + c < j->out ? w[s] : 0;
        }
}

/* panel [taps_h, taps_w, O][lanes] of inputs, for dx: taps fall while rows of dy rise */
static void pack_inputs(void *arg, int64_t i, int worker)
{
    const conv_job *j = arg;
    int64_t lanes = j->tile->lanes, from = i * lanes;
    int64_t width = j->in - from < lanes ? j->in - from : lanes;
    real *panel = j->panels + i * j->panel_size;

    (void)worker;
    for (int64_t a = 0; a < j->win.taps_h; a++)
        for (int64_t b = 0; b < j->win.taps_w; b++)
            for (int64_t o = 0; o < j->out; o++, panel += lanes) {
                int64_t row = j->tap_h - a * j->to_step, col = j->tap_w - b * j->to_step;
                const real *w = j->w + ((o * j->k + row) * j->k + col) * j->in + from;

                for (int64_t c = 0; c < lanes; c++)
                    panel[c] = c < width ? w[c] : 0;
            }
}

/* ---- the sweep ---- */

/* where each place of a unit is written */
static void targets(const conv_job *j, const hr_cpu_unit *unit, int64_t *y_at)
{
    for (int64_t n = unit->image.from; n < unit->image.to; n++)
        for (int64_t t = unit->row.from; t < unit->row.to; t++)
            for (int64_t u = 0; u < j->win.grid_w; u++) {
                int64_t h = t * j->to_step + j->phase_h, w = u * j->to_step + j->phase_w;

                *y_at++ = ((n * j->to_h + h) * j->to_w + w) * j->to_c;
            }
}

static void sweep_unit(void *arg, int64_t i, int worker)
{
    const conv_job *j = arg;
    size_t bytes = hr_cpu_window_bytes(&j->win);
    size_t table =
        (size_t)(j->win.unit_images * j->win.unit_rows * j->win.grid_w) * sizeof(int64_t);
    hr_range panel = hr_range_of(j->panel_count, j->group, i / j->win.units);
    char *memory = hr_cpu_scratch(j->q, worker, bytes + table);
    hr_cpu_sweep s;
    hr_cpu_unit unit;

    if (!memory)
        return;
    unit = hr_cpu_window_unit(&j->win, i % j->win.units, memory + table);
    targets(j, &unit, (int64_t *)memory);
    s = (hr_cpu_sweep){ .x = unit.x,
                        .y_at = (int64_t *)memory,
                        .x_at = unit.x_at,
                        .places = unit.places,
                        .rows = j->win.taps_w ? j->win.taps_h : 0,
                        .run = j->win.taps_w * j->win.c,
                        .row_stride = unit.row_stride,
                        .keep = j->beta };
    for (int64_t p = panel.from; p < panel.to; p++) {
        int64_t left = j->to_c - p * j->tile->lanes;

        s.y = j->to + p * j->tile->lanes;
        s.width = left < j->tile->lanes ? left : j->tile->lanes;
        hr_cpu_sweep_panel(j->tile, &s, j->panels + p * j->panel_size);
    }
}

static void run(conv_job *j, hr_task *pack)
{
    int64_t lanes = j->tile->lanes, most;

    hr_cpu_window_cut(&j->win);
    j->panel_count = hr_parts(j->to_c, lanes);
    j->panel_size = j->win.taps_h * j->win.taps_w * j->win.c * lanes;
    j->panels = hr_cpu_work(j->q, (size_t)(j->panel_count * j->panel_size) * sizeof *j->panels);
    hr_cpu_run(j->q, j->panel_count, pack, j);
    /* a group of panels makes the window values again: not too few in one */
    most = j->k > 1 ? 2 : 8;
    j->group = hr_parts(j->panel_count, hr_parts(TASKS, j->win.units));
    j->group = j->group < most ? most : j->group;
    hr_cpu_run(j->q, j->win.units * hr_parts(j->panel_count, j->group), sweep_unit, j);
}

/* ---- y ---- */

/* sums += of y and y^2 */
static void add_stats(hr_queue *q, const hr_array *sums, const hr_array *y)
{
    int64_t n = hr_count(sums);
    double *now = hr_cpu_work(q, (size_t)n * sizeof *now), *to = sums->data;

    if (now)
        hr_cpu_stats(q, now, sums->dim[0], hr_cpu_in(q, y), hr_rows_of(y), hr_cols(y));
    for (int64_t i = 0; hr_cpu_ok(q) && i < n; i++)
        to[i] += now[i];
}

void hr_cpu_conv(hr_queue *q, const hr_array *y, const hr_array *sums, const hr_map *x,
                 const hr_array *w, hr_geometry geo)
{
    conv_job job = { .q = q,
                     .tile = hr_cpu_tile_for(w->dim[0]),
                     .w = hr_cpu_in(q, w),
                     .out = w->dim[0],
                     .in = w->dim[3],
                     .k = geo.kernel,
                     .to = hr_cpu_out(q, y, false),
                     .to_h = y->dim[1],
                     .to_w = y->dim[2],
                     .to_c = y->dim[3],
                     .to_step = 1 };

    job.win = (hr_cpu_window){ .map = hr_cpu_map_in(q, x),
                               .images = x->raw.dim[0],
                               .h = x->raw.dim[1],
                               .w = x->raw.dim[2],
                               .c = x->raw.dim[3],
                               .step = geo.stride,
                               .origin_h = -geo.pad,
                               .origin_w = -geo.pad,
                               .taps_h = geo.kernel,
                               .taps_w = geo.kernel,
                               .grid_h = y->dim[1],
                               .grid_w = y->dim[2] };
    run(&job, pack_outputs);
    hr_cpu_end(q);
    if (sums) {
        add_stats(q, sums, y);
        hr_cpu_end(q);
    }
}

/* ---- dx ---- */

/* along one axis: rows of dx of this phase, the taps they meet, the row of dy of the first tap */
typedef struct phase {
    int64_t places, taps, first_tap, origin;
} phase;

static phase phase_of(int64_t size, int64_t phase_at, hr_geometry geo)
{
    phase p = { .places = hr_parts(size - phase_at, geo.stride) };
    int64_t top = geo.kernel - 1;

    top -= (top - (phase_at + geo.pad) % geo.stride + geo.stride) % geo.stride;
    p.first_tap = top;
    p.taps = top < 0 ? 0 : top / geo.stride + 1;
    p.origin = (phase_at + geo.pad - top) / geo.stride;
    return p;
}

static void run_phase(conv_job *job, hr_geometry geo)
{
    phase h = phase_of(job->to_h, job->phase_h, geo), w = phase_of(job->to_w, job->phase_w, geo);

    if (h.places < 1 || w.places < 1)
        return;
    job->win.taps_h = w.taps ? h.taps : 0;
    job->win.taps_w = h.taps ? w.taps : 0;
    job->win.origin_h = h.origin;
    job->win.origin_w = w.origin;
    job->win.grid_h = h.places;
    job->win.grid_w = w.places;
    job->tap_h = h.first_tap;
    job->tap_w = w.first_tap;
    run(job, pack_inputs);
}

void hr_cpu_conv_dx(hr_queue *q, const hr_array *dx, const hr_array *dy, const hr_array *w,
                    hr_geometry geo, double beta)
{
    hr_map map = { .raw = *dy };
    conv_job job = { .q = q,
                     .tile = hr_cpu_tile_for(w->dim[3]),
                     .w = hr_cpu_in(q, w),
                     .out = w->dim[0],
                     .in = w->dim[3],
                     .k = geo.kernel,
                     .to = hr_cpu_out(q, dx, beta != 0),
                     .to_h = dx->dim[1],
                     .to_w = dx->dim[2],
                     .to_c = dx->dim[3],
                     .to_step = geo.stride,
                     .beta = (real)beta };

    job.win = (hr_cpu_window){ .map = hr_cpu_map_in(q, &map),
                               .images = dy->dim[0],
                               .h = dy->dim[1],
                               .w = dy->dim[2],
                               .c = dy->dim[3],
                               .step = 1 };
    for (job.phase_h = 0; job.phase_h < geo.stride; job.phase_h++)
        for (job.phase_w = 0; job.phase_w < geo.stride; job.phase_w++)
            run_phase(&job, geo);
    hr_cpu_end(q);
}
