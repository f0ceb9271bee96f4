/* test_ranks.c - one rank with a batch of 2B computes what two ranks with B each compute: weights, teacher,
 * moments, running statistics, queue and centres after three steps of each method under the path
 * loss. */
#include <check.h>

#include "small_learner.h"
#include "support/comm.h"
#include "support/run.h"

typedef struct rank_job {
    int64_t method;
    small_outcome *of_rank; /* [ranks] */
} rank_job;

static void on_rank(hr_comm *comm, void *arg)
{
    rank_job *job = arg;
    small_run run = { .method = job->method, .accumulate = 1, .groups = 2, .comm = comm };

    if (hr_method_find(job->method)->sync)
        run.groups = 1;
    small_learner_run(&job->of_rank[comm->rank], &run);
}

START_TEST(two_ranks_equal_one_with_the_double_batch)
{
    small_run whole = { .method = _i, .accumulate = 1, .groups = hr_method_find(_i)->sync ? 1 : 2 };
    small_outcome one, two[2];
    rank_job job = { _i, two };

    small_learner_run(&one, &whole);
    hr_test_ranks(2, on_rank, &job);
    for (int r = 0; r < 2; r++) {
        small_outcome_equal(&two[r], &one, NULL, 1e-8);
        hr_tensors_done(&two[r].state);
    }
    hr_tensors_done(&one.state);
}
END_TEST

static Suite *ranks(void)
{
    Suite *suite = suite_create("ranks");
    TCase *tests = tcase_create("ranks");

    tcase_add_loop_test(tests, two_ranks_equal_one_with_the_double_batch, 0, SMALL_METHODS);
    suite_add_tcase(suite, tests);
    return suite;
}

HR_TEST_MAIN(ranks)
