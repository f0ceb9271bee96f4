/* test_tape.c - the autograd tape: gradients, failures, memory, finite check, commit. */
#include <check.h>
#include <math.h>

#include "base/alloc.h"
#include "support/run.h"
#include "support/tape.h"

static hr_test_tape here;

/* ---- gradients ---- */

/* y = 2a + a = 3a: da = 3 is added to the previous gradient, 10 */
START_TEST(parameters_accumulate_gradients_over_uses_and_calls)
{
    hr_tensor *a;

    hr_test_tape_init(&here);
    a = hr_test_leaf(&here, 1, HR_DIM(1), (double[]){ 5 });
    here.q->be->fill(here.q, &a->g, 10);
    hr_assert_ok(hr_tape_backward(&here.t, hr_add(&here.t, hr_scale(&here.t, a, 2), a)));
    hr_assert_values(&here, &a->g, 1, 13);
    hr_test_tape_done(&here);
}
END_TEST

/* y = a, z = 2y, w = 3y: the first writer of dy overwrites it, the second adds to it */
START_TEST(a_tensor_used_twice_gets_the_sum_of_both_gradients)
{
    hr_tape *t = &here.t;
    hr_tensor *a, *y;

    hr_test_tape_init(&here);
    a = hr_test_leaf(&here, 1, HR_DIM(1), (double[]){ 1 });
    y = hr_scale(t, a, 1);
    hr_assert_ok(hr_tape_backward(t, hr_add(t, hr_scale(t, y, 2), hr_scale(t, y, 3))));
    hr_assert_values(&here, &y->g, 1, 5);
    hr_assert_values(&here, &a->g, 1, 5);
    hr_test_tape_done(&here);
}
END_TEST

START_TEST(tensors_that_do_not_affect_the_loss_get_no_gradient)
{
    hr_tape *t = &here.t;
    hr_tensor *a, *b, *unused, *constant;

    hr_test_tape_init(&here);
    a = hr_test_leaf(&here, 1, HR_DIM(1), (double[]){ 1 });
    b = hr_test_leaf(&here, 1, HR_DIM(1), (double[]){ 1 });
    constant = hr_test_constant(&here, 1, HR_DIM(1), (double[]){ 4 });
    unused = hr_scale(t, b, 2);
    hr_assert_ok(hr_tape_backward(t, hr_add(t, a, constant)));
    hr_assert_values(&here, &b->g, 1, 0);
    ck_assert_ptr_null(unused->g.data);
    ck_assert_ptr_null(constant->g.data);
    hr_test_tape_done(&here);
}
END_TEST

/* d (a + detach(2a)) / da = 1 */
START_TEST(detach_stops_the_gradient)
{
    hr_tape *t = &here.t;
    hr_tensor *a, *y;

    hr_test_tape_init(&here);
    a = hr_test_leaf(&here, 1, HR_DIM(1), (double[]){ 3 });
    y = hr_add(t, a, hr_detach(t, hr_scale(t, a, 2)));
    hr_assert_ok(hr_tape_backward(t, y));
    hr_assert_values(&here, &y->x, 1, 9);
    hr_assert_values(&here, &a->g, 1, 1);
    hr_test_tape_done(&here);
}
END_TEST

START_TEST(no_tensor_has_a_gradient_when_the_tape_does_not_record)
{
    hr_tensor *a;

    hr_test_tape_init(&here);
    here.t.recording = false;
    a = hr_test_leaf(&here, 1, HR_DIM(1), (double[]){ 3 });
    ck_assert(!hr_scale(&here.t, a, 2)->grad);
    hr_assert_fails(hr_tape_backward(&here.t, hr_scale(&here.t, a, 2)), HIRL_E_INTERNAL,
                    "gradient");
    hr_test_tape_done(&here);
}
END_TEST

/* ---- failure ---- */

START_TEST(the_first_failure_is_kept_and_later_operations_do_nothing)
{
    hr_tape *t = &here.t;
    hr_tensor *a, *b, *bad;

    hr_test_tape_init(&here);
    a = hr_test_leaf(&here, 2, HR_DIM(1, 2), (double[]){ 1, 2 });
    b = hr_test_leaf(&here, 2, HR_DIM(1, 3), (double[]){ 1, 2, 3 });
    bad = hr_add(t, a, b);
    ck_assert_ptr_eq(bad, &t->dead);
    ck_assert_ptr_eq(hr_linear(t, bad, a, NULL), &t->dead);
    ck_assert_ptr_eq(hr_normalize(t, hr_relu(t, bad)), &t->dead);
    (void)hr_fail(HIRL_E_IO, "something else happened on this thread");
    hr_assert_fails(hr_tape_backward(t, bad), HIRL_E_INVALID, "add: shapes [1,2] and [1,3]");
    hr_assert_values(&here, &a->g, 2, 0, 0);
    hr_tape_reset(t);
    hr_assert_ok(hr_tape_status(t));
    hr_test_tape_done(&here);
}
END_TEST

