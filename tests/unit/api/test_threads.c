/* test_threads.c - an application with several threads: calls of class "safe" in one context give
 * all of them the same bits, and callbacks run on the thread that made the call. */
#include <check.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <hirl/hirl.h>

#include "context.h"
#include "small_world.h"
#include "support/close.h"
#include "support/run.h"

enum { THREADS = 8, ROUNDS = 4 };

typedef struct worker {
    hirl_status (*call)(small_result *r, small_world *w);
    small_world *w;
    const small_result *wanted;
    int wrong;
} worker;

static void *call_often(void *user)
{
    worker *me = user;
    small_result *r = calloc(1, sizeof *r);

    for (int i = 0; i < ROUNDS; i++)
        me->wrong += me->call(r, me->w) < 0 || memcmp(r, me->wanted, sizeof *r) != 0;
    free(r);
    return NULL;
}

static hirl_status find_neighbours(small_result *r, small_world *w)
{
    hirl_knn_score score = { .struct_size = sizeof score };
    hirl_status status = hirl_knn_evaluate(&score, w->context, small_rows, small_label, SMALL_ROWS,
                                           NULL, NULL, 0, SMALL_D, w->options);

    memcpy(r->value, score.top1, sizeof score.top1);
    return status;
}

static hirl_status compute_loss(small_result *r, small_world *w)
{
    double loss = 0;
    hirl_status status = hirl_spd_loss(&loss, &r->value[2], w->context, w->tree, small_rows, 8,
                                       small_label, NULL, 3, 1, w->options);

    memcpy(r->value, &loss, sizeof loss);
    return status;
}

static hirl_status assign(small_result *r, small_world *w)
{
    return hirl_tree_assign((int32_t *)r->value, NULL, w->tree, small_rows, SMALL_ROWS);
}

static hirl_status (*const safe_call[])(small_result *r, small_world *w) = {
    small_embed, small_embed_dataset, small_cluster, find_neighbours, compute_loss, assign
};
enum { SAFE_CALLS = sizeof safe_call / sizeof *safe_call };

