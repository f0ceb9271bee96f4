/* conv_dw.c - gradient of a convolution with respect to its weights.
 *
 *   dw[o,a,i] = beta dw[o,a,i] + sum_{n,p} dy[n,p,o] x[n, stride p + a - pad, i]
 *
 * n image, p output place, a tap of the kernel, o and i channels. The units of places (window.h)
 * are divided into a fixed number of chunks. Each chunk has its own sums for every panel of output
 * channels, and the sums of the chunks are added in order.
 */
#include <string.h>

#include "cpu/cpu.h"
#include "cpu/tile.h"
#include "cpu/window.h"

enum {
    TASKS = 32,           /* wanted at least */
    SUM_BYTES = 32 << 20, /* most for the sums of all chunks */
    PLACES = 128,         /* taken at a time: their dy panel and windows stay in the L1 cache */
    REDUCE = 64,          /* numbers of a window in one task of the final sum */
};

typedef struct dw_job {
    hr_queue *q;
    const hr_cpu_tile *tile;
    hr_cpu_window win;
    const real *dy;
    int64_t out, size;             /* output channels, numbers of a window */
    int64_t panels, group, groups; /* panels in all, panels of a group, groups */
    int64_t chunks, chunk_units;   /* chunks in all, units of a chunk */
    real *sum;                     /* [chunks, panels, size, lanes] */
    real *dw;
    real beta;
} dw_job;

/* to [count, lanes]: the channels of dy [count, out] from `first` on, 0 after the last channel */
static void pack_dy(real *to, const real *dy, int64_t count, int64_t out, int64_t first, int lanes)
{
    int64_t width = out - first < lanes ? out - first : lanes;

    for (int64_t p = 0; p < count; p++, to += lanes) {
        memcpy(to, dy + p * out + first, (size_t)width * sizeof *to);
        memset(to + width, 0, (size_t)(lanes - width) * sizeof *to);
    }
}

/* adds one unit to the sums of a chunk, for the panels [panel.from, panel.to) */
static void add_unit(const dw_job *j, const hr_cpu_unit *unit, hr_range panel, real *sum,
                     real *pack)
{
    int64_t lanes = j->tile->lanes, run = j->win.taps_w * j->win.c;
    int64_t first = (unit->image.from * j->win.grid_h + unit->row.from) * j->win.grid_w;

    for (int64_t p = 0; p < unit->places; p += PLACES) {
        int64_t count = unit->places - p < PLACES ? unit->places - p : PLACES;

        for (int64_t i = panel.from; i < panel.to; i++) {
            real *to = sum + i * j->size * lanes;

            pack_dy(pack, j->dy + (first + p) * j->out, count, j->out, i * lanes, (int)lanes);
            for (int64_t row = 0; row < j->win.taps_h; row++)
                j->tile->gather(to + row * run * lanes, unit->x + row * unit->row_stride,
                                unit->x_at + p, pack, count, run);
        }
    }
}

static void add_chunk(void *arg, int64_t i, int worker)
{
    const dw_job *j = arg;
    int64_t lanes = j->tile->lanes, chunk = i / j->groups;
    hr_range panel = hr_range_of(j->panels, j->group, i % j->groups);
    hr_range units = hr_range_of(j->win.units, j->chunk_units, chunk);
    size_t pack = (size_t)(PLACES * lanes) * sizeof(real);
    char *memory = hr_cpu_scratch(j->q, worker, pack + hr_cpu_window_bytes(&j->win));
    real *sum = j->sum + chunk * j->panels * j->size * lanes;

    if (!memory)
        return;
    memset(sum + panel.from * j->size * lanes, 0,
           (size_t)((panel.to - panel.from) * j->size * lanes) * sizeof *sum);
    for (int64_t u = units.from; u < units.to; u++) {
        hr_cpu_unit unit = hr_cpu_window_unit(&j->win, u, memory + pack);

        add_unit(j, &unit, panel, sum, (real *)memory);
    }
}

/* adds the sums of all chunks into dw, for one panel and REDUCE numbers of the window */
static void reduce(void *arg, int64_t i, int worker)
{
    const dw_job *j = arg;
    int64_t lanes = j->tile->lanes, blocks = hr_parts(j->size, REDUCE), panel = i / blocks;
    hr_range r = hr_range_of(j->size, REDUCE, i % blocks);
    int64_t n = (r.to - r.from) * lanes, stride = j->panels * j->size * lanes;
    const real *from = j->sum + (panel * j->size + r.from) * lanes;
    real *total = hr_cpu_scratch(j->q, worker, (size_t)n * sizeof *total);

    if (!total)
        return;
    memcpy(total, from, (size_t)n * sizeof *total);
    for (int64_t t = 1; t < j->chunks; t++)
        for (int64_t k = 0; k < n; k++)
            total[k] += from[t * stride + k];
    for (int64_t c = 0; c < lanes && panel * lanes + c < j->out; c++) {
        real *dw = j->dw + (panel * lanes + c) * j->size;

        for (int64_t k = r.from; k < r.to; k++)
            dw[k] = (j->beta == 0 ? 0 : j->beta * dw[k]) + total[(k - r.from) * lanes + c];
    }
}

/* divides units into chunks and panels into groups, by sizes only */
static void cut(dw_job *j)
{
    int64_t bytes, chunks;

    hr_cpu_window_cut(&j->win);
    j->panels = hr_parts(j->out, j->tile->lanes);
    bytes = j->panels * j->size * j->tile->lanes * (int64_t)sizeof(real);
    chunks = SUM_BYTES / bytes;
    chunks = chunks < 1 ? 1 : chunks < TASKS ? chunks : TASKS;
    chunks = chunks < j->win.units ? chunks : j->win.units;
    j->chunk_units = hr_parts(j->win.units, chunks);
    j->chunks = hr_parts(j->win.units, j->chunk_units);
    j->group = hr_parts(j->panels, hr_parts(TASKS, j->chunks));
    j->groups = hr_parts(j->panels, j->group);
    j->sum = hr_cpu_work(j->q, (size_t)(j->chunks * bytes));
}

void hr_cpu_conv_dw(hr_queue *q, const hr_array *dw, const hr_map *x, const hr_array *dy,
                    hr_geometry geo, double beta)
{
    dw_job job = { .q = q,
                   .tile = hr_cpu_tile_for(dy->dim[3]),
                   .dy = hr_cpu_in(q, dy),
                   .out = dy->dim[3],
                   .size = geo.kernel * geo.kernel * x->raw.dim[3],
                   .dw = hr_cpu_out(q, dw, beta != 0),
                   .beta = (real)beta };

    job.win = hr_cpu_window_of(q, x, dy, geo);
    cut(&job);
    hr_cpu_run(q, job.chunks * job.groups, add_chunk, &job);
    hr_cpu_run(q, job.panels * hr_parts(job.size, REDUCE), reduce, &job);
    hr_cpu_end(q);
}
