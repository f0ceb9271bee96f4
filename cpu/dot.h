/* dot.h - dot product in f64, its summation order fixed by n alone. */
#ifndef HR_CPU_DOT_H
#define HR_CPU_DOT_H

#include "types.h"

double hr_cpu_dot(const real *a, const real *b, int64_t n);
/* y += k x */
void hr_cpu_add_scaled(double *y, double k, const real *x, int64_t n);

#endif
