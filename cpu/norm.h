/* norm.h - the sums that batch normalisation takes its statistics from. */
#ifndef HR_CPU_NORM_H
#define HR_CPU_NORM_H

#include "cpu/cpu.h"

/* sums [groups, 2, cols] = sums of x and x^2 over the rows of each group; x [rows, cols] */
void hr_cpu_stats(hr_queue *q, double *sums, int64_t groups, const real *x, int64_t rows,
                  int64_t cols);

#endif
