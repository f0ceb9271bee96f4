/* test_conv_norm.c - hr_conv_norm against hr_conv followed by hr_batch_norm: equal to the bit. */
#include <check.h>
#include <math.h>
#include <string.h>

#include "support/close.h"
#include "support/fill.h"
#include "support/run.h"
#include "support/tape.h"

enum { N = 4, SIDE = 6, IN = 3, OUT = 5, NUMBERS = 2048 };

static hr_test_tape here;

/* the operand `add` of a case */
enum { NOTHING, WRITTEN, PENDING, PENDING_SUM, INPUT };

static const struct {
    int groups, kernel, stride, pad, add;
    bool relu, affine, low; /* low: bf16 */
} cases[] = {
    { 1, 3, 1, 1, NOTHING, true, true, false },  { 2, 3, 2, 0, WRITTEN, true, true, false },
    { 2, 1, 1, 0, PENDING, false, true, false }, { 4, 3, 1, 1, PENDING_SUM, true, true, false },
    { 1, 3, 1, 1, INPUT, true, false, false },   { 2, 3, 2, 1, PENDING, true, true, true },
};
enum { CASES = sizeof cases / sizeof *cases };

/* all results of one forward and backward pass, in order */
typedef struct results {
    double number[NUMBERS];
    int64_t count;
} results;

/* appends x, which must not be 0 everywhere */
static void keep(results *r, const hr_array *x)
{
    double size = 0;

    ck_assert_int_le(r->count + hr_count(x), NUMBERS);
    hr_test_read(r->number + r->count, &here, x);
    for (int64_t k = r->count; k < r->count + hr_count(x); k++)
        size += fabs(r->number[k]);
    ck_assert(size > 0);
    r->count += hr_count(x);
}

/* a tensor of the activation type (real: of type real) with a gradient of type real */
static hr_tensor *leaf(bool real_value, int rank, const int64_t *dim, uint32_t seed)
{
    static real value[NUMBERS];
    hr_array x = hr_tape_array(&here.t, real_value ? HR_REAL : here.t.type, rank, dim);
    hr_array g = hr_tape_array(&here.t, HR_REAL, rank, dim);

    hr_fill_uniform(value, hr_count(&x), seed, -1, 1);
    here.q->be->upload(here.q, &x, value, HR_REAL);
    here.q->be->fill(here.q, &g, 0);
    return hr_wrap(&here.t, &x, &g);
}

typedef struct block {
    hr_norm_slot slot;
    hr_norm norm;
    hr_tensor *x, *w, *add;
    hr_tensor *first; /* the leaf from which add was made; NULL: none, or x */
} block;

/* makes that operand, with shape dim; NULL for NOTHING */
static hr_tensor *operand(block *b, int form, const int64_t *dim)
{
    hr_norm plain = { .eps = 1e-5, .groups = 1, .mean = b->norm.mean, .var = b->norm.var };

    if (form == NOTHING)
        return NULL;
    if (form == INPUT)
        return b->x;
    b->first = leaf(false, 4, dim, 5);
    if (form == WRITTEN)
        return b->first;
    return hr_batch_norm(&here.t, b->first, &plain, form == PENDING_SUM ? b->first : NULL, true);
}

static void make(block *b, int i)
{
    hr_geometry geo = { cases[i].kernel, cases[i].stride, cases[i].pad };
    int64_t k = cases[i].kernel, side = hr_window_count(SIDE, geo);
    int64_t out = cases[i].add == INPUT ? IN : OUT;

    memset(b, 0, sizeof *b);
    b->x = leaf(false, 4, HR_DIM(N, SIDE, SIDE, IN), 1);
    b->w = leaf(false, 4, HR_DIM(out, k, k, IN), 2);
    b->norm = (hr_norm){ .eps = 1e-5, .keep = 0.9, .groups = cases[i].groups };
    b->norm.mean = leaf(true, 1, HR_DIM(out), 6)->x;
    b->norm.var = hr_tape_array_1(&here.t, HR_REAL, out);
    here.q->be->fill(here.q, &b->norm.var, 2);
    b->norm.slot = &b->slot;
    if (cases[i].affine) {
        b->norm.gamma = leaf(true, 1, HR_DIM(out), 3);
        b->norm.beta = leaf(true, 1, HR_DIM(out), 4);
    }
    b->add = operand(b, cases[i].add, HR_DIM(N, side, side, out));
}

static hr_tensor *run(block *b, int i, bool one_operation)
{
    hr_geometry geo = { cases[i].kernel, cases[i].stride, cases[i].pad };
    hr_tape *t = &here.t;
    hr_tensor *y;

    if (one_operation)
        return hr_conv_norm(t, b->x, b->w, geo, &b->norm, b->add, cases[i].relu);
    y = hr_conv(t, b->x, b->w, geo.stride, geo.pad);
    return hr_batch_norm(t, y, &b->norm, b->add, cases[i].relu);
}

