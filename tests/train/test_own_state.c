/* test_own_state.c - runs of method=own whose method has a state: they resume to the same bits, and
 * a failing callback of the application leaves the run intact. */
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "own_world.h"
#include "support/close.h"
#include "support/folder.h"
#include "support/run.h"

typedef struct bytes {
    char *data;
    size_t count;
} bytes;

static bytes content_of(const char *path)
{
    bytes b;

    b.data = hr_test_read(&b.count, path);
    return b;
}

/* the bytes of a checkpoint of the current state */
static bytes state_of(own_world *w)
{
    char folder[HR_TEST_PATH], path[HR_TEST_PATH];
    bytes b;

    hr_test_folder(folder);
    hr_test_path(path, folder, "state");
    hr_assert_ok(hirl_trainer_save(w->trainer, path));
    b = content_of(path);
    unlink(path);
    rmdir(folder);
    return b;
}

/* compares both, then frees `got` */
static bool same(bytes got, bytes want)
{
    bool equal = got.count == want.count && !memcmp(got.data, want.data, got.count);

    free(got.data);
    return equal;
}

static bytes uninterrupted(int threads)
{
    own_world w;
    bytes b;

    own_world_run(&w, threads);
    hr_assert_ok(hirl_train_run(NULL, w.trainer));
    b = state_of(&w);
    own_world_close(&w);
    return b;
}

/* ---- resuming ---- */

START_TEST(thread_counts_give_the_same_bits)
{
    bytes one = uninterrupted(1);

    ck_assert(same(uninterrupted(2), one));
    ck_assert(same(uninterrupted(5), one));
    free(one.data);
}
END_TEST

/* A run saved after `steps` and loaded into a new trainer, before or after the
 * callbacks are set. Returns the final state. */
static bytes interrupted(int steps, bool callbacks_first, bool forgetful)
{
    char folder[HR_TEST_PATH], path[HR_TEST_PATH];
    own_world w;
    bytes b;

    hr_test_folder(folder);
    hr_test_path(path, folder, "state");
    own_world_run(&w, 2);
    own_world_steps(&w, steps);
    hr_assert_ok(hirl_trainer_save(w.trainer, path));
    own_world_close(&w);
    own_world_open(&w, 1);
    w.method.forgetful = forgetful;
    own_world_begin(&w);
    if (callbacks_first)
        own_world_set_method(&w);
    hr_assert_ok(hirl_trainer_load(w.trainer, path));
    if (!callbacks_first)
        own_world_set_method(&w);
    hr_assert_ok(hirl_train_run(NULL, w.trainer));
    b = state_of(&w);
    own_world_close(&w);
    unlink(path);
    rmdir(folder);
    return b;
}

START_TEST(a_run_resumes_to_the_same_bits_with_the_methods_state)
{
    bytes whole = uninterrupted(2);

    for (int steps = 1; steps < 3 * OWN_STEPS_AN_EPOCH; steps += 2) {
        ck_assert_msg(same(interrupted(steps, true, false), whole), "after step %d", steps);
        ck_assert_msg(same(interrupted(steps, false, false), whole), "after step %d", steps);
    }
    ck_assert(!same(interrupted(4, true, true), whole)); /* the state matters */
    free(whole.data);
}
END_TEST

START_TEST(a_run_directory_resumes_with_the_methods_state)
{
    hirl_step_report whole = { .struct_size = sizeof whole }, rest = whole;
    char folder[HR_TEST_PATH];
    double center[OWN_METHOD_DIM];
    own_world w;

    hr_test_folder(folder);
    own_world_run(&w, 2);
    hr_assert_ok(hirl_train_run(&whole, w.trainer));
    memcpy(center, w.method.center, sizeof center);
    own_world_close(&w);

    own_world_open(&w, 2);
    own_world_set(&w, "out", folder);
    own_world_begin(&w);
    own_world_set_method(&w);
    hr_assert_ok(hirl_train_epoch(NULL, w.trainer));
    memset(&w.method, 0, sizeof w.method);
    own_world_set(&w, "resume", "1");
    hirl_trainer_destroy(w.trainer);
    w.trainer = NULL;
    own_world_begin(&w);
    hr_assert_fails(hirl_train_step(NULL, w.trainer), HIRL_E_STATE, "hirl_trainer_set_method");
    own_world_set_method(&w);
    ck_assert_int_eq(w.method.committed, OWN_STEPS_AN_EPOCH);
    hr_assert_ok(hirl_train_run(&rest, w.trainer));
    ck_assert(rest.loss == whole.loss && rest.grad_norm == whole.grad_norm);
    ck_assert(!memcmp(center, w.method.center, sizeof center));
    own_world_close(&w);
    hr_test_remove(folder);
}
END_TEST

