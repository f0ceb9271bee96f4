/* test_ops.c - operations: values worked out by hand, and refused shapes. */
#include <check.h>
#include <math.h>

#include "support/fill.h"
#include "support/run.h"
#include "support/tape.h"

static hr_test_tape here;

/* ---- arithmetic, linear ---- */

/* the same operation again after the factor has changed on the device, as from step to step */
START_TEST(scale_by_reads_its_factor_on_the_device)
{
    hr_tensor *x, *y;
    hr_array k;

    hr_test_tape_init(&here);
    k = hr_test_array(&here, 1, HR_DIM(1), (double[]){ 3 });
    x = hr_test_leaf(&here, 2, HR_DIM(2, 2), (double[]){ 1, -2, 0, 5 });
    y = hr_scale_by(&here.t, x, &k);
    hr_assert_values(&here, &y->x, 4, 3, -6, 0, 15);
    hr_assert_ok(hr_tape_backward(&here.t, hr_mean(&here.t, y)));
    hr_assert_values(&here, &x->g, 4, 0.75, 0.75, 0.75, 0.75);
    here.q->be->fill(here.q, &k, -0.5);
    hr_assert_values(&here, &hr_scale_by(&here.t, x, &k)->x, 4, -0.5, 1, 0, -2.5);
    hr_test_tape_done(&here);
}
END_TEST

START_TEST(linear_is_x_times_w_transposed_plus_b)
{
    hr_tensor *x, *w, *b, *y;

    hr_test_tape_init(&here);
    x = hr_test_leaf(&here, 2, HR_DIM(2, 2), (double[]){ 1, 2, 3, 4 });
    w = hr_test_leaf(&here, 2, HR_DIM(3, 2), (double[]){ 1, 0, 0, 1, 1, -1 });
    b = hr_test_leaf(&here, 1, HR_DIM(3), (double[]){ 10, 20, 30 });
    y = hr_linear(&here.t, x, w, b);
    hr_assert_values(&here, &y->x, 6, 11, 22, 29, 13, 24, 29);
    hr_test_tape_done(&here);
}
END_TEST

START_TEST(linear_names_the_shapes_it_refuses)
{
    hr_tensor *x, *w;

    hr_test_tape_init(&here);
    x = hr_test_leaf(&here, 2, HR_DIM(1, 2), (double[]){ 1, 2 });
    w = hr_test_leaf(&here, 2, HR_DIM(1, 3), (double[]){ 1, 2, 3 });
    hr_linear(&here.t, x, w, NULL);
    hr_assert_fails(hr_tape_status(&here.t), HIRL_E_INVALID, "input is [1,2], weight [1,3]");
    hr_test_tape_done(&here);
}
END_TEST

START_TEST(relu_keeps_positive_numbers)
{
    hr_tensor *x, *y;

    hr_test_tape_init(&here);
    x = hr_test_leaf(&here, 1, HR_DIM(3), (double[]){ -1, 0, 2 });
    y = hr_relu(&here.t, x);
    hr_assert_values(&here, &y->x, 3, 0, 0, 2);
    hr_test_tape_done(&here);
}
END_TEST

/* ---- convolution, pooling ---- */

/* 3x3 image 1..9, window of ones: padding 1 and stride 1 sum each
 * neighbourhood; stride 2 keeps its corners. */
START_TEST(conv_of_ones_sums_the_window)
{
    static const double one[9] = { 1, 1, 1, 1, 1, 1, 1, 1, 1 };
    hr_tensor *x, *w;

    hr_test_tape_init(&here);
    x = hr_test_leaf(&here, 4, HR_DIM(1, 3, 3, 1), (double[]){ 1, 2, 3, 4, 5, 6, 7, 8, 9 });
    w = hr_test_leaf(&here, 4, HR_DIM(1, 3, 3, 1), one);
    hr_assert_values(&here, &hr_conv(&here.t, x, w, 1, 1)->x, 9, 12, 21, 16, 27, 45, 33, 24, 39,
                     28);
    hr_assert_values(&here, &hr_conv(&here.t, x, w, 2, 1)->x, 4, 12, 16, 24, 28);
    hr_assert_values(&here, &hr_conv(&here.t, x, w, 1, 0)->x, 1, 45);
    hr_test_tape_done(&here);
}
END_TEST

