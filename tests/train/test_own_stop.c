/* test_own_stop.c - method=own with a teacher, a predictor and a state of its own: stopped in any
 * phase, it resumes to the same bits in a new trainer with a new method object. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "own_method.h"
#include "small_trainer.h"
#include "support/run.h"

static const small_pair whole_batch[] = { { "method", "own" },
                                          { "head", "mlp 12 z bn" },
                                          { "predictor", "mlp 10 z bn" },
                                          { "own_teacher", "1" },
                                          { "cluster_network", "teacher" },
                                          { "local_crops_number", "1" },
                                          { "local_crops_size", "8" },
                                          { "ema", "0.9" },
                                          { "hirl", "1" },
                                          { "epochs", "3" },
                                          { NULL, NULL } };
static const small_pair two_parts[] = { { "accumulate", "2" }, { NULL, NULL } };
static const small_pair *const over[][3] = { { whole_batch, NULL }, { whole_batch, two_parts } };

static own_method method;

/* gives a trainer the callbacks of a fresh method, as a restarted application would */
static void give_method(hirl_trainer *trainer)
{
    hirl_method_calls calls = own_method_calls(&method);

    memset(&method, 0, sizeof method);
    ck_assert_msg(hirl_trainer_set_method(trainer, &calls) == HIRL_OK, "%s", hirl_error_message());
}

/* The seven phases: train; extract, cluster, train; extract, cluster, train. */
START_TEST(a_run_stopped_in_any_phase_resumes_to_the_same_bits)
{
    int stretch = 0, at;
    small_polls polls;
    size_t bytes;
    char *whole;

    small_made = give_method;
    whole = small_trainer_run(&bytes, &polls, 2, over[_i]);
    ck_assert_int_eq(method.seen.teacher_dim, method.seen.z_dim);
    ck_assert_int_eq(method.seen.micros, 1 + _i);
    while ((at = small_polls_middle(&polls, stretch)) != 0) {
        ck_assert(small_trainer_stop(at, whole, bytes, over[_i]));
        ck_assert_int_eq(method.committed, 3 * SMALL_PER_EPOCH);
        stretch++;
    }
    ck_assert_int_eq(stretch, 7);
    free(whole);
}
END_TEST

static Suite *own_stop(void)
{
    Suite *suite = suite_create("own-stop");
    TCase *tests = tcase_create("own-stop");

    tcase_set_timeout(tests, 0);
    tcase_add_loop_test(tests, a_run_stopped_in_any_phase_resumes_to_the_same_bits, 0, 2);
    suite_add_tcase(suite, tests);
    return suite;
}

HR_TEST_MAIN(own_stop)
