/* cuda.h - declarations shared by the CUDA kernels: stream, launch check, kernel prototypes. */
#ifndef HR_CUDA_H
#define HR_CUDA_H

#if defined(__CUDACC__) || defined(HR_WITH_CUDART)
#include <cuda_runtime_api.h>
#endif

#ifdef __cplusplus
extern "C" {
#endif

#include "array.h"
#include "backend.h"
#include "host.h"

#if defined(__CUDACC__) || defined(HR_WITH_CUDART)
cudaStream_t hr_cuda_stream(hr_queue *q);
#endif
/* checks a launch: a failure is recorded in the queue, with the kernel's name */
void hr_cuda_launched(hr_queue *q, const char *kernel);

#define OP(type, op, ...) type hr_cuda_##op(__VA_ARGS__);
HR_BACKEND_OPS(OP)
#undef OP

#ifdef __cplusplus
}
#endif

#endif
