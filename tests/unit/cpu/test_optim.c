/* test_optim.c - optimisers, clipping, moving average, finite check and running
 * statistics, against values worked out by hand. */
#include <math.h>

#include "support/kernels.h"
#include "support/run.h"

START_TEST(sgd_takes_its_first_and_second_step)
{
    /* step 1: v = 2 + 0.5 * 4 = 4, p = 4 - 0.1 * 4 = 3.6
     * step 2: v = 0.9 * 4 + 2 + 0.5 * 3.6 = 7.4, p = 3.6 - 0.74 = 2.86 */
    hr_scalars s = {
        .rate = { 9, 0.1 }, .decay = { 9, 0.5 }, .momentum = { 9, 0.9 }, .first = { 0, 1 }
    };
    hr_queue *q = hr_test_queue(2);
    hr_array p = hr_filled(HR_REAL, 4, 1001, 0, 0, 0), v = hr_filled(HR_REAL, NAN, 1001, 0, 0, 0);
    hr_array grad = hr_filled(HR_REAL, 2, 1001, 0, 0, 0);

    for (int i = 0; i < 1001; i++)
        hr_put(&v, i, 77); /* the first step ignores it */
    q->be->scalars(q, &s);
    q->be->sgd(q, &p, &v, &grad, 1);
    ck_assert_double_eq_tol((double)hr_at(&p, 1000), 3.6, 1e-6);
    ck_assert_double_eq_tol((double)hr_at(&v, 0), 4, 1e-6);
    s.first[1] = 0;
    q->be->sgd(q, &p, &v, &grad, 1);
    hr_test_sync(q);
    for (int i = 0; i < 1001; i++) {
        ck_assert_double_eq_tol((double)hr_at(&v, i), 7.4, 1e-5);
        ck_assert_double_eq_tol((double)hr_at(&p, i), 2.86, 1e-5);
    }
    hr_drop(&p);
    hr_drop(&v);
    hr_drop(&grad);
}
END_TEST

START_TEST(adamw_takes_its_first_and_second_step)
{
    /* beta1 = 1/2, beta2 = 3/4, eps = 1, lr = 1/10, wd = 2, gradient 2:
     * step 1: m = 1, v = 1; m / (1 - 1/2) = 2, v / (1 - 3/4) = 4; p = 4 * 0.8 - 0.1 * 2 / (2 + 1)
     * step 2: m = 1/2 + 1, v = 3/4 + 1; m / (3/4) = 2, v / (7/16) = 4; p = 0.8 p - 0.2 / 3 */
    hr_scalars s = {
        .rate = { 9, 0.1 }, .decay = { 9, 2 }, .unbias1 = { 9, 0.5 }, .unbias2 = { 9, 0.25 }
    };
    hr_queue *q = hr_test_queue(2);
    hr_array p = hr_filled(HR_REAL, 4, 50001, 0, 0, 0), m = hr_filled(HR_REAL, 0, 50001, 0, 0, 0);
    hr_array v = hr_filled(HR_REAL, 0, 50001, 0, 0, 0),
             grad = hr_filled(HR_REAL, 2, 50001, 0, 0, 0);
    double first = 4 * 0.8 - 0.2 / 3, second = 0.8 * first - 0.2 / 3;

    q->be->scalars(q, &s);
    q->be->adamw(q, &p, &m, &v, &grad, 1, 0.5, 0.75, 1);
    ck_assert_double_eq_tol((double)hr_at(&p, 50000), first, 1e-6);
    ck_assert_double_eq((double)hr_at(&m, 0), 1);
    ck_assert_double_eq((double)hr_at(&v, 0), 1);
    s.unbias1[1] = 0.75;
    s.unbias2[1] = 0.4375;
    q->be->adamw(q, &p, &m, &v, &grad, 1, 0.5, 0.75, 1);
    hr_test_sync(q);
    for (int i = 0; i < 50001; i++) {
        ck_assert_double_eq_tol((double)hr_at(&p, i), second, 1e-6);
        ck_assert_double_eq((double)hr_at(&m, i), 1.5);
        ck_assert_double_eq((double)hr_at(&v, i), 1.75);
    }
    hr_drop(&p);
    hr_drop(&m);
    hr_drop(&v);
    hr_drop(&grad);
}
END_TEST