START_TEST(eight_threads_get_the_same_bits_in_one_context)
{
    static small_result wanted;
    pthread_t thread[THREADS];
    worker me[THREADS];
    small_world w;

    small_world_open(&w);
    memset(&wanted, 0, sizeof wanted);
    hr_assert_ok(safe_call[_i](&wanted, &w));
    for (int i = 0; i < THREADS; i++) {
        me[i] = (worker){ safe_call[_i], &w, &wanted, 0 };
        ck_assert_int_eq(pthread_create(&thread[i], NULL, call_often, &me[i]), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        pthread_join(thread[i], NULL);
        ck_assert_msg(me[i].wrong == 0, "thread %d: %d of %d rounds differ", i, me[i].wrong,
                      ROUNDS);
    }
    small_world_close(&w);
}
END_TEST

/* ---- callbacks on several threads ---- */

/* a second thread that calls the library while the first one
 * is inside a call of the same context */
typedef struct second {
    small_world *w;
    pthread_t thread;
    hirl_status status;
    int lines, steps;      /* log and progress lines on the second thread */
    int other_lines, rest; /* the same on the first one */
    bool started;          /* the second thread was created */
    bool lined;            /* a line of a loader thread came on the first thread */
} second;

static void count_line(int32_t level, const char *text, void *user)
{
    second *s = user;

    (void)level;
    if (strstr(text, "from a loader"))
        s->lined = pthread_equal(pthread_self(), s->thread) == 0;
    else if (s->started && pthread_equal(pthread_self(), s->thread))
        s->lines++;
    else
        s->other_lines++;
}

static void *train_in_second_thread(void *user)
{
    second *s = user;
    hirl_trainer *trainer = NULL;

    s->thread = pthread_self();
    s->status = hirl_trainer_create(&trainer, s->w->context, NULL, s->w->dataset, s->w->options);
    if (s->status >= 0)
        s->status = hirl_train_run(NULL, trainer);
    hirl_trainer_destroy(trainer);
    return NULL;
}

/* The first call starts the second thread and waits for it; its third
 * step cancels the second thread's call. */
static int32_t start_second_thread(const char *phase, int64_t done, int64_t total, void *user)
{
    second *s = user;
    pthread_t thread;

    (void)done;
    (void)total;
    if (!s->started) {
        s->started = true;
        if (pthread_create(&thread, NULL, train_in_second_thread, s))
            return -1;
        pthread_join(thread, NULL);
        return 0;
    }
    if (!strcmp(phase, "train"))
        return ++s->steps == 3;
    s->rest++;
    return 0;
}

/* The stop cancels only the second thread's call; the first one continues. */
START_TEST(callbacks_of_a_call_run_on_the_thread_that_made_it)
{
    static small_result wanted, r;
    second s = { .w = NULL };
    small_world w;

    small_world_open(&w);
    hr_assert_ok(small_embed_dataset(&wanted, &w));
    s.w = &w;
    hirl_context_set_log(w.context, HIRL_LOG_DEBUG, count_line, &s, NULL);
    s.other_lines = 0;
    hirl_context_set_progress(w.context, start_second_thread, &s, NULL);
    hr_assert_ok(small_embed_dataset(&r, &w));
    ck_assert_int_eq(s.status, HIRL_E_CANCELED);
    ck_assert_int_eq(s.steps, 3);
    ck_assert_int_ge(s.lines, 3); /* lines about the run and its prototypes */
    ck_assert_int_eq(s.other_lines, 0);
    ck_assert_int_ge(s.rest, 1);
    ck_assert_mem_eq(&r, &wanted, sizeof r);
    small_world_close(&w);
}
END_TEST

/* logs and reports progress like a loader thread, which makes no call of its own */
static void *work_for_a_call(void *user)
{
    second *s = user;

    s->thread = pthread_self();
    hr_log(s->w->context, HIRL_LOG_INFO, "from a loader");
    s->status = hr_progress(s->w->context, "train", 1, 2);
    return NULL;
}

static int32_t start_worker(const char *phase, int64_t done, int64_t total, void *user)
{
    second *s = user;
    pthread_t thread;

    (void)done;
    (void)total;
    s->steps += !strcmp(phase, "train");
    if (s->started)
        return 0;
    s->started = true;
    if (pthread_create(&thread, NULL, work_for_a_call, s))
        return -1;
    pthread_join(thread, NULL);
    return s->lined ? -1 : 0; /* the line must wait for the thread that made the call */
}

START_TEST(a_thread_that_made_no_call_gets_no_callbacks)
{
    static small_result r;
    second s = { .status = -1 };
    small_world w;

    small_world_open(&w);
    s.w = &w;
    hirl_context_set_log(w.context, HIRL_LOG_DEBUG, count_line, &s, NULL);
    hirl_context_set_progress(w.context, start_worker, &s, NULL);
    hr_assert_ok(small_embed(&r, &w));
    ck_assert_int_eq(s.status, HIRL_OK);
    ck_assert_int_eq(s.steps, 0);
    ck_assert(s.lined);
    small_world_close(&w);
}
END_TEST

/* a call of another context inside a callback, on the same thread */
typedef struct nested {
    small_world *inner;
    int outer_lines, inner_lines;
} nested;

static int32_t count_inner(const char *phase, int64_t done, int64_t total, void *user)
{
    nested *n = user;

    (void)phase, (void)done, (void)total;
    n->inner_lines++;
    return 0;
}

static int32_t call_another(const char *phase, int64_t done, int64_t total, void *user)
{
    static small_result r;
    nested *n = user;

    (void)phase, (void)done, (void)total;
    n->outer_lines++;
    return small_embed(&r, n->inner);
}

START_TEST(a_callback_may_call_another_context)
{
    static small_result r;
    small_world outer, inner;
    nested n = { .inner = &inner };

    small_world_open(&outer);
    small_world_open(&inner);
    hirl_context_set_progress(outer.context, call_another, &n, NULL);
    hirl_context_set_progress(inner.context, count_inner, &n, NULL);
    hr_assert_ok(small_embed_dataset(&r, &outer));
    ck_assert_int_ge(n.outer_lines, 2);
    ck_assert_int_eq(n.inner_lines, n.outer_lines);
    small_world_close(&inner);
    small_world_close(&outer);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("threads");
    TCase *c = tcase_create("threads");

    tcase_set_timeout(c, 0);
    tcase_add_loop_test(c, eight_threads_get_the_same_bits_in_one_context, 0, SAFE_CALLS);
    tcase_add_test(c, callbacks_of_a_call_run_on_the_thread_that_made_it);
    tcase_add_test(c, a_thread_that_made_no_call_gets_no_callbacks);
    tcase_add_test(c, a_callback_may_call_another_context);
    suite_add_tcase(s, c);
    return s;
}

HR_TEST_MAIN(suite)