START_TEST(a_loss_of_two_numbers_is_refused)
{
    hr_tensor *a;

    hr_test_tape_init(&here);
    a = hr_test_leaf(&here, 1, HR_DIM(2), (double[]){ 1, 2 });
    hr_assert_fails(hr_tape_backward(&here.t, hr_scale(&here.t, a, 2)), HIRL_E_INTERNAL, "[2]");
    hr_test_tape_done(&here);
}
END_TEST

START_TEST(out_of_memory_is_a_status)
{
    hr_tape *t = &here.t;
    hr_array big;

    hr_test_tape_init(&here);
    big = hr_tape_array(t, HR_REAL, 1, HR_DIM(1));
    hr_alloc_fail_at(1, true);
    big = hr_tape_array(t, HR_REAL, 2, HR_DIM(4096, 4096));
    hr_alloc_fail_at(0, false);
    ck_assert_ptr_null(big.data);
    hr_assert_fails(hr_tape_status(t), HIRL_E_NOMEM, "accumulate");
    ck_assert_ptr_nonnull(
        strstr(hr_error_text(), "accumulate: out of memory: ")); /* the allocator's message */
    ck_assert_ptr_null(hr_tape_array(t, HR_REAL, 1, HR_DIM(1)).data);
    hr_test_tape_done(&here);
}
END_TEST

START_TEST(a_failed_array_allocation_names_purpose_and_size)
{
    hr_array a = hr_array_1(NULL, HR_F64, 2);

    hr_test_tape_init(&here);
    hr_alloc_fail_at(1, false);
    hr_assert_fails(hr_array_take(&a, here.q, "optimiser"), HIRL_E_NOMEM,
                    "optimiser: out of memory: 16 bytes");
    hr_alloc_fail_at(0, false);
    ck_assert_ptr_null(a.data);
    hr_array_give(&a, here.q);
    hr_assert_ok(hr_array_take(&a, here.q, "optimiser"));
    hr_assert_values(&here, &a, 2, 0, 0);
    hr_array_give(&a, here.q);
    ck_assert_ptr_null(a.data);
    hr_test_tape_done(&here);
}
END_TEST

/* ---- memory ---- */

static hr_tensor *some_step(void)
{
    hr_tensor *x = hr_test_leaf(&here, 2, HR_DIM(2, 2), (double[]){ 1, 2, 3, 4 });
    hr_tensor *w = hr_test_leaf(&here, 2, HR_DIM(2, 2), (double[]){ 1, -1, 1, 1 });
    hr_tensor *y = hr_normalize(&here.t, hr_relu(&here.t, hr_linear(&here.t, x, w, NULL)));
    hr_array label = hr_test_i32(&here, 1, HR_DIM(2), (int32_t[]){ 0, 1 });

    y = hr_cross_entropy(&here.t, y, &label);
    hr_assert_ok(hr_tape_backward(&here.t, y));
    return y;
}

START_TEST(later_steps_of_the_same_shapes_reuse_all_memory)
{
    hr_tensor *first, *again;
    void *value, *gradient;
    int64_t taken;

    hr_test_tape_init(&here);
    first = some_step();
    value = first->x.data;
    gradient = first->g.data;
    taken = hr_alloc_total();
    for (int i = 0; i < 3; i++) {
        hr_tape_reset(&here.t);
        again = some_step();
        ck_assert_ptr_eq(again, first);
        ck_assert_ptr_eq(again->x.data, value);
        ck_assert_ptr_eq(again->g.data, gradient);
    }
    ck_assert_int_eq(hr_alloc_total(), taken);
    hr_test_tape_done(&here);
}
END_TEST

START_TEST(a_tape_frees_all_its_memory)
{
    int64_t live = hr_alloc_live();

    hr_test_tape_init(&here);
    some_step();
    hr_test_tape_done(&here);
    ck_assert_int_eq(hr_alloc_live(), live);
}
END_TEST

/* ---- check ---- */

START_TEST(check_names_the_first_operation_with_a_non_finite_value)
{
    hr_tape *t = &here.t;
    hr_tensor *x, *y;

    hr_test_tape_init(&here);
    t->check = true;
    x = hr_test_leaf(&here, 2, HR_DIM(1, 2), (double[]){ 1e30, 1 });
    y = hr_scale(t, hr_relu(t, x), 1e300);
    y = hr_scale(t, hr_scale(t, y, 1e300), 1e300);
    hr_assert_fails(hr_tape_backward(t, hr_row_dot(t, y, y)), HIRL_E_NONFINITE, "scale (operation");
    ck_assert_ptr_nonnull(strstr(hr_error_text(), "[1,2]"));
    hr_test_tape_done(&here);
}
END_TEST

/* The value is 0, but its gradient is the square of a large number. */
START_TEST(check_names_the_operation_with_a_non_finite_gradient)
{
    double large = sizeof(real) == sizeof(float) ? 1e30 : 1e300;
    hr_tape *t = &here.t;
    hr_tensor *x, *y;

    hr_test_tape_init(&here);
    t->check = true;
    x = hr_test_leaf(&here, 1, HR_DIM(1), (double[]){ 0 });
    y = hr_add(t, x, hr_scale(t, hr_scale(t, x, large), large));
    hr_assert_fails(hr_tape_backward(t, y), HIRL_E_NONFINITE, "gradient of its input 1");
    ck_assert_ptr_nonnull(strstr(hr_error_text(), "scale"));
    hr_test_tape_done(&here);
}
END_TEST

