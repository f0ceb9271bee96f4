/* map.h - the value of a pending feature map (backend.h: hr_map), computed some rows at a time.
 *
 *     v = [relu] (scale_g raw + shift_g + add),    add = [relu] (scale'_g raw' + shift'_g)
 *
 * A row is one place of one image: C numbers.
 */
#ifndef HR_CPU_MAP_H
#define HR_CPU_MAP_H

#include "cpu/cpu.h"

enum { HR_MAP_WIDTH = 64 }; /* least numbers in the inner loops over a map */

/* one raw map with its scale, shift and lower bound: `floor` is 0 for a ReLU, else -infinity */
typedef struct hr_cpu_layer {
    const real *raw;           /* NULL: no such layer */
    const real *scale, *shift; /* [groups, width] */
    int64_t group_rows;
    real floor;
} hr_cpu_layer;

typedef struct hr_cpu_map {
    hr_cpu_layer base, add; /* with `add`, the map's ReLU is applied after the addition */
    int64_t rows, cols;
    int64_t width; /* hr_cpu_map_width(cols) */
    bool plain;    /* the value is raw itself */
    bool relu;
} hr_cpu_map;

/* numbers of the fewest whole rows of `cols` numbers that are at least HR_MAP_WIDTH: with few
 * channels, scale and shift are repeated to this width */
int64_t hr_cpu_map_width(int64_t cols);
hr_cpu_map hr_cpu_map_in(hr_queue *q, const hr_map *map);
/* out [count, C] = the value of rows [row, row + count) */
void hr_cpu_map_rows(real *out, const hr_cpu_map *map, int64_t row, int64_t count);
/* Returns the gradient [count, C] before the ReLU, for rows [row, row + count): in room, dv where
 * the value is positive, else 0; or dv itself if the map has no ReLU. Both begin at `row`. */
const real *hr_cpu_map_masked(real *room, const hr_cpu_map *map, const real *dv, int64_t row,
                              int64_t count);

/* rows that a worker takes at a time: they stay in the L1 cache between two passes */
static inline int64_t hr_map_block(int64_t cols)
{
    return cols < 4096 ? 4096 / (cols > 0 ? cols : 1) : 1;
}

#endif