/* values, gradients and running statistics of a step */
static void train(results *r, int i, bool one_operation)
{
    hr_tensor *v, *loss;
    hr_array label;
    block b;

    hr_test_tape_init(&here);
    here.t.type = cases[i].low ? HR_BF16 : HR_REAL;
    make(&b, i);
    v = run(&b, i, one_operation);
    ck_assert_ptr_null(v->x.data);
    label = hr_test_i32(&here, 1, HR_DIM(N), (int32_t[]){ 0, 2, 1, 0 });
    loss = hr_cross_entropy(&here.t, hr_mean_pool(&here.t, v), &label);
    keep(r, &hr_write(&here.t, v)->x);
    hr_assert_ok(hr_tape_backward(&here.t, loss));
    hr_tape_commit(&here.t);
    keep(r, &b.x->g);
    keep(r, &b.w->g);
    if (cases[i].affine) {
        keep(r, &b.norm.gamma->g);
        keep(r, &b.norm.beta->g);
    }
    if (b.first)
        keep(r, &b.first->g);
    keep(r, &b.norm.mean);
    keep(r, &b.norm.var);
    hr_test_tape_done(&here);
}

START_TEST(a_step_equals_that_of_two_operations)
{
    static results two, one;

    two.count = one.count = 0;
    train(&two, _i, false);
    train(&one, _i, true);
    ck_assert_int_eq(one.count, two.count);
    ck_assert_mem_eq(one.number, two.number, (size_t)one.count * sizeof *one.number);
}
END_TEST

START_TEST(evaluation_equals_that_of_two_operations)
{
    static results two, one;
    block b;

    two.count = one.count = 0;
    for (int which = 0; which < 2; which++) {
        hr_test_tape_init(&here);
        here.t.training = false;
        make(&b, _i);
        keep(which ? &one : &two, &hr_write(&here.t, run(&b, _i, which))->x);
        hr_test_tape_done(&here);
    }
    ck_assert_int_eq(one.count, two.count);
    ck_assert_mem_eq(one.number, two.number, (size_t)one.count * sizeof *one.number);
}
END_TEST

START_TEST(there_is_no_gradient_in_evaluation)
{
    hr_array label;
    hr_tensor *v;
    block b;

    hr_test_tape_init(&here);
    here.t.training = false;
    make(&b, 0);
    label = hr_test_i32(&here, 1, HR_DIM(N), (int32_t[]){ 0, 2, 1, 0 });
    v = hr_mean_pool(&here.t, run(&b, 0, true));
    hr_assert_fails(hr_tape_backward(&here.t, hr_cross_entropy(&here.t, v, &label)),
                    HIRL_E_UNSUPPORTED, "conv_norm: there is no gradient in evaluation");
    hr_test_tape_done(&here);
}
END_TEST

START_TEST(shapes_that_do_not_fit_are_refused)
{
    block b;

    hr_test_tape_init(&here);
    make(&b, 0);
    b.norm.groups = 3;
    run(&b, 0, true);
    hr_assert_fails(hr_tape_status(&here.t), HIRL_E_INVALID, "3 equal groups");
    hr_tape_reset(&here.t);
    make(&b, 0);
    b.add = b.x;
    run(&b, 0, true);
    hr_assert_fails(hr_tape_status(&here.t), HIRL_E_INVALID, "cannot be added to shape [4,6,6,5]");
    hr_tape_reset(&here.t);
    make(&b, 0);
    b.w = leaf(false, 4, HR_DIM(OUT, 3, 3, IN + 1), 2);
    run(&b, 0, true);
    hr_assert_fails(hr_tape_status(&here.t), HIRL_E_INVALID, "conv: input is [4,6,6,3]");
    hr_test_tape_done(&here);
}
END_TEST

/* In evaluation scale and shift do not depend on the convolution: its output itself is checked. */
START_TEST(check_finds_a_convolution_that_is_not_finite)
{
    double large = sizeof(real) == sizeof(float) ? 1e38 : 1e308;

    for (int training = 0; training < 2; training++) {
        block b;

        hr_test_tape_init(&here);
        here.t.training = training;
        here.t.check = true;
        make(&b, 0);
        b.w->name = "conv1.weight";
        here.q->be->fill(here.q, &b.w->x, large);
        here.q->be->fill(here.q, &b.x->x, 1);
        run(&b, 0, true);
        hr_tape_next(&here.t);
        hr_assert_fails(hr_tape_status(&here.t), HIRL_E_NONFINITE,
                        "conv_norm of conv1.weight (operation 1): output [4,6,6,5]");
        hr_test_tape_done(&here);
    }
}
END_TEST

static Suite *conv_norm(void)
{
    Suite *suite = suite_create("tape-conv-norm");
    TCase *tests = tcase_create("conv_norm");

    tcase_add_loop_test(tests, a_step_equals_that_of_two_operations, 0, CASES);
    tcase_add_loop_test(tests, evaluation_equals_that_of_two_operations, 0, CASES);
    tcase_add_test(tests, there_is_no_gradient_in_evaluation);
    tcase_add_test(tests, shapes_that_do_not_fit_are_refused);
    tcase_add_test(tests, check_finds_a_convolution_that_is_not_finite);
    suite_add_tcase(suite, tests);
    return suite;
}

HR_TEST_MAIN(conv_norm)
