/* test_cancel.c - hirl_cancel, called from a signal handler or another thread,
 * stops each long call; calling it again gives the same result as without the
 * stop. Frequent signals change nothing. */
#include <check.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

#include <hirl/hirl.h>

#include "small_world.h"
#include "support/close.h"
#include "support/folder.h"
#include "support/run.h"

/* ---- cancel ---- */

static hirl_context *volatile to_cancel;

static void cancel_in_handler(int number)
{
    (void)number;
    hirl_cancel(to_cancel);
}

static void *cancel_in_thread(void *user)
{
    hirl_cancel(user);
    return NULL;
}

typedef struct stop {
    const char *phase;
    hirl_context *context;
    bool by_signal, done;
} stop;

/* At the first progress line of the phase, cancels the call from a signal
 * handler or from a short-lived thread. */
static int32_t stop_once(const char *phase, int64_t done, int64_t total, void *user)
{
    stop *s = user;
    pthread_t thread;

    (void)done;
    (void)total;
    if (s->done || strcmp(phase, s->phase))
        return 0;
    s->done = true;
    if (s->by_signal)
        raise(SIGUSR1);
    else if (!pthread_create(&thread, NULL, cancel_in_thread, s->context))
        pthread_join(thread, NULL);
    return 0;
}

START_TEST(a_cancelled_call_gives_the_same_result_when_repeated)
{
    static small_result stopped, whole;
    const small_call *c = &small_calls[_i % SMALL_LONG_CALLS];
    stop s = { .phase = c->phase, .by_signal = _i >= SMALL_LONG_CALLS };
    small_world w;

    memset(&stopped, 0, sizeof stopped);
    memset(&whole, 0, sizeof whole);
    signal(SIGUSR1, cancel_in_handler);
    small_world_open(&w);
    hr_assert_ok(c->call(&whole, &w));
    small_world_close(&w);
    small_world_open(&w);
    to_cancel = s.context = w.context;
    hirl_context_set_progress(w.context, stop_once, &s, NULL);
    hr_assert_fails(c->call(&stopped, &w), HIRL_E_CANCELED, "stopped");
    ck_assert(s.done);
    hr_assert_ok(c->call(&stopped, &w));
    ck_assert_mem_eq(&stopped, &whole, sizeof whole);
    hirl_cancel(w.context); /* no call is running: the next one is not stopped */
    hr_assert_ok(small_cluster(&stopped, &w));
    hirl_cancel(NULL);
    small_world_close(&w);
    signal(SIGUSR1, SIG_DFL);
}
END_TEST

START_TEST(a_stop_stays_until_it_is_cleared_and_reaches_only_the_calls_that_use_it)
{
    static small_result whole, r;
    hirl_stop *mine, *other;
    small_world w;

    small_world_open(&w);
    hr_assert_ok(hirl_stop_create(&mine));
    hr_assert_ok(hirl_stop_create(&other));
    hr_assert_ok(small_cluster(&whole, &w));
    hirl_stop_use(mine);
    hirl_stop_request(other);
    hr_assert_ok(small_cluster(&r, &w));
    hirl_stop_request(mine); /* between two calls, and for each of them */
    ck_assert_int_eq(hirl_stop_requested(mine), 1);
    for (int i = 0; i < 2; i++)
        hr_assert_fails(small_cluster(&r, &w), HIRL_E_CANCELED, "stopped");
    hirl_stop_clear(mine);
    ck_assert_int_eq(hirl_stop_requested(mine), 0);
    hr_assert_ok(small_cluster(&r, &w));
    ck_assert_mem_eq(&r, &whole, sizeof r);
    hirl_stop_use(other);
    hr_assert_fails(hirl_train_step(NULL, w.trainer), HIRL_E_CANCELED, "stopped");
    hirl_stop_use(NULL);
    hr_assert_ok(hirl_train_step(NULL, w.trainer));
    hirl_stop_destroy(mine);
    hirl_stop_destroy(other);
    small_world_close(&w);
}
END_TEST

/* ---- at any moment ---- */

typedef struct strike {
    hirl_context *context;
    useconds_t after;
} strike;

static void *strike_later(void *user)
{
    const strike *s = user;

    usleep(s->after);
    hirl_cancel(s->context);
    return NULL;
}

