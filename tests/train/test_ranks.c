/* test_ranks.c - two ranks with batches of B give the same result as one rank with a batch of 2B:
 * weights, teacher, moments, running statistics, queue and centres agree after three steps of each
 * method with the path loss. SwAV's queue, used from the second step on, is distributed: each rank
 * keeps the rows of its own images. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "context.h"
#include "small_learner.h"
#include "small_trainer.h"
#include "ssl/method_table.h"
#include "support/close.h"
#include "support/comm.h"
#include "support/run.h"
#include "train/run.h"

enum { RANKS = 2, SWAV = 2 };

/* The rows of one step fill the queue. */
static int64_t queue_of(int64_t method)
{
    return method == SWAV ? SMALL_ROWS : 0;
}

typedef struct rank_job {
    small_run run;          /* its communicator is set on each rank */
    small_outcome *of_rank; /* [RANKS] */
} rank_job;

static void on_rank(hr_comm *comm, void *arg)
{
    rank_job *job = arg;
    small_run run = job->run;

    run.comm = comm;
    small_learner_run(&job->of_rank[comm->rank], &run);
}

/* Checks that the queue of the one-rank run is the concatenation of the ranks' queues. */
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

/* one batch-norm group over all ranks when the method synchronises statistics, otherwise one a
 * rank */
static small_run run_of(int64_t method)
{
    return (small_run){ .method = method,
                        .accumulate = 1,
                        .groups = hr_method_find(method)->sync ? 1 : 2,
                        .queue = queue_of(method) };
}

/* Checks that two ranks configured by `two` end in the same state as one rank configured by `one`,
 * except for tensors named in `without`. */
static void compare(const small_run *two, const small_run *one, const char *const *without)
{
    static const char *const spread[] = { "queue.", NULL };
    small_outcome whole, of_rank[RANKS];
    rank_job job = { *two, of_rank };

    small_learner_run(&whole, one);
    hr_test_ranks(RANKS, on_rank, &job);
    if (one->method == SWAV) {
        without = spread;
        expect_spread_queue(of_rank, &whole);
    }
    for (int r = 0; r < RANKS; r++) {
        small_outcome_equal(&of_rank[r], &whole, without, 1e-8);
        hr_tensors_done(&of_rank[r].state);
    }
    hr_tensors_done(&whole.state);
}

START_TEST(two_ranks_equal_one_rank_with_a_double_batch)
{
    small_run run = run_of(_i);

    compare(&run, &run, NULL);
}
END_TEST

START_TEST(two_ranks_equal_one_rank_without_a_tree)
{
    small_run run = run_of(_i);

    run.plain = true;
    compare(&run, &run, NULL);
}
END_TEST

/* Without synchronised statistics, the groups hold the same images on two ranks as on one. */
START_TEST(two_ranks_in_micro_batches_equal_one_whole_batch)
{
    static const int64_t method[] = { 0, 4, 5 }; /* MoCo v2, DINO, iBOT */
    /* the rows of a step enter the queue in a different order */
    static const char *const reordered[] = { "queue", "owner", NULL };
    small_run one = { .method = method[_i], .accumulate = 1, .groups = 4 }, two = one;

    two.accumulate = 2;
    compare(&two, &one, reordered);
}
END_TEST

/* All ranks refuse the step, rank 1 names the operation, and training continues as if nothing had
 * happened. */
START_TEST(a_non_finite_number_on_one_rank_stops_all_ranks)
{
    small_outcome good[RANKS], bad[RANKS];
    rank_job job = { run_of(_i), good };

    hr_test_ranks(RANKS, on_rank, &job);
    job.run.spoil = true;
    job.of_rank = bad;
    hr_test_ranks(RANKS, on_rank, &job);
    ck_assert_msg(strstr(bad[0].fault, "step 1: the loss or a gradient of another rank") != NULL,
                  "%s", bad[0].fault);
    ck_assert_msg(strstr(bad[1].fault, "(operation ") != NULL, "%s", bad[1].fault);
    for (int r = 0; r < RANKS; r++) {
        small_outcome_equal(&bad[r], &good[r], NULL, 0);
        hr_tensors_done(&bad[r].state);
        hr_tensors_done(&good[r].state);
    }
}
END_TEST

/* ---- whole runs: the loader, the learner and the directory know their rank ---- */

static const small_pair plain[] = { { "hirl", "0" }, { "epochs", "2" }, { NULL, NULL } };

