/* window.h - the value of a pending map around some places of the output grid, zero padded.
 *
 * Place (t, u) of an image sees the `taps_h` x `taps_w` numbers [C] of the map's value from row
 * origin_h + t step and column origin_w + u step on; what lies outside is 0. The grid is cut into
 * units, some rows of one image or some whole images, small enough for the cache. A unit's values
 * are made once, in a padded buffer where every window row is one run of taps_w C numbers.
 */
#ifndef HR_CPU_WINDOW_H
#define HR_CPU_WINDOW_H

#include "cpu/map.h"
#include "cpu/part.h"

typedef struct hr_cpu_window {
    hr_cpu_map map;
    int64_t images, h, w, c; /* of the map */
    int64_t step, origin_h, origin_w, taps_h, taps_w;
    int64_t grid_h, grid_w; /* places of one image */
    int64_t unit_images, unit_rows, bands, units;
    bool direct; /* nothing is pending or padded: windows are read where they are */
} hr_cpu_window;

/* with everything up to grid_w filled in: the units */
void hr_cpu_window_cut(hr_cpu_window *win);

/* one unit: places in order of image, row, column */
typedef struct hr_cpu_unit {
    hr_range image, row;
    int64_t places;
    const real *x;
    int64_t *x_at; /* where each place's window starts in x */
    int64_t row_stride;
} hr_cpu_unit;

/* memory that hr_cpu_window_unit wants */
size_t hr_cpu_window_bytes(const hr_cpu_window *win);
hr_cpu_unit hr_cpu_window_unit(const hr_cpu_window *win, int64_t i, void *memory);

#endif