/* The only 1 of the window is at row 0, column 2, input channel 1,
 * so the output is that channel shifted. */
START_TEST(conv_does_not_flip_its_window)
{
    double w[2 * 9] = { 0 };
    hr_tensor *x, *weight;

    hr_test_tape_init(&here);
    w[2 * 2 + 1] = 1;
    x = hr_test_leaf(&here, 4, HR_DIM(1, 2, 2, 2), (double[]){ 1, 10, 2, 20, 3, 30, 4, 40 });
    weight = hr_test_leaf(&here, 4, HR_DIM(1, 3, 3, 2), w);
    hr_assert_values(&here, &hr_conv(&here.t, x, weight, 1, 1)->x, 4, 0, 0, 20, 0);
    hr_test_tape_done(&here);
}
END_TEST

/* All numbers are negative: a window that reaches into the padding must not give 0. */
START_TEST(max_pool_takes_the_largest_and_ignores_the_padding)
{
    hr_tensor *x, *y;

    hr_test_tape_init(&here);
    x = hr_test_leaf(&here, 4, HR_DIM(1, 2, 3, 1), (double[]){ -1, -5, -3, -4, -2, -6 });
    hr_assert_values(&here, &hr_max_pool(&here.t, x, 2, 1, 0)->x, 2, -1, -2);
    y = hr_max_pool(&here.t, x, 3, 2, 1);
    hr_assert_values(&here, &y->x, 2, -1, -2);
    hr_test_tape_done(&here);
}
END_TEST

START_TEST(max_pool_gives_the_gradient_to_the_first_maximum)
{
    hr_tape *t = &here.t;
    hr_tensor *x, *one, *y;

    hr_test_tape_init(&here);
    x = hr_test_leaf(&here, 4, HR_DIM(1, 2, 2, 1), (double[]){ 1, 7, 3, 7 });
    one = hr_test_constant(&here, 4, HR_DIM(1, 1, 1, 1), (double[]){ 0 });
    y = hr_add(t, hr_max_pool(t, x, 2, 2, 0), one);
    hr_assert_ok(hr_tape_backward(t, y));
    hr_assert_values(&here, &x->g, 4, 0, 1, 0, 0);
    hr_test_tape_done(&here);
}
END_TEST

START_TEST(mean_pool_is_the_mean_over_positions)
{
    hr_tensor *x;

    hr_test_tape_init(&here);
    x = hr_test_leaf(&here, 4, HR_DIM(1, 2, 2, 2), (double[]){ 1, 10, 2, 20, 3, 30, 6, 60 });
    hr_assert_values(&here, &hr_mean_pool(&here.t, x)->x, 2, 3, 30);
    hr_test_tape_done(&here);
}
END_TEST

/* ---- batch norm ---- */

static hr_norm norm_of(hr_tensor *gamma, hr_tensor *beta, int64_t groups)
{
    static hr_norm_slot slot; /* slot of the one norm of each test */
    hr_norm norm = { .gamma = gamma, .beta = beta, .groups = groups, .keep = 0.9, .slot = &slot };

    slot = (hr_norm_slot){ 0 };
    norm.mean = hr_test_array(&here, 1, HR_DIM(1), (double[]){ 0 });
    norm.var = hr_test_array(&here, 1, HR_DIM(1), (double[]){ 1 });
    return norm;
}

/* (1, 3) has mean 2 and variance 1 and becomes (-1, 1), times 2 plus 10. Running statistics: 0.9 0
 * + 0.1 2 and 0.9 1 + 0.1 2 (the unbiased variance). */
