/* test_accumulate.c - k micro-batches of B/k equal one batch B with bn_groups=k: weights, teacher, moments,
 * queue and centres after three steps of each method under the path loss. Running statistics are
 * updated once a micro-batch, so they alone differ. */
#include <check.h>

#include "small_learner.h"
#include "support/run.h"

enum { MICROS = 2 };

START_TEST(micro_batches_equal_one_batch_with_groups)
{
    small_run whole = { .method = _i, .accumulate = 1, .groups = MICROS, .queue = SMALL_ROWS };
    small_run parts = { .method = _i, .accumulate = MICROS, .groups = MICROS, .queue = SMALL_ROWS };
    small_outcome one, several;

    small_learner_run(&one, &whole);
    small_learner_run(&several, &parts);
    small_outcome_equal(&several, &one, "running_", 1e-9);
    hr_tensors_done(&one.state);
    hr_tensors_done(&several.state);
}
END_TEST

static Suite *accumulate(void)
{
    Suite *suite = suite_create("accumulate");
    TCase *tests = tcase_create("accumulate");

    tcase_add_loop_test(tests, micro_batches_equal_one_batch_with_groups, 0, SMALL_METHODS);
    suite_add_tcase(suite, tests);
    return suite;
}

HR_TEST_MAIN(accumulate)
