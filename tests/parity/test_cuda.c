/* test_cuda.c - CUDA kernels, emulated on the host (support/emulate.h), against CPU kernels. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "base/half.h"
#include "context.h"
#include "cuda/cuda.h"
#include "support/close.h"
#include "support/run.h"

enum { GUARD = 8, MARK = 0x5A };

static hirl_context *context;
static hr_call call;
static hr_queue *queue;

void hr_cuda_launched(hr_queue *q, const char *kernel)
{
    (void)q;
    (void)kernel;
}

static void open_queue(void)
{
    if (context)
        return;
    hr_assert_ok(hr_context_create(&context, "cpu", 1));
    hr_assert_ok(hr_context_enter(&call, context));
    hr_assert_ok(hr_context_take_queue(&queue, context));
}

/* an array with guard bytes on both sides */
static hr_array guarded(hr_dtype dtype, int rank, const int64_t *dim)
{
    hr_array a = { NULL, dtype, rank, { 1, 1, 1, 1 } };
    char *block;

    memcpy(a.dim, dim, (size_t)rank * sizeof *dim);
    block = malloc(hr_bytes(&a) + 2 * GUARD);
    memset(block, MARK, hr_bytes(&a) + 2 * GUARD);
    a.data = block + GUARD;
    return a;
}

static void assert_guards(const hr_array *a)
{
    const char *block = (const char *)a->data - GUARD;

    for (int i = 0; i < GUARD; i++) {
        ck_assert_int_eq(block[i], MARK);
        ck_assert_int_eq(block[(size_t)GUARD + hr_bytes(a) + (size_t)i], MARK);
    }
}

static void drop(hr_array *a)
{
    assert_guards(a);
    free((char *)a->data - GUARD);
}

static void noise(hr_array *a, unsigned seed)
{
    for (int64_t i = 0; i < hr_count(a); i++) {
        float v;

        seed = seed * 1664525u + 1013904223u;
        v = (float)(int32_t)seed / 2147483648.0f;
        if (a->dtype == HR_BF16)
            ((uint16_t *)a->data)[i] = hr_bf16_narrow(v);
        else
            ((float *)a->data)[i] = v;
    }
}

static float value(const hr_array *a, int64_t i)
{
    return a->dtype == HR_BF16 ? hr_bf16_widen(((uint16_t *)a->data)[i]) : ((float *)a->data)[i];
}

START_TEST(fill_writes_every_type_and_nothing_else)
{
    static const hr_dtype types[] = { HR_F32, HR_F64, HR_BF16, HR_I32, HR_I64, HR_U8 };

    open_queue();
    for (int t = 0; t < 6; t++)
        for (int64_t n = 1; n < 6000; n = 3 * n + 1) {
            hr_array a = guarded(types[t], 1, &n), b = guarded(types[t], 1, &n);

            hr_cuda_fill(queue, &a, 3);
            queue->be->fill(queue, &b, 3);
            ck_assert(!memcmp(a.data, b.data, hr_bytes(&a)));
            drop(&a);
            drop(&b);
        }
}
END_TEST

START_TEST(gemm_agrees_with_the_cpu)
{
    static const int64_t sizes[][3] = {
        { 1, 1, 1 }, { 5, 7, 3 }, { 32, 32, 32 }, { 33, 65, 31 }, { 64, 1, 100 }
    };

    open_queue();
    for (int s = 0; s < 5; s++)
        for (int variant = 0; variant < 16; variant++) {
            int64_t m = sizes[s][0], n = sizes[s][1], k = sizes[s][2];
            hr_trans ta = variant & 1 ? HR_T : HR_N, tb = variant & 2 ? HR_T : HR_N;
            hr_dtype type = variant & 4 ? HR_BF16 : HR_F32;
            double beta = variant & 8 ? 0.5 : 0;
            hr_array a = guarded(type, 2, ta == HR_N ? (int64_t[]){ m, k } : (int64_t[]){ k, m });
            hr_array b = guarded(type, 2, tb == HR_N ? (int64_t[]){ k, n } : (int64_t[]){ n, k });
            hr_array c = guarded(HR_F32, 2, (int64_t[]){ m, n }),
                     d = guarded(HR_F32, 2, (int64_t[]){ m, n });

            noise(&a, 1);
            noise(&b, 2);
            noise(&c, 3);
            memcpy(d.data, c.data, hr_bytes(&c));
            hr_cuda_gemm(queue, &c, &a, &b, ta, tb, 1.5, beta);
            queue->be->gemm(queue, &d, &a, &b, ta, tb, 1.5, beta);
            hr_assert_ok(queue->be->sync(queue));
            hr_assert_close((float *)c.data, (float *)d.data, m * n, 1e-6 * (double)k, 1e-6);
            drop(&a);
            drop(&b);
            drop(&c);
            drop(&d);
        }
}
END_TEST

START_TEST(norm_stats_are_the_sums_by_hand)
{
    open_queue();
    for (int type = 0; type < 2; type++)
        for (int64_t channels = 1; channels < 80; channels += 13) {
            int64_t groups = 2, rows = 19;
            hr_array x =
                guarded(type ? HR_BF16 : HR_F32, 2, (int64_t[]){ groups * rows, channels });
            hr_array sums = guarded(HR_F64, 3, (int64_t[]){ groups, 2, channels });

            noise(&x, 7);
            hr_cuda_norm_stats(queue, &sums, &x);
            for (int64_t g = 0; g < groups; g++)
                for (int64_t c = 0; c < channels; c++) {
                    double sum = 0, square = 0;

                    for (int64_t r = 0; r < rows; r++) {
                        double v = value(&x, (g * rows + r) * channels + c);

                        sum += v;
                        square += v * v;
                    }
                    ck_assert_double_eq_tol(((double *)sums.data)[(g * 2) * channels + c], sum,
                                            1e-12);
                    ck_assert_double_eq_tol(((double *)sums.data)[(g * 2 + 1) * channels + c],
                                            square, 1e-12);
                }
            drop(&x);
            drop(&sums);
        }
}
END_TEST

HR_TESTS("cuda kernels on the host", fill_writes_every_type_and_nothing_else,
         gemm_agrees_with_the_cpu, norm_stats_are_the_sums_by_hand)
