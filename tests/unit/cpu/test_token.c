/* test_token.c - operations of transformers (GELU, layer norm, attention, blocks of tokens) against
 * their definitions in f64, with odd sizes, in real and bf16. */
#include <math.h>

#include "support/kernels.h"
#include "support/run.h"

/* Allows `roundings` rounding errors of a number of size `size`, and for bf16 one more of the
 * result; the smallest bf16 number is 2^-133. */
static void assert_near(const hr_array *a, int64_t i, double want, double size, double roundings)
{
    double got = (double)hr_at(a, i), off = fabs(got - want);
    double bound = roundings * hr_epsilon() * size +
                   (a->dtype == HR_BF16 ? 0x1p-8 * fabs(want) + 0x1p-133 : 0);

    ck_assert_msg(off <= bound, "number %lld is %.9g, wanted %.9g", (long long)i, got, want);
}

static void assert_same(hr_array *a, hr_array *b)
{
    ck_assert_mem_eq(a->data, b->data, hr_bytes(a));
    hr_drop(b);
}

static const hr_dtype types[] = { HR_REAL, HR_BF16 };
enum { TYPES = sizeof types / sizeof *types };

/* ---- GELU ---- */

static double cdf(double x)
{
    return 0.5 * erfc(-x * sqrt(0.5));
}

static double gelu_slope(double x)
{
    return cdf(x) + x * exp(-x * x / 2) * 0.398942280401432678;
}

START_TEST(gelu_is_x_times_the_normal_distribution_function)
{
    enum { N = 40001 }; /* numbers from -14 to 14, the first two replaced by -1e30 and 1e30 */
    hr_queue *q = hr_test_queue(2);
    hr_dtype type = types[_i];
    hr_array x = hr_guarded(type, N, 0, 0, 0), y = hr_guarded(type, N, 0, 0, 0);
    hr_array dy = hr_random(type, 1, -1, 1, N, 0, 0, 0), dx = hr_filled(type, 0.5, N, 0, 0, 0);

    for (int64_t i = 0; i < N; i++)
        hr_put(&x, i, (real)(-14 + 28.0 * (double)i / (N - 1)));
    hr_put(&x, 0, -1e30f);
    hr_put(&x, 1, 1e30f);
    q->be->gelu(q, &y, &x);
    q->be->gelu_grad(q, &dx, &dy, &x, 2);
    hr_test_sync(q);
    for (int64_t i = 0; i < N; i++) {
        double v = (double)hr_at(&x, i), d = (double)hr_at(&dy, i), want = v * cdf(v);

        /* The rounding error of the square in the exponent grows with x^2. */
        assert_near(&y, i, want, fabs(want) + 1e-30, fabs(v) < 15 ? 4 + v * v : 4);
        assert_near(&dx, i, 1 + d * gelu_slope(v), 1 + fabs(d), 6);
    }
    hr_drop(&x);
    hr_drop(&y);
    hr_drop(&dy);
    hr_drop(&dx);
}
END_TEST

START_TEST(gelu_keeps_a_nan)
{
    hr_queue *q = hr_test_queue(1);
    hr_array x = hr_filled(HR_REAL, NAN, 3, 0, 0, 0), y = hr_filled(HR_REAL, 0, 3, 0, 0, 0);

    q->be->gelu(q, &y, &x);
    hr_test_sync(q);
    ck_assert(isnan(hr_at(&y, 2)));
    q->be->gelu_grad(q, &y, &x, &x, 0);
    hr_test_sync(q);
    ck_assert(isnan(hr_at(&y, 0)));
    hr_drop(&x);
    hr_drop(&y);
}
END_TEST

/* ---- layer norm ---- */

typedef struct rows_case {
    int64_t rows, cols;
    hr_dtype type;
    double beta;
} rows_case;

static const rows_case rows_cases[] = {
    { 1, 1, HR_REAL, 0 },     { 5, 7, HR_REAL, 1 },    { 200, 33, HR_REAL, 0 },
    { 3, 768, HR_REAL, 0.5 }, { 90, 128, HR_BF16, 0 }, { 7, 20, HR_BF16, 1 },
};
enum { ROWS_CASES = sizeof rows_cases / sizeof *rows_cases };

static const double EPS = 1e-6;

static double mean_of(const hr_array *x, int64_t row)
{
    int64_t n = hr_cols(x);
    double sum = 0;

    for (int64_t c = 0; c < n; c++)
        sum += (double)hr_at(x, row * n + c);
    return sum / (double)n;
}

