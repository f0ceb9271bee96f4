/* array.h - a typed array of numbers: its memory, type and shape.
 *
 * Row-major; images and feature maps are [N,H,W,C]. An array does not own its memory, which may be
 * that of a device: only kernels, upload and download read or write it.
 */
#ifndef HR_ARRAY_H
#define HR_ARRAY_H

#include "types.h"

typedef enum hr_dtype {
    HR_F32 = 1,
    HR_F64,
    HR_BF16,
    HR_I32,
    HR_I64,
    HR_U8,
} hr_dtype;

#ifdef HR_REAL_DOUBLE
#define HR_REAL HR_F64
#else
#define HR_REAL HR_F32
#endif

struct hr_array {
    void *data; /* NULL: absent */
    hr_dtype dtype;
    int32_t rank; /* 1 to 4 */
    int64_t dim[4];
};

static inline size_t hr_dtype_size(hr_dtype dtype)
{
    switch (dtype) {
    case HR_F64:
    case HR_I64:
        return 8;
    case HR_F32:
    case HR_I32:
        return 4;
    case HR_BF16:
        return 2;
    case HR_U8:
        return 1;
    }
    return 0;
}

static inline hr_array hr_array_1(void *data, hr_dtype dtype, int64_t n)
{
    return (hr_array){ data, dtype, 1, { n, 1, 1, 1 } };
}

static inline hr_array hr_array_2(void *data, hr_dtype dtype, int64_t rows, int64_t cols)
{
    return (hr_array){ data, dtype, 2, { rows, cols, 1, 1 } };
}

static inline hr_array hr_array_4(void *data, hr_dtype dtype, int64_t n, int64_t h, int64_t w,
                                  int64_t c)
{
    return (hr_array){ data, dtype, 4, { n, h, w, c } };
}

static inline int64_t hr_count(const hr_array *a)
{
    int64_t n = 1;

    for (int i = 0; i < a->rank; i++)
        n *= a->dim[i];
    return n;
}

/* the array as a matrix: its columns are the last dimension */
static inline int64_t hr_cols(const hr_array *a)
{
    return a->dim[a->rank - 1];
}

/* the array as a matrix: its rows are all other dimensions; [n] is one row */
static inline int64_t hr_rows_of(const hr_array *a)
{
    int64_t n = 1;

    for (int i = 0; i + 1 < a->rank; i++)
        n *= a->dim[i];
    return n;
}

static inline size_t hr_bytes(const hr_array *a)
{
    return (size_t)hr_count(a) * hr_dtype_size(a->dtype);
}

/* the slice [first, first + count) of the outermost dimension: the same memory */
static inline hr_array hr_slice(const hr_array *a, int64_t first, int64_t count)
{
    hr_array s = *a;
    int64_t stride = a->dim[0] ? hr_count(a) / a->dim[0] : 0;

    s.data = a->data ? (char *)a->data + (size_t)(first * stride) * hr_dtype_size(a->dtype) : NULL;
    s.dim[0] = count;
    return s;
}

#endif
