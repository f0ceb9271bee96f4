/* test_target.c - soft targets and cross-entropy against PyTorch 1.13 in float64, Sinkhorn against
 * the numbers of an independent script; bf16 operands and numbers of threads.
 *
 * PyTorch computed p = softmax((t - c) / .5, -1), rows = -(p * log_softmax(z / .4, -1)).sum(-1),
 * loss = rows.mean() or (rows * w).sum(), and torch.autograd.grad(loss, z), all in double.
 */
#include <math.h>

#include "support/kernels.h"
#include "support/run.h"

enum { N = 3, K = 3 };
static real teacher[N * K] = {
    (real)0.3, (real)-0.2, (real)0.1, 1, 2, -1, 0, (real)0.5, (real)0.5
};
static real center[K] = { 0.5, -0.25, 1 };
static real scores[N * K] = { 1, 2, 3, 0.5, -1, 0.25, 2, 2, -4 };
static real weights[N] = { 0.25, 0, 0.5 };
static const double wanted[N * K] = { 3.453851766743e-01, 5.694438873674e-01, 8.517093595831e-02,
                                      2.930644260418e-02, 9.704960921388e-01, 1.974652569987e-04,
                                      7.050946066121e-02, 8.589810786776e-01, 7.050946066121e-02 };

static double close_to(void)
{
    return sizeof(real) == 8 ? 1e-11 : 2e-6;
}

/* ---- targets ---- */

static const hr_dtype types[] = { HR_REAL, HR_BF16 };
enum { TYPES = sizeof types / sizeof *types };

static hr_array copy_of(const real *values, hr_dtype type, int64_t rows, int64_t cols)
{
    hr_array a = hr_guarded(type, rows, cols, 0, 0);

    for (int64_t i = 0; i < rows * cols; i++)
        hr_put(&a, i, values[i]);
    return a;
}

/* the temperature as the kernel reads it; the value stays until the next call */
static const hr_array *temperature(double value)
{
    static double number;
    static hr_array a;

    number = value;
    a = hr_array_1(&number, HR_F64, 1);
    return &a;
}

/* Rounding an operand t to bf16 changes log p by at most 2 |t| 2^-9 / 0.5 < 2^-6 for |t| <= 2. */
START_TEST(target_is_the_softmax_of_centred_scores)
{
    hr_dtype type = types[_i];
    hr_queue *q = hr_test_queue(2);
    hr_array z = copy_of(teacher, type, N, K), c = hr_array_1(center, HR_REAL, K);
    hr_array p = hr_guarded(HR_REAL, N, K, 0, 0);

    q->be->target(q, &p, &z, &c, temperature(0.5));
    hr_test_sync(q);
    hr_assert_close((real *)p.data, wanted, N * K, type == HR_BF16 ? 0 : close_to(),
                    type == HR_BF16 ? 0x1p-6 : 0);
    hr_drop(&p);
    hr_drop(&z);
}
END_TEST

/* shares (1/2, 1/4, 1/4): -(1/2 log 1/2 + 2 1/4 log 1/4) = 1.5 log 2;
 * three equal shares: log 3; one share: 0 */
START_TEST(entropy_has_values_worked_out_by_hand)
{
    static real shares[9] = { 0.5, 0.25, 0.25, (real)1 / 3, (real)1 / 3, (real)1 / 3, 0, 1, 0 };
    hr_queue *q = hr_test_queue(2);
    hr_array p = copy_of(shares, types[_i], 3, 3), h = hr_guarded(HR_REAL, 3, 0, 0, 0);

    q->be->entropy(q, &h, &p);
    hr_test_sync(q);
    hr_assert_close((real *)h.data, ((double[]){ 1.0397207708399179, 1.0986122886681098, 0 }), 3,
                    types[_i] == HR_BF16 ? 0x1p-8 : close_to(), 0);
    hr_drop(&h);
    hr_drop(&p);
}
END_TEST

