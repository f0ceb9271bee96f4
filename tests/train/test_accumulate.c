/* test_accumulate.c - k micro-batches of B/k images give the same result as one batch of B with
 * bn_groups=k: weights, teacher, moments, running statistics, queue and centres agree after three
 * steps of each method, with and without the path loss. Also: a step that runs out of memory
 * changes nothing. */
#include <check.h>

#include "small_learner.h"
#include "support/run.h"

/* numbers of micro-batches: each has eight or four images */
static const int64_t micros[] = { 2, 4 };
enum { KINDS = 2 * 2 };

START_TEST(micro_batches_equal_one_batch_with_groups)
{
    int64_t k = micros[_i % 2];
    small_run whole = {
        .method = _i / KINDS, .accumulate = 1, .groups = k, .queue = SMALL_ROWS, .plain = _i / 2 % 2
    };
    small_run parts = whole;
    small_outcome one, several;

    parts.accumulate = k;
    small_learner_run(&one, &whole);
    small_learner_run(&several, &parts);
    small_outcome_equal(&several, &one, NULL, 1e-9);
    hr_tensors_done(&one.state);
    hr_tensors_done(&several.state);
}
END_TEST

START_TEST(a_step_that_runs_out_of_memory_changes_nothing)
{
    small_run fed = {
        .method = _i / 2, .accumulate = 1 + _i % 2, .groups = 2, .queue = SMALL_ROWS
    };
    small_run starved = fed;
    small_outcome one, other;

    starved.starved = true;
    small_learner_run(&one, &fed);
    small_learner_run(&other, &starved);
    small_outcome_equal(&other, &one, NULL, 0);
    hr_tensors_done(&one.state);
    hr_tensors_done(&other.state);
}
END_TEST

static Suite *accumulate(void)
{
    Suite *suite = suite_create("accumulate");
    TCase *tests = tcase_create("accumulate");

    tcase_add_loop_test(tests, micro_batches_equal_one_batch_with_groups, 0, KINDS * SMALL_METHODS);
    tcase_add_loop_test(tests, a_step_that_runs_out_of_memory_changes_nothing, 0,
                        2 * SMALL_METHODS);
    suite_add_tcase(suite, tests);
    return suite;
}

HR_TEST_MAIN(accumulate)
