/* map.h - the value of a pending feature map (backend.h: hr_map), some rows at a time.
 *
 *     v = [relu] (scale_g raw + shift_g + add),    add = [relu] (scale'_g raw' + shift'_g)
 *
 * A row is one place of one image: C numbers.
 */
#ifndef HR_CPU_MAP_H
#define HR_CPU_MAP_H

#include "cpu/cpu.h"

/* one raw map with its own scale, shift [groups, C] and lower bound (0: ReLU, -infinity: none) */
typedef struct hr_cpu_layer {
    const real *raw, *scale, *shift; /* raw NULL: no such layer */
    int64_t group_rows;
    real floor;
} hr_cpu_layer;

typedef struct hr_cpu_map {
    hr_cpu_layer base, add; /* the map's own floor comes after the addition */
    int64_t rows, cols;
    bool plain; /* the value is raw */
    bool relu;
} hr_cpu_map;

hr_cpu_map hr_cpu_map_in(hr_queue *q, const hr_map *map);
/* out [count, C] = value of rows [row, row + count) */
void hr_cpu_map_rows(real *out, const hr_cpu_map *map, int64_t row, int64_t count);

/* norm.c: sums [groups, 2, cols] = sums of x and x^2 over the rows of each group */
void hr_cpu_stats(hr_queue *q, double *sums, int64_t groups, const real *x, int64_t rows,
                  int64_t cols);

#endif
