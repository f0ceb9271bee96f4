/* device.h - the macros that kernels are written in, and HR_LAUNCH, which launches a kernel.
 *
 * nvcc compiles them to CUDA. A host compiler (only in tests) takes them from emulate.h, where the
 * threads of a block are fibers that switch at barriers: the same .cu files run without a GPU.
 * Grids and blocks are one-dimensional. HR_DEVICE functions can also be called on the host.
 */
#ifndef HR_CUDA_DEVICE_H
#define HR_CUDA_DEVICE_H

#ifdef __CUDACC__

#define HR_KERNEL static __global__ void
#define HR_DEVICE static __host__ __device__ inline
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
