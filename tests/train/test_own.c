/* test_own.c - method=own through the public interface: what the host's functions see, what happens when
 * one fails, and runs that go on to the same bits with a state of the host's that matters. */
#include <check.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <hirl/hirl.h>

#include "small_host.h"
#include "support/folder.h"
#include "support/run.h"

enum { IMAGES = 48, SIDE = 16, BATCH = 16, STEPS_AN_EPOCH = 3, DIM = 8, PREDICTED = 6 };

/* ---- a small run ---- */

typedef struct world {
    hirl_options *options;
    hirl_context *context;
    hirl_dataset *images;
    hirl_trainer *trainer;
    small_host host;
} world;

static uint8_t pixels[IMAGES][SIDE][SIDE][3];

static void set(world *w, const char *key, const char *value)
{
    ck_assert_msg(hirl_options_set(w->options, key, value) >= 0, "%s", hirl_error_message());
}

static void must(hirl_status status)
{
    ck_assert_msg(status == HIRL_OK, "status %d: %s", (int)status, hirl_error_message());
}

static void must_fail(hirl_status status, hirl_status want, const char *word)
{
    ck_assert_msg(status == want && strstr(hirl_error_message(), word), "status %d: %s",
                  (int)status, hirl_error_message());
}

static void open_world(world *w, int threads)
{
    static const char *const small[][2] = {
        { "method", "own" },     { "head", "mlp 12 z bn" },
        { "z_dim", "8" },        { "arch", "resnet18" },
        { "width", "0.0625" },   { "stem", "small" },
        { "image_size", "16" },  { "batch_size", "16" },
        { "epochs", "3" },       { "lr", "0.02" },
        { "hirl", "1" },         { "cluster_warmup_epoch", "1" },
        { "prototypes", "6,3" }, { "negatives", "3" },
        { "kmeans_redo", "1" },  { "kmeans_iterations", "3" },
        { "seed", "7" },         { "loader_threads", "1" },
        { "backend", "cpu" },
    };
    uint32_t state = 9;

    memset(w, 0, sizeof *w);
    for (size_t i = 0; i < sizeof pixels; i++) {
        state = state * 1664525u + 1013904223u;
        (&pixels[0][0][0][0])[i] = (uint8_t)((state >> 24) / 4 + 150 * (i / 97 % 2));
    }
    must(hirl_options_create(&w->options));
    for (size_t i = 0; i < sizeof small / sizeof *small; i++)
        set(w, small[i][0], small[i][1]);
    must(hirl_options_set_int(w->options, "threads", threads));
    must(hirl_context_create(&w->context, w->options));
    must(hirl_dataset_from_memory(&w->images, w->context, &pixels[0][0][0][0], IMAGES, SIDE, SIDE,
                                  3, NULL, 0, w->options));
}

/* a trainer of the options as they are now */
static void begin(world *w)
{
    hirl_trainer_destroy(w->trainer);
    must(hirl_trainer_create(&w->trainer, w->context, NULL, w->images, w->options));
}

static void give_functions(world *w)
{
    hirl_method_calls calls = small_host_calls(&w->host);

    must(hirl_trainer_set_method(w->trainer, &calls));
}

static void open_run(world *w, int threads)
{
    open_world(w, threads);
    begin(w);
    give_functions(w);
}

static void close_world(world *w)
{
    hirl_trainer_destroy(w->trainer);
    hirl_dataset_destroy(w->images);
    hirl_context_destroy(w->context);
    hirl_options_destroy(w->options);
}

static void make_steps(world *w, int steps)
{
    for (int s = 0; s < steps; s++)
        must(hirl_train_step(NULL, w->trainer));
}

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
static bytes state_of(world *w)
{
    char folder[HR_TEST_PATH], path[HR_TEST_PATH];
    bytes b;

    hr_test_folder(folder);
    hr_test_path(path, folder, "state");
    must(hirl_trainer_save(w->trainer, path));
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
    world w;
    bytes b;

    open_run(&w, threads);
    must(hirl_train_run(NULL, w.trainer));
    b = state_of(&w);
    close_world(&w);
    return b;
}

/* ---- giving the functions ---- */

