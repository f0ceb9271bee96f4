/* bound.h - how far sums of products in `real` can be from their exact values.
 *
 *   |fl(sum_t a_t b_t) - sum_t a_t b_t| <= gamma_n |a| |b| + underflow,  gamma_n = n u / (1 - n u)
 *
 * for n products, in any order, fused or not (Higham 2002, sec. 3.1); u is the unit roundoff. The
 * lengths are f64, and all bounds here are rounded up by BOUND_SLACK.
 */
#ifndef HR_CPU_BOUND_H
#define HR_CPU_BOUND_H

#include <float.h>
#include <math.h>

#include "types.h"

#ifdef HR_REAL_DOUBLE
#define HR_UNIT (DBL_EPSILON / 2)
#define HR_SMALLEST DBL_MIN
#define HR_LARGEST DBL_MAX
#else
#define HR_UNIT ((double)FLT_EPSILON / 2)
#define HR_SMALLEST ((double)FLT_MIN)
#define HR_LARGEST ((double)FLT_MAX)
#endif
#define HR_BOUND_SLACK (1 + 1e-6)

/* infinite for sums so long that the bound means nothing */
static inline double hr_cpu_gamma(int64_t n)
{
    double product = (double)n * HR_UNIT;

    return product < 0.5 ? HR_BOUND_SLACK * product / (1 - product) : (double)INFINITY;
}

/* n products and sums lose at most this when subnormal numbers become 0; a, b: the lengths */
static inline double hr_cpu_lost(int64_t n, double a, double b)
{
    return (double)n * HR_SMALLEST * (1 + a + b);
}

#endif
