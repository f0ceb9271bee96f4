/* dot.h - dot product, squared distance, scaled sum and maximum of rows. The order of a sum depends
 * on n alone. */
#ifndef HR_CPU_DOT_H
#define HR_CPU_DOT_H

#include "types.h"

/* <a, b>, n numbers each, in f64 */
double hr_cpu_dot(const real *a, const real *b, int64_t n);
/* |a - b|^2, n numbers each, in f64 */
double hr_cpu_gap(const real *a, const real *b, int64_t n);
/* y [n] = x - m; returns |y|^2 in f64 */
double hr_cpu_move(real *y, const real *x, const real *m, int64_t n);
/* y [n] += k x [n] */
void hr_cpu_add_scaled(double *y, double k, const real *x, int64_t n);
/* max_i x_i, n >= 1; NaN if x[0] is a NaN, other NaNs are ignored */
real hr_cpu_largest(const real *x, int64_t n);

#endif
