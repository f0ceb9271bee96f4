/* test_trainer.c - what an application can find out about a run, and which calls its callbacks may
 * make. */
#include <check.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "small_trainer.h"
#include "support/close.h"
#include "support/run.h"

enum { EPOCHS = 2, STEPS = EPOCHS * SMALL_PER_EPOCH };

static const small_pair own[] = { { "epochs", "2" }, { NULL, NULL } };
static const small_pair *const two_epochs[] = { own, NULL };

/* ---- properties ---- */

START_TEST(a_run_describes_where_it_is)
{
    hirl_trainer_info info = { .struct_size = sizeof info };
    small_trainer t;

    small_trainer_open(&t, 1, two_epochs);
    hr_assert_ok(hirl_trainer_describe(&info, t.trainer));
    ck_assert_int_eq(info.step, 0);
    ck_assert_int_eq(info.steps, STEPS);
    ck_assert_int_eq(info.epoch_steps, SMALL_PER_EPOCH);
    ck_assert_int_eq(info.epochs, EPOCHS);
    ck_assert_int_eq(info.batch_size, SMALL_BATCH);
    ck_assert_str_eq(info.task, "pretrain");
    ck_assert_str_eq(info.out, "");
    ck_assert_str_eq(hirl_trainer_judgement(t.trainer), "");
    small_trainer_steps(&t, SMALL_PER_EPOCH + 1);
    hr_assert_ok(hirl_trainer_describe(&info, t.trainer));
    ck_assert_int_eq(info.step, SMALL_PER_EPOCH + 1);
    ck_assert_int_eq(info.epoch, 1);
    ck_assert_int_eq(info.finished, 0);
    ck_assert_str_ne(hirl_trainer_judgement(t.trainer), "");
    hr_assert_ok(hirl_train_run(NULL, t.trainer));
    hr_assert_ok(hirl_trainer_describe(&info, t.trainer));
    ck_assert_int_eq(info.epoch, EPOCHS);
    ck_assert_int_eq(info.finished, 1);
    small_trainer_close(&t);
}
END_TEST

/* The options of a run give the same run again, whatever was auto. */
START_TEST(the_options_of_a_run_give_the_same_run)
{
    hirl_step_report first = { .struct_size = sizeof first }, again = first;
    hirl_options *options;
    hirl_trainer *other;
    small_trainer t;

    small_trainer_open(&t, 1, two_epochs);
    hr_assert_ok(hirl_trainer_options(&options, t.trainer));
    ck_assert_str_eq(hirl_options_get(options, "batch_size"), "16");
    ck_assert_str_eq(hirl_options_get(options, "epochs"), "2");
    hr_assert_ok(hirl_trainer_create(&other, t.context, NULL, t.images, options));
    hr_assert_ok(hirl_train_epoch(&first, t.trainer));
    hr_assert_ok(hirl_train_epoch(&again, other));
    ck_assert(first.loss == again.loss);
    hirl_trainer_destroy(other);
    hirl_options_destroy(options);
    small_trainer_close(&t);
}
END_TEST

/* ---- calls from a report function ---- */

typedef struct visit {
    small_trainer t;
    int calls, stop_at;
    int32_t answer;
    hirl_status nested;
} visit;

static int32_t on_report(const hirl_step_report *report, void *user)
{
    hirl_trainer_info info = { .struct_size = sizeof info };
    visit *v = user;
    hirl_trainer_score score = { .struct_size = sizeof score };
    hirl_options *options;
    hirl_model *model;
    size_t bytes;
    void *state;

    hr_assert_ok(hirl_trainer_describe(&info, v->t.trainer));
    ck_assert_int_eq(info.step, report->step);
    hr_assert_ok(hirl_trainer_options(&options, v->t.trainer));
    hirl_options_destroy(options);
    hr_assert_ok(hirl_trainer_model(&model, v->t.trainer, "online"));
    hirl_model_destroy(model);
    free(small_trainer_state(&bytes, &v->t));
    hr_assert_ok(hirl_trainer_to_memory(&state, &bytes, v->t.trainer));
    hirl_free(state);
    hr_assert_ok(hirl_trainer_evaluate(&score, v->t.trainer, v->t.images));
    ck_assert_int_eq(score.images, SMALL_IMAGES);
    ck_assert_int_eq(hirl_trainer_set_report(v->t.trainer, NULL, NULL, NULL), HIRL_E_BUSY);
    v->nested = hirl_train_step(NULL, v->t.trainer);
    return ++v->calls == v->stop_at ? v->answer : 0;
}