START_TEST(a_step_waits_for_the_functions)
{
    hirl_step_report report = { .struct_size = sizeof report };
    world w;

    open_world(&w, 1);
    set(&w, "cluster_warmup_epoch", "0");
    begin(&w);
    must_fail(hirl_train_step(NULL, w.trainer), HIRL_E_STATE, "hirl_trainer_set_method");
    must_fail(hirl_trainer_evaluate(&report, w.trainer, w.images), HIRL_E_STATE,
              "hirl_trainer_set_method");
    give_functions(&w);
    must(hirl_train_step(&report, w.trainer));
    ck_assert_int_eq(report.clustered, 1);
    ck_assert(report.loss_spd > 0);
    close_world(&w);
}
END_TEST

START_TEST(functions_that_cannot_be_are_refused)
{
    world w;
    hirl_method_calls good, calls;

    open_run(&w, 1);
    calls = good = small_host_calls(&w.host);
    must_fail(hirl_trainer_set_method(NULL, &calls), HIRL_E_INVALID, "trainer");
    must_fail(hirl_trainer_set_method(w.trainer, NULL), HIRL_E_INVALID, "calls");
    calls.struct_size = 0;
    must_fail(hirl_trainer_set_method(w.trainer, &calls), HIRL_E_INVALID, "struct_size");
    calls = good;
    calls.loss = NULL;
    must_fail(hirl_trainer_set_method(w.trainer, &calls), HIRL_E_INVALID, "loss");
    calls = good;
    calls.name = "";
    must_fail(hirl_trainer_set_method(w.trainer, &calls), HIRL_E_INVALID, "name");
    calls.name = "0123456789012345678901234567890123456789012345678901234567890123";
    must_fail(hirl_trainer_set_method(w.trainer, &calls), HIRL_E_INVALID, "name");
    calls.name = "other";
    must_fail(hirl_trainer_set_method(w.trainer, &calls), HIRL_E_INVALID, "pulled");
    calls = good;
    calls.coupled = 1;
    must_fail(hirl_trainer_set_method(w.trainer, &calls), HIRL_E_INVALID, "coupled");
    make_steps(&w, 1);
    set(&w, "method", "simsiam");
    begin(&w);
    must_fail(hirl_trainer_set_method(w.trainer, &good), HIRL_E_STATE, "simsiam");
    close_world(&w);
}
END_TEST

/* ---- what they see ---- */

START_TEST(the_loss_sees_the_outputs_that_keys_declare)
{
    hirl_step_report report = { .struct_size = sizeof report };
    const hirl_method_step *seen;
    world w;
    int ids = 0;

    open_run(&w, 2);
    seen = &w.host.seen;
    make_steps(&w, STEPS_AN_EPOCH);
    ck_assert_uint_eq(seen->struct_size, sizeof *seen);
    ck_assert_int_eq(seen->step, 2);
    ck_assert_int_eq(seen->n, BATCH);
    ck_assert_int_eq(seen->views, 2);
    ck_assert_int_eq(seen->globals, 2);
    ck_assert_int_eq(seen->d, DIM);
    ck_assert_int_eq(seen->z_dim, DIM);
    ck_assert_int_eq(seen->teacher_dim, 0);
    ck_assert_ptr_eq(seen->z0, seen->student);
    ck_assert_ptr_null(seen->teacher);
    ck_assert_int_eq(seen->micros, 1);
    for (int i = 0; i < IMAGES; i++)
        ids += w.host.id_seen[i];
    ck_assert_int_eq(ids, IMAGES); /* an epoch shows each once */
    ck_assert_int_eq(w.host.with_grad, STEPS_AN_EPOCH);
    must(hirl_trainer_evaluate(&report, w.trainer, w.images));
    ck_assert_int_eq(w.host.with_grad, STEPS_AN_EPOCH);
    ck_assert_int_eq(w.host.asked, 2 * STEPS_AN_EPOCH);
    ck_assert_int_eq(w.host.committed, STEPS_AN_EPOCH);
    ck_assert_int_lt(seen->image[0], -1); /* none of the run's images */
    close_world(&w);
}
END_TEST

