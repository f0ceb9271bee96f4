/* test_pool.c - a parallel for: every index once, whatever the number of threads. */
#include <pthread.h>
#include <stdatomic.h>

#include "base/alloc.h"
#include "base/pool.h"
#include "support/close.h"
#include "support/run.h"

enum { N = 10000 };

typedef struct work {
    hr_pool *pool;
    int threads;
    _Atomic int64_t sum, nested;
    unsigned char seen[N];
    _Atomic int wrong_worker;
} work;

static work w;

static void add_index(void *arg, int64_t i, int worker)
{
    work *own = arg;

    own->seen[i]++;
    atomic_fetch_add(&own->sum, i);
    if (worker < 0 || worker >= own->threads)
        atomic_store(&own->wrong_worker, 1);
}

static void count_nested(void *arg, int64_t i, int worker)
{
    work *own = arg;

    if (worker)
        atomic_store(&own->wrong_worker, 1);
    atomic_fetch_add(&own->nested, i);
}

static void run_inside(void *arg, int64_t i, int worker)
{
    work *own = arg;

    (void)i, (void)worker;
    hr_pool_run(own->pool, 10, count_nested, own);
}

static void make(int threads)
{
    memset(&w, 0, sizeof w);
    w.threads = threads;
    hr_assert_ok(hr_pool_create(&w.pool, threads));
    ck_assert_int_eq(hr_pool_threads(w.pool), threads);
}

START_TEST(every_index_runs_once_for_any_number_of_threads)
{
    int64_t before = hr_alloc_live();

    for (int threads = 1; threads <= 7; threads += 2) {
        make(threads);
        for (int turn = 0; turn < 20; turn++)
            hr_pool_run(w.pool, N, add_index, &w);
        ck_assert_int_eq(w.sum, 20ll * N * (N - 1) / 2);
        for (int i = 0; i < N; i++)
            ck_assert_int_eq(w.seen[i], 20);
        ck_assert_int_eq(w.wrong_worker, 0);
        hr_pool_destroy(w.pool);
    }
    ck_assert_int_eq(hr_alloc_live(), before);
}
END_TEST

START_TEST(a_nested_call_runs_on_its_caller)
{
    make(3);
    hr_pool_run(w.pool, 50, run_inside, &w);
    ck_assert_int_eq(w.nested, 50 * 45);
    ck_assert_int_eq(w.wrong_worker, 0);
    hr_pool_destroy(w.pool);
}
END_TEST

START_TEST(an_empty_grid_and_one_task_are_fine)
{
    make(2);
    hr_pool_run(w.pool, 0, add_index, &w);
    hr_pool_run(w.pool, 1, add_index, &w);
    ck_assert_int_eq(w.seen[0], 1);
    hr_pool_destroy(w.pool);
    hr_pool_destroy(NULL);
}
END_TEST

static void *use_pool(void *arg)
{
    work *own = arg;

    for (int i = 0; i < 200; i++)
        hr_pool_run(own->pool, 10, count_nested, own);
    return NULL;
}

START_TEST(two_callers_at_once_both_get_their_work_done)
{
    pthread_t other;

    make(2);
    ck_assert_int_eq(pthread_create(&other, NULL, use_pool, &w), 0);
    use_pool(&w);
    pthread_join(other, NULL);
    ck_assert_int_eq(w.nested, 2 * 200 * 45);
    hr_pool_destroy(w.pool);
}
END_TEST

START_TEST(a_number_of_threads_that_cannot_be_is_refused)
{
    hr_pool *pool = NULL;

    hr_assert_fails(hr_pool_create(&pool, 0), HIRL_E_INVALID, "threads");
    hr_assert_fails(hr_pool_create(&pool, 100000), HIRL_E_INVALID, "100000");
    ck_assert_ptr_null(pool);
    ck_assert_int_ge(hr_cores(), 1);
}
END_TEST

HR_TESTS("pool", every_index_runs_once_for_any_number_of_threads, a_nested_call_runs_on_its_caller,
         an_empty_grid_and_one_task_are_fine, two_callers_at_once_both_get_their_work_done,
         a_number_of_threads_that_cannot_be_is_refused)