static double rstd_of(const hr_array *x, int64_t row)
{
    int64_t n = hr_cols(x);
    double mean = mean_of(x, row), sum = 0;

    for (int64_t c = 0; c < n; c++)
        sum += pow((double)hr_at(x, row * n + c) - mean, 2);
    return 1 / sqrt(sum / (double)n + EPS);
}

START_TEST(layer_norm_matches_its_definition)
{
    const rows_case *s = &rows_cases[_i];
    hr_queue *q = hr_test_queue(2), *other = hr_test_queue(3);
    hr_array x = hr_random(s->type, 1, 3, 5, s->rows, s->cols, 0, 0);
    hr_array gamma = hr_random(HR_REAL, 2, -2, 2, s->cols, 0, 0, 0);
    hr_array shift = hr_random(HR_REAL, 3, -1, 1, s->cols, 0, 0, 0);
    hr_array y = hr_guarded(s->type, s->rows, s->cols, 0, 0), again = y;
    hr_array mean = hr_guarded(HR_REAL, s->rows, 0, 0, 0),
             rstd = hr_guarded(HR_REAL, s->rows, 0, 0, 0);

    again = hr_guarded(s->type, s->rows, s->cols, 0, 0);
    q->be->layer_norm(q, &y, &mean, &rstd, &x, &gamma, &shift, EPS);
    other->be->layer_norm(other, &again, &mean, &rstd, &x, &gamma, &shift, EPS);
    hr_test_sync(q);
    hr_test_sync(other);
    assert_same(&y, &again);
    for (int64_t r = 0; r < s->rows; r++) {
        double m = mean_of(&x, r), k = rstd_of(&x, r);

        assert_near(&mean, r, m, 5, 4);
        if (s->cols > 1)
            assert_near(&rstd, r, k, k, 40);
        for (int64_t c = 0; c < s->cols && s->cols > 1; c++) {
            double g = (double)hr_at(&gamma, c), b = (double)hr_at(&shift, c);

            assert_near(&y, r * s->cols + c, g * ((double)hr_at(&x, r * s->cols + c) - m) * k + b,
                        6 + 5 * k, 16);
        }
    }
    for (int64_t c = 0; c < s->cols && s->cols == 1; c++)
        ck_assert_double_eq((double)hr_at(&y, c), (double)hr_at(&shift, c));
    hr_drop(&x);
    hr_drop(&gamma);
    hr_drop(&shift);
    hr_drop(&y);
    hr_drop(&mean);
    hr_drop(&rstd);
}
END_TEST

/* Checks the gradients of one case: dx if `with_dx`, those of scale and shift if `with_sums`. */
static void check_layer_grad(const rows_case *s, bool with_dx, bool with_sums)
{
    hr_queue *q = hr_test_queue(2);
    int64_t n = s->cols;
    hr_array x = hr_random(s->type, 1, -2, 2, s->rows, n, 0, 0);
    hr_array dy = hr_random(s->type, 2, -1, 1, s->rows, n, 0, 0), y = dy;
    hr_array gamma = hr_random(HR_REAL, 3, -2, 2, n, 0, 0, 0);
    hr_array dx = hr_random(s->type, 4, -1, 1, s->rows, n, 0, 0), before = dx;
    hr_array dgamma = hr_filled(HR_REAL, 2, n, 0, 0, 0), dshift = hr_filled(HR_REAL, 3, n, 0, 0, 0);
    hr_array mean = hr_guarded(HR_REAL, s->rows, 0, 0, 0),
             rstd = hr_guarded(HR_REAL, s->rows, 0, 0, 0);

    before = hr_random(s->type, 4, -1, 1, s->rows, n, 0, 0);
    y = hr_guarded(s->type, s->rows, n, 0, 0);
    q->be->layer_norm(q, &y, &mean, &rstd, &x, &gamma, &gamma, EPS);
    q->be->layer_norm_grad(q, with_dx ? &dx : NULL, with_sums ? &dgamma : NULL,
                           with_sums ? &dshift : NULL, &dy, &x, &mean, &rstd, &gamma, s->beta);
    hr_test_sync(q);
    for (int64_t r = 0; r < s->rows; r++) {
        double m = mean_of(&x, r), k = rstd_of(&x, r), plain = 0, product = 0;

        for (int64_t c = 0; c < n; c++) {
            double d = (double)hr_at(&gamma, c) * (double)hr_at(&dy, r * n + c);

            plain += d / (double)n;
            product += d * ((double)hr_at(&x, r * n + c) - m) * k / (double)n;
        }
        for (int64_t c = 0; c < n; c++) {
            double d = (double)hr_at(&gamma, c) * (double)hr_at(&dy, r * n + c);
            double xhat = ((double)hr_at(&x, r * n + c) - m) * k,
                   old = (double)hr_at(&before, r * n + c);
            double want = with_dx ? s->beta * old + k * (d - plain - xhat * product) : old;

            assert_near(&dx, r * n + c, want, 4 + 8 * k, 16);
        }
    }
    for (int64_t c = 0; c < n; c++) {
        double sum = 3, with = 2;

        for (int64_t r = 0; r < s->rows && with_sums; r++) {
            double xhat = ((double)hr_at(&x, r * n + c) - mean_of(&x, r)) * rstd_of(&x, r);

            sum += (double)hr_at(&dy, r * n + c);
            with += (double)hr_at(&dy, r * n + c) * xhat;
        }
        assert_near(&dshift, c, sum, (double)s->rows + 3, 4);
        assert_near(&dgamma, c, with, 4 * (double)s->rows + 2, 8);
    }
    hr_drop(&x);
    hr_drop(&y);
    hr_drop(&dy);
    hr_drop(&dx);
    hr_drop(&before);
    hr_drop(&gamma);
    hr_drop(&dgamma);
    hr_drop(&dshift);
    hr_drop(&mean);
    hr_drop(&rstd);
}