START_TEST(batch_norm_updates_its_running_statistics_at_commit_only)
{
    hr_tensor *x, *gamma, *beta, *y;
    hr_norm norm;

    hr_test_tape_init(&here);
    x = hr_test_leaf(&here, 2, HR_DIM(2, 1), (double[]){ 1, 3 });
    gamma = hr_test_leaf(&here, 1, HR_DIM(1), (double[]){ 2 });
    beta = hr_test_leaf(&here, 1, HR_DIM(1), (double[]){ 10 });
    norm = norm_of(gamma, beta, 1);
    y = hr_write(&here.t, hr_batch_norm(&here.t, x, &norm, NULL, false));
    hr_assert_values(&here, &y->x, 2, 8, 12);
    hr_assert_values(&here, &norm.mean, 1, 0);
    hr_tape_commit(&here.t);
    hr_assert_values(&here, &norm.mean, 1, 0.2);
    hr_assert_values(&here, &norm.var, 1, 1.1);
    hr_test_tape_done(&here);
}
END_TEST

/* Groups (1, 3) and (10, 14) each become (-1, 1). The mean of the means is 7,
 * of the unbiased variances (2 + 8) / 2. */
START_TEST(running_statistics_take_the_mean_over_groups)
{
    hr_tensor *x, *y;
    hr_norm norm;

    hr_test_tape_init(&here);
    x = hr_test_leaf(&here, 2, HR_DIM(4, 1), (double[]){ 1, 3, 10, 14 });
    norm = norm_of(NULL, NULL, 2);
    y = hr_write(&here.t, hr_batch_norm(&here.t, x, &norm, NULL, false));
    hr_assert_values(&here, &y->x, 4, -1, 1, -1, 1);
    hr_tape_commit(&here.t);
    hr_assert_values(&here, &norm.mean, 1, 0.7);
    hr_assert_values(&here, &norm.var, 1, 1.4);
    hr_test_tape_done(&here);
}
END_TEST

/* running_groups = 1: only the group (1, 3) counts */
START_TEST(running_statistics_can_follow_the_first_group_alone)
{
    hr_tensor *x;
    hr_norm norm;

    hr_test_tape_init(&here);
    x = hr_test_leaf(&here, 2, HR_DIM(4, 1), (double[]){ 1, 3, 10, 14 });
    norm = norm_of(NULL, NULL, 2);
    norm.running_groups = 1;
    hr_batch_norm(&here.t, x, &norm, NULL, false);
    hr_tape_commit(&here.t);
    hr_assert_values(&here, &norm.mean, 1, 0.2);
    hr_assert_values(&here, &norm.var, 1, 1.1);
    hr_test_tape_done(&here);
}
END_TEST

/* relu(xhat + add): xhat (-1, 1), add (0.5, 0.5) -> (0, 1.5) */
START_TEST(batch_norm_adds_before_the_relu)
{
    hr_tensor *x, *add, *y;
    hr_norm norm;

    hr_test_tape_init(&here);
    x = hr_test_leaf(&here, 2, HR_DIM(2, 1), (double[]){ 1, 3 });
    add = hr_test_leaf(&here, 2, HR_DIM(2, 1), (double[]){ 0.5, 0.5 });
    norm = norm_of(NULL, NULL, 1);
    y = hr_write(&here.t, hr_batch_norm(&here.t, x, &norm, add, true));
    hr_assert_values(&here, &y->x, 2, 0, 1.5);
    hr_test_tape_done(&here);
}
END_TEST

/* y = (x - 0) / sqrt(1) * 2 + 10; the backward pass is not supported */
START_TEST(batch_norm_in_evaluation_uses_running_statistics)
{
    hr_tensor *x, *gamma, *beta, *y;
    hr_array label;
    hr_norm norm;

    hr_test_tape_init(&here);
    here.t.training = false;
    x = hr_test_leaf(&here, 2, HR_DIM(2, 1), (double[]){ 1, 3 });
    gamma = hr_test_leaf(&here, 1, HR_DIM(1), (double[]){ 2 });
    beta = hr_test_leaf(&here, 1, HR_DIM(1), (double[]){ 10 });
    norm = norm_of(gamma, beta, 7);
    y = hr_write(&here.t, hr_batch_norm(&here.t, x, &norm, NULL, false));
    hr_assert_values(&here, &y->x, 2, 12, 16);
    label = hr_test_i32(&here, 1, HR_DIM(2), (int32_t[]){ 0, 0 });
    hr_assert_fails(hr_tape_backward(&here.t, hr_cross_entropy(&here.t, y, &label)),
                    HIRL_E_UNSUPPORTED, "evaluation");
    hr_tape_commit(&here.t);
    hr_assert_values(&here, &norm.mean, 1, 0);
    hr_test_tape_done(&here);
}
END_TEST