/* makes a run of `steps` steps and saves it as `path` in a new folder */
static void open_saved(own_world *w, char folder[HR_TEST_PATH], char path[HR_TEST_PATH], int steps)
{
    hr_test_folder(folder);
    hr_test_path(path, folder, "state");
    own_world_run(w, 1);
    own_world_steps(w, steps);
    hr_assert_ok(hirl_trainer_save(w->trainer, path));
}

START_TEST(a_state_that_was_never_loaded_is_saved_again)
{
    char folder[HR_TEST_PATH], path[HR_TEST_PATH];
    bytes first;
    own_world w;

    open_saved(&w, folder, path, 2);
    first = content_of(path);
    own_world_begin(&w); /* sets no callbacks */
    hr_assert_ok(hirl_trainer_load(w.trainer, path));
    ck_assert(same(state_of(&w), first));
    own_world_close(&w);
    free(first.data);
    hr_test_remove(folder);
}
END_TEST

START_TEST(a_checkpoint_of_another_method_is_refused)
{
    char folder[HR_TEST_PATH], path[HR_TEST_PATH];
    hirl_method_calls calls;
    own_world w;

    open_saved(&w, folder, path, 1);
    calls = own_method_calls(&w.method);
    calls.name = "other";
    own_world_begin(&w);
    hr_assert_ok(hirl_trainer_set_method(w.trainer, &calls));
    hr_assert_fails(hirl_trainer_load(w.trainer, path), HIRL_E_INVALID, "pulled");
    hr_assert_fails(hirl_train_step(NULL, w.trainer), HIRL_E_STATE, "load");
    own_world_begin(&w);
    hr_assert_ok(hirl_trainer_load(w.trainer, path));
    hr_assert_fails(hirl_trainer_set_method(w.trainer, &calls), HIRL_E_INVALID, "pulled");
    calls = own_method_calls(&w.method);
    calls.load = NULL;
    hr_assert_fails(hirl_trainer_set_method(w.trainer, &calls), HIRL_E_STATE, "load");
    hr_assert_fails(hirl_train_step(NULL, w.trainer), HIRL_E_STATE, "hirl_trainer_set_method");
    own_world_set_method(&w);
    own_world_steps(&w, 1);
    hr_assert_ok(
        hirl_trainer_set_method(w.trainer, &calls)); /* no state is pending, so load may be NULL */
    hr_assert_fails(hirl_trainer_load(w.trainer, path), HIRL_E_STATE, "load is NULL");
    hr_assert_fails(hirl_train_step(NULL, w.trainer), HIRL_E_STATE, "halfway");
    own_world_set_method(&w);
    hr_assert_fails(hirl_train_step(NULL, w.trainer), HIRL_E_STATE, "halfway");
    hr_assert_ok(hirl_trainer_load(w.trainer, path));
    own_world_steps(&w, 1);
    own_world_close(&w);
    hr_test_remove(folder);
}
END_TEST

/* ---- failing callbacks ---- */

static void expect_callback_error(hirl_status status, int32_t value, const char *which)
{
    hr_assert_fails(status, HIRL_E_CALLBACK, which);
    ck_assert_int_eq(hirl_error_callback_value(), value);
}