START_TEST(target_of_large_scores_and_low_temperatures_does_not_overflow)
{
    static real large[4] = { 30000, 29999, -30000, 0 }, nothing[4] = { 0 };
    hr_queue *q = hr_test_queue(1);
    hr_array z = hr_array_2(large, HR_REAL, 1, 4), c = hr_array_1(nothing, HR_REAL, 4);
    hr_array p = hr_guarded(HR_REAL, 1, 4, 0, 0);

    /* exp(-1 / 0.5) = 0.1353352832366127; 0.8807970779778823 = 1 / 1.1353352832366127 */
    q->be->target(q, &p, &z, &c, temperature(0.5));
    hr_test_sync(q);
    hr_assert_close((real *)p.data, ((double[]){ 0.8807970779778823, 0.11920292202211755, 0, 0 }),
                    4, 1e-7, 0);
    q->be->target(q, &p, &z, NULL, temperature(0.04));
    hr_test_sync(q);
    ck_assert_double_eq_tol((double)hr_at(&p, 1), exp(-25), 1e-17);
    hr_drop(&p);
}
END_TEST

/* ---- cross-entropy ---- */

typedef struct entropy {
    hr_array loss, lse, p, z, weight;
} entropy;

static entropy make_entropy(hr_dtype type, bool weighted)
{
    entropy o = { hr_guarded(HR_REAL, 1, 0, 0, 0), hr_guarded(HR_REAL, N, 0, 0, 0),
                  hr_guarded(HR_REAL, N, K, 0, 0), hr_guarded(type, N, K, 0, 0),
                  hr_array_1(weighted ? weights : NULL, HR_REAL, N) };

    for (int i = 0; i < N * K; i++) {
        hr_put(&o.p, i, (real)wanted[i]);
        hr_put(&o.z, i, scores[i]); /* all scores are exact in bf16 */
    }
    return o;
}

static void drop_entropy(entropy *o)
{
    hr_drop(&o->loss);
    hr_drop(&o->lse);
    hr_drop(&o->p);
    hr_drop(&o->z);
}

static double entropy_of(entropy *o)
{
    hr_queue *q = hr_test_queue(2);

    q->be->soft_cross_entropy(q, &o->loss, &o->lse, &o->p, &o->z, &o->weight, 0.4);
    hr_test_sync(q);
    return (double)hr_at(&o->loss, 0);
}

/* Checks dz <- 0.5 dz + 2 gradient, starting from dz = 1, and dz <- 2 gradient. */
static void check_gradient(entropy *o, hr_dtype type, const double *gradient)
{
    static real two[] = { 2 };
    hr_queue *q = hr_test_queue(2);
    hr_array g = hr_array_1(two, HR_REAL, 1), dz = hr_filled(type, 1, N, K, 0, 0);
    double bound = type == HR_BF16 ? 0x1p-8 : 2 * close_to();

    q->be->soft_cross_entropy_grad(q, &dz, &g, &o->lse, &o->p, &o->z, &o->weight, 0.4, 0.5);
    hr_test_sync(q);
    for (int i = 0; i < N * K; i++)
        ck_assert_double_eq_tol((double)hr_at(&dz, i), 0.5 + 2 * gradient[i], bound);
    q->be->soft_cross_entropy_grad(q, &dz, &g, &o->lse, &o->p, &o->z, &o->weight, 0.4, 0);
    hr_test_sync(q);
    for (int i = 0; i < N * K; i++)
        ck_assert_double_eq_tol((double)hr_at(&dz, i), 2 * gradient[i], bound);
    hr_drop(&dz);
}

START_TEST(soft_cross_entropy_agrees_with_pytorch)
{
    static const double mean[] = { -0.282664076168, -0.411712616170, 0.694376692338,
                                   0.510184371249,  -0.796174005842, 0.285989634593,
                                   0.357908719053,  -0.299150962628, -0.058757756425 };
    hr_dtype type = _i ? HR_BF16 : HR_REAL;
    entropy o = make_entropy(type, false);

    ck_assert_double_eq_tol(entropy_of(&o), 3.0232695957487388, 4 * close_to());
    check_gradient(&o, type, mean);
    drop_entropy(&o);
}
END_TEST