START_TEST(adamw_leaves_zeros_at_zero)
{
    hr_scalars s = { .rate = { 0.1 }, .decay = { 2 }, .unbias1 = { 0.1 }, .unbias2 = { 0.001 } };
    hr_queue *q = hr_test_queue(1);
    hr_array x[4];

    for (int i = 0; i < 4; i++)
        x[i] = hr_filled(HR_REAL, 0, 21, 0, 0, 0);
    q->be->scalars(q, &s);
    q->be->adamw(q, &x[0], &x[1], &x[2], &x[3], 0, 0.9, 0.999, 1e-8);
    hr_test_sync(q);
    for (int i = 0; i < 21; i++)
        ck_assert_double_eq((double)hr_at(&x[0], i), 0);
    for (int i = 0; i < 4; i++)
        hr_drop(&x[i]);
}
END_TEST

START_TEST(ema_moves_towards_x)
{
    hr_scalars s = { .ema = 0.75 };
    hr_queue *q = hr_test_queue(2);
    hr_array y = hr_filled(HR_REAL, 8, 3, 0, 0, 0), x = hr_filled(HR_REAL, 4, 3, 0, 0, 0);

    q->be->scalars(q, &s);
    q->be->ema(q, &y, &x);
    hr_test_sync(q);
    for (int i = 0; i < 3; i++)
        ck_assert_double_eq((double)hr_at(&y, i), 7);
    hr_drop(&y);
    hr_drop(&x);
}
END_TEST

START_TEST(finite_finds_one_bad_number_anywhere)
{
    static const double bad[] = { NAN, INFINITY, -INFINITY };
    hr_queue *q = hr_test_queue(2);
    hr_array x = hr_filled(HR_REAL, 1e30, 50001, 0, 0, 0), flag = hr_guarded(HR_I32, 1, 0, 0, 0);
    int32_t *set = flag.data;

    *set = 0;
    q->be->finite(q, &flag, &x);
    ck_assert_int_eq(*set, 0);
    for (int i = 0; i < 3; i++)
        for (int64_t at = 0; at <= 50000; at += 25000) {
            *set = 0;
            hr_put(&x, at, (real)bad[i]);
            q->be->finite(q, &flag, &x);
            ck_assert_int_eq(*set, 1);
            hr_put(&x, at, 0);
        }
    q->be->finite(q, &flag, &x);
    ck_assert_int_eq(*set, 1); /* a finite array does not clear the flag */
    hr_test_sync(q);
    hr_drop(&x);
    hr_drop(&flag);
}
END_TEST

START_TEST(square_sum_of_many_numbers_is_exact)
{
    hr_queue *q = hr_test_queue(2), *other = hr_test_queue(7);
    hr_array x = hr_filled(HR_REAL, 0.5, 100003, 0, 0, 0), s = hr_guarded(HR_F64, 2, 0, 0, 0);
    hr_array one = hr_slice(&s, 0, 1), two = hr_slice(&s, 1, 1);
    const double *got = s.data;

    q->be->square_sum(q, &one, &x);
    other->be->square_sum(other, &two, &x);
    ck_assert_double_eq(got[0], 100003 * 0.25);
    ck_assert_double_eq(got[1], got[0]);
    hr_drop(&x);
    hr_drop(&s);
}
END_TEST

/* ---- parts of a flat array ---- */

/* Parts (offset, count) of 40007 numbers, not in order: several chunks long, one number, two
 * numbers. Numbers 3 to 6 are in no part. */
static int64_t part_of[] = { 7, 40000, 2, 1, 0, 2 };
enum { PARTS = 3, PART_TOTAL = 40007 };

START_TEST(part_square_sums_each_part_alone)
{
    hr_queue *q = hr_test_queue(2), *other = hr_test_queue(7);
    hr_array parts = hr_array_2(part_of, HR_I64, PARTS, 2);
    hr_array x = hr_filled(HR_REAL, 0.5, PART_TOTAL, 0, 0, 0);
    hr_array s = hr_guarded(HR_F64, PARTS, 0, 0, 0), t = hr_guarded(HR_F64, PARTS, 0, 0, 0);
    const double *got = s.data;

    hr_put(&x, 2, -3);
    hr_put(&x, 3, 1e30f); /* outside all parts */
    q->be->part_square(q, &s, &x, &parts);
    hr_test_sync(q);
    ck_assert_double_eq(got[0], 10000);
    ck_assert_double_eq(got[1], 9);
    ck_assert_double_eq(got[2], 0.5);
    hr_drop(&x);
    x = hr_random(HR_REAL, 1, -1, 1, PART_TOTAL, 0, 0, 0);
    q->be->part_square(q, &s, &x, &parts);
    other->be->part_square(other, &t, &x, &parts);
    ck_assert_mem_eq(s.data, t.data, hr_bytes(&s));
    hr_drop(&x);
    hr_drop(&s);
    hr_drop(&t);
}
END_TEST