START_TEST(a_step_whose_callback_fails_changes_nothing)
{
    bytes whole = uninterrupted(2), before;
    own_world w;

    own_world_run(&w, 2);
    own_world_steps(&w, 4);
    before = state_of(&w);
    w.method.loss_value = -41;
    expect_callback_error(hirl_train_step(NULL, w.trainer), -41, "loss");
    w.method.loss_value = 0;
    ck_assert(same(state_of(&w), before));
    w.method.commit_value = -42;
    expect_callback_error(hirl_train_step(NULL, w.trainer), -42, "commit");
    w.method.commit_value = 0;
    ck_assert(same(state_of(&w), before));
    w.method.loss_value = 5; /* above 0: the application stops the call */
    hr_assert_fails(hirl_train_step(NULL, w.trainer), HIRL_E_CANCELED, "stopped");
    w.method.loss_value = 0;
    w.method.commit_value = 5;
    hr_assert_fails(hirl_train_step(NULL, w.trainer), HIRL_E_CANCELED, "stopped");
    w.method.commit_value = 0;
    ck_assert(same(state_of(&w), before));
    w.method.spoil = true;
    hr_assert_fails(hirl_train_step(NULL, w.trainer), HIRL_E_NONFINITE, "host_loss");
    w.method.spoil = false;
    ck_assert(same(state_of(&w), before));
    hr_assert_ok(hirl_train_run(NULL, w.trainer));
    ck_assert(same(state_of(&w), whole));
    free(before.data);
    free(whole.data);
    own_world_close(&w);
}
END_TEST

START_TEST(a_non_finite_loss_of_held_out_images_is_an_error)
{
    hirl_trainer_score score = { .struct_size = sizeof score };
    own_world w;

    own_world_run(&w, 1);
    own_world_steps(&w, 1);
    hr_assert_ok(hirl_trainer_evaluate(&score, w.trainer, w.images));
    w.method.spoil_held_out = true;
    hr_assert_fails(hirl_trainer_evaluate(&score, w.trainer, w.images), HIRL_E_NONFINITE,
                    "held-out");
    own_world_steps(&w, 1);
    own_world_close(&w);
}
END_TEST

START_TEST(save_and_load_may_fail_and_be_called_again)
{
    char folder[HR_TEST_PATH], path[HR_TEST_PATH];
    hirl_method_calls calls;
    hirl_tree *tree;
    own_world w;

    hr_test_folder(folder);
    hr_test_path(path, folder, "state");
    own_world_run(&w, 1);
    own_world_steps(&w, 2);
    w.method.save_value = -43;
    expect_callback_error(hirl_trainer_save(w.trainer, path), -43, "save");
    ck_assert_int_eq(hr_test_entries(folder), 0);
    w.method.save_value = 0;
    hr_assert_ok(hirl_trainer_save(w.trainer, path));
    w.method.load_value = -44;
    expect_callback_error(hirl_trainer_load(w.trainer, path), -44, "load");
    hr_assert_fails(hirl_train_step(NULL, w.trainer), HIRL_E_STATE, "load");
    hr_assert_fails(hirl_trainer_tree(&tree, w.trainer), HIRL_E_STATE, "halfway");
    w.method.load_value = 0;
    hr_assert_ok(hirl_trainer_load(w.trainer, path));
    own_world_steps(&w, 1);
    own_world_begin(&w);
    hr_assert_ok(hirl_trainer_load(w.trainer, path));
    w.method.load_value = -45;
    calls = own_method_calls(&w.method);
    expect_callback_error(hirl_trainer_set_method(w.trainer, &calls), -45, "load");
    hr_assert_fails(hirl_train_step(NULL, w.trainer), HIRL_E_STATE, "hirl_trainer_set_method");
    w.method.load_value = 0;
    hr_assert_ok(
        hirl_trainer_load(w.trainer, path)); /* the failed call did not set the callbacks */
    hr_assert_fails(hirl_train_step(NULL, w.trainer), HIRL_E_STATE, "hirl_trainer_set_method");
    hr_assert_ok(hirl_trainer_set_method(w.trainer, &calls));
    own_world_steps(&w, 1);
    own_world_close(&w);
    hr_test_remove(folder);
}
END_TEST

HR_TESTS("own state", thread_counts_give_the_same_bits,
         a_run_resumes_to_the_same_bits_with_the_methods_state,
         a_run_directory_resumes_with_the_methods_state,
         a_state_that_was_never_loaded_is_saved_again, a_checkpoint_of_another_method_is_refused,
         a_step_whose_callback_fails_changes_nothing,
         a_non_finite_loss_of_held_out_images_is_an_error,
         save_and_load_may_fail_and_be_called_again)