START_TEST(layer_norm_grad_matches_its_definition)
{
    const rows_case *s = &rows_cases[1 + _i];

    check_layer_grad(s, true, true);
    check_layer_grad(s, true, false);
    check_layer_grad(s, false, true);
}
END_TEST

/* ---- attention ---- */

typedef struct heads_case {
    int64_t n, tokens, heads, d;
    hr_dtype type;
    double beta;
} heads_case;

static const heads_case heads_cases[] = {
    { 1, 1, 1, 1, HR_REAL, 0 },    { 2, 5, 3, 4, HR_REAL, 1 },   { 3, 50, 2, 32, HR_REAL, 0 },
    { 1, 197, 1, 64, HR_REAL, 0 }, { 2, 37, 2, 40, HR_REAL, 2 }, { 1, 33, 2, 17, HR_BF16, 0 },
    { 2, 16, 1, 8, HR_BF16, 1 },
};
enum { HEADS_CASES = sizeof heads_cases / sizeof *heads_cases };

/* an element of Q, K or V (block 0, 1, 2) */
static double of(const hr_array *qkv, const heads_case *s, int64_t n, int64_t h, int block,
                 int64_t i, int64_t c)
{
    int64_t dim = s->heads * s->d;

    return (double)hr_at(qkv, (n * s->tokens + i) * 3 * dim + block * dim + h * s->d + c);
}

static double out_of(const hr_array *y, const heads_case *s, int64_t n, int64_t h, int64_t i,
                     int64_t c)
{
    return (double)hr_at(y, ((n * s->tokens + i) * s->heads + h) * s->d + c);
}

/* p [T, T] = softmax of the scores of one head; lse [T] = log of
 * the sum of exponentials of each query */
static void softmax(double *p, double *lse, const hr_array *qkv, const heads_case *s, int64_t n,
                    int64_t h)
{
    int64_t tokens = s->tokens;

    for (int64_t i = 0; i < tokens; i++) {
        double sum = 0;

        for (int64_t j = 0; j < tokens; j++) {
            double score = 0;

            for (int64_t c = 0; c < s->d; c++)
                score += of(qkv, s, n, h, 0, i, c) * of(qkv, s, n, h, 1, j, c);
            p[i * tokens + j] = exp(score / sqrt((double)s->d));
            sum += p[i * tokens + j];
        }
        for (int64_t j = 0; j < tokens; j++)
            p[i * tokens + j] /= sum;
        lse[i] = log(sum);
    }
}

typedef struct attention_arrays {
    hr_array qkv, y, lse, dy, dqkv, before;
} attention_arrays;