START_TEST(rows_of_weight_zero_are_ignored)
{
    static const double sum[] = { -0.211998057126, -0.308784462128, 0.520782519254, 0, 0, 0,
                                  0.536863078579,  -0.448726443941, -0.088136634638 };
    entropy o = make_entropy(HR_REAL, true);

    hr_put(&o.z, K, (real)NAN); /* row 1 has weight 0 and must not be read */
    hr_put(&o.p, K + 1, (real)INFINITY);
    ck_assert_double_eq_tol(entropy_of(&o), 1.6843028337531423, 4 * close_to());
    ck_assert(hr_at(&o.lse, 1) == 0);
    hr_put(&o.p, K + 1, 0);
    check_gradient(&o, HR_REAL, sum);
    drop_entropy(&o);
}
END_TEST

/* compares rows of many columns with the definitions, evaluated term by term in f64 */
START_TEST(long_rows_match_the_definitions)
{
    enum { ROWS = 5, COLS = 1003 };
    static double p[ROWS * COLS], gradient[ROWS * COLS];
    static real one[] = { 1 };
    hr_queue *q = hr_test_queue(_i ? 7 : 1);
    hr_array z = hr_random(HR_REAL, 4, -1, 1, ROWS, COLS, 0, 0), g = hr_array_1(one, HR_REAL, 1);
    hr_array c = hr_random(HR_REAL, 5, -1, 1, COLS, 0, 0, 0);
    hr_array got = hr_guarded(HR_REAL, ROWS, COLS, 0, 0),
             dz = hr_guarded(HR_REAL, ROWS, COLS, 0, 0);
    hr_array loss = hr_guarded(HR_REAL, 1, 0, 0, 0), lse = hr_guarded(HR_REAL, ROWS, 0, 0, 0);
    double want = 0;

    for (int n = 0; n < ROWS; n++) {
        double teacher_sum = 0, sum = 0;

        for (int k = 0; k < COLS; k++) {
            double x = (double)hr_at(&z, n * COLS + k);

            p[n * COLS + k] = exp((x - (double)hr_at(&c, k)) / 0.07);
            teacher_sum += p[n * COLS + k];
            sum += exp(x / 0.1);
        }
        for (int k = 0; k < COLS; k++) {
            double x = (double)hr_at(&z, n * COLS + k), *share = &p[n * COLS + k];

            *share /= teacher_sum;
            want -= *share * log(exp(x / 0.1) / sum) / ROWS;
            gradient[n * COLS + k] = (exp(x / 0.1) / sum - *share) / 0.1 / ROWS;
        }
    }
    q->be->target(q, &got, &z, &c, temperature(0.07));
    q->be->soft_cross_entropy(q, &loss, &lse, &got, &z, NULL, 0.1);
    q->be->soft_cross_entropy_grad(q, &dz, &g, &lse, &got, &z, NULL, 0.1, 0);
    hr_test_sync(q);
    /* Exponents reach -4 / 0.07 = -57 and have four roundings: error 57 x 4 x eps / 2. */
    hr_assert_close((real *)got.data, p, ROWS * COLS, 0, 128 * hr_epsilon());
    ck_assert_double_eq_tol((double)hr_at(&loss, 0), want, 64 * hr_epsilon());
    hr_assert_close((real *)dz.data, gradient, ROWS * COLS, 64 * hr_epsilon(), 0);
    hr_drop(&z);
    hr_drop(&c);
    hr_drop(&got);
    hr_drop(&dz);
    hr_drop(&loss);
    hr_drop(&lse);
}
END_TEST

/* ---- Sinkhorn ---- */