START_TEST(batch_norm_refuses_groups_that_do_not_divide_the_batch)
{
    hr_tensor *x;
    hr_norm norm;

    hr_test_tape_init(&here);
    x = hr_test_leaf(&here, 2, HR_DIM(4, 1), (double[]){ 1, 3, 10, 14 });
    norm = norm_of(NULL, NULL, 3);
    hr_batch_norm(&here.t, x, &norm, NULL, false);
    hr_assert_fails(hr_tape_status(&here.t), HIRL_E_INVALID, "3 equal groups");
    hr_tape_reset(&here.t);
    x = hr_test_leaf(&here, 2, HR_DIM(4, 1), (double[]){ 1, 3, 10, 14 });
    norm = norm_of(NULL, NULL, 4); /* one value has no variance */
    hr_batch_norm(&here.t, x, &norm, NULL, false);
    hr_assert_fails(hr_tape_status(&here.t), HIRL_E_INVALID, "two values");
    hr_test_tape_done(&here);
}
END_TEST

START_TEST(a_pending_feature_map_is_written_once)
{
    hr_tensor *x, *y;
    hr_norm norm;

    hr_test_tape_init(&here);
    x = hr_test_leaf(&here, 2, HR_DIM(2, 1), (double[]){ 1, 3 });
    norm = norm_of(NULL, NULL, 1);
    y = hr_batch_norm(&here.t, x, &norm, NULL, false);
    ck_assert_ptr_null(y->x.data);
    ck_assert_ptr_eq(hr_write(&here.t, y), hr_write(&here.t, y));
    ck_assert_ptr_eq(hr_write(&here.t, x), x);
    hr_test_tape_done(&here);
}
END_TEST

/* ---- activation types ---- */

enum { STEM = 8 * 9 * 3, BLOCK = 8 * 9 * 8, HEAD = 5 * 8 };

typedef struct small_run {
    double loss, stem[STEM], block[BLOCK], head[HEAD];
} small_run;

/* a weight in the activation type whose gradient is real */
static hr_tensor *weight(const int64_t *dim, int rank, uint32_t which, hr_array *grad)
{
    static real value[BLOCK];
    hr_array x = hr_tape_array(&here.t, here.t.type, rank, dim);

    *grad = hr_tape_array(&here.t, HR_REAL, rank, dim);
    hr_fill_uniform(value, hr_count(&x), which, -0.3, 0.3);
    here.q->be->upload(here.q, &x, value, HR_REAL);
    here.q->be->fill(here.q, grad, 0);
    return hr_wrap(&here.t, &x, grad);
}

static small_run train_in(hr_dtype type)
{
    static real pixel[4 * 8 * 8 * 3];
    hr_tape *t = &here.t;
    hr_norm norm = { .eps = 1e-5, .groups = 2 };
    hr_array image, label, g[3];
    hr_tensor *x, *y;
    small_run got;

    hr_test_tape_init(&here);
    t->type = type;
    t->check = true;
    image = hr_tape_array(t, type, 4, HR_DIM(4, 8, 8, 3));
    hr_fill_normal(pixel, hr_count(&image), 1);
    here.q->be->upload(here.q, &image, pixel, HR_REAL);
    label = hr_test_i32(&here, 1, HR_DIM(4), (int32_t[]){ 0, 1, 2, 3 });
    x = hr_conv(t, hr_wrap(t, &image, NULL), weight(HR_DIM(8, 3, 3, 3), 4, 2, &g[0]), 1, 1);
    x = hr_max_pool(t, hr_batch_norm(t, x, &norm, NULL, true), 3, 2, 1);
    y = hr_conv(t, x, weight(HR_DIM(8, 3, 3, 8), 4, 3, &g[1]), 1, 1);
    y = hr_mean_pool(t, hr_batch_norm(t, y, &norm, x, true));
    y = hr_linear(t, hr_normalize(t, y), weight(HR_DIM(5, 8), 2, 4, &g[2]), NULL);
    y = hr_cross_entropy(t, y, &label);
    hr_assert_ok(hr_tape_backward(t, y));
    hr_test_read(&got.loss, &here, &y->x);
    hr_test_read(got.stem, &here, &g[0]);
    hr_test_read(got.block, &here, &g[1]);
    hr_test_read(got.head, &here, &g[2]);
    hr_test_tape_done(&here);
    return got;
}

