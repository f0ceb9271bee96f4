/* window.c - zero-padded windows of a pending map's value, for the places of an output grid. */
#include "cpu/window.h"

#include <string.h>

enum {
    UNIT_PLACES = 256,
    UNIT_NUMBERS = 1 << 17, /* most of the padded buffer: in float, half of a 1 MiB cache */
};

/* rows (or columns) of the map that the windows of n adjacent places cover */
static int64_t reach(const hr_cpu_window *win, int64_t n, int64_t taps)
{
    return taps ? (n - 1) * win->step + taps : 0;
}

static int64_t buffer_size(const hr_cpu_window *win, int64_t images, int64_t rows)
{
    return images * reach(win, rows, win->taps_h) * reach(win, win->grid_w, win->taps_w) * win->c;
}

static int64_t clamp(int64_t n, int64_t most)
{
    return n < 1 ? 1 : n < most ? n : most;
}

hr_cpu_window hr_cpu_window_of(hr_queue *q, const hr_map *x, const hr_array *y, hr_geometry geo)
{
    return (hr_cpu_window){ .map = hr_cpu_map_in(q, x),
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
}

void hr_cpu_window_cut(hr_cpu_window *win)
{
    int64_t rows = clamp(UNIT_PLACES / win->grid_w, win->grid_h), images = 1;

    while (rows > 1 && buffer_size(win, 1, rows) > UNIT_NUMBERS)
        rows--;
    win->bands = hr_parts(win->grid_h, rows);
    win->unit_rows = hr_parts(win->grid_h, win->bands); /* bands of equal height */
    if (win->bands == 1) {
        images = clamp(UNIT_PLACES / (win->grid_h * win->grid_w), win->images);
        while (images > 1 && buffer_size(win, images, rows) > UNIT_NUMBERS)
            images--;
    }
    win->unit_images = images;
    win->units = hr_parts(win->images, images) * win->bands;
    win->direct = win->map.plain && win->origin_h >= 0 && win->origin_w >= 0 &&
                  win->origin_h + reach(win, win->grid_h, win->taps_h) <= win->h &&
                  win->origin_w + reach(win, win->grid_w, win->taps_w) <= win->w;
}

static int64_t table_size(const hr_cpu_window *win)
{
    return win->unit_images * win->unit_rows * win->grid_w;
}

size_t hr_cpu_window_bytes(const hr_cpu_window *win)
{
    int64_t numbers = win->direct ? 0 : buffer_size(win, win->unit_images, win->unit_rows);

    return (size_t)table_size(win) * sizeof(int64_t) + (size_t)numbers * sizeof(real);
}

/* to [cols, C]: `cols` columns from origin_w on, of row h of image n */
static void fill_row(const hr_cpu_window *win, real *to, int64_t n, int64_t h, int64_t cols)
{
    int64_t from = win->origin_w < 0 ? 0 : win->origin_w, end = win->origin_w + cols;
    int64_t left, right;

    end = end < win->w ? end : win->w;
    if (h < 0 || h >= win->h || end <= from) {
        memset(to, 0, (size_t)(cols * win->c) * sizeof *to);
        return;
    }
    left = (from - win->origin_w) * win->c;
    right = (win->origin_w + cols - end) * win->c;
    memset(to, 0, (size_t)left * sizeof *to);
    hr_cpu_map_rows(to + left, &win->map, (n * win->h + h) * win->w + from, end - from);
    memset(to + cols * win->c - right, 0, (size_t)right * sizeof *to);
}

static void fill(const hr_cpu_window *win, const hr_cpu_unit *unit, real *to)
{
    int64_t rows = reach(win, unit->row.to - unit->row.from, win->taps_h);
    int64_t cols = reach(win, win->grid_w, win->taps_w);

    for (int64_t n = unit->image.from; n < unit->image.to; n++)
        for (int64_t r = 0; r < rows; r++, to += cols * win->c)
            fill_row(win, to, n, win->origin_h + unit->row.from * win->step + r, cols);
}

/* x_at of all places, for x [images, height, width, C] */
static void place(const hr_cpu_window *win, hr_cpu_unit *unit, int64_t height, int64_t width)
{
    int64_t rows = unit->row.to - unit->row.from, p = 0;

    unit->row_stride = width * win->c;
    for (int64_t n = 0; n < unit->image.to - unit->image.from; n++)
        for (int64_t t = 0; t < rows; t++)
            for (int64_t u = 0; u < win->grid_w; u++)
                unit->x_at[p++] = ((n * height + t * win->step) * width + u * win->step) * win->c;
    unit->places = p;
}

hr_cpu_unit hr_cpu_window_unit(const hr_cpu_window *win, int64_t i, void *memory)
{
    hr_cpu_unit unit = { .image = hr_range_of(win->images, win->unit_images, i / win->bands),
                         .row = hr_range_of(win->grid_h, win->unit_rows, i % win->bands),
                         .x_at = memory };
    real *buffer = (real *)(unit.x_at + table_size(win));

    if (win->direct) {
        int64_t row = win->origin_h + unit.row.from * win->step;

        unit.x = win->map.base.raw +
                 ((unit.image.from * win->h + row) * win->w + win->origin_w) * win->c;
        place(win, &unit, win->h, win->w);
    } else {
        fill(win, &unit, buffer);
        unit.x = buffer;
        place(win, &unit, reach(win, unit.row.to - unit.row.from, win->taps_h),
              reach(win, win->grid_w, win->taps_w));
    }
    return unit;
}