static attention_arrays run_attention(const heads_case *s, int threads)
{
    hr_queue *q = hr_test_queue(threads);
    int64_t rows = s->n * s->tokens, dim = s->heads * s->d;
    attention_arrays a = { .qkv = hr_random(s->type, 1, -2, 2, rows, 3 * dim, 0, 0),
                           .y = hr_guarded(s->type, rows, dim, 0, 0),
                           .lse = hr_guarded(HR_REAL, s->n, s->heads, s->tokens, 0),
                           .dy = hr_random(s->type, 2, -1, 1, rows, dim, 0, 0),
                           .dqkv = hr_random(s->type, 3, -1, 1, rows, 3 * dim, 0, 0),
                           .before = hr_random(s->type, 3, -1, 1, rows, 3 * dim, 0, 0) };

    if (s->beta == 0)
        for (int64_t i = 0; i < hr_count(&a.dqkv); i++)
            hr_put(&a.dqkv, i, (real)NAN);
    q->be->attention(q, &a.y, &a.lse, &a.qkv);
    q->be->attention_grad(q, &a.dqkv, &a.dy, &a.y, &a.lse, &a.qkv, s->beta);
    hr_test_sync(q);
    return a;
}

static void drop_attention(attention_arrays *a)
{
    hr_drop(&a->qkv);
    hr_drop(&a->y);
    hr_drop(&a->lse);
    hr_drop(&a->dy);
    hr_drop(&a->dqkv);
    hr_drop(&a->before);
}

/* Gradient ds [T, T] of the scores of one head. Uses the rounded output y, as the kernel does. */
static void score_grad(double *ds, const double *p, const attention_arrays *a, const heads_case *s,
                       int64_t n, int64_t h)
{
    int64_t tokens = s->tokens;

    for (int64_t i = 0; i < tokens; i++)
        for (int64_t j = 0; j < tokens; j++) {
            double sum = 0;

            for (int64_t c = 0; c < s->d; c++)
                sum += out_of(&a->dy, s, n, h, i, c) *
                       (of(&a->qkv, s, n, h, 2, j, c) - out_of(&a->y, s, n, h, i, c));
            ds[i * tokens + j] = p[i * tokens + j] * sum / sqrt((double)s->d);
        }
}

static void check_head(const attention_arrays *a, const heads_case *s, int64_t n, int64_t h)
{
    int64_t tokens = s->tokens, dim = s->heads * s->d;
    double *p = malloc((size_t)(2 * tokens * tokens + tokens) * sizeof *p);
    double *ds = p + tokens * tokens, *lse = ds + tokens * tokens, size = 4 * (double)s->d;

    ck_assert_ptr_nonnull(p);
    softmax(p, lse, &a->qkv, s, n, h);
    score_grad(ds, p, a, s, n, h);
    for (int64_t i = 0; i < tokens; i++) {
        assert_near(&a->lse, (n * s->heads + h) * tokens + i, lse[i], size, 4);
        for (int64_t c = 0; c < s->d; c++) {
            int64_t row = n * tokens + i, at = row * 3 * dim + h * s->d + c;
            double y = 0, grad[3] = { 0 };

            for (int64_t j = 0; j < tokens; j++) {
                y += p[i * tokens + j] * of(&a->qkv, s, n, h, 2, j, c);
                grad[0] += ds[i * tokens + j] * of(&a->qkv, s, n, h, 1, j, c);
                grad[1] += ds[j * tokens + i] * of(&a->qkv, s, n, h, 0, j, c);
                grad[2] += p[j * tokens + i] * out_of(&a->dy, s, n, h, j, c);
            }
            assert_near(&a->y, row * dim + h * s->d + c, y, size, 8);
            for (int b = 0; b < 3; b++) {
                double before = s->beta * (double)hr_at(&a->before, at + b * dim);

                assert_near(&a->dqkv, at + b * dim, before + grad[b], 4 * size, 16);
            }
        }
    }
    free(p);
}

START_TEST(attention_and_its_gradient_match_their_definition)
{
    const heads_case *s = &heads_cases[_i];
    attention_arrays a = run_attention(s, 2), b = run_attention(s, 3);

    for (int64_t n = 0; n < s->n; n++)
        for (int64_t h = 0; h < s->heads; h++)
            check_head(&a, s, n, h);
    ck_assert_mem_eq(a.y.data, b.y.data, hr_bytes(&a.y));
    ck_assert_mem_eq(a.dqkv.data, b.dqkv.data, hr_bytes(&a.dqkv));
    drop_attention(&a);
    drop_attention(&b);
}
END_TEST

/* scores of +-1e4 */
START_TEST(attention_with_large_scores_does_not_overflow)
{
    static real qkv[] = { 100, 100, 1, 100, -100, 2 };
    hr_queue *q = hr_test_queue(1);
    hr_array x = hr_array_2(qkv, HR_REAL, 2, 3), y = hr_guarded(HR_REAL, 2, 1, 0, 0);
    hr_array lse = hr_guarded(HR_REAL, 1, 1, 2, 0);

    q->be->attention(q, &y, &lse, &x);
    hr_test_sync(q);
    ck_assert_double_eq((double)hr_at(&y, 0), 1);
    ck_assert_double_eq((double)hr_at(&lse, 1), 1e4);
    hr_drop(&y);
    hr_drop(&lse);
}
END_TEST

