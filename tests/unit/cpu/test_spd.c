/* test_spd.c - the path loss: golden numbers of an independent script,
 * masked negatives, gradient by differences. */
#include <math.h>

#include "support/kernels.h"
#include "support/run.h"

enum { L = 3, D = 2, LEAVES = 4, MOST = 8, ROWS = 3 };

typedef struct spd {
    real u[L * ROWS * D], level[L][LEAVES * D], du[L * ROWS * D], loss[1];
    int32_t path[LEAVES * L], positive[ROWS], negative[ROWS * MOST];
    int64_t rows, negatives;
    double eps, divisor_eps;
} spd;

/* An example with one row: two columns, three levels with 4, 2 and 1 prototypes. Its s+ is
 * 0.964881121, its s- are 0.247572584, 0, 0.823577552 and 0.247572584; -1 masks the fourth draw,
 * which is the positive leaf. */
static spd golden(void)
{
    static const double level[L][LEAVES][D] = { { { 1, 0 }, { 0, 1 }, { -1, 0 }, { 1, 1 } },
                                                { { 1, 0.5 }, { -1, 1 } },
                                                { { 0.2, 1 } } };
    static const int32_t path[] = { 0, 0, 0, 1, 1, 0, 2, 1, 0, 3, 0, 0 };
    static const int32_t negative[] = { 1, 2, 3, -1, 1 };
    static const double u[] = { 1, 0, 1, 1, 0, 1 };
    spd s = { .rows = 1, .negatives = 5, .eps = 1e-6, .divisor_eps = 1e-6 };

    for (int l = 0; l < L; l++)
        for (int m = 0; m < LEAVES; m++)
            for (int i = 0; i < D; i++) {
                double length = hypot(level[l][m][0], level[l][m][1]);

                s.level[l][m * D + i] = (real)(length > 0 ? level[l][m][i] / length : 0);
            }
    for (int l = 0; l < L; l++)
        for (int i = 0; i < D; i++)
            s.u[l * D + i] = (real)(u[l * D + i] / hypot(u[l * D], u[l * D + 1]));
    memcpy(s.path, path, sizeof path);
    memcpy(s.negative, negative, sizeof negative);
    return s;
}

static double loss_of(void *arg)
{
    spd *s = arg;
    hr_queue *q = hr_test_queue(2);
    hr_array loss = hr_array_1(s->loss, HR_REAL, 1);
    hr_array du = { s->du, HR_REAL, 3, { L, s->rows, D, 1 } };
    hr_array u = { s->u, HR_REAL, 3, { L, s->rows, D, 1 } };
    hr_array path = hr_array_2(s->path, HR_I32, LEAVES, L), proto[L];
    hr_array positive = hr_array_1(s->positive, HR_I32, s->rows);
    hr_array negative = hr_array_2(s->negative, HR_I32, s->rows, s->negatives);

    for (int l = 0; l < L; l++)
        proto[l] = hr_array_2(s->level[l], HR_REAL, l == 0 ? 4 : l == 1 ? 2 : 1, D);
    q->be->spd(q, &loss, &du, &u, proto, &path, &positive, &negative, s->eps, s->divisor_eps);
    hr_test_sync(q);
    return (double)s->loss[0];
}

/* golden() with three rows of other directions; row 1 has no leaf */
static spd three_rows(void)
{
    static const int32_t negative[ROWS][5] = { { 1, 2, 3, -1, 1 },
                                               { 0, 0, 0, 0, 0 },
                                               { 0, 2, -1, -1, 3 } };
    spd s = golden();

    s.rows = ROWS;
    for (int i = 0; i < L * ROWS; i++) {
        double angle = 0.15 * i + 0.2;

        s.u[i * D] = (real)cos(angle);
        s.u[i * D + 1] = (real)sin(angle);
    }
    memcpy(s.negative, negative, sizeof negative);
    s.positive[0] = 0;
    s.positive[1] = -1;
    s.positive[2] = 1;
    return s;
}

START_TEST(spd_has_the_golden_value)
{
    spd s = golden();
    double bound = sizeof(real) == 8 ? 1e-8 : 1e-6;

    /* l+ = 0.035749340, l- = 0.575941369; profile reference
     * weights their sum by 0.5: 0.305845354 */
    ck_assert_double_eq_tol(loss_of(&s) / 2, 0.305845354, bound);
    s.negatives = 0;
    ck_assert_double_eq_tol(loss_of(&s), 0.035749340, bound);
}
END_TEST