START_TEST(clip_factors_have_values_worked_out_by_hand)
{
    /* norms 3, 0.1 and 4, global norm sqrt(25.01), limit 0.3 */
    static double square[] = { 9, 0.01, 16 };
    double got[PARTS];
    hr_queue *q = hr_test_queue(1);
    hr_array s = hr_array_1(square, HR_F64, PARTS), each = hr_array_1(got, HR_F64, PARTS);
    hr_array whole = hr_array_1(got, HR_F64, 1);

    q->be->clip_factor(q, &each, &s, 0.3);
    ck_assert_double_eq_tol(got[0], 0.3 / 3.000001, 1e-15);
    ck_assert_double_eq(got[1], 1);
    ck_assert_double_eq_tol(got[2], 0.3 / 4.000001, 1e-15);
    q->be->clip_factor(q, &whole, &s, 0.3);
    ck_assert_double_eq_tol(got[0], 0.3 / (5.000999900019995 + 1e-6), 1e-15);
    q->be->clip_factor(q, &whole, &s, 6);
    ck_assert_double_eq(got[0], 1);
    hr_test_sync(q);
}
END_TEST

START_TEST(part_scale_scales_each_part_by_its_factor)
{
    static double factor[] = { 0.5, 1, 0.25 };
    hr_queue *q = hr_test_queue(2);
    hr_array parts = hr_array_2(part_of, HR_I64, PARTS, 2);
    hr_array each = hr_array_1(factor, HR_F64, PARTS), one = hr_array_1(factor, HR_F64, 1);
    hr_array x = hr_filled(HR_REAL, 8, PART_TOTAL, 0, 0, 0);

    q->be->part_scale(q, &x, &each, &parts);
    hr_test_sync(q);
    for (int i = 0; i < PART_TOTAL; i++)
        ck_assert_double_eq((double)hr_at(&x, i), i < 2 ? 2 : i < 7 ? 8 : 4);
    q->be->part_scale(q, &x, &one, &parts);
    hr_test_sync(q);
    for (int i = 0; i < PART_TOTAL; i++)
        ck_assert_double_eq((double)hr_at(&x, i), i < 2 ? 1 : i == 2 ? 4 : i < 7 ? 8 : 2);
    hr_drop(&x);
}
END_TEST

START_TEST(larc_scales_gradients_and_leaves_zeros_alone)
{
    /* p = (3, 4), g = (0.6, 0.8), decay 1e-6, trust 1e-3 give g' = (0.00299999997, 0.00399999996).
     * If |p| or |g| is 0, g stays as it is, without decay. */
    static int64_t of[] = { 0, 2, 2, 2, 4, 1 };
    real p[] = { 3, 4, 0, 0, 5 }, g[] = { (real)0.6, (real)0.8, 7, 8, 0 };
    double pp[] = { 25, 0, 25 }, gg[] = { 1, 113, 0 };
    hr_scalars s = { .larc = { 9, 1e-6 }, .decay = { 9, 9 } };
    hr_queue *q = hr_test_queue(1);
    hr_array parts = hr_array_2(of, HR_I64, 3, 2), to = hr_array_1(g, HR_REAL, 5);
    hr_array from = hr_array_1(p, HR_REAL, 5), square = hr_array_1(gg, HR_F64, 3);
    hr_array p_square = hr_array_1(pp, HR_F64, 3);

    q->be->scalars(q, &s);
    q->be->larc(q, &to, &from, &square, &p_square, &parts, 1, 1e-3, 1e-8);
    hr_test_sync(q);
    ck_assert_double_eq_tol((double)g[0], 0.00299999997, 1e-11 + 0.008 * hr_epsilon());
    ck_assert_double_eq_tol((double)g[1], 0.00399999996, 1e-11 + 0.008 * hr_epsilon());
    ck_assert_double_eq((double)g[2], 7);
    ck_assert_double_eq((double)g[3], 8);
    ck_assert_double_eq((double)g[4], 0);
}
END_TEST

/* ---- batch-norm statistics [G,C]: two groups of 4 values, one channel ---- */

/* group 0: 1 2 3 6 (sum 12, squares 50); group 1: 0 0 2 2 (sum 4, squares 8)
 * mean 3, 1; biased variance 3.5, 1; unbiased 14/3, 4/3 */
static double sums_of[] = { 12, 50, 4, 8 };

