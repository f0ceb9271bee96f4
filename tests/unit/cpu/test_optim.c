/* test_optim.c - optimiser, moving average, checks, running statistics: by hand. */
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
        hr_put(&v, i, 77); /* not used in the first step */
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
    ck_assert_int_eq(*set, 1); /* stays */
    hr_test_sync(q);
    hr_drop(&x);
    hr_drop(&flag);
}
END_TEST

START_TEST(square_sum_of_many_numbers)
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

/* ---- [G,C] arithmetic of norms: two groups of 4 values, one channel ---- */

/* group 0: 1 2 3 6 (sum 12, squares 50); group 1: 0 0 2 2 (sum 4, squares 8)
 * mean 3, 1; biased variance 3.5, 1; unbiased 14/3, 4/3 */
static double sums_of[] = { 12, 50, 4, 8 };

START_TEST(norm_finish_by_hand)
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

START_TEST(norm_frozen_by_hand)
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

HR_TESTS("optim", sgd_takes_its_first_and_second_step, ema_moves_towards_x,
         finite_finds_one_bad_number_anywhere, square_sum_of_many_numbers, norm_finish_by_hand,
         norm_running_takes_unbiased_variances_of_the_first_groups, norm_frozen_by_hand)
