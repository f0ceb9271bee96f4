/* test_gemm.c - matrix products, sums over rows and elementwise operations, against values worked
 * out by hand and plain loops. */
#include <math.h>
#include <string.h>

#include "support/kernels.h"
#include "support/run.h"

START_TEST(gemm_gives_values_worked_out_by_hand)
{
    /* 2 [1 2; 3 4] [5 6; 7 8] + 3 [1 1; 1 1], the product is [19 22; 43 50] */
    static real a[] = { 1, 2, 3, 4 }, b[] = { 5, 6, 7, 8 };
    static const double want[] = { 41, 47, 89, 103 };
    hr_queue *q = hr_test_queue(2);
    hr_array x = hr_array_2(a, HR_REAL, 2, 2), y = hr_array_2(b, HR_REAL, 2, 2);
    hr_array c = hr_filled(HR_REAL, 1, 2, 2, 0, 0);

    q->be->gemm(q, &c, &x, &y, HR_N, HR_N, 2, 3);
    hr_test_sync(q);
    for (int i = 0; i < 4; i++)
        ck_assert_double_eq((double)hr_at(&c, i), want[i]);
    hr_drop(&c);
}
END_TEST

typedef struct product {
    int64_t m, n, k;
    hr_dtype type;
    double beta;
} product;

static const product products[] = {
    { 1, 1, 1, HR_REAL, 0 },        { 3, 5, 7, HR_REAL, 1 },         { 128, 33, 20, HR_REAL, 0 },
    { 129, 2, 65, HR_REAL, 0.5 },   { 300, 1030, 9, HR_REAL, 1 },    { 17, 2100, 40, HR_REAL, 0 },
    { 40, 24, 5000, HR_REAL, 1 },   { 130, 12, 31, HR_BF16, 0.5 },   { 150, 97, 131, HR_REAL, 0 },
    { 137, 150, 1300, HR_REAL, 1 }, { 133, 1030, 67, HR_REAL, 0.5 }, { 131, 130, 141, HR_BF16, 0 },
};
enum { PRODUCTS = sizeof products / sizeof *products };

static hr_array factor(hr_dtype type, uint32_t which, int64_t rows, int64_t cols, bool turned)
{
    return hr_random(type, which, -1, 1, turned ? cols : rows, turned ? rows : cols, 0, 0);
}

static double element(const hr_array *a, int64_t row, int64_t col, bool turned)
{
    return (double)hr_at(a, turned ? col * a->dim[1] + row : row * a->dim[1] + col);
}

static void check_product(const product *p, bool ta, bool tb, double alpha)
{
    hr_queue *q = hr_test_queue(2), *other = hr_test_queue(3);
    hr_array a = factor(p->type, 1, p->m, p->k, ta), b = factor(p->type, 2, p->k, p->n, tb);
    hr_array c = hr_random(p->type, 3, -1, 1, p->m, p->n, 0, 0);
    hr_array before = hr_random(p->type, 3, -1, 1, p->m, p->n, 0, 0);
    hr_array again = hr_random(p->type, 3, -1, 1, p->m, p->n, 0, 0);

    q->be->gemm(q, &c, &a, &b, ta ? HR_T : HR_N, tb ? HR_T : HR_N, alpha, p->beta);
    other->be->gemm(other, &again, &a, &b, ta ? HR_T : HR_N, tb ? HR_T : HR_N, alpha, p->beta);
    hr_test_sync(q);
    hr_test_sync(other);
    ck_assert_mem_eq(c.data, again.data, hr_bytes(&c));
    for (int64_t i = 0; i<p->m; i += p->m> 50 ? 7 : 1)
        for (int64_t j = 0; j<p->n; j += p->n> 50 ? 11 : 1) {
            double sum = 0, got = (double)hr_at(&c, i * p->n + j), want, bound;

            for (int64_t k = 0; k < p->k; k++)
                sum += element(&a, i, k, ta) * element(&b, k, j, tb);
            want = p->beta * (double)hr_at(&before, i * p->n + j) + alpha * sum;
            bound = hr_epsilon() * (double)(p->k + 4);
            bound += p->type == HR_BF16 ? fabs(want) * 0x1p-8 : 0;
            ck_assert_double_eq_tol(got, want, bound);
        }
    hr_drop(&a);
    hr_drop(&b);
    hr_drop(&c);
    hr_drop(&before);
    hr_drop(&again);
}

