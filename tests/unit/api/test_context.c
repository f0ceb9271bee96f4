/* test_context.c - a context in its application: number of threads, log lines, and children of a
 * fork, whose calls fail but never hang. */
#include <check.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <hirl/hirl.h>

#include "context.h"
#include "small_world.h"
#include "support/close.h"
#include "support/run.h"

/* ---- fork ---- */

static void die_when_hanging(void)
{
    signal(SIGALRM, SIG_DFL); /* Check's own handler ends the whole group */
    alarm(60);
}

/* In a child: returns 0 if every call is refused, otherwise 1
 * + the index of the first that is not. */
static int first_not_refused(small_world *w)
{
    static small_result r;

    die_when_hanging();
    for (int i = 0; i < SMALL_CALLS; i++)
        if (small_calls[i].call(&r, w) != HIRL_E_FORKED || !strstr(hirl_error_message(), "fork"))
            return 1 + i;
    return 0;
}

static int status_of(pid_t child)
{
    int status;

    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert_msg(WIFEXITED(status), "the child ended by signal %d", WTERMSIG(status));
    return WEXITSTATUS(status);
}

START_TEST(calls_in_a_forked_child_are_refused_but_can_clean_up)
{
    static small_result before, after;
    pid_t child;
    small_world w;

    small_world_open(&w);
    hr_assert_ok(hirl_train_step(NULL, w.trainer)); /* starts the loader threads */
    hr_assert_ok(small_embed(&before, &w));
    child = fork();
    if (!child) {
        int failed = first_not_refused(&w);

        small_world_close(&w);
        _exit(failed);
    }
    ck_assert_int_eq(status_of(child), 0);
    hr_assert_ok(small_embed(&after, &w)); /* the parent can continue */
    ck_assert_mem_eq(&before, &after, sizeof before);
    hr_assert_ok(hirl_train_run(NULL, w.trainer));
    small_world_close(&w);
}
END_TEST

#ifndef __SANITIZE_THREAD__ /* the sanitizer cannot follow threads that a forked child starts */
START_TEST(a_forked_child_may_create_its_own_context)
{
    static small_result before, after;
    pid_t child;
    small_world w;

    small_world_open(&w);
    hr_assert_ok(small_embed(&before, &w));
    child = fork();
    if (!child) {
        small_world own;

        die_when_hanging();
        small_world_open(&own);
        if (small_embed(&after, &own) < 0 || memcmp(&before, &after, sizeof before))
            _exit(1);
        if (hirl_train_run(NULL, own.trainer) < 0)
            _exit(2);
        small_world_close(&own);
        _exit(0);
    }
    ck_assert_int_eq(status_of(child), 0);
    small_world_close(&w);
}
END_TEST
#endif

/* ---- threads, log, data sets ---- */

/* The first that is set counts: the option, HIRL_NUM_THREADS, OMP_NUM_THREADS. 0: all cores. */
START_TEST(threads_come_from_the_option_or_the_environment)
{
    static const struct {
        const char *option, *hirl_env, *omp_env;
        int threads;
    } given[] = { { "2", "3", "5", 2 },   { NULL, "3", "5", 3 }, { NULL, "", "5", 5 },
                  { NULL, "", "4,2", 4 }, { NULL, "", "x", 0 },  { NULL, "", "0", 0 } };
    int cores = 0;

    for (int i = (int)(sizeof given / sizeof *given) - 1; i >= 0; i--) {
        hirl_options *options;
        hirl_context *context;

        setenv("HIRL_NUM_THREADS", given[i].hirl_env, 1);
        setenv("OMP_NUM_THREADS", given[i].omp_env, 1);
        hr_assert_ok(hirl_options_create(&options));
        if (given[i].option)
            hr_assert_ok(hirl_options_set(options, "threads", given[i].option));
        hr_assert_ok(hirl_context_create(&context, options));
        cores = cores ? cores : hirl_context_threads(context);
        ck_assert_int_eq(hirl_context_threads(context),
                         given[i].threads ? given[i].threads : cores);
        hirl_context_destroy(context);
        hirl_options_destroy(options);
    }
    unsetenv("HIRL_NUM_THREADS");
    unsetenv("OMP_NUM_THREADS");
}
END_TEST

static void keep_line(int32_t level, const char *text, void *user)
{
    (void)level;
    snprintf(user, 64, "%s", text);
}

/* File names in a log line may contain any byte. */
START_TEST(a_log_line_contains_no_control_characters)
{
    char line[64] = "";
    hirl_context *context;
    hr_call call;

    hr_assert_ok(hirl_context_create(&context, NULL));
    hirl_context_set_log(context, HIRL_LOG_DEBUG, keep_line, line, NULL);
    hr_assert_ok(hr_context_enter(&call, context));
    hr_log(context, HIRL_LOG_WARNING, "%s: unreadable", "a\nwarning: b\x1b[2J");
    ck_assert_str_eq(line, "a?warning: b?[2J: unreadable");
    hr_assert_ok(hr_context_leave(&call, HIRL_OK));
    hirl_context_destroy(context);
}
END_TEST

START_TEST(less_serious_lines_than_the_level_are_not_passed_on)
{
    char line[64] = "";
    hirl_context *context;
    hr_call call;

    hr_assert_ok(hirl_context_create(&context, NULL));
    hr_log(context, HIRL_LOG_INFO, "kept before a log is set");
    hirl_context_set_log(context, HIRL_LOG_WARNING, keep_line, line, NULL);
    ck_assert_str_eq(line, "");
    hr_assert_ok(hr_context_enter(&call, context));
    hr_log(context, HIRL_LOG_WARNING, "serious");
    hr_log(context, HIRL_LOG_INFO, "less so");
    ck_assert_str_eq(line, "serious");
    hirl_context_set_log(context, HIRL_LOG_INFO, keep_line, line, NULL);
    hr_log(context, HIRL_LOG_INFO, "less so");
    ck_assert_str_eq(line, "less so");
    hr_assert_ok(hr_context_leave(&call, HIRL_OK));
    hirl_context_destroy(context);
}
END_TEST

/* Its progress and cancellation belong to its own context, in which no call is running. */
START_TEST(a_data_set_of_another_context_is_refused)
{
    static small_result r;
    hirl_context *other;
    hirl_dataset *images;
    small_world w;

    small_world_open(&w);
    hr_assert_ok(hirl_context_create(&other, w.options));
    hr_assert_ok(hirl_dataset_open(&images, other, "generated", w.options));
    hr_assert_fails(hirl_model_embed_dataset(r.value, NULL, w.model, NULL, images, w.options),
                    HIRL_E_INVALID, "another context");
    hirl_dataset_destroy(images);
    hirl_context_destroy(other);
    small_world_close(&w);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("context");
    TCase *c = tcase_create("context");

    tcase_set_timeout(c, 0);
    tcase_add_test(c, calls_in_a_forked_child_are_refused_but_can_clean_up);
#ifndef __SANITIZE_THREAD__
    tcase_add_test(c, a_forked_child_may_create_its_own_context);
#endif
    tcase_add_test(c, threads_come_from_the_option_or_the_environment);
    tcase_add_test(c, a_log_line_contains_no_control_characters);
    tcase_add_test(c, less_serious_lines_than_the_level_are_not_passed_on);
    tcase_add_test(c, a_data_set_of_another_context_is_refused);
    suite_add_tcase(s, c);
    return s;
}

HR_TEST_MAIN(suite)
