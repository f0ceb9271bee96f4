/* test_ranks.c - one rank with a batch of 2B computes what two ranks with B each compute: weights, teacher,
 * moments, running statistics, queue and centres after three steps of each method under the path
 * loss. SwAV's queue, in use from the second step on, lies spread: each rank keeps the rows of its
 * own images. */
#include <check.h>

#include "small_learner.h"
#include "support/close.h"
#include "support/comm.h"
#include "support/run.h"

enum { RANKS = 2, SWAV = 2 };

/* a queue that the rows of one step fill */
static int64_t queue_of(int64_t method)
{
    return method == SWAV ? SMALL_ROWS : 0;
}

typedef struct rank_job {
    int64_t method;
    small_outcome *of_rank; /* [ranks] */
} rank_job;

static void on_rank(hr_comm *comm, void *arg)
{
    rank_job *job = arg;
    small_run run = { .method = job->method,
                      .accumulate = 1,
                      .groups = 2,
                      .queue = queue_of(job->method),
                      .comm = comm };

    if (hr_method_find(job->method)->sync)
        run.groups = 1;
    small_learner_run(&job->of_rank[comm->rank], &run);
}

/* the whole queue is the ranks' rows, one rank's after the other's */
static void expect_spread_queue(const small_outcome *of_rank, const small_outcome *whole)
{
    static const char *const name[] = { "queue.0", "queue.1" };

    for (int i = 0; i < 2; i++) {
        const hr_named *all = hr_tensors_find(&whole->state, name[i]);

        ck_assert_ptr_nonnull(all);
        for (int r = 0; r < RANKS; r++) {
            const hr_named *part = hr_tensors_find(&of_rank[r].state, name[i]);

            ck_assert_int_eq(part->dim[0], SMALL_ROWS / RANKS);
            ck_assert_uint_eq(part->bytes * RANKS, all->bytes);
            hr_assert_close((const real *)part->data,
                            (const real *)all->data + r * part->dim[0] * part->dim[1],
                            part->dim[0] * part->dim[1], 1e-8, 0);
        }
    }
}

START_TEST(two_ranks_equal_one_with_the_double_batch)
{
    small_run whole = { .method = _i,
                        .accumulate = 1,
                        .groups = hr_method_find(_i)->sync ? 1 : 2,
                        .queue = queue_of(_i) };
    small_outcome one, two[RANKS];
    rank_job job = { _i, two };

    small_learner_run(&one, &whole);
    hr_test_ranks(RANKS, on_rank, &job);
    if (_i == SWAV)
        expect_spread_queue(two, &one);
    for (int r = 0; r < RANKS; r++) {
        small_outcome_equal(&two[r], &one, _i == SWAV ? "queue." : NULL, 1e-8);
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