START_TEST(a_report_function_may_look_and_save_but_not_step)
{
    char *whole, *visited;
    size_t bytes, others;
    visit v = { 0 };

    whole = small_trainer_run(&bytes, NULL, 1, two_epochs);
    small_trainer_open(&v.t, 1, two_epochs);
    hr_assert_ok(hirl_trainer_set_report(v.t.trainer, on_report, &v, NULL));
    hr_assert_ok(hirl_train_run(NULL, v.t.trainer));
    ck_assert_int_eq(v.calls, STEPS);
    ck_assert_int_eq(v.nested, HIRL_E_BUSY);
    visited = small_trainer_state(&others, &v.t);
    ck_assert_uint_eq(bytes, others);
    ck_assert_mem_eq(whole, visited, bytes);
    free(whole);
    free(visited);
    small_trainer_close(&v.t);
}
END_TEST

START_TEST(a_report_function_stops_the_run_after_its_step)
{
    hirl_trainer_info info = { .struct_size = sizeof info };
    visit v = { .stop_at = 3, .answer = _i ? -7 : 1 };

    small_trainer_open(&v.t, 1, two_epochs);
    hr_assert_ok(hirl_trainer_set_report(v.t.trainer, on_report, &v, NULL));
    ck_assert_int_eq(hirl_train_run(NULL, v.t.trainer), _i ? HIRL_E_CALLBACK : HIRL_E_CANCELED);
    if (_i)
        ck_assert_int_eq(hirl_error_callback_value(), -7);
    hr_assert_ok(hirl_trainer_describe(&info, v.t.trainer));
    ck_assert_int_eq(info.step, 3);
    hr_assert_ok(hirl_train_run(NULL, v.t.trainer));
    ck_assert_int_eq(v.calls, STEPS);
    small_trainer_close(&v.t);
}
END_TEST

/* ---- calls from a progress function, and from another thread ---- */

static int32_t evaluate_once(const hirl_step_report *report, void *user)
{
    hirl_trainer_score score = { .struct_size = sizeof score };
    visit *v = user;

    (void)report;
    hr_assert_ok(hirl_trainer_evaluate(&score, v->t.trainer, v->t.images));
    return 1;
}

static int32_t snapshot_inside(const char *phase, int64_t done, int64_t total, void *user)
{
    visit *v = user;
    hirl_model *model;

    (void)done, (void)total;
    if (!strcmp(phase, "evaluate")) {
        v->nested = hirl_trainer_model(&model, v->t.trainer, NULL);
        v->calls++;
    }
    return 0;
}

/* An evaluation that a report function makes is work itself: its callbacks may look only. */
START_TEST(a_call_from_a_report_function_is_not_between_steps)
{
    visit v = { 0 };

    small_trainer_open(&v.t, 1, two_epochs);
    hr_assert_ok(hirl_trainer_set_report(v.t.trainer, evaluate_once, &v, NULL));
    hirl_context_set_progress(v.t.context, snapshot_inside, &v, NULL);
    ck_assert_int_eq(hirl_train_run(NULL, v.t.trainer), HIRL_E_CANCELED);
    ck_assert_int_gt(v.calls, 0);
    ck_assert_int_eq(v.nested, HIRL_E_BUSY);
    small_trainer_close(&v.t);
}
END_TEST

static int32_t on_progress(const char *phase, int64_t done, int64_t total, void *user)
{
    hirl_trainer_info info = { .struct_size = sizeof info };
    visit *v = user;
    hirl_model *model;

    (void)phase, (void)done, (void)total;
    if (!v->t.trainer)
        return 0;
    hr_assert_ok(hirl_trainer_describe(&info, v->t.trainer));
    v->nested = hirl_trainer_model(&model, v->t.trainer, NULL);
    v->calls++;
    return 0;
}

