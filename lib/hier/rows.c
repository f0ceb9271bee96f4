/* rows.c - rows of features on a queue's device: taken, given back, uploaded, checked. */
#include "hier/rows.h"

#include <math.h>

#include "base/alloc.h"
#include "base/error.h"

enum { PART = 1024 }; /* rows handled at a time */

hirl_status hr_rows_take(hr_array *a, hr_queue *queue, hr_dtype dtype, int64_t rows, int64_t cols)
{
    *a = hr_array_2(NULL, dtype, rows, cols);
    return hr_array_take(a, queue, "clustering or neighbours");
}

hirl_status hr_rows_copy(hr_array *a, hr_queue *queue, hr_dtype dtype, int64_t rows, int64_t cols,
                         const void *host, hr_dtype from)
{
    HR_TRY(hr_rows_take(a, queue, dtype, rows, cols));
    queue->be->upload(queue, a, host, from);
    return HIRL_OK;
}

static hirl_status check_host(const float *x, int64_t n, int64_t d, int64_t first)
{
    for (int64_t i = 0; i < n * d; i++)
        if (!isfinite(x[i]))
            return hr_fail(HIRL_E_NONFINITE, "row %lld is not finite (column %lld)",
                           (long long)(first + i / d), (long long)(i % d));
    return HIRL_OK;
}

static hirl_status upload_unit(hr_queue *queue, const hr_array *y, const float *host)
{
    int64_t n = y->dim[0], d = hr_cols(y), part = n < PART ? n : PART;
    hr_array raw = { 0 }, inv = { 0 };
    hirl_status status = hr_rows_take(&raw, queue, HR_REAL, part, d);

    if (status >= 0)
        status = hr_rows_take(&inv, queue, HR_REAL, part, 1);
    for (int64_t first = 0; first < n && status >= 0; first += PART) {
        int64_t rows = n - first < PART ? n - first : PART;
        hr_array from = hr_slice(&raw, 0, rows), to = hr_slice(y, first, rows);
        hr_array inverse = hr_array_1(inv.data, HR_REAL, rows);

        queue->be->upload(queue, &from, host + first * d, HR_F32);
        queue->be->normalize(queue, &to, &inverse, &from);
        status = queue->be->sync(queue);
    }
    hr_array_give(&inv, queue);
    hr_array_give(&raw, queue);
    return status;
}

hirl_status hr_rows_upload(hr_queue *queue, const hr_array *y, const float *host, bool unit,
                           int64_t first)
{
    HR_TRY(check_host(host, y->dim[0], hr_cols(y), first));
    if (unit)
        return upload_unit(queue, y, host);
    queue->be->upload(queue, y, host, HR_F32);
    return queue->be->sync(queue);
}

hirl_status hr_rows_gather(hr_queue *queue, const hr_array *y, const hr_array *x,
                           const int32_t *row)
{
    hr_array index = { 0 };
    hirl_status status = hr_rows_copy(&index, queue, HR_I32, y->dim[0], 1, row, HR_I32);

    if (status >= 0) {
        index = hr_array_1(index.data, HR_I32, y->dim[0]);
        queue->be->gather(queue, y, x, &index);
        status = queue->be->sync(queue);
    }
    hr_array_give(&index, queue);
    return status;
}

hirl_status hr_rows_finite(hr_queue *queue, const hr_array *x, const uint8_t *usable)
{
    int64_t n = x->dim[0], d = hr_cols(x);
    real *block = hr_alloc_array((size_t)PART * (size_t)d, sizeof *block);
    hirl_status status = block ? HIRL_OK : HIRL_E_NOMEM;

    for (int64_t first = 0; first < n && status >= 0; first += PART) {
        int64_t rows = n - first < PART ? n - first : PART;
        hr_array part = hr_slice(x, first, rows);

        queue->be->download(queue, block, HR_REAL, &part);
        status = queue->be->sync(queue);
        for (int64_t i = 0; i < rows * d && status >= 0; i++)
            if (!isfinite(block[i]) && (!usable || usable[first + i / d]))
                status = hr_fail(HIRL_E_NONFINITE, "row %lld is not finite (column %lld)",
                                 (long long)(first + i / d), (long long)(i % d));
    }
    hr_free(block);
    return status;
}