START_TEST(spd_without_eps_is_the_papers_formula)
{
    /* -log s+ - mean log(1 - s-), with the s+ and s- of golden() */
    spd s = golden();
    double minus = -(2 * log(1 - .247572584) + log(1 - .823577552)) / 4;

    s.eps = s.divisor_eps = 0;
    ck_assert_double_eq_tol(loss_of(&s), -log(.964881121) + minus, 1e-6);
}
END_TEST

START_TEST(spd_of_orthogonal_directions_has_its_closed_form)
{
    spd s = golden();

    for (int l = 0; l < L; l++) /* every factor is 1/2, so s+ = s- = 1/8 */
        for (int m = 0; m < LEAVES; m++) {
            s.level[l][m * D] = 1;
            s.level[l][m * D + 1] = 0;
            s.u[l * D] = 0;
            s.u[l * D + 1] = 1;
        }
    s.eps = s.divisor_eps = 0;
    ck_assert_double_eq_tol(loss_of(&s), log(8) - log(7. / 8), 1e-6);
}
END_TEST

START_TEST(spd_averages_over_rows_with_a_leaf)
{
    spd all = three_rows(), one = three_rows();
    double sum = 0;

    for (int n = 0; n < ROWS; n += 2) {
        spd s = golden();

        for (int l = 0; l < L; l++)
            memcpy(&s.u[l * D], &all.u[(l * ROWS + n) * D], D * sizeof(real));
        memcpy(s.negative, &all.negative[n * 5], 5 * sizeof(int32_t));
        s.positive[0] = all.positive[n];
        sum += loss_of(&s);
    }
    ck_assert_double_eq_tol(loss_of(&all), sum / 2, 1e-6);
    for (int l = 0; l < L; l++)
        ck_assert(all.du[(l * ROWS + 1) * D] == 0 && all.du[(l * ROWS + 1) * D + 1] == 0);
    one.positive[0] = one.positive[2] = -1;
    ck_assert_double_eq(loss_of(&one), 0);
    for (int i = 0; i < L * ROWS * D; i++)
        ck_assert(one.du[i] == 0);
}
END_TEST

START_TEST(spd_of_a_row_without_negatives_is_its_positive_part)
{
    spd s = golden();

    for (int k = 0; k < 5; k++)
        s.negative[k] = -1;
    s.divisor_eps = 0;
    ck_assert_double_eq_tol(loss_of(&s), 0.035749340, 1e-6);
    for (int i = 0; i < L * D; i++)
        ck_assert(isfinite((double)s.du[i]));
}
END_TEST

START_TEST(spd_gradient_agrees_with_differences)
{
    double h = sizeof(real) == 8 ? 1e-6 : 1e-2, bound = sizeof(real) == 8 ? 1e-8 : 5e-3;
    spd s = three_rows();
    real du[L * ROWS * D];

    loss_of(&s);
    memcpy(du, s.du, sizeof du);
    for (int i = 0; i < L * ROWS * D; i++) {
        real before = s.u[i];
        double up, down;

        s.u[i] = before + (real)h;
        up = loss_of(&s);
        s.u[i] = before - (real)h;
        down = loss_of(&s);
        s.u[i] = before;
        ck_assert_double_eq_tol((double)du[i], (up - down) / (2 * h), bound);
    }
}
END_TEST

START_TEST(spd_gradient_is_right_where_a_factor_is_zero)
{
    /* For leaf 2 and u^1 = (1,0) the factor f_1 is 0, but d s / d u^1 = f_2 f_3 / 2 c^1 is not. */
    double h = sizeof(real) == 8 ? 1e-6 : 1e-2;
    spd s = golden();
    double up, down;
    real got;

    loss_of(&s);
    got = s.du[0];
    s.u[0] += (real)h;
    up = loss_of(&s);
    s.u[0] -= (real)(2 * h);
    down = loss_of(&s);
    ck_assert_double_eq_tol((double)got, (up - down) / (2 * h), sizeof(real) == 8 ? 1e-8 : 5e-3);
    ck_assert(fabs((double)got) > 0.01);
}
END_TEST

HR_TESTS("spd", spd_has_the_golden_value, spd_without_eps_is_the_papers_formula,
         spd_of_orthogonal_directions_has_its_closed_form, spd_averages_over_rows_with_a_leaf,
         spd_of_a_row_without_negatives_is_its_positive_part, spd_gradient_agrees_with_differences,
         spd_gradient_is_right_where_a_factor_is_zero)
