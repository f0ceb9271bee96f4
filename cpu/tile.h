/* tile.h - the inner loops of convolution and of other products, for the instruction set of this machine.
 *
 * A tile keeps some places times one panel of channels in registers while it runs over the
 * window. The window of a place is `rows` runs of neighbouring numbers; places start anywhere, so
 * nothing is gathered or copied. A panel holds `lanes` channels of every number of the window.
 */
#ifndef HR_CPU_TILE_H
#define HR_CPU_TILE_H

#include "types.h"

/* y[y_at[p] + c] = keep y + sum_{r,k} x[x_at[p] + r row_stride + k] panel[(r run + k) lanes + c]
 * for p < places, c < width; keep 0: y is not read */
typedef struct hr_cpu_sweep {
    real *y;
    const real *x;
    const int64_t *y_at, *x_at;
    int64_t places, rows, run, row_stride, width;
    real keep;
} hr_cpu_sweep;

typedef struct hr_cpu_tile {
    int lanes;
    void (*sweep)(const hr_cpu_sweep *s, const real *panel);
    /* sum[k lanes + c] += sum_p x[x_at[p] + k] dy[p lanes + c], k < run, c < lanes */
    void (*gather)(real *sum, const real *x, const int64_t *x_at, const real *dy, int64_t places,
                   int64_t run);
} hr_cpu_tile;

/* the best one for so many channels; depends on the processor only */
const hr_cpu_tile *hr_cpu_tile_for(int64_t channels);

/* all of a window, in pieces whose part of the panel stays in the first cache; a place's sum runs
 * over its window in the same order whatever the other places are */
void hr_cpu_sweep_panel(const hr_cpu_tile *tile, const hr_cpu_sweep *whole, const real *panel);

#endif
