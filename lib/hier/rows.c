/* rows.c - rows of features: read from a source, placed on a queue's device, checked. */
#include "hier/rows.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"

enum { PART = 1024 }; /* rows handled at a time */

/* ---- sources ---- */

static hirl_status read_array(hr_row_source *self, float *out, int64_t first, int64_t rows)
{
    const hr_rows_array *array = (const hr_rows_array *)self;

    memcpy(out, array->x + first * self->d, (size_t)(rows * self->d) * sizeof *out);
    return HIRL_OK;
}

hr_rows_array hr_rows_of_array(const float *x, int64_t n, int64_t d)
{
    return (hr_rows_array){ .rows = { .n = n, .d = d, .read = read_array }, .x = x };
}

int64_t hr_rows_span(const hr_row_source *source)
{
    if (!source->block)
        return PART;
    return source->block < PART ? PART / source->block * source->block : source->block;
}

hirl_status hr_rows_read(hr_row_source *source, float *out, int64_t first, int64_t rows)
{
    int64_t block = source->block ? source->block : rows;

    for (int64_t at = 0; at < rows; at += block) {
        int64_t count = rows - at < block ? rows - at : block;

        HR_TRY(source->read(source, out + at * source->d, first + at, count));
    }
    return HIRL_OK;
}

hirl_status hr_rows_check(const float *x, int64_t n, int64_t d, int64_t first, const char *name)
{
    for (int64_t i = 0; i < n * d; i++)
        if (!isfinite(x[i]))
            return hr_fail(HIRL_E_NONFINITE, "%s %lld is not finite (column %lld)",
                           name ? name : "row", (long long)(first + i / d), (long long)(i % d));
    return HIRL_OK;
}

/* ---- arrays on the device ---- */

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

/* whether the length of a row is 1 up to the rounding of its numbers */
static bool is_unit(const float *x, int64_t d)
{
    double square = 0;

    for (int64_t t = 0; t < d; t++)
        square += (double)x[t] * (double)x[t];
    return fabs(square - 1) <= 4 * (double)FLT_EPSILON;
}

/* Rows of unit length stay as they are: rounding them once more would change neighbours whose
 * cosine is nearly 1. */
static void keep_unit(hr_queue *queue, const hr_array *y, const float *host)
{
    int64_t n = y->dim[0], d = hr_cols(y), first = 0;

    for (int64_t i = 0; i <= n; i++) {
        if (i < n && is_unit(host + i * d, d))
            continue;
        if (i > first) {
            hr_array run = hr_slice(y, first, i - first);

            queue->be->upload(queue, &run, host + first * d, HR_F32);
        }
        first = i + 1;
    }
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
        keep_unit(queue, &to, host + first * d);
        status = queue->be->sync(queue);
    }
    hr_array_give(&inv, queue);
    hr_array_give(&raw, queue);
    return status;
}

static hirl_status upload(hr_queue *queue, const hr_array *y, const float *host, bool unit)
{
    if (unit)
        return upload_unit(queue, y, host);
    queue->be->upload(queue, y, host, HR_F32);
    return queue->be->sync(queue);
}

hirl_status hr_rows_upload(hr_queue *queue, const hr_array *y, const float *host, bool unit,
                           int64_t first)
{
    HR_TRY(hr_rows_check(host, y->dim[0], hr_cols(y), first, NULL));
    return upload(queue, y, host, unit);
}

/* moves the usable rows of x [n,d] to its start; *kept: how many they are */
static hirl_status keep_usable(int64_t *kept, float *x, const uint8_t *usable, int64_t n, int64_t d,
                               int64_t first, const char *name)
{
    *kept = 0;
    for (int64_t i = 0; i < n; i++) {
        if (usable && !usable[i])
            continue;
        HR_TRY(hr_rows_check(x + i * d, 1, d, first + i, name));
        if (*kept < i)
            memcpy(x + *kept * d, x + i * d, (size_t)d * sizeof *x);
        ++*kept;
    }
    return HIRL_OK;
}

hirl_status hr_rows_place(hr_rows_placed *placed, hr_queue *queue, const hr_array *y,
                          hr_row_source *source, bool unit, const uint8_t *usable)
{
    int64_t span = source->block ? source->block : PART, d = source->d;
    float *x = hr_alloc_array((size_t)span, (size_t)d * sizeof *x);
    hirl_status status = x ? HIRL_OK : HIRL_E_NOMEM;

    while (status >= 0 && placed->read < source->n) {
        int64_t first = placed->read, kept;
        int64_t rows = source->n - first < span ? source->n - first : span;

        status = source->read(source, x, first, rows);
        if (status >= 0)
            status =
                keep_usable(&kept, x, usable ? usable + first : NULL, rows, d, first, source->name);
        if (status >= 0 && kept) {
            hr_array to = hr_slice(y, placed->kept, kept);

            status = upload(queue, &to, x, unit);
        }
        if (status >= 0) {
            placed->read += rows;
            placed->kept += kept;
        }
    }
    hr_free(x);
    return status;
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

hirl_status hr_rows_finite(hr_queue *queue, const hr_array *x, const int32_t *number)
{
    int64_t n = x->dim[0], d = hr_cols(x);
    real *block = hr_alloc_array((size_t)PART * (size_t)d, sizeof *block);
    hirl_status status = block ? HIRL_OK : HIRL_E_NOMEM;

    for (int64_t first = 0; first < n && status >= 0; first += PART) {
        int64_t rows = n - first < PART ? n - first : PART;
        hr_array part = hr_slice(x, first, rows);

        queue->be->download(queue, block, HR_REAL, &part);
        status = queue->be->sync(queue);
        for (int64_t i = 0; i < rows * d && status >= 0; i++) {
            int64_t row = first + i / d;

            if (!isfinite(block[i]))
                status = hr_fail(HIRL_E_NONFINITE, "row %lld is not finite (column %lld)",
                                 (long long)(number ? number[row] : row), (long long)(i % d));
        }
    }
    hr_free(block);
    return status;
}
