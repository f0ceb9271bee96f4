/* blas.c - OpenBLAS over `real`: the thread cap, and turns where a flavour needs them. */
#include "cpu/blas.h"

#include <pthread.h>

#include <cblas.h>

#ifdef HR_REAL_DOUBLE
#define BLAS_GEMM cblas_dgemm
#else
#define BLAS_GEMM cblas_sgemm
#endif

enum { SEQUENTIAL = 0, PTHREADS = 1 }; /* results of openblas_get_parallel; 2 is OpenMP */

static pthread_mutex_t users_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t turn = PTHREAD_MUTEX_INITIALIZER;
static int users, threads_before;

bool hr_cpu_blas_serialised(void)
{
    return openblas_get_parallel() != PTHREADS;
}

void hr_cpu_blas_begin(void)
{
    pthread_mutex_lock(&users_lock);
    if (!users++ && !hr_cpu_blas_serialised()) {
        threads_before = openblas_get_num_threads();
        openblas_set_num_threads(1);
    }
    pthread_mutex_unlock(&users_lock);
}

void hr_cpu_blas_end(void)
{
    pthread_mutex_lock(&users_lock);
    /* another number than 1 was set by the application meanwhile, and stays */
    if (!--users && !hr_cpu_blas_serialised() && openblas_get_num_threads() == 1)
        openblas_set_num_threads(threads_before);
    pthread_mutex_unlock(&users_lock);
}

void hr_cpu_blas_gemm(real *c, int64_t c_stride, hr_cpu_matrix a, hr_cpu_matrix b, int64_t m,
                      int64_t n, int64_t k, double alpha, double beta)
{
    bool turns = hr_cpu_blas_serialised();

    if (turns)
        pthread_mutex_lock(&turn);
    BLAS_GEMM(CblasRowMajor, a.trans == HR_T ? CblasTrans : CblasNoTrans,
              b.trans == HR_T ? CblasTrans : CblasNoTrans, (blasint)m, (blasint)n, (blasint)k,
              (real)alpha, a.data, (blasint)a.stride, b.data, (blasint)b.stride, (real)beta, c,
              (blasint)c_stride);
    if (turns)
        pthread_mutex_unlock(&turn);
}