START_TEST(predictor_teacher_and_local_views_come_too)
{
    const hirl_method_step *seen;
    world w;

    open_world(&w, 2);
    set(&w, "predictor", "mlp 10 6 bn");
    set(&w, "own_teacher", "1");
    set(&w, "cluster_network", "teacher");
    set(&w, "local_crops_number", "8");
    set(&w, "local_crops_size", "8");
    set(&w, "accumulate", "2");
    set(&w, "precision", "bf16");
    begin(&w);
    give_functions(&w);
    seen = &w.host.seen;
    make_steps(&w, STEPS_AN_EPOCH + 1); /* the last one under the path loss */
    ck_assert_int_eq(seen->n, BATCH / 2);
    ck_assert_int_eq(seen->views, 10);
    ck_assert_int_eq(seen->d, PREDICTED);
    ck_assert_int_eq(seen->z_dim, DIM);
    ck_assert_int_eq(seen->teacher_dim, DIM);
    ck_assert_int_eq(seen->micro, 1);
    ck_assert_int_eq(seen->micros, 2);
    ck_assert_int_eq(w.host.asked, 2 * (STEPS_AN_EPOCH + 1));
    ck_assert_int_eq(w.host.committed, STEPS_AN_EPOCH + 1);
    close_world(&w);
}
END_TEST

START_TEST(one_view_is_enough)
{
    world w;

    open_world(&w, 1);
    set(&w, "global_crops_number", "1");
    begin(&w);
    give_functions(&w);
    make_steps(&w, STEPS_AN_EPOCH + 1);
    ck_assert_int_eq(w.host.seen.views, 1);
    close_world(&w);
}
END_TEST

START_TEST(leaves_chosen_by_the_second_view_need_one)
{
    world w;

    open_world(&w, 1);
    set(&w, "global_crops_number", "1");
    set(&w, "iter_wise_assignment", "1");
    hirl_trainer_destroy(w.trainer);
    w.trainer = NULL;
    must_fail(hirl_trainer_create(&w.trainer, w.context, NULL, w.images, w.options), HIRL_E_INVALID,
              "second view");
    close_world(&w);
}
END_TEST

enum { MIXED = 5 /* views */ };

static int32_t keep(double *loss, float *grad, const hirl_method_step *step, void *user)
{
    (void)loss;
    (void)grad;
    memcpy(user, step->student, (size_t)(step->views * step->n * step->d) * sizeof(float));
    return 0;
}

/* a network without batch norm makes the same of a view in whatever company */
START_TEST(views_come_in_their_order_whatever_their_sizes)
{
    static float row[2][MIXED * BATCH * DIM];

    for (int joint = 0; joint < 2; joint++) {
        hirl_method_calls calls = {
            .struct_size = sizeof calls, .name = "keep", .loss = keep, .user = row[joint]
        };
        world w;

        open_world(&w, 2);
        set(&w, "arch", "vit_micro_patch4_32");
        set(&w, "head", "mlp 12 z");
        set(&w, "hirl", "0");
        set(&w, "local_crops_number", "1,1,1");
        set(&w, "local_crops_size", "12,8,12"); /* one size, another, and the first again */
        set(&w, "joint_views", joint ? "1" : "0");
        begin(&w);
        must(hirl_trainer_set_method(w.trainer, &calls));
        make_steps(&w, 1);
        close_world(&w);
    }
    for (int i = 0; i < MIXED * BATCH * DIM; i++)
        ck_assert_double_eq_tol(row[1][i], row[0][i], 1e-5);
    for (int v = 1; v < MIXED; v++) /* and views differ by more */
        ck_assert_double_gt(fabs((double)row[0][v * BATCH * DIM] - (double)row[0][0]), 1e-4);
}
END_TEST

/* a loss that is a mean over images: two micro-batches are one batch with two groups. In double
 * accumulate-f64 shows it, for weights too. */
START_TEST(micro_batches_add_up)
{
    double loss[2], center[2];

    for (int i = 0; i < 2; i++) {
        hirl_step_report report = { .struct_size = sizeof report };
        world w;

        open_world(&w, 2);
        set(&w, "hirl",
            "0"); /* clustering reads running statistics, which move once a micro-batch */
        set(&w, "bn_groups", "2");
        set(&w, "accumulate", i ? "2" : "1");
        begin(&w);
        give_functions(&w);
        make_steps(&w, 2);
        must(hirl_train_step(&report, w.trainer));
        loss[i] = report.loss;
        center[i] = w.host.center[1];
        ck_assert_int_eq(w.host.asked, 3 * (i + 1));
        close_world(&w);
    }
    ck_assert_double_eq_tol(loss[0], loss[1], 1e-5);
    ck_assert_double_eq_tol(center[0], center[1], 1e-5);
}
END_TEST

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
    world w;
    bytes b;

    hr_test_folder(folder);
    hr_test_path(path, folder, "state");
    open_run(&w, 2);
    make_steps(&w, steps);
    must(hirl_trainer_save(w.trainer, path));
    close_world(&w);
    open_world(&w, 1);
    w.host.forgetful = forgetful;
    begin(&w);
    if (functions_first)
        give_functions(&w);
    must(hirl_trainer_load(w.trainer, path));
    if (!functions_first)
        give_functions(&w);
    must(hirl_train_run(NULL, w.trainer));
    b = state_of(&w);
    close_world(&w);
    unlink(path);
    rmdir(folder);
    return b;
}

