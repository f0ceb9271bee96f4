/* device.h - the few words that kernels are written in, and the one macro that launches them.
 *
 * Under nvcc they are CUDA's. Compiled by the host compiler (tests only) they come from emulate.h,
 * where a block's threads are fibers that switch at barriers: the same .cu files run without a GPU.
 * Grids and blocks are one-dimensional.
 */
#ifndef HR_CUDA_DEVICE_H
#define HR_CUDA_DEVICE_H

#ifdef __CUDACC__

#define HR_KERNEL static __global__ void
#define HR_DEVICE static __device__ inline
#define HR_SHARED __shared__
#define HR_BLOCK ((int64_t)blockIdx.x)
#define HR_THREAD ((int)threadIdx.x)
#define HR_BARRIER() __syncthreads()
#define HR_LAUNCH(queue, kernel, grid, block, ...)                                                 \
    do {                                                                                           \
        kernel<<<(unsigned)(grid), (block), 0, hr_cuda_stream(queue)>>>(__VA_ARGS__);              \
        hr_cuda_launched(queue, #kernel);                                                          \
    } while (0)

#else
#include "emulate.h"
#endif

#endif
