/* fill.cu - y = value, for every type. The CPU kernel is in cpu/memory.c. */
#include "cuda.h"
#include "device.h"
#include "number.cuh"

enum { THREADS = 256, EACH = 8 };

template <typename T> HR_KERNEL fill(T *y, int64_t n, T value)
{
    int64_t first = (HR_BLOCK * THREADS) * EACH + HR_THREAD;

    for (int i = 0; i < EACH; i++)
        if (first + (int64_t)i * THREADS < n)
            y[first + (int64_t)i * THREADS] = value;
}

static hr_bf16 to_bf16(double value)
{
    hr_bf16 h;

    hr_narrow(&h, (float)value);
    return h;
}

void hr_cuda_fill(hr_queue *q, const hr_array *y, double value)
{
    int64_t n = hr_count(y), grid = (n + THREADS * EACH - 1) / (THREADS * EACH);

    if (!n)
        return;
    switch (y->dtype) {
    case HR_F32:
        HR_LAUNCH(q, fill, grid, THREADS, (float *)y->data, n, (float)value);
        break;
    case HR_F64:
        HR_LAUNCH(q, fill, grid, THREADS, (double *)y->data, n, value);
        break;
    case HR_BF16:
        HR_LAUNCH(q, fill, grid, THREADS, (hr_bf16 *)y->data, n, to_bf16(value));
        break;
    case HR_I32:
        HR_LAUNCH(q, fill, grid, THREADS, (int32_t *)y->data, n, (int32_t)value);
        break;
    case HR_I64:
        HR_LAUNCH(q, fill, grid, THREADS, (int64_t *)y->data, n, (int64_t)value);
        break;
    case HR_U8:
        HR_LAUNCH(q, fill, grid, THREADS, (uint8_t *)y->data, n, (uint8_t)value);
        break;
    }
}