/* bf16 rounds each stored number by up to 1/512 of its size */
START_TEST(a_network_in_bf16_stays_close_to_one_in_real)
{
    small_run exact = train_in(HR_REAL), rounded = train_in(HR_BF16);

    hr_assert_close(&rounded.loss, &exact.loss, 1, 0, 0.01);
    hr_assert_distance(rounded.stem, exact.stem, STEM, 0.1);
    hr_assert_distance(rounded.block, exact.block, BLOCK, 0.1);
    hr_assert_distance(rounded.head, exact.head, HEAD, 0.1);
}
END_TEST

/* ---- rows, shapes ---- */

START_TEST(normalize_makes_unit_rows_and_leaves_zero_alone)
{
    hr_tensor *x;

    hr_test_tape_init(&here);
    x = hr_test_leaf(&here, 2, HR_DIM(2, 2), (double[]){ 3, -4, 0, 0 });
    hr_assert_values(&here, &hr_normalize(&here.t, x)->x, 4, 0.6, -0.8, 0, 0);
    hr_test_tape_done(&here);
}
END_TEST

START_TEST(row_dot_multiplies_row_by_row)
{
    hr_tensor *a, *b;

    hr_test_tape_init(&here);
    a = hr_test_leaf(&here, 2, HR_DIM(2, 2), (double[]){ 1, 2, 3, 4 });
    b = hr_test_leaf(&here, 2, HR_DIM(2, 2), (double[]){ 5, 6, -1, 1 });
    hr_assert_values(&here, &hr_row_dot(&here.t, a, b)->x, 2, 17, 1);
    hr_test_tape_done(&here);
}
END_TEST

START_TEST(rows_concat_and_gather_move_rows)
{
    hr_tape *t = &here.t;
    hr_tensor *x, *part[2];
    hr_array index;

    hr_test_tape_init(&here);
    index = hr_test_i32(&here, 1, HR_DIM(2), (int32_t[]){ 2, 0 });
    x = hr_test_leaf(&here, 2, HR_DIM(3, 2), (double[]){ 1, 2, 3, 4, 5, 6 });
    part[0] = hr_rows(t, x, 1, 2);
    part[1] = hr_gather(t, x, &index);
    hr_assert_values(&here, &hr_concat(t, part, 2)->x, 8, 3, 4, 5, 6, 5, 6, 1, 2);
    hr_gather(t, x, &x->x);
    hr_assert_fails(hr_tape_status(t), HIRL_E_INTERNAL, "not an int32 array");
    hr_test_tape_done(&here);
}
END_TEST

/* bf16 has 8 significant bits: 1 + 1/256 is halfway between two numbers and rounds
 * to the even one, 1; 1 + 1/128 is exact. */
START_TEST(convert_rounds_to_bf16_and_back)
{
    hr_tape *t = &here.t;
    hr_tensor *x, *y;

    hr_test_tape_init(&here);
    x = hr_test_leaf(&here, 1, HR_DIM(3), (double[]){ 1.00390625, 1.0078125, -3 });
    y = hr_convert(t, hr_convert(t, x, HR_BF16), HR_REAL);
    hr_assert_values(&here, &y->x, 3, 1, 1.0078125, -3);
    ck_assert_ptr_eq(hr_convert(t, x, HR_REAL), x);
    hr_test_tape_done(&here);
}
END_TEST

