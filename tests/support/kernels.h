/* kernels.h - for tests of kernels: queues with several threads, arrays between guard bytes.
 *
 * Arrays are filled by fill.h: two arrays with the same `which` hold the same numbers.
 */
#ifndef HR_TEST_KERNELS_H
#define HR_TEST_KERNELS_H

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "base/half.h"
#include "context.h"
#include "support/close.h"
#include "support/fill.h"

enum { HR_GUARD = 64, HR_MARK = 0x5A };

/* the queue of a context with this number of threads; each is opened once per program */
static inline hr_queue *hr_test_queue(int threads)
{
    static hirl_context *context[9];
    static hr_queue *queue[9];

    ck_assert_int_le(threads, 8);
    if (!queue[threads]) {
        hr_assert_ok(hr_context_create(&context[threads], "cpu", threads));
        hr_assert_ok(hr_context_take_queue(&queue[threads], context[threads]));
    }
    return queue[threads];
}

static inline void hr_test_sync(hr_queue *q)
{
    hr_assert_ok(q->be->sync(q));
}

/* an array [d0, d1, ...] between guard bytes; a dimension of 0 ends the list */
static inline hr_array hr_guarded(hr_dtype dtype, int64_t d0, int64_t d1, int64_t d2, int64_t d3)
{
    hr_array a = { NULL, dtype, d3 ? 4 : d2 ? 3 : d1 ? 2 : 1, { d0, d1, d2, d3 } };
    char *block = malloc(hr_bytes(&a) + 2 * HR_GUARD);

    ck_assert_ptr_nonnull(block);
    memset(block, HR_MARK, hr_bytes(&a) + 2 * HR_GUARD);
    a.data = block + HR_GUARD;
    return a;
}

/* checks that the guard bytes are unchanged, and frees the array */
static inline void hr_drop(hr_array *a)
{
    char *block = (char *)a->data - HR_GUARD;

    for (size_t i = 0; i < HR_GUARD; i++)
        ck_assert_msg(block[i] == HR_MARK && block[HR_GUARD + hr_bytes(a) + i] == HR_MARK,
                      "a guard byte %zu bytes outside the array was overwritten", i);
    free(block);
    a->data = NULL;
}

static inline real hr_at(const hr_array *a, int64_t i)
{
    if (a->dtype == HR_BF16)
        return (real)hr_bf16_widen(((const uint16_t *)a->data)[i]);
    return ((const real *)a->data)[i];
}

static inline void hr_put(const hr_array *a, int64_t i, real value)
{
    if (a->dtype == HR_BF16)
        ((uint16_t *)a->data)[i] = hr_bf16_narrow((float)value);
    else
        ((real *)a->data)[i] = value;
}

/* a float array of uniform numbers in [low, high) */
static inline hr_array hr_random(hr_dtype dtype, uint32_t which, double low, double high,
                                 int64_t d0, int64_t d1, int64_t d2, int64_t d3)
{
    hr_array a = hr_guarded(dtype, d0, d1, d2, d3);
    int64_t n = hr_count(&a);
    real *x = malloc((size_t)n * sizeof *x);

    ck_assert_ptr_nonnull(x);
    hr_fill_uniform(x, n, which, low, high);
    for (int64_t i = 0; i < n; i++)
        hr_put(&a, i, x[i]);
    free(x);
    return a;
}

static inline hr_array hr_filled(hr_dtype dtype, double value, int64_t d0, int64_t d1, int64_t d2,
                                 int64_t d3)
{
    hr_array a = hr_guarded(dtype, d0, d1, d2, d3);

    for (int64_t i = 0; i < hr_count(&a); i++)
        hr_put(&a, i, (real)value);
    return a;
}

/* drops the arrays of a map and of its `add` operand */
static inline void hr_drop_map(hr_map *map)
{
    hr_drop(&map->raw);
    if (map->scale.data) {
        hr_drop(&map->scale);
        hr_drop(&map->shift);
    }
    if (map->add)
        hr_drop_map((hr_map *)map->add);
}

/* number `at` of the value of a map in f64, by the definition in backend.h */
static inline double hr_map_value(const hr_map *m, int64_t at)
{
    int64_t cols = hr_cols(&m->raw), row = at / cols, c = at % cols;
    double v = (double)hr_at(&m->raw, at);

    if (m->scale.data) {
        int64_t g = row / (hr_rows_of(&m->raw) / m->scale.dim[0]);

        v = v * (double)hr_at(&m->scale, g * cols + c) + (double)hr_at(&m->shift, g * cols + c);
    }
    if (m->add)
        v += hr_map_value(m->add, at);
    return m->relu && v < 0 ? 0 : v;
}

/* relative size of a unit in the last place of real */
static inline double hr_epsilon(void)
{
    return sizeof(real) == sizeof(float) ? 0x1p-23 : 0x1p-52;
}

#endif