START_TEST(a_progress_function_may_look_only)
{
    visit v = { 0 };

    small_trainer_open(&v.t, 1, two_epochs);
    hirl_context_set_progress(v.t.context, on_progress, &v, NULL);
    hr_assert_ok(hirl_train_epoch(NULL, v.t.trainer));
    ck_assert_int_gt(v.calls, 0);
    ck_assert_int_eq(v.nested, HIRL_E_BUSY);
    small_trainer_close(&v.t);
}
END_TEST

static void *step_elsewhere(void *user)
{
    visit *v = user;

    v->nested = hirl_train_step(NULL, v->t.trainer);
    ck_assert_ptr_nonnull(strstr(hirl_error_message(), "another thread"));
    return NULL;
}

static int32_t start_thread(const hirl_step_report *report, void *user)
{
    pthread_t thread;

    (void)report;
    ck_assert_int_eq(pthread_create(&thread, NULL, step_elsewhere, user), 0);
    pthread_join(thread, NULL);
    return 1;
}

START_TEST(a_second_thread_is_refused_while_the_trainer_works)
{
    visit v = { 0 };

    small_trainer_open(&v.t, 1, two_epochs);
    hr_assert_ok(hirl_trainer_set_report(v.t.trainer, start_thread, &v, NULL));
    ck_assert_int_eq(hirl_train_run(NULL, v.t.trainer), HIRL_E_CANCELED);
    ck_assert_int_eq(v.nested, HIRL_E_BUSY);
    small_trainer_close(&v.t);
}
END_TEST

/* ---- release of what callbacks use ---- */

static void count_release(void *user)
{
    ++*(int *)user;
}

static int32_t no_report(const hirl_step_report *report, void *user)
{
    (void)report, (void)user;
    return 0;
}

START_TEST(user_is_released_once_when_nothing_needs_it)
{
    int first = 0, second = 0;
    small_trainer t;

    small_trainer_open(&t, 1, two_epochs);
    hr_assert_ok(hirl_trainer_set_report(t.trainer, no_report, &first, count_release));
    hr_assert_ok(hirl_trainer_set_report(t.trainer, no_report, &second, count_release));
    ck_assert_int_eq(first, 1);
    hr_assert_ok(hirl_train_step(NULL, t.trainer));
    ck_assert_int_eq(second, 0);
    small_trainer_close(&t);
    ck_assert_int_eq(first, 1);
    ck_assert_int_eq(second, 1);
}
END_TEST

START_TEST(the_printer_writes_a_line_per_epoch)
{
    char text[1024] = "";
    FILE *file = tmpfile();
    small_trainer t;

    small_trainer_open(&t, 1, two_epochs);
    hr_assert_ok(hirl_trainer_set_report(t.trainer, hirl_report_print, file, NULL));
    hr_assert_ok(hirl_train_run(NULL, t.trainer));
    rewind(file);
    text[fread(text, 1, sizeof text - 1, file)] = 0;
    ck_assert_ptr_eq(strstr(text, "epoch 1 of 2: loss "), text);
    ck_assert_ptr_nonnull(strstr(text, "\nepoch 2 of 2: loss "));
    ck_assert_int_eq(hirl_report_print(NULL, file), 0);
    small_trainer_close(&t);
    fclose(file);
}
END_TEST

static Suite *trainer_suite(void)
{
    Suite *suite = suite_create("trainer");
    TCase *tests = tcase_create("trainer");

    tcase_set_timeout(tests, 120);
    tcase_add_test(tests, a_run_describes_where_it_is);
    tcase_add_test(tests, the_options_of_a_run_give_the_same_run);
    tcase_add_test(tests, a_report_function_may_look_and_save_but_not_step);
    tcase_add_loop_test(tests, a_report_function_stops_the_run_after_its_step, 0, 2);
    tcase_add_test(tests, a_call_from_a_report_function_is_not_between_steps);
    tcase_add_test(tests, a_progress_function_may_look_only);
    tcase_add_test(tests, a_second_thread_is_refused_while_the_trainer_works);
    tcase_add_test(tests, user_is_released_once_when_nothing_needs_it);
    tcase_add_test(tests, the_printer_writes_a_line_per_epoch);
    suite_add_tcase(suite, tests);
    return suite;
}

HR_TEST_MAIN(trainer_suite)