/* ---- losses ---- */

/* scores (0, log 3): softmax (1/4, 3/4) */
START_TEST(cross_entropy_is_minus_the_log_of_the_labels_softmax)
{
    hr_tensor *z, *loss;
    hr_array label;

    hr_test_tape_init(&here);
    z = hr_test_leaf(&here, 2, HR_DIM(2, 2), (double[]){ 0, log(3), 0, log(3) });
    label = hr_test_i32(&here, 1, HR_DIM(2), (int32_t[]){ 0, 1 });
    loss = hr_cross_entropy(&here.t, z, &label);
    hr_assert_values(&here, &loss->x, 1, (log(4) + log(4.0 / 3)) / 2);
    hr_assert_ok(hr_tape_backward(&here.t, loss));
    hr_assert_values(&here, &z->g, 4, -0.375, 0.375, 0.125, -0.125);
    hr_test_tape_done(&here);
}
END_TEST

START_TEST(mean_is_over_all_numbers)
{
    hr_tensor *x, *y;

    hr_test_tape_init(&here);
    x = hr_test_leaf(&here, 2, HR_DIM(2, 2), (double[]){ 1, 2, 3, 10 });
    y = hr_mean(&here.t, x);
    hr_assert_values(&here, &y->x, 1, 4);
    hr_assert_ok(hr_tape_backward(&here.t, y));
    hr_assert_values(&here, &x->g, 4, 0.25, 0.25, 0.25, 0.25);
    hr_test_tape_done(&here);
}
END_TEST

static hr_array temperature_of(double value)
{
    return hr_test_upload(&here.t, HR_F64, 1, HR_DIM(1), &value, HR_F64);
}

/* Teacher (0, log 3) + center (7, 7) gives the target (1/4, 3/4). Student (0, 0) with T = 0.5 has
 * the loss log 2 a row and the gradient w / T (1/2 - p). */
START_TEST(soft_targets_pull_the_scores_and_have_no_gradient)
{
    hr_tape *t = &here.t;
    hr_array center, weight, one;
    hr_tensor *teacher, *z, *p, *loss;

    hr_test_tape_init(&here);
    center = hr_test_array(&here, 1, HR_DIM(2), (double[]){ 7, 7 });
    weight = hr_test_array(&here, 1, HR_DIM(2), (double[]){ 0.25, 0 });
    one = temperature_of(1);
    teacher = hr_test_leaf(&here, 2, HR_DIM(2, 2), (double[]){ 7, 7 + log(3), 0, 0 });
    z = hr_test_leaf(&here, 2, HR_DIM(2, 2), (double[]){ 0, 0, 5, 6 });
    p = hr_target(t, teacher, &center, &one);
    hr_assert_values(&here, &p->x, 4, 0.25, 0.75, 0.5, 0.5);
    ck_assert(!p->grad);
    loss = hr_soft_cross_entropy(t, p, z, 0.5, &weight);
    hr_assert_values(&here, &loss->x, 1, 0.25 * log(2));
    hr_assert_ok(hr_tape_backward(t, loss));
    hr_assert_values(&here, &z->g, 4, 0.125, -0.125, 0, 0);
    hr_soft_cross_entropy(t, z, z, 0.5, NULL);
    hr_assert_fails(hr_tape_status(t), HIRL_E_INVALID, "detach");
    hr_test_tape_done(&here);
}
END_TEST

