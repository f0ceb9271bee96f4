/* test_own_state.c - runs of method=own that go on to the same bits with a state of the host's that matters, and
 * what happens when one of its functions fails. */
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

/* a checkpoint of this moment */
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

/* compares, and frees `got` */
static bool same(bytes got, bytes want)
{
    bool equal = got.count == want.count && !memcmp(got.data, want.data, got.count);

    free(got.data);
    return equal;
}

static bytes whole_run(int threads)
{
    own_world w;
    bytes b;

    own_world_run(&w, threads);
    hr_assert_ok(hirl_train_run(NULL, w.trainer));
    b = state_of(&w);
    own_world_close(&w);
    return b;
}

/* ---- going on ---- */

START_TEST(threads_do_not_change_a_bit)
{
    bytes one = whole_run(1);

    ck_assert(same(whole_run(2), one));
    ck_assert(same(whole_run(5), one));
    free(one.data);
}
END_TEST

/* saved after `steps`, loaded into a new trainer before or after it gets the functions */
static bytes interrupted(int steps, bool functions_first, bool forgetful)
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
    w.host.forgetful = forgetful;
    own_world_begin(&w);
    if (functions_first)
        own_world_give(&w);
    hr_assert_ok(hirl_trainer_load(w.trainer, path));
    if (!functions_first)
        own_world_give(&w);
    hr_assert_ok(hirl_train_run(NULL, w.trainer));
    b = state_of(&w);
    own_world_close(&w);
    unlink(path);
    rmdir(folder);
    return b;
}

START_TEST(a_run_goes_on_to_the_same_bits_with_the_hosts_state)
{
    bytes whole = whole_run(2);

    for (int steps = 1; steps < 3 * OWN_STEPS_AN_EPOCH; steps += 2) {
        ck_assert_msg(same(interrupted(steps, true, false), whole), "after step %d", steps);
        ck_assert_msg(same(interrupted(steps, false, false), whole), "after step %d", steps);
    }
    ck_assert(!same(interrupted(4, true, true), whole)); /* the state matters */
    free(whole.data);
}
END_TEST

START_TEST(a_run_directory_is_resumed_with_the_hosts_state)
{
    hirl_step_report whole = { .struct_size = sizeof whole }, rest = whole;
    char folder[HR_TEST_PATH];
    double center[SMALL_HOST_DIM];
    own_world w;

    hr_test_folder(folder);
    own_world_run(&w, 2);
    hr_assert_ok(hirl_train_run(&whole, w.trainer));
    memcpy(center, w.host.center, sizeof center);
    own_world_close(&w);

    own_world_open(&w, 2);
    own_world_set(&w, "out", folder);
    own_world_begin(&w);
    own_world_give(&w);
    hr_assert_ok(hirl_train_epoch(NULL, w.trainer));
    memset(&w.host, 0, sizeof w.host);
    own_world_set(&w, "resume", "1");
    hirl_trainer_destroy(w.trainer);
    w.trainer = NULL;
    own_world_begin(&w);
    hr_assert_fails(hirl_train_step(NULL, w.trainer), HIRL_E_STATE, "hirl_trainer_set_method");
    own_world_give(&w);
    ck_assert_int_eq(w.host.committed, OWN_STEPS_AN_EPOCH);
    hr_assert_ok(hirl_train_run(&rest, w.trainer));
    ck_assert(rest.loss == whole.loss && rest.grad_norm == whole.grad_norm);
    ck_assert(!memcmp(center, w.host.center, sizeof center));
    own_world_close(&w);
    hr_test_remove(folder);
}
END_TEST

/* a run of so many steps, saved as path in a new folder */
static void open_saved(own_world *w, char folder[HR_TEST_PATH], char path[HR_TEST_PATH], int steps)
{
    hr_test_folder(folder);
    hr_test_path(path, folder, "state");
    own_world_run(w, 1);
    own_world_steps(w, steps);
    hr_assert_ok(hirl_trainer_save(w->trainer, path));
}

START_TEST(a_state_that_nobody_took_is_saved_again)
{
    char folder[HR_TEST_PATH], path[HR_TEST_PATH];
    bytes first;
    own_world w;

    open_saved(&w, folder, path, 2);
    first = content_of(path);
    own_world_begin(&w); /* without functions */
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
    calls = small_host_calls(&w.host);
    calls.name = "other";
    own_world_begin(&w);
    hr_assert_ok(hirl_trainer_set_method(w.trainer, &calls));
    hr_assert_fails(hirl_trainer_load(w.trainer, path), HIRL_E_INVALID, "pulled");
    hr_assert_fails(hirl_train_step(NULL, w.trainer), HIRL_E_STATE, "load");
    own_world_begin(&w);
    hr_assert_ok(hirl_trainer_load(w.trainer, path));
    hr_assert_fails(hirl_trainer_set_method(w.trainer, &calls), HIRL_E_INVALID, "pulled");
    calls = small_host_calls(&w.host);
    calls.load = NULL;
    hr_assert_fails(hirl_trainer_set_method(w.trainer, &calls), HIRL_E_STATE, "load");
    hr_assert_fails(hirl_train_step(NULL, w.trainer), HIRL_E_STATE, "hirl_trainer_set_method");
    own_world_give(&w);
    own_world_steps(&w, 1);
    hr_assert_ok(hirl_trainer_set_method(w.trainer, &calls)); /* nothing waits for its load */
    hr_assert_fails(hirl_trainer_load(w.trainer, path), HIRL_E_STATE, "load is NULL");
    hr_assert_fails(hirl_train_step(NULL, w.trainer), HIRL_E_STATE, "halfway");
    own_world_give(&w);
    hr_assert_fails(hirl_train_step(NULL, w.trainer), HIRL_E_STATE, "halfway");
    hr_assert_ok(hirl_trainer_load(w.trainer, path));
    own_world_steps(&w, 1);
    own_world_close(&w);
    hr_test_remove(folder);
}
END_TEST

