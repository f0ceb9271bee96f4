/* dots.h - a tile of dot products: the one BLAS call of clustering and neighbours.
 *
 *     out[i, j] = alpha <a_i, b_j>        a [rows, d], b [cols, d], out with rows of `stride`
 */
#ifndef HR_CPU_DOTS_H
#define HR_CPU_DOTS_H

#include <cblas.h>

#include "types.h"

static inline void hr_cpu_dots(real *out, int64_t stride, const real *a, int64_t rows,
                               const real *b, int64_t cols, int64_t d, real alpha)
{
#ifdef HR_REAL_DOUBLE
    cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (int)rows, (int)cols, (int)d, alpha, a,
                (int)d, b, (int)d, 0, out, (int)stride);
#else
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (int)rows, (int)cols, (int)d, alpha, a,
                (int)d, b, (int)d, 0, out, (int)stride);
#endif
}

#endif
