/* cuda.c - the CUDA backend: its table, work queues, memory, and the entry of the module. */
#include "cuda.h"

#include <cuda_runtime_api.h>
#include <stdio.h>
#include <string.h>

typedef struct cuda_queue {
    cudaStream_t stream;
    hr_scalars *scalars; /* on the device */
    cudaError_t failure; /* the first failure since the last sync */
    const char *where;   /* the call or kernel that failed */
} cuda_queue;

static const hr_host *host; /* functions of the library; see host.h */

static hirl_status fail(hirl_status status, const char *where, cudaError_t error)
{
    char text[256];

    snprintf(text, sizeof text, "cuda: %s: %s", where, cudaGetErrorString(error));
    return host->fail(status, text);
}

static hirl_status status_of(cudaError_t error)
{
    switch (error) {
    case cudaErrorMemoryAllocation:
        return HIRL_E_DEVICE_OOM;
    case cudaErrorIllegalAddress:
    case cudaErrorLaunchFailure:
    case cudaErrorECCUncorrectable:
        return HIRL_E_DEVICE_LOST;
    default:
        return HIRL_E_DEVICE;
    }
}

/* records the first failure of the queue, which sync returns */
static void stick(hr_queue *q, cudaError_t error, const char *where)
{
    cuda_queue *state = q->state;

    if (error == cudaSuccess || state->failure != cudaSuccess)
        return;
    state->failure = error;
    state->where = where;
}

cudaStream_t hr_cuda_stream(hr_queue *q)
{
    return ((cuda_queue *)q->state)->stream;
}

void hr_cuda_launched(hr_queue *q, const char *kernel)
{
    stick(q, cudaGetLastError(), kernel);
}

/* ---- queues ---- */

static hirl_status open_queue(hr_queue *q)
{
    cuda_queue *state = host->alloc(sizeof *state);
    cudaError_t error;

    if (!state)
        return HIRL_E_NOMEM;
    error = cudaStreamCreateWithFlags(&state->stream, cudaStreamNonBlocking);
    if (error == cudaSuccess)
        error = cudaMalloc((void **)&state->scalars, sizeof *state->scalars);
    if (error != cudaSuccess) {
        if (state->stream)
            cudaStreamDestroy(state->stream);
        host->free(state);
        return fail(status_of(error), "creating a stream", error);
    }
    q->state = state;
    return HIRL_OK;
}

static void close_queue(hr_queue *q)
{
    cuda_queue *state = q->state;

    if (!state)
        return;
    cudaFree(state->scalars);
    cudaStreamDestroy(state->stream);
    host->free(state);
    q->state = NULL;
}

static hirl_status sync(hr_queue *q)
{
    cuda_queue *state = q->state;
    cudaError_t error;

    stick(q, cudaStreamSynchronize(state->stream), "synchronising the stream");
    error = state->failure;
    state->failure = cudaSuccess;
    return error == cudaSuccess ? HIRL_OK : fail(status_of(error), state->where, error);
}

/* ---- memory ---- */

void *hr_cuda_take(hr_queue *q, size_t bytes)
{
    void *block = NULL;

    stick(q, cudaMalloc(&block, bytes ? bytes : 1), "allocating memory");
    return block;
}

void hr_cuda_give(hr_queue *q, void *block)
{
    stick(q, cudaStreamSynchronize(hr_cuda_stream(q)), "freeing memory");
    stick(q, cudaFree(block), "freeing memory");
}

void hr_cuda_scalars(hr_queue *q, const hr_scalars *s)
{
    cuda_queue *state = q->state;

    stick(q, cudaMemcpyAsync(state->scalars, s, sizeof *s, cudaMemcpyHostToDevice, state->stream),
          "copying the scalars of the step");
}

/* ---- the table ---- */

static const hr_backend table = {
    .name = "cuda",
    .open_queue = open_queue,
    .close_queue = close_queue,
    .sync = sync,
    .take = hr_cuda_take,
    .give = hr_cuda_give,
    .scalars = hr_cuda_scalars,
    .fill = hr_cuda_fill,
    .gemm = hr_cuda_gemm,
    .norm_stats = hr_cuda_norm_stats,
};

static hirl_status choose_device(int32_t device)
{
    int count = 0;
    cudaError_t error = cudaGetDeviceCount(&count);
    char text[128];

    if (error != cudaSuccess)
        return fail(HIRL_E_BACKEND_UNAVAILABLE, "no usable device", error);
    if (device >= count || !count) {
        snprintf(text, sizeof text, "cuda: device %d was requested, %d found", (int)device, count);
        return host->fail(HIRL_E_BACKEND_UNAVAILABLE, text);
    }
    error = cudaSetDevice(device < 0 ? 0 : device);
    return error == cudaSuccess ? HIRL_OK
                                : fail(HIRL_E_BACKEND_UNAVAILABLE, "selecting the device", error);
}

#if defined(__GNUC__)
__attribute__((visibility("default")))
#endif
hr_module_open_fn hr_module_open;

hirl_status hr_module_open(hr_backend *backend, const hr_host *library, uint32_t abi,
                           const char *build_id, const hr_opening *opening)
{
    hirl_status status;

    host = library;
    if (abi != HR_MODULE_ABI || strcmp(build_id, HR_BUILD_ID))
        return host->fail(HIRL_E_BACKEND_UNAVAILABLE,
                          "cuda: the module and the library are from different builds");
    status = choose_device(opening->device);
    if (status >= 0)
        *backend = table;
    return status;
}
