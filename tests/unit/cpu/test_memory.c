/* test_memory.c - operations that move numbers: conversion,
 * filling, gathering rows, ring buffers. */
#include "support/kernels.h"
#include "support/run.h"

START_TEST(upload_converts_between_float_types)
{
    static const float from[] = { 1, -2.5f, 0.1f, 1e30f, 3.0000002f };
    hr_queue *q = hr_test_queue(2);
    hr_array narrow = hr_guarded(HR_BF16, 5, 0, 0, 0), wide = hr_guarded(HR_F64, 5, 0, 0, 0);
    double back[5];

    q->be->upload(q, &narrow, from, HR_F32);
    q->be->upload(q, &wide, from, HR_F32);
    q->be->download(q, back, HR_F64, &narrow);
    hr_test_sync(q);
    for (int i = 0; i < 5; i++) {
        ck_assert_double_eq(((double *)wide.data)[i], (double)from[i]);
        ck_assert_double_eq(back[i], (double)hr_bf16_widen(hr_bf16_narrow(from[i])));
    }
    ck_assert_double_eq(back[2], 0.10009765625); /* bf16 0x3dcd */
    hr_drop(&narrow);
    hr_drop(&wide);
}
END_TEST

START_TEST(integers_are_copied_without_conversion)
{
    static const int64_t big[] = { INT64_MAX, -1, 1LL << 53 | 1 };
    static const uint8_t bytes[] = { 0, 255, 7 };
    hr_queue *q = hr_test_queue(2);
    hr_array a = hr_guarded(HR_I64, 3, 0, 0, 0), b = hr_guarded(HR_I64, 3, 0, 0, 0);
    hr_array c = hr_guarded(HR_U8, 3, 0, 0, 0);

    q->be->upload(q, &a, big, HR_I64);
    q->be->copy(q, &b, &a);
    q->be->upload(q, &c, bytes, HR_U8);
    hr_test_sync(q);
    ck_assert_mem_eq(b.data, big, sizeof big);
    ck_assert_mem_eq(c.data, bytes, sizeof bytes);
    q->be->copy(q, &a, &c);
    hr_assert_fails(q->be->sync(q), HIRL_E_INTERNAL, "does not convert");
    hr_drop(&a);
    hr_drop(&b);
    hr_drop(&c);
}
END_TEST

START_TEST(fill_writes_every_type)
{
    static const hr_dtype type[] = { HR_F32, HR_F64, HR_BF16, HR_I32, HR_I64, HR_U8 };
    hr_queue *q = hr_test_queue(3);

    for (int t = 0; t < 6; t++) {
        hr_array a = hr_guarded(type[t], 3, 20001, 0, 0);

        q->be->fill(q, &a, 3);
        hr_test_sync(q);
        for (int64_t i = 0; i < hr_count(&a); i += 997) {
            hr_array one =
                hr_array_1((char *)a.data + (size_t)i * hr_dtype_size(type[t]), type[t], 1);
            double got = type[t] == HR_F32   ? (double)*(float *)one.data
                         : type[t] == HR_F64 ? *(double *)one.data
                         : type[t] == HR_I32 ? (double)*(int32_t *)one.data
                         : type[t] == HR_I64 ? (double)*(int64_t *)one.data
                         : type[t] == HR_U8  ? (double)*(uint8_t *)one.data
                                             : (double)hr_bf16_widen(*(uint16_t *)one.data);

            ck_assert_double_eq(got, 3);
        }
        hr_drop(&a);
    }
}
END_TEST

START_TEST(gather_takes_rows_and_scatter_add_returns_them)
{
    static const real x[] = { 0, 1, 10, 11, 20, 21 }, dy[] = { 1, 2, 4, 8, 16, 32 };
    static const real want[] = { 5 + 4, 5 + 8, 5, 5, 5 + 1 + 16, 5 + 2 + 32 };
    static const int32_t index[] = { 2, 0, 2 };
    hr_queue *q = hr_test_queue(2);
    hr_array from = hr_array_4((void *)x, HR_REAL, 3, 1, 1, 2);
    hr_array at = hr_array_1((void *)index, HR_I32, 3),
             grad = hr_array_2((void *)dy, HR_REAL, 3, 2);
    hr_array y = hr_guarded(HR_REAL, 3, 1, 1, 2), dx = hr_filled(HR_REAL, 5, 3, 2, 0, 0);

    q->be->gather(q, &y, &from, &at);
    q->be->scatter_add(q, &dx, &grad, &at);
    hr_test_sync(q);
    for (int i = 0; i < 6; i++) {
        ck_assert(hr_at(&y, i) == x[2 * index[i / 2] + i % 2]);
        ck_assert(hr_at(&dx, i) == want[i]);
    }
    hr_drop(&y);
    hr_drop(&dx);
}
END_TEST

START_TEST(scatter_add_of_bf16_rounds_once)
{
    static const int32_t index[] = { 0, 0 };
    hr_queue *q = hr_test_queue(2);
    hr_array at = hr_array_1((void *)index, HR_I32, 2);
    hr_array dy = hr_filled(HR_BF16, 0x1p-8, 2, 1, 0, 0), dx = hr_filled(HR_BF16, 1, 1, 1, 0, 0);

    /* 1 + 2^-8 + 2^-8 = 1 + 2^-7 is a bf16 number; rounding after each addition would give 1 */
    q->be->scatter_add(q, &dx, &dy, &at);
    hr_test_sync(q);
    ck_assert_double_eq((double)hr_at(&dx, 0), 1 + 0x1p-7);
    hr_drop(&dx);
    hr_drop(&dy);
}
END_TEST

START_TEST(ring_write_wraps_around)
{
    static const int64_t x[] = { 100, 101, 102 };
    static const int64_t want[] = { 102, 1, 2, 100, 101 };
    int64_t ring[] = { 0, 1, 2, 3, 4 };
    hr_scalars s = { .step = 1 };
    hr_queue *q = hr_test_queue(2);
    hr_array to = hr_array_1(ring, HR_I64, 5), from = hr_array_1((void *)x, HR_I64, 3);

    q->be->scalars(q, &s);
    q->be->ring_write(q, &to, &from, 2, 1);
    hr_test_sync(q);
    ck_assert_mem_eq(ring, want, sizeof want);
}
END_TEST

START_TEST(ring_write_writes_whole_rows)
{
    hr_scalars s = { .step = 1 };
    hr_queue *q = hr_test_queue(2);
    hr_array to = hr_filled(HR_REAL, 0, 2, 3, 0, 0), from = hr_filled(HR_REAL, 7, 1, 3, 0, 0);

    q->be->scalars(q, &s);
    q->be->ring_write(q, &to, &from, 0, 1);
    hr_test_sync(q);
    for (int i = 0; i < 6; i++)
        ck_assert(hr_at(&to, i) == (i < 3 ? 0 : 7));
    hr_drop(&to);
    hr_drop(&from);
}
END_TEST

START_TEST(take_returns_zeroed_memory)
{
    hr_queue *q = hr_test_queue(1);
    char *block = q->be->take(q, 100);

    ck_assert_ptr_nonnull(block);
    ck_assert_int_eq(block[99], 0);
    q->be->give(q, block);
    q->be->give(q, NULL);
}
END_TEST

HR_TESTS("memory", upload_converts_between_float_types, integers_are_copied_without_conversion,
         fill_writes_every_type, gather_takes_rows_and_scatter_add_returns_them,
         scatter_add_of_bf16_rounds_once, ring_write_wraps_around, ring_write_writes_whole_rows,
         take_returns_zeroed_memory)
