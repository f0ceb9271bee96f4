/* blas.h - OpenBLAS over `real`: single-threaded calls, safe from every thread.
 *
 * The pthread flavour is capped at one thread between hr_cpu_blas_begin and hr_cpu_blas_end. The
 * serial and the OpenMP flavour may not be called by two threads at once: their calls take turns.
 */
#ifndef HR_CPU_BLAS_H
#define HR_CPU_BLAS_H

#include "backend.h"
#include "types.h"

/* Between begin and end OpenBLAS uses one thread for a call, in the whole process; counted, so that
 * pairs may nest and overlap. */
void hr_cpu_blas_begin(void);
void hr_cpu_blas_end(void);
/* the installed flavour of OpenBLAS lets one thread compute at a time */
bool hr_cpu_blas_serialised(void);

/* a row-major matrix inside a larger one: rows are `stride` numbers apart */
typedef struct hr_cpu_matrix {
    const real *data;
    int64_t stride;
    hr_trans trans;
} hr_cpu_matrix;

/* c [m,n] = alpha op(a) [m,k] op(b) [k,n] + beta c, on the calling thread */
void hr_cpu_blas_gemm(real *c, int64_t c_stride, hr_cpu_matrix a, hr_cpu_matrix b, int64_t m,
                      int64_t n, int64_t k, double alpha, double beta);

#endif
