/* test_row.c - normalised rows and dot products of rows, against values worked out by hand. */
#include <math.h>

#include "support/kernels.h"
#include "support/run.h"

START_TEST(normalize_gives_unit_rows_and_leaves_zero_rows)
{
    static real x[] = { 3, 4, 0, 0, -6, 8, 1e-20f, 0 };
    static const double want[] = { 0.6, 0.8, 0, 0, -0.6, 0.8, 1e-8, 0 };
    static const double inv[] = { 0.2, 1e12, 0.1, 1e12 };
    hr_queue *q = hr_test_queue(2);
    hr_array from = hr_array_2(x, HR_REAL, 4, 2);
    hr_array y = hr_guarded(HR_REAL, 4, 2, 0, 0), k = hr_guarded(HR_REAL, 4, 0, 0, 0);

    q->be->normalize(q, &y, &k, &from);
    hr_test_sync(q);
    for (int i = 0; i < 8; i++)
        ck_assert_double_eq_tol((double)hr_at(&y, i), want[i], 1e-7);
    for (int i = 0; i < 4; i++)
        ck_assert_double_eq_tol((double)hr_at(&k, i), inv[i], 1e-7 * inv[i]);
    hr_drop(&y);
    hr_drop(&k);
}
END_TEST

START_TEST(normalize_grad_is_orthogonal_to_the_row)
{
    /* y = (.6,.8), dy = (1,0): <y,dy> = .6; dy - .6 y = (.64,-.48); times .2 */
    static real x[] = { 3, 4, 0, 0 }, dy[] = { 1, 0, 5, 5 };
    static const double want[] = { 2 + 0.128, 2 - 0.096, 2, 2 };
    hr_queue *q = hr_test_queue(2);
    hr_array from = hr_array_2(x, HR_REAL, 2, 2), d = hr_array_2(dy, HR_REAL, 2, 2);
    hr_array y = hr_guarded(HR_REAL, 2, 2, 0, 0), k = hr_guarded(HR_REAL, 2, 0, 0, 0);
    hr_array dx = hr_filled(HR_REAL, 1, 2, 2, 0, 0);

    q->be->normalize(q, &y, &k, &from);
    q->be->normalize_grad(q, &dx, &d, &y, &k, 2);
    hr_test_sync(q);
    for (int i = 0; i < 4; i++)
        ck_assert_double_eq_tol((double)hr_at(&dx, i), want[i], 1e-6);
    hr_drop(&y);
    hr_drop(&k);
    hr_drop(&dx);
}
END_TEST

START_TEST(row_dot_and_its_gradient_have_values_worked_out_by_hand)
{
    static real a[] = { 1, 2, 3, -1, 0, 1 }, b[] = { 4, 5, 6, 7, 8, 9 }, g[] = { 10, -1 };
    static const double dot[] = { 32, 2 };
    static const double grad[] = { 40.5, 51, 61.5, -7.5, -8, -8.5 }; /* g b + a / 2 */
    hr_queue *q = hr_test_queue(2);
    hr_array x = hr_array_2(a, HR_REAL, 2, 3), w = hr_array_2(b, HR_REAL, 2, 3);
    hr_array d = hr_array_1(g, HR_REAL, 2), y = hr_guarded(HR_REAL, 2, 0, 0, 0);

    q->be->row_dot(q, &y, &x, &w);
    q->be->row_dot_grad(q, &x, &d, &w, 0.5);
    hr_test_sync(q);
    ck_assert_double_eq((double)hr_at(&y, 0), dot[0]);
    ck_assert_double_eq((double)hr_at(&y, 1), dot[1]);
    for (int i = 0; i < 6; i++)
        ck_assert_double_eq((double)a[i], grad[i]);
    hr_drop(&y);
}
END_TEST

START_TEST(row_dot_grad_handles_a_long_row)
{
    static real g[] = { 3 };
    hr_queue *q = hr_test_queue(3);
    hr_array d = hr_array_1(g, HR_REAL, 1), b = hr_random(HR_REAL, 1, -1, 1, 1, 100003, 0, 0);
    hr_array a = hr_filled(HR_REAL, NAN, 1, 100003, 0, 0);

    q->be->row_dot_grad(q, &a, &d, &b, 0);
    hr_test_sync(q);
    for (int64_t i = 0; i < hr_count(&a); i++)
        ck_assert(hr_at(&a, i) == 3 * hr_at(&b, i));
    hr_drop(&a);
    hr_drop(&b);
}
END_TEST

HR_TESTS("row", normalize_gives_unit_rows_and_leaves_zero_rows,
         normalize_grad_is_orthogonal_to_the_row,
         row_dot_and_its_gradient_have_values_worked_out_by_hand, row_dot_grad_handles_a_long_row)
