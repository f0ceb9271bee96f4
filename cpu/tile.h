/* tile.h - the inner loops of convolution and of other products, for each instruction set.
 *
 * A tile keeps the sums of several places and one panel of channels in registers while it goes
 * over the window. The window of a place is `rows` spans of `run` adjacent numbers, which can start
 * anywhere: inputs need not be gathered or copied. A panel holds the weights of `lanes` channels
 * for every number of the window.
 */
#ifndef HR_CPU_TILE_H
#define HR_CPU_TILE_H

#include "types.h"

/* y[y_at[p] + c] = keep y + sum_{r,k} x[x_at[p] + r row_stride + k] panel[(r run + k) lanes + c]
 * for p < places, c < width, r < rows, k < run; with keep 0, y is not read */
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

/* the best tile for this number of channels; depends only on it and on the processor */
const hr_cpu_tile *hr_cpu_tile_for(int64_t channels);

/* Sweeps a whole window, in pieces whose part of the panel fits in the L1 cache. The order in which
 * a place's window is summed does not depend on the other places. */
void hr_cpu_sweep_panel(const hr_cpu_tile *tile, const hr_cpu_sweep *whole, const real *panel);

#endif