START_TEST(sinkhorn_has_the_golden_rows)
{
    static const double golden[] = { .999972323, .000027675, .000000001, .988954308,
                                     .011042000, .000003692, .000000000, .997535642,
                                     .002464358, .000000185, .000045550, .999954264 };
    static real s[] = { (real)0.9,  (real)0.1, (real)-0.2, (real)0.8, (real)0.3, (real)0.1,
                        (real)-0.5, (real)0.7, (real)0.6,  (real)0.2, (real)0.2, (real)0.9 };
    hr_queue *q = hr_test_queue(2);
    hr_array from = hr_array_2(s, HR_REAL, 4, K), y = hr_guarded(HR_REAL, 4, K, 0, 0);
    hr_array last = hr_guarded(HR_REAL, 2, K, 0, 0);

    q->be->sinkhorn(q, &y, &from, 0, 0.05, 3);
    q->be->sinkhorn(q, &last, &from, 2, 0.05, 3);
    hr_test_sync(q);
    hr_assert_close((real *)y.data, golden, 4 * K, sizeof(real) == 8 ? 6e-10 : 2e-6, 0);
    ck_assert_mem_eq(last.data, (real *)y.data + 2 * K, hr_bytes(&last));
    hr_drop(&y);
    hr_drop(&last);
}
END_TEST

/* the definition of Caron et al. (2020), SwAV, evaluated term by term in f64 */
static void by_definition(double *p, const hr_array *s, double epsilon, int iterations)
{
    int64_t rows = hr_rows_of(s), cols = hr_cols(s);

    for (int64_t i = 0; i < rows * cols; i++)
        p[i] = exp((double)hr_at(s, i) / epsilon);
    for (int t = 0; t < iterations; t++) {
        for (int64_t k = 0; k < cols; k++) {
            double sum = 0;

            for (int64_t n = 0; n < rows; n++)
                sum += p[n * cols + k];
            for (int64_t n = 0; n < rows; n++)
                p[n * cols + k] /= sum * (double)cols;
        }
        for (int64_t n = 0; n < rows; n++) {
            double sum = 0;

            for (int64_t k = 0; k < cols; k++)
                sum += p[n * cols + k];
            for (int64_t k = 0; k < cols; k++)
                p[n * cols + k] /= sum;
        }
    }
}

START_TEST(sinkhorn_of_any_size_matches_its_definition)
{
    enum { ROWS = 37, COLS = 301 };
    static double want[ROWS * COLS];
    hr_queue *q = hr_test_queue(1), *many = hr_test_queue(7);
    hr_array s = hr_random(_i ? HR_BF16 : HR_REAL, 3, -1, 1, ROWS, COLS, 0, 0);
    hr_array y = hr_guarded(HR_REAL, ROWS, COLS, 0, 0),
             other = hr_guarded(HR_REAL, ROWS, COLS, 0, 0);

    by_definition(want, &s, 0.05, 3);
    q->be->sinkhorn(q, &y, &s, 0, 0.05, 3);
    hr_test_sync(q);
    hr_assert_close((real *)y.data, want, ROWS * COLS, 0, 64 * hr_epsilon());
    many->be->sinkhorn(many, &other, &s, 0, 0.05, 3);
    hr_test_sync(many);
    ck_assert_mem_eq(y.data, other.data, hr_bytes(&y)); /* same bits on 1 and 7 threads */
    hr_drop(&s);
    hr_drop(&y);
    hr_drop(&other);
}
END_TEST

/* The scores of row 1 are 300 / 0.5 = 600 below those of row
 * 0, and exp(-600) underflows in float. */
START_TEST(sinkhorn_keeps_rows_far_below_the_largest_score)
{
    static real s[] = { 300, (real)299.5, 0, 0.25 };
    hr_queue *q = hr_test_queue(1);
    hr_array from = hr_array_2(s, HR_REAL, 2, 2), y = hr_guarded(HR_REAL, 2, 2, 0, 0);
    double want[4];

    by_definition(want, &from, 0.5, 3);
    q->be->sinkhorn(q, &y, &from, 0, 0.5, 3);
    hr_test_sync(q);
    hr_assert_close((real *)y.data, want, 4, 1e-6, 0);
    hr_drop(&y);
}
END_TEST

