/* window.h - zero-padded windows of a pending map's value, for the places of an output grid.
 *
 * The window of place (t, u) of an image is the part [taps_h, taps_w, C] of the map's value that
 * starts at row origin_h + t step and column origin_w + u step; values outside the map are 0. The
 * grid is cut into units that fit in the cache: some rows of one image, or several whole images.
 * The values of a unit are computed once, into a padded buffer in which every window row is a span
 * of taps_w C adjacent numbers.
 */
#ifndef HR_CPU_WINDOW_H
#define HR_CPU_WINDOW_H

#include "cpu/map.h"
#include "cpu/part.h"

typedef struct hr_cpu_window {
    hr_cpu_map map;
    int64_t images, h, w, c; /* shape of the map */
    int64_t step, origin_h, origin_w, taps_h, taps_w;
    int64_t grid_h, grid_w;         /* places of one image */
    int64_t unit_images, unit_rows; /* images and grid rows of one unit */
    int64_t bands, units;           /* units of one image, of the whole grid */
    bool direct; /* nothing is pending or padded: windows are read from the raw map itself */
} hr_cpu_window;

/* the windows of a convolution of x to y, and of its gradient by the weights */
hr_cpu_window hr_cpu_window_of(hr_queue *q, const hr_map *x, const hr_array *y, hr_geometry geo);
/* cuts the grid into units, when all members up to grid_w are set */
void hr_cpu_window_cut(hr_cpu_window *win);

/* one unit; its places are in the order image, row, column */
typedef struct hr_cpu_unit {
    hr_range image, row;
    int64_t places;
    const real *x;
    int64_t *x_at;      /* where the window of each place starts in x */
    int64_t row_stride; /* from one window row to the next */
} hr_cpu_unit;

/* bytes of memory for hr_cpu_window_unit */
size_t hr_cpu_window_bytes(const hr_cpu_window *win);
hr_cpu_unit hr_cpu_window_unit(const hr_cpu_window *win, int64_t i, void *memory);

#endif