START_TEST(a_run_goes_on_to_the_same_bits_with_the_hosts_state)
{
    bytes whole = whole_run(2);

    for (int steps = 1; steps < 3 * STEPS_AN_EPOCH; steps += 2) {
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
    world w;

    hr_test_folder(folder);
    open_run(&w, 2);
    must(hirl_train_run(&whole, w.trainer));
    memcpy(center, w.host.center, sizeof center);
    close_world(&w);

    open_world(&w, 2);
    set(&w, "out", folder);
    begin(&w);
    give_functions(&w);
    must(hirl_train_epoch(NULL, w.trainer));
    memset(&w.host, 0, sizeof w.host);
    set(&w, "resume", "1");
    hirl_trainer_destroy(w.trainer);
    w.trainer = NULL;
    begin(&w);
    must_fail(hirl_train_step(NULL, w.trainer), HIRL_E_STATE, "hirl_trainer_set_method");
    give_functions(&w);
    ck_assert_int_eq(w.host.committed, STEPS_AN_EPOCH);
    must(hirl_train_run(&rest, w.trainer));
    ck_assert(rest.loss == whole.loss && rest.grad_norm == whole.grad_norm);
    ck_assert(!memcmp(center, w.host.center, sizeof center));
    close_world(&w);
    hr_test_remove(folder);
}
END_TEST

/* a run of so many steps, saved as path in a new folder */
static void open_saved(world *w, char folder[HR_TEST_PATH], char path[HR_TEST_PATH], int steps)
{
    hr_test_folder(folder);
    hr_test_path(path, folder, "state");
    open_run(w, 1);
    make_steps(w, steps);
    must(hirl_trainer_save(w->trainer, path));
}

START_TEST(a_state_that_nobody_took_is_saved_again)
{
    char folder[HR_TEST_PATH], path[HR_TEST_PATH];
    bytes first;
    world w;

    open_saved(&w, folder, path, 2);
    first = content_of(path);
    begin(&w); /* without functions */
    must(hirl_trainer_load(w.trainer, path));
    ck_assert(same(state_of(&w), first));
    close_world(&w);
    free(first.data);
    hr_test_remove(folder);
}
END_TEST

START_TEST(a_checkpoint_of_another_method_is_refused)
{
    char folder[HR_TEST_PATH], path[HR_TEST_PATH];
    hirl_method_calls calls;
    world w;

    open_saved(&w, folder, path, 1);
    calls = small_host_calls(&w.host);
    calls.name = "other";
    begin(&w);
    must(hirl_trainer_set_method(w.trainer, &calls));
    must_fail(hirl_trainer_load(w.trainer, path), HIRL_E_INVALID, "pulled");
    must_fail(hirl_train_step(NULL, w.trainer), HIRL_E_STATE, "load");
    begin(&w);
    must(hirl_trainer_load(w.trainer, path));
    must_fail(hirl_trainer_set_method(w.trainer, &calls), HIRL_E_INVALID, "pulled");
    calls = small_host_calls(&w.host);
    calls.load = NULL;
    must_fail(hirl_trainer_set_method(w.trainer, &calls), HIRL_E_STATE, "load");
    must_fail(hirl_train_step(NULL, w.trainer), HIRL_E_STATE, "hirl_trainer_set_method");
    give_functions(&w);
    make_steps(&w, 1);
    must(hirl_trainer_set_method(w.trainer, &calls)); /* nothing waits for its load */
    must_fail(hirl_trainer_load(w.trainer, path), HIRL_E_STATE, "load is NULL");
    must_fail(hirl_train_step(NULL, w.trainer), HIRL_E_STATE, "halfway");
    give_functions(&w);
    must_fail(hirl_train_step(NULL, w.trainer), HIRL_E_STATE, "halfway");
    must(hirl_trainer_load(w.trainer, path));
    make_steps(&w, 1);
    close_world(&w);
    hr_test_remove(folder);
}
END_TEST

/* ---- failing ---- */

static void must_be_the_hosts(hirl_status status, int32_t answer, const char *which)
{
    must_fail(status, HIRL_E_CALLBACK, which);
    ck_assert_int_eq(hirl_error_callback_value(), answer);
}

START_TEST(a_step_that_a_function_fails_changes_nothing)
{
    bytes whole = whole_run(2), before;
    world w;

    open_run(&w, 2);
    make_steps(&w, 4);
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
    must_fail(hirl_train_step(NULL, w.trainer), HIRL_E_NONFINITE, "host_loss");
    w.host.spoil = false;
    ck_assert(same(state_of(&w), before));
    must(hirl_train_run(NULL, w.trainer));
    ck_assert(same(state_of(&w), whole));
    free(before.data);
    free(whole.data);
    close_world(&w);
}
END_TEST

START_TEST(a_loss_of_held_out_images_that_is_not_finite_is_told)
{
    hirl_step_report report = { .struct_size = sizeof report };
    world w;

    open_run(&w, 1);
    make_steps(&w, 1);
    must(hirl_trainer_evaluate(&report, w.trainer, w.images));
    w.host.spoil_held_out = true;
    must_fail(hirl_trainer_evaluate(&report, w.trainer, w.images), HIRL_E_NONFINITE, "held-out");
    make_steps(&w, 1);
    close_world(&w);
}
END_TEST

START_TEST(save_and_load_may_fail_and_be_called_again)
{
    char folder[HR_TEST_PATH], path[HR_TEST_PATH];
    hirl_method_calls calls;
    hirl_tree *tree;
    world w;

    hr_test_folder(folder);
    hr_test_path(path, folder, "state");
    open_run(&w, 1);
    make_steps(&w, 2);
    w.host.save_answer = -43;
    must_be_the_hosts(hirl_trainer_save(w.trainer, path), -43, "save");
    ck_assert_int_eq(hr_test_entries(folder), 0);
    w.host.save_answer = 0;
    must(hirl_trainer_save(w.trainer, path));
    w.host.load_answer = -44;
    must_be_the_hosts(hirl_trainer_load(w.trainer, path), -44, "load");
    must_fail(hirl_train_step(NULL, w.trainer), HIRL_E_STATE, "load");
    must_fail(hirl_trainer_tree(&tree, w.trainer), HIRL_E_STATE, "halfway");
    w.host.load_answer = 0;
    must(hirl_trainer_load(w.trainer, path));
    make_steps(&w, 1);
    begin(&w);
    must(hirl_trainer_load(w.trainer, path));
    w.host.load_answer = -45;
    calls = small_host_calls(&w.host);
    must_be_the_hosts(hirl_trainer_set_method(w.trainer, &calls), -45, "load");
    must_fail(hirl_train_step(NULL, w.trainer), HIRL_E_STATE, "hirl_trainer_set_method");
    w.host.load_answer = 0;
    must(hirl_trainer_load(w.trainer, path)); /* functions that failed were not taken */
    must_fail(hirl_train_step(NULL, w.trainer), HIRL_E_STATE, "hirl_trainer_set_method");
    must(hirl_trainer_set_method(w.trainer, &calls));
    make_steps(&w, 1);
    close_world(&w);
    hr_test_remove(folder);
}
END_TEST

HR_TESTS("own", a_step_waits_for_the_functions, functions_that_cannot_be_are_refused,
         the_loss_sees_the_outputs_that_keys_declare, predictor_teacher_and_local_views_come_too,
         one_view_is_enough, leaves_chosen_by_the_second_view_need_one,
         views_come_in_their_order_whatever_their_sizes, micro_batches_add_up,
         threads_do_not_change_a_bit, a_run_goes_on_to_the_same_bits_with_the_hosts_state,
         a_run_directory_is_resumed_with_the_hosts_state, a_state_that_nobody_took_is_saved_again,
         a_checkpoint_of_another_method_is_refused, a_step_that_a_function_fails_changes_nothing,
         a_loss_of_held_out_images_that_is_not_finite_is_told,
         save_and_load_may_fail_and_be_called_again)
