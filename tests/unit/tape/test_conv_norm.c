/* test_conv_norm.c - a convolution and a batch norm in one operation equal the two in a row, to the bit: values,
 * gradients and running statistics, in training and in evaluation. */
#include <check.h>
#include <math.h>
#include <string.h>

#include "support/fill.h"
#include "support/run.h"
#include "support/tape.h"

enum { N = 4, SIDE = 5, IN = 3, OUT = 6, KERNEL = 3, MOST = 600, ARRAYS = 7 };

typedef struct variant {
    int stride, pad;
    int64_t groups;
    bool add, relu, training;
} variant;

static const variant variants[] = {
    { 1, 1, 1, false, true, true }, { 2, 1, 2, false, false, true }, { 1, 1, 2, true, true, true },
    { 2, 0, 2, true, false, true }, { 1, 1, 1, true, true, false },
};

static hr_test_tape here;

/* results of one run: value, gradients of x, w, gamma, beta, and running mean and variance */
typedef struct outcome {
    real value[ARRAYS][MOST];
    int64_t count[ARRAYS];
} outcome;

static hr_tensor *filled(int rank, const int64_t *dim, uint32_t which)
{
    static real value[MOST];
    hr_array x = hr_tape_array(&here.t, HR_REAL, rank, dim);
    hr_array g = hr_tape_array(&here.t, HR_REAL, rank, dim);

    ck_assert_int_le(hr_count(&x), MOST);
    hr_fill_uniform(value, hr_count(&x), which, -1, 1);
    here.q->be->upload(here.q, &x, value, HR_REAL);
    here.q->be->fill(here.q, &g, 0);
    return hr_wrap(&here.t, &x, &g);
}

static void keep(outcome *o, int i, const hr_array *x)
{
    o->count[i] = hr_count(x);
    here.q->be->download(here.q, o->value[i], HR_REAL, x);
}

static hr_tensor *apply(const variant *v, hr_tensor *x, hr_tensor *w, const hr_norm *norm,
                        hr_tensor *add, bool fused)
{
    hr_geometry geo = { KERNEL, v->stride, v->pad };

    if (fused)
        return hr_conv_norm(&here.t, x, w, geo, norm, add, v->relu);
    return hr_batch_norm(&here.t, hr_conv(&here.t, x, w, v->stride, v->pad), norm, add, v->relu);
}

static void run(outcome *o, const variant *v, bool fused)
{
    hr_geometry geo = { KERNEL, v->stride, v->pad };
    int64_t side = hr_window_count(SIDE, geo);
    real mean[OUT] = { 0 }, var[OUT];
    hr_norm_slot slot = { 0 };
    hr_norm norm = { .eps = 1e-5, .keep = 0.9, .groups = v->groups, .slot = &slot };
    hr_tensor *x, *w, *add = NULL, *y;

    memset(o, 0, sizeof *o);
    for (int i = 0; i < OUT; i++)
        var[i] = 1;
    hr_test_tape_init(&here);
    here.t.training = v->training;
    norm.mean = hr_array_1(mean, HR_REAL, OUT);
    norm.var = hr_array_1(var, HR_REAL, OUT);
    x = filled(4, HR_DIM(N, SIDE, SIDE, IN), 1);
    w = filled(4, HR_DIM(OUT, KERNEL, KERNEL, IN), 2);
    norm.gamma = filled(1, HR_DIM(OUT), 3);
    norm.beta = filled(1, HR_DIM(OUT), 4);
    if (v->add)
        add = filled(4, HR_DIM(N, side, side, OUT), 5);
    y = hr_write(&here.t, apply(v, x, w, &norm, add, fused));
    keep(o, 0, &y->x);
    if (v->training) {
        hr_tensor *weight = filled(2, HR_DIM(N, OUT), 6);
        hr_tensor *dot = hr_row_dot(&here.t, hr_mean_pool(&here.t, y), weight);

        hr_assert_ok(hr_tape_backward(&here.t, hr_mean(&here.t, dot)));
        hr_tape_commit(&here.t);
    }
    keep(o, 1, &x->g);
    keep(o, 2, &w->g);
    keep(o, 3, &norm.gamma->g);
    keep(o, 4, &norm.beta->g);
    keep(o, 5, &norm.mean);
    keep(o, 6, &norm.var);
    hr_assert_ok(here.q->be->sync(here.q));
    hr_test_tape_done(&here);
}

/* sum of absolute values: the comparison is not of zeros */
static double size_of(const outcome *o, int i)
{
    double sum = 0;

    for (int64_t k = 0; k < o->count[i]; k++)
        sum += fabs((double)o->value[i][k]);
    return sum;
}

START_TEST(the_operation_equals_convolution_and_norm_in_a_row)
{
    static outcome apart, fused;

    run(&apart, &variants[_i], false);
    run(&fused, &variants[_i], true);
    for (int i = 0; i < ARRAYS; i++) {
        ck_assert_int_eq(fused.count[i], apart.count[i]);
        ck_assert_msg(
            !memcmp(fused.value[i], apart.value[i], (size_t)apart.count[i] * sizeof(real)),
            "array %d differs", i);
    }
    if (variants[_i].training)
        ck_assert(size_of(&apart, 2) > 0.01 && size_of(&apart, 5) > 0.001);
}
END_TEST

START_TEST(shapes_that_do_not_fit_are_refused)
{
    hr_norm norm = { .eps = 1e-5, .groups = 1 };
    hr_geometry wide = { KERNEL, 1, 0 };
    hr_tensor *x, *w;

    hr_test_tape_init(&here);
    x = filled(4, HR_DIM(N, 2, 2, IN), 1);
    w = filled(4, HR_DIM(OUT, KERNEL, KERNEL, IN), 2);
    hr_conv_norm(&here.t, x, w, wide, &norm, NULL, false);
    hr_assert_fails(hr_tape_status(&here.t), HIRL_E_INVALID, "window");
    hr_tape_reset(&here.t);
    x = filled(4, HR_DIM(N, SIDE, SIDE, IN), 1);
    w = filled(4, HR_DIM(OUT, KERNEL, KERNEL, IN), 2);
    norm.groups = 3;
    hr_conv_norm(&here.t, x, w, wide, &norm, NULL, false);
    hr_assert_fails(hr_tape_status(&here.t), HIRL_E_INVALID, "groups");
    hr_test_tape_done(&here);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("conv_norm");
    TCase *tests = tcase_create("conv_norm");

    tcase_add_loop_test(tests, the_operation_equals_convolution_and_norm_in_a_row, 0,
                        sizeof variants / sizeof *variants);
    tcase_add_test(tests, shapes_that_do_not_fit_are_refused);
    suite_add_tcase(suite, tests);
    return suite;
}

HR_TEST_MAIN(make_suite)
