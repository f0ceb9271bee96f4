/* test_stop.c - runs of the six methods, with and without the hierarchy, in whole batches and in
 * micro-batches: stopped at any poll, they resume to the same bits as the uninterrupted run. */
#include <check.h>
#include <stdlib.h>

#include "small_methods.h"
#include "support/run.h"

START_TEST(a_run_stopped_at_any_poll_resumes_to_the_same_bits)
{
    const small_pair *const over[] = { small_method[_i / SMALL_KINDS], small_kind[_i % SMALL_KINDS],
                                       NULL };
    small_polls polls;
    size_t bytes;
    char *whole = small_trainer_run(&bytes, &polls, 3, over);
    int n = 1;

    while (small_trainer_stop(n, whole, bytes, over))
        n++;
    ck_assert_int_eq(n, polls.count + 1);
    free(whole);
}
END_TEST

static Suite *stop(void)
{
    Suite *suite = suite_create("stop");
    TCase *tests = tcase_create("stop");

    tcase_set_timeout(tests, 0);
    tcase_add_loop_test(tests, a_run_stopped_at_any_poll_resumes_to_the_same_bits, 0,
                        SMALL_KINDS * SMALL_METHODS);
    suite_add_tcase(suite, tests);
    return suite;
}

HR_TEST_MAIN(stop)