/* ---- failing ---- */

static void must_be_the_hosts(hirl_status status, int32_t answer, const char *which)
{
    hr_assert_fails(status, HIRL_E_CALLBACK, which);
    ck_assert_int_eq(hirl_error_callback_value(), answer);
}

START_TEST(a_step_that_a_function_fails_changes_nothing)
{
    bytes whole = whole_run(2), before;
    own_world w;

    own_world_run(&w, 2);
    own_world_steps(&w, 4);
    before = state_of(&w);
    w.host.loss_answer = -41;
    must_be_the_hosts(hirl_train_step(NULL, w.trainer), -41, "loss");
    w.host.loss_answer = 0;
    ck_assert(same(state_of(&w), before));
    w.host.commit_answer = -42;
    must_be_the_hosts(hirl_train_step(NULL, w.trainer), -42, "commit");
    w.host.commit_answer = 0;
    ck_assert(same(state_of(&w), before));
    w.host.spoil = true;
    hr_assert_fails(hirl_train_step(NULL, w.trainer), HIRL_E_NONFINITE, "host_loss");
    w.host.spoil = false;
    ck_assert(same(state_of(&w), before));
    hr_assert_ok(hirl_train_run(NULL, w.trainer));
    ck_assert(same(state_of(&w), whole));
    free(before.data);
    free(whole.data);
    own_world_close(&w);
}
END_TEST

START_TEST(a_loss_of_held_out_images_that_is_not_finite_is_told)
{
    hirl_step_report report = { .struct_size = sizeof report };
    own_world w;

    own_world_run(&w, 1);
    own_world_steps(&w, 1);
    hr_assert_ok(hirl_trainer_evaluate(&report, w.trainer, w.images));
    w.host.spoil_held_out = true;
    hr_assert_fails(hirl_trainer_evaluate(&report, w.trainer, w.images), HIRL_E_NONFINITE,
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
    w.host.save_answer = -43;
    must_be_the_hosts(hirl_trainer_save(w.trainer, path), -43, "save");
    ck_assert_int_eq(hr_test_entries(folder), 0);
    w.host.save_answer = 0;
    hr_assert_ok(hirl_trainer_save(w.trainer, path));
    w.host.load_answer = -44;
    must_be_the_hosts(hirl_trainer_load(w.trainer, path), -44, "load");
    hr_assert_fails(hirl_train_step(NULL, w.trainer), HIRL_E_STATE, "load");
    hr_assert_fails(hirl_trainer_tree(&tree, w.trainer), HIRL_E_STATE, "halfway");
    w.host.load_answer = 0;
    hr_assert_ok(hirl_trainer_load(w.trainer, path));
    own_world_steps(&w, 1);
    own_world_begin(&w);
    hr_assert_ok(hirl_trainer_load(w.trainer, path));
    w.host.load_answer = -45;
    calls = small_host_calls(&w.host);
    must_be_the_hosts(hirl_trainer_set_method(w.trainer, &calls), -45, "load");
    hr_assert_fails(hirl_train_step(NULL, w.trainer), HIRL_E_STATE, "hirl_trainer_set_method");
    w.host.load_answer = 0;
    hr_assert_ok(hirl_trainer_load(w.trainer, path)); /* functions that failed were not taken */
    hr_assert_fails(hirl_train_step(NULL, w.trainer), HIRL_E_STATE, "hirl_trainer_set_method");
    hr_assert_ok(hirl_trainer_set_method(w.trainer, &calls));
    own_world_steps(&w, 1);
    own_world_close(&w);
    hr_test_remove(folder);
}
END_TEST

HR_TESTS("own state", threads_do_not_change_a_bit,
         a_run_goes_on_to_the_same_bits_with_the_hosts_state,
         a_run_directory_is_resumed_with_the_hosts_state, a_state_that_nobody_took_is_saved_again,
         a_checkpoint_of_another_method_is_refused, a_step_that_a_function_fails_changes_nothing,
         a_loss_of_held_out_images_that_is_not_finite_is_told,
         save_and_load_may_fail_and_be_called_again)
