/* conv.c - convolution of a pending map, and its gradient with respect to the map's value.
 *
 *   y[n,p,o]  = sum_{a,i} x[n, stride p + a - pad, i] w[o,a,i]
 *   dx[n,h,i] = beta dx[n,h,i] + sum_{a,o} dy[n, (h + pad - a) / stride, o] w[o,a,i]
 *
 * n image, p output place, a tap of the kernel, o and i channels; the sum of dx has only the taps
 * where stride divides h + pad - a. Both are the same sweep: windows of a map times packed weights,
 * panel by panel (tile.h). For dx the map is dy, and the rows and columns of dx fall into stride^2
 * phases: a row h = stride t + phase meets only the taps a = phase + pad (mod stride), and these
 * lie on neighbouring rows of dy.
 */
#include <string.h>

#include "cpu/cpu.h"
#include "cpu/norm.h"
#include "cpu/tile.h"
#include "cpu/window.h"

enum {
    TASKS = 64, /* wanted at least, if there are enough panels to divide */
    PACK = 256, /* numbers of a window packed at a time */
};

typedef struct conv_job {
    hr_queue *q;
    const hr_cpu_tile *tile;
    hr_cpu_window win;
    const real *w;        /* [O,k,k,I] */
    int64_t out, in, k;   /* O, I, kernel */
    int64_t tap_h, tap_w; /* dx: the first tap of a window; each next tap is a stride lower */
    real *panels;         /* [panel_count, taps, channels of the map, lanes] */
    int64_t panel_size, panel_count;
    int64_t group; /* panels of one task */
    real *to;
    int64_t to_h, to_w, to_c, to_step, phase_h, phase_w; /* the output, and the places written */
    real beta;
} conv_job;

/* ---- weights in panels ---- */

/* for y: panel i is [k k I][lanes] over output channels, 0 after the last channel */
static void pack_outputs(void *arg, int64_t i, int worker)
{
    const conv_job *j = arg;
    int64_t lanes = j->tile->lanes, size = j->k * j->k * j->in;
    real *panel = j->panels + i * j->panel_size;

    (void)worker;
    for (int64_t first = 0; first < size; first += PACK)
        for (int64_t c = 0; c < lanes; c++) {
            const real *w = j->w + (i * lanes + c) * size;
            int64_t end = first + PACK < size ? first + PACK : size;

            for (int64_t s = first; s < end; s++)
                panel[s * lanes + c] = i * lanes + c < j->out ? w[s] : 0;
        }
}

/* for dx: panel i is [taps_h, taps_w, O][lanes] over input channels; the tap index falls as the row
 * of dy rises */
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

/* y_at: where the output of each place of a unit is written */
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

static void sweep(conv_job *j, hr_pool_task *pack)
{
    int64_t lanes = j->tile->lanes, least;

    hr_cpu_window_cut(&j->win);
    j->panel_count = hr_parts(j->to_c, lanes);
    j->panel_size = j->win.taps_h * j->win.taps_w * j->win.c * lanes;
    j->panels = hr_cpu_work(j->q, (size_t)(j->panel_count * j->panel_size) * sizeof *j->panels);
    hr_cpu_run(j->q, j->panel_count, pack, j);
    /* every group of panels computes the window values anew, so groups must not be too small */
    least = j->k > 1 ? 2 : 8;
    j->group = hr_parts(j->panel_count, hr_parts(TASKS, j->win.units));
    j->group = j->group < least ? least : j->group;
    hr_cpu_run(j->q, j->win.units * hr_parts(j->panel_count, j->group), sweep_unit, j);
}

/* ---- y ---- */

/* sums [G,2,O] += (sum y, sum y^2) of each group */
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

    job.win = hr_cpu_window_of(q, x, y, geo);
    sweep(&job, pack_outputs);
    hr_cpu_end(q);
    if (sums) {
        add_stats(q, sums, y);
        hr_cpu_end(q);
    }
}

/* ---- dx ---- */

/* the rows (or columns) of dx of one phase */
typedef struct phase {
    int64_t places;          /* how many there are */
    int64_t taps, first_tap; /* the taps they meet, the largest of which comes first */
    int64_t origin;          /* row of dy that the first tap of the first place meets */
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
    sweep(job, pack_inputs);
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