START_TEST(norm_finish_gives_values_worked_out_by_hand)
{
    static real gamma[] = { 2 }, beta[] = { 10 };
    hr_queue *q = hr_test_queue(1);
    hr_array sums = { sums_of, HR_F64, 3, { 2, 2, 1, 1 } };
    hr_array g = hr_array_1(gamma, HR_REAL, 1), b = hr_array_1(beta, HR_REAL, 1);
    hr_array out[4];

    for (int i = 0; i < 4; i++)
        out[i] = hr_guarded(HR_REAL, 2, 1, 0, 0);
    q->be->norm_finish(q, &out[0], &out[1], &out[2], &out[3], &sums, &g, &b, 4, 0.5);
    hr_test_sync(q);
    /* rstd = 1/2, 1/sqrt(1.5) */
    ck_assert_double_eq_tol((double)hr_at(&out[0], 0), 1, 1e-7);
    ck_assert_double_eq_tol((double)hr_at(&out[1], 0), 7, 1e-6);
    ck_assert_double_eq_tol((double)hr_at(&out[2], 0), 3, 1e-7);
    ck_assert_double_eq_tol((double)hr_at(&out[3], 0), 0.5, 1e-7);
    ck_assert_double_eq_tol((double)hr_at(&out[3], 1), 0.816496580927726, 1e-7);
    ck_assert_double_eq_tol((double)hr_at(&out[1], 1), 10 - 2 * 0.816496580927726, 1e-6);
    q->be->norm_finish(q, &out[0], &out[1], &out[2], &out[3], &sums, NULL, NULL, 4, 0.5);
    hr_test_sync(q);
    ck_assert_double_eq_tol((double)hr_at(&out[0], 0), 0.5, 1e-7);
    ck_assert_double_eq_tol((double)hr_at(&out[1], 0), -1.5, 1e-6);
    for (int i = 0; i < 4; i++)
        hr_drop(&out[i]);
}
END_TEST

START_TEST(norm_running_takes_unbiased_variances_of_the_first_groups)
{
    real mean[] = { 100 }, var[] = { 10 };
    hr_queue *q = hr_test_queue(1);
    hr_array sums = { sums_of, HR_F64, 3, { 2, 2, 1, 1 } };
    hr_array m = hr_array_1(mean, HR_REAL, 1), v = hr_array_1(var, HR_REAL, 1);

    q->be->norm_running(q, &m, &v, &sums, 4, 0.9, 2);
    hr_test_sync(q);
    ck_assert_double_eq_tol((double)mean[0], 90 + 0.1 * 2, 1e-5);
    ck_assert_double_eq_tol((double)var[0], 9 + 0.1 * 3, 1e-6);
    mean[0] = 100;
    var[0] = 10;
    q->be->norm_running(q, &m, &v, &sums, 4, 0.9, 1);
    hr_test_sync(q);
    ck_assert_double_eq_tol((double)mean[0], 90 + 0.1 * 3, 1e-5);
    ck_assert_double_eq_tol((double)var[0], 9 + 0.1 * 14 / 3, 1e-6);
}
END_TEST

START_TEST(norm_frozen_gives_values_worked_out_by_hand)
{
    real mean[] = { 3 }, var[] = { 3.5 }, gamma[] = { 2 }, beta[] = { 10 }, scale[1], shift[1];
    hr_queue *q = hr_test_queue(1);
    hr_array m = hr_array_1(mean, HR_REAL, 1), v = hr_array_1(var, HR_REAL, 1);
    hr_array g = hr_array_1(gamma, HR_REAL, 1), b = hr_array_1(beta, HR_REAL, 1);
    hr_array to = hr_array_2(scale, HR_REAL, 1, 1), by = hr_array_2(shift, HR_REAL, 1, 1);

    q->be->norm_frozen(q, &to, &by, &m, &v, &g, &b, 0.5);
    hr_test_sync(q);
    ck_assert_double_eq_tol((double)scale[0], 1, 1e-7);
    ck_assert_double_eq_tol((double)shift[0], 7, 1e-6);
}
END_TEST

HR_TESTS("optim", sgd_takes_its_first_and_second_step, adamw_takes_its_first_and_second_step,
         adamw_leaves_zeros_at_zero, ema_moves_towards_x, finite_finds_one_bad_number_anywhere,
         square_sum_of_many_numbers_is_exact, part_square_sums_each_part_alone,
         clip_factors_have_values_worked_out_by_hand, part_scale_scales_each_part_by_its_factor,
         larc_scales_gradients_and_leaves_zeros_alone, norm_finish_gives_values_worked_out_by_hand,
         norm_running_takes_unbiased_variances_of_the_first_groups,
         norm_frozen_gives_values_worked_out_by_hand)