/* the rows of a product of all rows, and those of products of `count` rows from `first` on */
static void compare_rows(int64_t n, int64_t k, hr_dtype type, bool tb, int64_t count)
{
    enum { M = 300 };
    hr_queue *q = hr_test_queue(2);
    hr_array a = factor(type, 1, M, k, false), b = factor(type, 2, k, n, tb);
    hr_array all = hr_random(type, 3, -1, 1, M, n, 0, 0);
    hr_array some = hr_random(type, 4, -1, 1, M, n, 0, 0);

    q->be->gemm(q, &all, &a, &b, HR_N, tb ? HR_T : HR_N, 1, 0);
    for (int64_t first = 0; first < M; first += count) {
        int64_t rows = M - first < count ? M - first : count;
        hr_array x = hr_slice(&a, first, rows), y = hr_slice(&some, first, rows);

        q->be->gemm(q, &y, &x, &b, HR_N, tb ? HR_T : HR_N, 1, 0);
    }
    hr_test_sync(q);
    ck_assert_msg(!memcmp(all.data, some.data, hr_bytes(&all)), "n %d, k %d, %d rows at a time",
                  (int)n, (int)k, (int)count);
    hr_drop(&a);
    hr_drop(&b);
    hr_drop(&all);
    hr_drop(&some);
}

START_TEST(a_row_of_a_product_does_not_depend_on_the_number_of_rows)
{
    static const int64_t size[][2] = { { 1, 1 },   { 3, 700 },   { 10, 64 },  { 33, 31 },
                                       { 64, 64 }, { 130, 530 }, { 1030, 67 } };

    for (size_t s = 0; s < sizeof size / sizeof *size; s++)
        for (int64_t count = 1; count < 300; count = 3 * count + 1)
            for (int tb = 0; tb < 2; tb++) {
                compare_rows(size[s][0], size[s][1], HR_REAL, tb, count);
                compare_rows(size[s][0], size[s][1], HR_BF16, tb, count);
            }
}
END_TEST

START_TEST(gemm_matches_its_definition_on_any_number_of_threads)
{
    for (int t = 0; t < 4; t++)
        for (int whole = 0; whole < 2; whole++) /* products with alpha 1 are swept */
            check_product(&products[_i], t & 1, t & 2, whole ? 1 : -0.5);
}
END_TEST

START_TEST(gemm_with_beta_zero_does_not_read_its_result)
{
    hr_queue *q = hr_test_queue(2);
    hr_array a = hr_filled(HR_REAL, 1, 3, 2, 0, 0), b = hr_filled(HR_REAL, 1, 2, 3, 0, 0);
    hr_array c = hr_filled(HR_REAL, NAN, 3, 3, 0, 0);

    q->be->gemm(q, &c, &a, &b, HR_N, HR_N, 1, 0);
    hr_test_sync(q);
    for (int i = 0; i < 9; i++)
        ck_assert_double_eq((double)hr_at(&c, i), 2);
    hr_drop(&a);
    hr_drop(&b);
    hr_drop(&c);
}
END_TEST

START_TEST(add_rows_and_sum_rows_give_values_worked_out_by_hand)
{
    static real b[] = { 10, 20, 30 };
    static const double sums[] = { 100 + 2 * 22, 100 + 2 * 42, 100 + 2 * 62 };
    hr_queue *q = hr_test_queue(2);
    hr_array y = hr_filled(HR_REAL, 1, 2, 3, 0, 0), add = hr_array_1(b, HR_REAL, 3);
    hr_array s = hr_filled(HR_REAL, 50, 3, 0, 0, 0);

    q->be->add_rows(q, &y, &add);
    q->be->sum_rows(q, &s, &y, 2, 2);
    hr_test_sync(q);
    for (int i = 0; i < 6; i++)
        ck_assert_double_eq((double)hr_at(&y, i), (double)(1 + b[i % 3]));
    for (int i = 0; i < 3; i++)
        ck_assert_double_eq((double)hr_at(&s, i), sums[i]);
    hr_drop(&y);
    hr_drop(&s);
}
END_TEST