/* Each long call is stopped again and again, each time a little later, until it ends by itself. */
START_TEST(a_call_stopped_at_any_moment_gives_the_same_result_in_the_end)
{
    static small_result stopped, whole;
    const small_call *c = &small_calls[_i];
    hirl_status status = HIRL_E_CANCELED;
    small_world w;

    memset(&stopped, 0, sizeof stopped);
    memset(&whole, 0, sizeof whole);
    small_world_open(&w);
    hr_assert_ok(c->call(&whole, &w));
    small_world_close(&w);
    small_world_open(&w);
    for (useconds_t after = 50; status == HIRL_E_CANCELED; after += after / 8 + 20) {
        strike s = { w.context, after };
        pthread_t thread;

        ck_assert_int_eq(pthread_create(&thread, NULL, strike_later, &s), 0);
        status = c->call(&stopped, &w);
        pthread_join(thread, NULL);
        ck_assert_msg(status >= 0 || status == HIRL_E_CANCELED, "%s: %s: %s", c->phase,
                      hirl_status_name(status), hirl_error_message());
        if (status != HIRL_DONE)
            continue;
        small_world_close(&w); /* the stop came after the last step: begin again */
        small_world_open(&w);
        status = HIRL_E_CANCELED;
    }
    ck_assert_mem_eq(&stopped, &whole, sizeof whole);
    small_world_close(&w);
}
END_TEST

/* ---- signals ---- */

static atomic_int signals; /* atomic: threads of OpenBLAS receive some of the signals */
static struct sigaction kept;

static void count_signal(int number)
{
    (void)number;
    atomic_fetch_add(&signals, 1);
}

/* Sends a signal every `microseconds`; 0 stops. Without SA_RESTART, so that an
 * interrupted system call fails with EINTR. */
static void send_signals(int microseconds)
{
    struct sigaction action = { .sa_handler = count_signal };
    struct itimerval timer = { { 0, microseconds }, { 0, microseconds } };

    if (microseconds)
        sigaction(SIGALRM, &action, &kept);
    setitimer(ITIMER_REAL, &timer, NULL);
    if (!microseconds)
        sigaction(SIGALRM, &kept, NULL);
}

/* Makes a run in a directory and returns its model file; the caller frees it. */
static char *whole_run(size_t *bytes, const char *folder)
{
    char path[HR_TEST_PATH];
    hirl_model *model;
    char *data;
    FILE *file;
    small_world w;

    small_world_open(&w);
    hirl_trainer_destroy(w.trainer);
    w.trainer = NULL;
    small_world_set(&w, "out", hr_test_path(path, folder, "run"));
    hr_assert_ok(hirl_trainer_create(&w.trainer, w.context, NULL, w.dataset, w.options));
    hr_assert_ok(hirl_train_run(NULL, w.trainer));
    hr_assert_ok(hirl_trainer_save(w.trainer, NULL));
    hr_assert_ok(hirl_trainer_load(w.trainer,
                                   hr_test_path(path, folder, "run/checkpoints/last.safetensors")));
    hr_assert_ok(hirl_model_load(&model, w.context, hr_test_path(path, folder, "run"), NULL));
    hirl_model_destroy(model);
    file = fopen(hr_test_path(path, folder, "run/model.safetensors"), "rb");
    ck_assert_ptr_nonnull(file);
    data = calloc(1, 1 << 22);
    *bytes = fread(data, 1, 1 << 22, file);
    fclose(file);
    hr_test_remove(hr_test_path(path, folder, "run"));
    small_world_close(&w);
    return data;
}

START_TEST(a_thousand_signals_a_second_change_nothing)
{
    char folder[HR_TEST_PATH], *quiet, *interrupted;
    size_t bytes[2];

    hr_test_folder(folder);
    quiet = whole_run(&bytes[0], folder);
    send_signals(1000);
    interrupted = whole_run(&bytes[1], folder);
    send_signals(0);
    ck_assert_int_gt(atomic_load(&signals), 0);
    ck_assert_uint_gt(bytes[0], 1000);
    ck_assert_uint_eq(bytes[0], bytes[1]);
    ck_assert(!memcmp(quiet, interrupted, bytes[0]));
    free(quiet);
    free(interrupted);
    hr_test_remove(folder);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("cancel");
    TCase *c = tcase_create("cancel");

    tcase_set_timeout(c, 0);
    tcase_add_loop_test(c, a_cancelled_call_gives_the_same_result_when_repeated, 0,
                        2 * SMALL_LONG_CALLS);
    tcase_add_test(c, a_stop_stays_until_it_is_cleared_and_reaches_only_the_calls_that_use_it);
    tcase_add_loop_test(c, a_call_stopped_at_any_moment_gives_the_same_result_in_the_end, 0,
                        SMALL_LONG_CALLS);
    tcase_add_test(c, a_thousand_signals_a_second_change_nothing);
    suite_add_tcase(s, c);
    return s;
}

HR_TEST_MAIN(suite)