typedef struct trainer_job {
    const small_pair *const *over;
    int64_t n;            /* weights */
    real *weight[RANKS];  /* [n] after the run, on each rank */
    double images[RANKS]; /* images that a rank reads for a step */
} trainer_job;

static void train_on_rank(hr_comm *comm, void *arg)
{
    trainer_job *job = arg;
    int rank = comm ? comm->rank : 0;
    const hr_array *value;
    small_trainer t;

    small_comm = comm;
    small_trainer_open(&t, 1, job->over);
    job->images[rank] = (double)t.trainer->learner->config.batch;
    small_trainer_steps(&t, SMALL_PER_EPOCH + 1);
    value = &t.trainer->learner->online.value;
    job->n = hr_count(value);
    job->weight[rank] = malloc((size_t)job->n * sizeof(real));
    memcpy(job->weight[rank], value->data, (size_t)job->n * sizeof(real));
    small_trainer_close(&t);
    small_comm = NULL;
}

START_TEST(a_run_on_two_ranks_equals_a_run_on_one)
{
    static const small_pair mocov2[] = { { "method", "mocov2" },
                                         { "bn_groups", "2" },
                                         { NULL, NULL } };
    static const small_pair simsiam[] = { { "method", "simsiam" },
                                          { "bn_groups", "1" },
                                          { NULL, NULL } };
    const small_pair *const over[] = { plain, _i ? simsiam : mocov2, NULL };
    trainer_job one = { .over = over }, two = { .over = over };

    train_on_rank(NULL, &one);
    hr_test_ranks(RANKS, train_on_rank, &two);
    ck_assert_double_eq(one.images[0], SMALL_BATCH);
    for (int r = 0; r < RANKS; r++) {
        ck_assert_double_eq(two.images[r], (double)SMALL_BATCH / RANKS);
        hr_assert_close(two.weight[r], one.weight[0], one.n, 1e-8, 1e-8);
        free(two.weight[r]);
    }
    free(one.weight[0]);
}
END_TEST

static void refused_on_rank(hr_comm *comm, void *arg)
{
    hirl_context *context;
    hirl_dataset *images;
    hirl_options *options;
    hirl_trainer *trainer;

    (void)arg;
    hr_assert_ok(hirl_options_create(&options));
    hr_assert_ok(hirl_options_set(options, "backend", "cpu"));
    hr_assert_ok(hirl_options_set(options, "generated_images", "300"));
    hr_assert_ok(hirl_options_set(options, "batch_size", "16"));
    hr_assert_ok(hirl_context_create(&context, options));
    hr_context_set_comm(context, comm);
    hr_assert_ok(hirl_dataset_open(&images, context, "generated", options));
    hr_assert_fails(hirl_trainer_create(&trainer, context, NULL, images, options),
                    HIRL_E_UNSUPPORTED, "needs one rank, but there are 2");
    hr_assert_ok(hirl_options_set(options, "hirl", "0"));
    hr_assert_ok(hirl_options_set(options, "batch_size", "15"));
    hr_assert_fails(hirl_trainer_create(&trainer, context, NULL, images, options), HIRL_E_INVALID,
                    "batch_size=15");
    hirl_dataset_destroy(images);
    hirl_context_destroy(context);
    hirl_options_destroy(options);
}

START_TEST(what_ranks_cannot_share_is_refused)
{
    hr_test_ranks(RANKS, refused_on_rank, NULL);
}
END_TEST

static Suite *ranks(void)
{
    Suite *suite = suite_create("ranks");
    TCase *tests = tcase_create("ranks");

    tcase_add_loop_test(tests, two_ranks_equal_one_rank_with_a_double_batch, 0, SMALL_METHODS);
    tcase_add_loop_test(tests, two_ranks_equal_one_rank_without_a_tree, 0, SMALL_METHODS);
    tcase_add_loop_test(tests, two_ranks_in_micro_batches_equal_one_whole_batch, 0, 3);
    tcase_add_loop_test(tests, a_non_finite_number_on_one_rank_stops_all_ranks, 0, SMALL_METHODS);
    tcase_add_loop_test(tests, a_run_on_two_ranks_equals_a_run_on_one, 0, 2);
    tcase_add_test(tests, what_ranks_cannot_share_is_refused);
    suite_add_tcase(suite, tests);
    return suite;
}

HR_TEST_MAIN(ranks)