/* golden numbers of an independent script, as in tests/unit/cpu/test_target.c */
START_TEST(sinkhorn_keeps_the_last_rows)
{
    hr_tape *t = &here.t;
    hr_tensor *s;

    hr_test_tape_init(&here);
    s = hr_test_leaf(&here, 2, HR_DIM(4, 3),
                     (double[]){ .9, .1, -.2, .8, .3, .1, -.5, .7, .6, .2, .2, .9 });
    hr_assert_values(&here, &hr_sinkhorn(t, s, 0.05, 3, 1)->x, 3, .000000185, .000045550,
                     .999954264);
    ck_assert(!hr_sinkhorn(t, s, 0.05, 3, 0)->grad);
    hr_sinkhorn(t, s, 0.05, 3, 5);
    hr_assert_fails(hr_tape_status(t), HIRL_E_INVALID, "rows to keep 5");
    hr_tape_reset(t);
    s = hr_test_leaf(&here, 2, HR_DIM(1, 1), (double[]){ 0 });
    hr_sinkhorn(t, s, 0, 3, 0);
    hr_assert_fails(hr_tape_status(t), HIRL_E_INVALID, "epsilon 0");
    hr_test_tape_done(&here);
}
END_TEST

START_TEST(soft_targets_name_the_shapes_they_refuse)
{
    hr_tape *t = &here.t;
    hr_array three, one;
    hr_tensor *z, *p;

    hr_test_tape_init(&here);
    three = hr_test_array(&here, 1, HR_DIM(3), (double[]){ 0, 0, 0 });
    z = hr_test_leaf(&here, 2, HR_DIM(2, 2), (double[]){ 0, 0, 0, 0 });
    p = hr_test_constant(&here, 2, HR_DIM(1, 2), (double[]){ 0, 1 });
    hr_soft_cross_entropy(t, p, z, 1, NULL);
    hr_assert_fails(hr_tape_status(t), HIRL_E_INVALID, "targets are [1,2], scores [2,2]");
    hr_tape_reset(t);
    three = hr_test_array(&here, 1, HR_DIM(3), (double[]){ 0, 0, 0 });
    z = hr_test_leaf(&here, 2, HR_DIM(2, 2), (double[]){ 0, 0, 0, 0 });
    one = temperature_of(1);
    hr_soft_cross_entropy(t, hr_target(t, z, NULL, &one), z, 1, &three);
    hr_assert_fails(hr_tape_status(t), HIRL_E_INVALID, "weights are [3]");
    hr_tape_reset(t);
    three = hr_test_array(&here, 1, HR_DIM(3), (double[]){ 0, 0, 0 });
    z = hr_test_leaf(&here, 2, HR_DIM(2, 2), (double[]){ 0, 0, 0, 0 });
    one = temperature_of(1);
    hr_target(t, z, &three, &one);
    hr_assert_fails(hr_tape_status(t), HIRL_E_INVALID, "the center [3]");
    hr_test_tape_done(&here);
}
END_TEST

/* q = k = (1, 0), queue (1, 0), (0, 1), (-1, 0), T = 1: the loss is log((e + e + 1 + 1/e) / e). If
 * the first queue row is of the same image, it does not count: log((e + 1 + 1/e) / e). */
START_TEST(info_nce_ignores_keys_of_the_same_image)
{
    static const int64_t id = 5, other[3] = { 1, 2, 3 }, own[3] = { 5, 2, 3 };
    hr_tape *t = &here.t;
    hr_array ids, others, owns;
    hr_tensor *q, *k, *queue;

    hr_test_tape_init(&here);
    q = hr_test_leaf(&here, 2, HR_DIM(1, 2), (double[]){ 1, 0 });
    k = hr_test_constant(&here, 2, HR_DIM(1, 2), (double[]){ 1, 0 });
    queue = hr_test_constant(&here, 2, HR_DIM(3, 2), (double[]){ 1, 0, 0, 1, -1, 0 });
    ids = hr_test_upload(t, HR_I64, 1, HR_DIM(1), &id, HR_I64);
    others = hr_test_upload(t, HR_I64, 1, HR_DIM(3), other, HR_I64);
    owns = hr_test_upload(t, HR_I64, 1, HR_DIM(3), own, HR_I64);
    hr_assert_values(&here, &hr_info_nce(t, q, k, &queue->x, &ids, &others, 1)->x, 1,
                     log((2 * exp(1) + 1 + exp(-1)) / exp(1)));
    hr_assert_values(&here, &hr_info_nce(t, q, k, &queue->x, &ids, &owns, 1)->x, 1,
                     log((exp(1) + 1 + exp(-1)) / exp(1)));
    hr_info_nce(t, q, q, &queue->x, &ids, &owns, 1);
    hr_assert_fails(hr_tape_status(t), HIRL_E_INVALID, "detach");
    hr_test_tape_done(&here);
}
END_TEST