START_TEST(sum_rows_of_many_rows_is_exact_on_any_number_of_threads)
{
    enum { ROWS = 70001, COLS = 67 };
    hr_queue *q = hr_test_queue(2), *other = hr_test_queue(7);
    hr_array x = hr_random(HR_REAL, 1, -1, 1, ROWS, COLS, 0, 0);
    hr_array s = hr_filled(HR_REAL, NAN, COLS, 0, 0, 0), t = hr_filled(HR_REAL, NAN, COLS, 0, 0, 0);

    q->be->sum_rows(q, &s, &x, 1, 0);
    other->be->sum_rows(other, &t, &x, 1, 0);
    hr_test_sync(q);
    hr_test_sync(other);
    ck_assert_mem_eq(s.data, t.data, hr_bytes(&s));
    for (int64_t c = 0; c < COLS; c++) {
        double sum = 0;

        for (int64_t r = 0; r < ROWS; r++)
            sum += (double)hr_at(&x, r * COLS + c);
        ck_assert_double_eq_tol((double)hr_at(&s, c), sum, fabs(sum) * hr_epsilon() + 1e-9);
    }
    hr_drop(&x);
    hr_drop(&s);
    hr_drop(&t);
}
END_TEST

START_TEST(axpby_mixes_types)
{
    hr_queue *q = hr_test_queue(2);
    hr_array y = hr_filled(HR_BF16, 3, 5, 7, 0, 0), x = hr_filled(HR_REAL, 0.25, 5, 7, 0, 0);
    hr_array z = hr_filled(HR_REAL, NAN, 5, 7, 0, 0);

    q->be->axpby(q, &y, &x, 2, -1); /* 2 * 0.25 - 3 */
    q->be->axpby(q, &z, &y, 4, 0);
    hr_test_sync(q);
    for (int i = 0; i < 35; i++) {
        ck_assert_double_eq((double)hr_at(&y, i), -2.5);
        ck_assert_double_eq((double)hr_at(&z, i), -10);
    }
    hr_drop(&x);
    hr_drop(&y);
    hr_drop(&z);
}
END_TEST

START_TEST(relu_keeps_nan_and_its_gradient_is_zero_at_zero)
{
    static real x[] = { -1, 0, 2, -0.5, 3 }, dy[] = { 1, 2, 4, 8, 16 };
    static const double value[] = { 0, 0, 2, 0, 3 }, grad[] = { 10, 10, 14, 10, 26 };
    hr_queue *q = hr_test_queue(2);
    hr_array from = hr_array_1(x, HR_REAL, 5), d = hr_array_1(dy, HR_REAL, 5);
    hr_array y = hr_guarded(HR_REAL, 5, 0, 0, 0), dx = hr_filled(HR_REAL, 5, 5, 0, 0, 0);
    hr_array bad = hr_filled(HR_REAL, NAN, 1, 0, 0, 0);

    q->be->relu(q, &y, &from);
    q->be->relu_grad(q, &dx, &d, &y, 2);
    q->be->relu(q, &bad, &bad);
    hr_test_sync(q);
    for (int i = 0; i < 5; i++) {
        ck_assert_double_eq((double)hr_at(&y, i), value[i]);
        ck_assert_double_eq((double)hr_at(&dx, i), grad[i]);
    }
    ck_assert(isnan((double)hr_at(&bad, 0)));
    hr_drop(&y);
    hr_drop(&dx);
    hr_drop(&bad);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("gemm");
    TCase *cases = tcase_create("gemm");

    tcase_add_test(cases, gemm_gives_values_worked_out_by_hand);
    tcase_add_loop_test(cases, gemm_matches_its_definition_on_any_number_of_threads, 0, PRODUCTS);
    tcase_add_test(cases, a_row_of_a_product_does_not_depend_on_the_number_of_rows);
    tcase_add_test(cases, gemm_with_beta_zero_does_not_read_its_result);
    tcase_add_test(cases, add_rows_and_sum_rows_give_values_worked_out_by_hand);
    tcase_add_test(cases, sum_rows_of_many_rows_is_exact_on_any_number_of_threads);
    tcase_add_test(cases, axpby_mixes_types);
    tcase_add_test(cases, relu_keeps_nan_and_its_gradient_is_zero_at_zero);
    suite_add_tcase(suite, cases);
    return suite;
}

HR_TEST_MAIN(make_suite)