START_TEST(check_names_the_parameter_of_the_operation)
{
    double large = sizeof(real) == sizeof(float) ? 1e30 : 1e300;
    hr_tape *t = &here.t;
    hr_tensor *x, *y;

    hr_test_tape_init(&here);
    t->check = true;
    x = hr_test_leaf(&here, 1, HR_DIM(1), (double[]){ 1 });
    x->name = "head.0.weight";
    y = hr_scale(t, hr_scale(t, x, large), large);
    hr_assert_fails(hr_tape_backward(t, y), HIRL_E_NONFINITE, "scale (operation 2)");
    hr_test_tape_done(&here);
    hr_test_tape_init(&here);
    t->check = true;
    x = hr_test_leaf(&here, 1, HR_DIM(1), (double[]){ large });
    x->name = "head.0.weight";
    hr_assert_fails(hr_tape_backward(t, hr_scale(t, x, large)), HIRL_E_NONFINITE,
                    "scale of head.0.weight (operation 1): output [1]");
    hr_test_tape_done(&here);
    hr_test_tape_init(&here);
    t->check = true;
    x = hr_test_leaf(&here, 1, HR_DIM(1), (double[]){ 0 });
    x->name = "head.0.weight";
    y = hr_scale(t, hr_scale(t, x, large), large);
    hr_assert_fails(hr_tape_backward(t, y), HIRL_E_NONFINITE,
                    "gradient of its input 1, head.0.weight [1]");
    hr_test_tape_done(&here);
}
END_TEST

/* A coupled loss runs forward passes that end with hr_tape_next, without a backward pass. */
START_TEST(check_names_the_last_operation_of_a_pass)
{
    double large = sizeof(real) == sizeof(float) ? 1e30 : 1e300;
    hr_tape *t = &here.t;

    hr_test_tape_init(&here);
    t->check = true;
    hr_scale(t, hr_test_leaf(&here, 1, HR_DIM(1), (double[]){ large }), large);
    hr_tape_next(t);
    hr_assert_fails(hr_tape_status(t), HIRL_E_NONFINITE, "scale (operation 1): output [1]");
    hr_test_tape_done(&here);
}
END_TEST

/* A pass that is repeated with `check` on to locate a fault must
 * not report an output of the pass before. */
START_TEST(check_ignores_outputs_from_before_it_was_set)
{
    double large = sizeof(real) == sizeof(float) ? 1e30 : 1e300;
    hr_tape *t = &here.t;

    hr_test_tape_init(&here);
    hr_scale(t, hr_test_leaf(&here, 1, HR_DIM(1), (double[]){ large }), large);
    t->check = true;
    hr_tape_next(t);
    hr_assert_ok(hr_tape_status(t));
    hr_test_tape_done(&here);
}
END_TEST

START_TEST(check_accepts_a_finite_step)
{
    hr_test_tape_init(&here);
    here.t.check = true;
    some_step();
    hr_test_tape_done(&here);
}
END_TEST

/* ---- commit ---- */

static int order[3], made;

static void record(hr_queue *q, void *arg)
{
    (void)q;
    order[made++] = *(int *)arg;
}

START_TEST(commit_runs_each_registered_call_once_and_in_order)
{
    static int first = 1, second = 2;

    hr_test_tape_init(&here);
    made = 0;
    hr_tape_at_commit(&here.t, record, &first);
    hr_tape_at_commit(&here.t, record, &second);
    hr_tape_commit(&here.t);
    hr_tape_commit(&here.t);
    ck_assert_int_eq(made, 2);
    ck_assert_int_eq(order[0], 1);
    ck_assert_int_eq(order[1], 2);
    hr_tape_at_commit(&here.t, record, &first);
    hr_tape_reset(&here.t); /* an abandoned step commits nothing */
    hr_tape_commit(&here.t);
    ck_assert_int_eq(made, 2);
    hr_test_tape_done(&here);
}
END_TEST

HR_TESTS("tape", parameters_accumulate_gradients_over_uses_and_calls,
         a_tensor_used_twice_gets_the_sum_of_both_gradients,
         tensors_that_do_not_affect_the_loss_get_no_gradient, detach_stops_the_gradient,
         no_tensor_has_a_gradient_when_the_tape_does_not_record,
         the_first_failure_is_kept_and_later_operations_do_nothing,
         a_loss_of_two_numbers_is_refused, out_of_memory_is_a_status,
         a_failed_array_allocation_names_purpose_and_size,
         later_steps_of_the_same_shapes_reuse_all_memory, a_tape_frees_all_its_memory,
         check_names_the_first_operation_with_a_non_finite_value,
         check_names_the_operation_with_a_non_finite_gradient,
         check_names_the_parameter_of_the_operation, check_names_the_last_operation_of_a_pass,
         check_ignores_outputs_from_before_it_was_set, check_accepts_a_finite_step,
         commit_runs_each_registered_call_once_and_in_order)