/* One level, u = (1, 0), both prototypes orthogonal to u: s+ = s- =
 * 1/2, loss = -log 1/2 - log 1/2 = log 4. */
START_TEST(spd_is_log4_for_orthogonal_paths)
{
    hr_spd_paths paths = { .levels = 1 };
    hr_tensor *u, *loss;

    hr_test_tape_init(&here);
    u = hr_test_leaf(&here, 2, HR_DIM(1, 2), (double[]){ 1, 0 });
    paths.proto[0] = hr_test_array(&here, 2, HR_DIM(2, 2), (double[]){ 0, 1, 0, -1 });
    paths.path = hr_test_i32(&here, 2, HR_DIM(2, 1), (int32_t[]){ 0, 1 });
    paths.positive = hr_test_i32(&here, 1, HR_DIM(1), (int32_t[]){ 0 });
    paths.negative = hr_test_i32(&here, 2, HR_DIM(1, 1), (int32_t[]){ 1 });
    loss = hr_spd(&here.t, &u, &paths);
    hr_assert_values(&here, &loss->x, 1, log(4));
    /* dl+/du = -1/s ds/du = -2 (c+ / 2) = -c+; dl-/du = 1/(1-s) (c- / 2) = c- */
    hr_assert_ok(hr_tape_backward(&here.t, loss));
    hr_assert_values(&here, &u->g, 2, 0, -2);
    hr_test_tape_done(&here);
}
END_TEST

START_TEST(spd_names_the_level_whose_prototypes_do_not_fit)
{
    hr_spd_paths paths = { .levels = 1 };
    hr_tensor *u;

    hr_test_tape_init(&here);
    u = hr_test_leaf(&here, 2, HR_DIM(1, 2), (double[]){ 1, 0 });
    paths.proto[0] = hr_test_array(&here, 2, HR_DIM(1, 3), (double[]){ 0, 1, 0 });
    hr_spd(&here.t, &u, &paths);
    hr_assert_fails(hr_tape_status(&here.t), HIRL_E_INVALID, "level 1 is [1,2]");
    hr_test_tape_done(&here);
}
END_TEST

HR_TESTS("tape-ops", scale_by_reads_its_factor_on_the_device, linear_is_x_times_w_transposed_plus_b,
         linear_names_the_shapes_it_refuses, relu_keeps_positive_numbers,
         conv_of_ones_sums_the_window, conv_does_not_flip_its_window,
         max_pool_takes_the_largest_and_ignores_the_padding,
         max_pool_gives_the_gradient_to_the_first_maximum, mean_pool_is_the_mean_over_positions,
         batch_norm_updates_its_running_statistics_at_commit_only,
         running_statistics_take_the_mean_over_groups,
         running_statistics_can_follow_the_first_group_alone, batch_norm_adds_before_the_relu,
         batch_norm_in_evaluation_uses_running_statistics,
         batch_norm_refuses_groups_that_do_not_divide_the_batch,
         a_pending_feature_map_is_written_once, a_network_in_bf16_stays_close_to_one_in_real,
         normalize_makes_unit_rows_and_leaves_zero_alone, row_dot_multiplies_row_by_row,
         rows_concat_and_gather_move_rows, convert_rounds_to_bf16_and_back,
         cross_entropy_is_minus_the_log_of_the_labels_softmax, mean_is_over_all_numbers,
         soft_targets_pull_the_scores_and_have_no_gradient, sinkhorn_keeps_the_last_rows,
         soft_targets_name_the_shapes_they_refuse, info_nce_ignores_keys_of_the_same_image,
         spd_is_log4_for_orthogonal_paths, spd_names_the_level_whose_prototypes_do_not_fit)