/* ---- blocks ---- */

START_TEST(strip_moves_rows_of_every_block)
{
    /* 2 blocks; x has 2 rows a block, y 3, one column: rows 1, 2 of
     * y <- rows 0, 1 of x + 2 rows 1, 2 of y */
    static real x[] = { 1, 2, 3, 4 }, one[] = { 7 };
    static const double want[] = { 10, 21, 22, 10, 23, 24 }, same[] = { 7, 21, 22, 7, 23, 24 };
    hr_queue *q = hr_test_queue(2);
    hr_array from = { x, HR_REAL, 3, { 2, 2, 1, 1 } }, to = hr_filled(types[_i], 10, 2, 3, 1, 0);
    hr_array all = { one, HR_REAL, 3, { 1, 1, 1, 1 } };

    q->be->strip(q, &to, &from, 1, 0, 2, 2);
    hr_test_sync(q);
    for (int i = 0; i < 6; i++)
        ck_assert_double_eq((double)hr_at(&to, i), want[i]);
    q->be->strip(q, &to, &all, 0, 0, 1, 0);
    hr_test_sync(q);
    for (int i = 0; i < 6; i++)
        ck_assert_double_eq((double)hr_at(&to, i), same[i]);
    hr_drop(&to);
}
END_TEST

START_TEST(strip_of_bf16_leaves_the_other_rows)
{
    hr_queue *q = hr_test_queue(2);
    hr_array to = hr_filled(HR_BF16, 3, 40, 50, 33, 0), from = hr_filled(HR_REAL, 5, 40, 49, 33, 0);

    q->be->strip(q, &to, &from, 1, 0, 49, 0);
    hr_test_sync(q);
    for (int64_t i = 0; i < hr_count(&to); i++)
        ck_assert_double_eq((double)hr_at(&to, i), i / 33 % 50 ? 5 : 3);
    hr_drop(&to);
    hr_drop(&from);
}
END_TEST

START_TEST(scale_blocks_gives_each_block_its_factor)
{
    enum { N = 7, LENGTH = 5003 };
    hr_queue *q = hr_test_queue(2);
    hr_dtype type = types[_i];
    hr_array k = hr_random(HR_REAL, 1, 0, 2, N, 0, 0, 0),
             x = hr_random(type, 2, -1, 1, N, LENGTH, 0, 0);
    hr_array y = hr_filled(type, NAN, N, LENGTH, 0, 0), once;

    q->be->scale_blocks(q, &y, &k, &x, 0);
    hr_test_sync(q);
    once = hr_guarded(type, N, LENGTH, 0, 0);
    memcpy(once.data, y.data, hr_bytes(&y));
    q->be->scale_blocks(q, &y, &k, &x, 0.5);
    hr_test_sync(q);
    for (int64_t i = 0; i < N * LENGTH; i++) {
        double product = (double)hr_at(&k, i / LENGTH) * (double)hr_at(&x, i);

        assert_near(&once, i, product, 2, 1);
        assert_near(&y, i, product + 0.5 * (double)hr_at(&once, i), 3, 2);
    }
    hr_drop(&once);
    hr_drop(&k);
    hr_drop(&x);
    hr_drop(&y);
}
END_TEST

static Suite *token(void)
{
    Suite *suite = suite_create("token");
    TCase *tests = tcase_create("token");

    tcase_add_loop_test(tests, gelu_is_x_times_the_normal_distribution_function, 0, TYPES);
    tcase_add_test(tests, gelu_keeps_a_nan);
    tcase_add_loop_test(tests, layer_norm_matches_its_definition, 0, ROWS_CASES);
    tcase_add_loop_test(tests, layer_norm_grad_matches_its_definition, 0, ROWS_CASES - 1);
    tcase_add_loop_test(tests, attention_and_its_gradient_match_their_definition, 0, HEADS_CASES);
    tcase_add_test(tests, attention_with_large_scores_does_not_overflow);
    tcase_add_loop_test(tests, strip_moves_rows_of_every_block, 0, TYPES);
    tcase_add_test(tests, strip_of_bf16_leaves_the_other_rows);
    tcase_add_loop_test(tests, scale_blocks_gives_each_block_its_factor, 0, TYPES);
    suite_add_tcase(suite, tests);
    return suite;
}

HR_TEST_MAIN(token)