/* Sinkhorn of exp(s / epsilon) on the logarithms of p, in f64: nothing underflows. */
static void by_logarithms(double *p, const real *s, int rows, int cols, double epsilon,
                          int iterations)
{
    for (int i = 0; i < rows * cols; i++)
        p[i] = (double)s[i] / epsilon;
    for (int t = 0; t < 2 * iterations; t++) {
        int lines = t % 2 ? rows : cols, length = t % 2 ? cols : rows;
        int next = t % 2 ? 1 : cols, first = t % 2 ? cols : 1;

        for (int line = 0; line < lines; line++) {
            double *x = p + line * first, top = -INFINITY, sum = 0;

            for (int i = 0; i < length; i++)
                top = fmax(top, x[i * next]);
            for (int i = 0; i < length; i++)
                sum += exp(x[i * next] - top);
            for (int i = 0; i < length; i++)
                x[i * next] -= top + log(sum);
        }
    }
    for (int i = 0; i < rows * cols; i++)
        p[i] = exp(p[i]);
}

/* Sums of exp(s / epsilon), or all terms of a row or column, underflow. */
START_TEST(sinkhorn_divides_by_no_sum_without_mass)
{
    static real column[] = { 1, (real)0.9, -1, (real)0.8, 1, -1, (real)0.97, (real)0.95, -1 };
    static real row[] = { 1, (real)0.99, (real)0.5, -1, (real)-0.99, -1, 1, 1, (real)0.5 };
    static real alone[] = { 1, -1, (real)0.99, -1, 0, -1, -1, -1, 1 };
    static real *const cases[] = { column, row, alone };
    double want[9];

    for (int c = 0; c < 3; c++)
        for (int e = 1; e <= 3; e++) {
            double epsilon = pow(10, -e);
            hr_queue *q = hr_test_queue(1), *many = hr_test_queue(7);
            hr_array from = hr_array_2(cases[c], HR_REAL, 3, 3);
            hr_array y = hr_guarded(HR_REAL, 3, 3, 0, 0), other = hr_guarded(HR_REAL, 3, 3, 0, 0);

            by_logarithms(want, cases[c], 3, 3, epsilon, 3);
            q->be->sinkhorn(q, &y, &from, 0, epsilon, 3);
            hr_test_sync(q);
            hr_assert_close((real *)y.data, want, 9, 1e-5, 0);
            many->be->sinkhorn(many, &other, &from, 0, epsilon, 3);
            hr_test_sync(many);
            ck_assert_mem_eq(y.data, other.data, hr_bytes(&y));
            hr_drop(&y);
            hr_drop(&other);
        }
}
END_TEST

static Suite *target(void)
{
    Suite *suite = suite_create("target");
    TCase *tests = tcase_create("target");

    tcase_add_loop_test(tests, target_is_the_softmax_of_centred_scores, 0, TYPES);
    tcase_add_loop_test(tests, entropy_has_values_worked_out_by_hand, 0, TYPES);
    tcase_add_test(tests, target_of_large_scores_and_low_temperatures_does_not_overflow);
    tcase_add_loop_test(tests, soft_cross_entropy_agrees_with_pytorch, 0, 2);
    tcase_add_test(tests, rows_of_weight_zero_are_ignored);
    tcase_add_loop_test(tests, long_rows_match_the_definitions, 0, 2);
    tcase_add_test(tests, sinkhorn_has_the_golden_rows);
    tcase_add_loop_test(tests, sinkhorn_of_any_size_matches_its_definition, 0, 2);
    tcase_add_test(tests, sinkhorn_keeps_rows_far_below_the_largest_score);
    tcase_add_test(tests, sinkhorn_divides_by_no_sum_without_mass);
    suite_add_tcase(suite, tests);
    return suite;
}

HR_TEST_MAIN(target)
