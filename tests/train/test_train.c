/* test_train.c - whole small runs through the public interface: they learn, stop anywhere, go on to
 * the same bits, on any number of threads. */
#include <check.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <hirl/hirl.h>

#include "base/alloc.h"
#include "support/run.h"

enum { IMAGES = 64, SIDE = 16 };

static uint8_t pixels[IMAGES][SIDE][SIDE][3];

/* four kinds of stripes in random colours */
static void draw_images(void)
{
    uint32_t state = 12345;

    for (int n = 0; n < IMAGES; n++) {
        uint8_t colour[2][3];

        for (int i = 0; i < 6; i++) {
            state = state * 1664525u + 1013904223u;
            colour[i / 3][i % 3] = (uint8_t)(state >> 24);
        }
        for (int y = 0; y < SIDE; y++)
            for (int x = 0; x < SIDE; x++) {
                int kind = n % 4, stripe = kind == 0   ? x / 2
                                           : kind == 1 ? y / 2
                                           : kind == 2 ? (x + y) / 3
                                                       : x / 5;

                memcpy(pixels[n][y][x], colour[stripe & 1], 3);
            }
    }
}

typedef struct world {
    hirl_options *options;
    hirl_context *context;
    hirl_dataset *images;
    hirl_trainer *trainer;
} world;

static void set(hirl_options *options, const char *key, const char *value)
{
    ck_assert_msg(hirl_options_set(options, key, value) >= 0, "%s", hirl_error_message());
}

static void open_world(world *w, int threads, const char *epochs, const char *hirl,
                       const char *precision)
{
    static const char *const small[][2] = {
        { "arch", "resnet18" },    { "width", "0.125" },
        { "stem", "small" },       { "image_size", "16" },
        { "batch_size", "16" },    { "prototypes", "8,4,2" },
        { "negatives", "4" },      { "queue", "32" },
        { "lr", "0.03" },          { "z_dim", "16" },
        { "kmeans_redo", "2" },    { "kmeans_iterations", "4" },
        { "ema", "0.99" },         { "seed", "7" },
        { "loader_threads", "1" }, { "cluster_warmup_epoch", "1" },
    };

    draw_images();
    ck_assert_int_eq(hirl_options_create(&w->options), HIRL_OK);
    for (size_t i = 0; i < sizeof small / sizeof *small; i++)
        set(w->options, small[i][0], small[i][1]);
    set(w->options, "epochs", epochs);
    set(w->options, "hirl", hirl);
    set(w->options, "precision", precision);
    set(w->options, "backend", "cpu");
    ck_assert_int_eq(hirl_options_set_int(w->options, "threads", threads), HIRL_OK);
    ck_assert_msg(hirl_context_create(&w->context, w->options) >= 0, "%s", hirl_error_message());
    ck_assert_msg(hirl_dataset_from_memory(&w->images, w->context, &pixels[0][0][0][0], IMAGES,
                                           SIDE, SIDE, 3, NULL, 0, w->options) >= 0,
                  "%s", hirl_error_message());
    ck_assert_msg(hirl_trainer_create(&w->trainer, w->context, NULL, w->images, w->options) >= 0,
                  "%s", hirl_error_message());
}

static void close_world(world *w)
{
    hirl_trainer_destroy(w->trainer);
    hirl_dataset_destroy(w->images);
    hirl_context_destroy(w->context);
    hirl_options_destroy(w->options);
}

/* the bytes of a checkpoint of this moment */
static char *state_of(size_t *bytes, world *w)
{
    char path[] = "/tmp/hirl-train-XXXXXX";
    int fd = mkstemp(path);
    FILE *file;
    char *data;

    ck_assert_int_ge(fd, 0);
    close(fd);
    ck_assert_msg(hirl_trainer_save(w->trainer, path) >= 0, "%s", hirl_error_message());
    file = fopen(path, "rb");
    fseek(file, 0, SEEK_END);
    *bytes = (size_t)ftell(file);
    rewind(file);
    data = malloc(*bytes);
    ck_assert_uint_eq(fread(data, 1, *bytes, file), *bytes);
    fclose(file);
    unlink(path);
    return data;
}

static char *whole_run(size_t *bytes, int threads)
{
    world w;
    char *state;

    open_world(&w, threads, "3", "1", "f32");
    ck_assert_msg(hirl_train_run(NULL, w.trainer) == HIRL_OK, "%s", hirl_error_message());
    state = state_of(bytes, &w);
    close_world(&w);
    return state;
}

/* chance level: ln(K + 1), where the loss lies once the queue holds keys of images */
START_TEST(the_loss_falls_below_chance_on_64_images)
{
    const char *hirl = _i ? "1" : "0";
    hirl_step_report report = { .struct_size = sizeof report };
    double last = 0, chance = log(32 + 1);
    world w;

    open_world(&w, 2, "50", hirl, "f32");
    for (int s = 0; s < 200; s++) {
        ck_assert_msg(hirl_train_step(&report, w.trainer) == HIRL_OK, "%s", hirl_error_message());
        if (s >= 180)
            last += report.loss_image / 20;
    }
    ck_assert_msg(last < chance - 0.05, "loss %g, chance %g", last, chance);
    ck_assert_msg(report.health_std > 0.15, "std %g", report.health_std);
    ck_assert_int_eq(hirl_train_step(&report, w.trainer), HIRL_DONE);
    close_world(&w);
}
END_TEST

START_TEST(clustering_begins_at_t1_and_the_path_loss_is_positive)
{
    hirl_step_report report = { .struct_size = sizeof report };
    hirl_tree *tree;
    world w;

    open_world(&w, 2, "2", "1", "f32");
    for (int s = 0; s < 4; s++) {
        ck_assert_int_eq(hirl_train_step(&report, w.trainer), HIRL_OK);
        ck_assert_int_eq(report.clustered, 0);
        ck_assert(report.loss_spd == 0);
    }
    ck_assert_int_eq(hirl_trainer_tree(&tree, w.trainer), HIRL_E_STATE);
    ck_assert_int_eq(hirl_train_step(&report, w.trainer), HIRL_OK);
    ck_assert_int_eq(report.clustered, 1);
    ck_assert(report.loss_spd > 0);
    ck_assert_double_eq_tol(report.loss, report.loss_image + report.loss_spd, 1e-5);
    ck_assert_int_eq(hirl_trainer_tree(&tree, w.trainer), HIRL_OK);
    ck_assert_int_eq(hirl_tree_levels(tree), 3);
    ck_assert_int_eq(hirl_tree_count(tree, 1), 8);
    hirl_tree_destroy(tree);
    close_world(&w);
}
END_TEST

START_TEST(threads_do_not_change_a_bit)
{
    size_t bytes[2];
    char *one = whole_run(&bytes[0], 1), *more = whole_run(&bytes[1], _i);

    ck_assert_uint_eq(bytes[0], bytes[1]);
    ck_assert_msg(!memcmp(one, more, bytes[0]), "1 and %d threads differ", _i);
    free(one);
    free(more);
}
END_TEST

typedef struct stopper {
    int poll, stop_at;
} stopper;

static int32_t count_polls(const char *phase, int64_t done, int64_t total, void *user)
{
    stopper *s = user;

    (void)phase;
    (void)done;
    (void)total;
    return ++s->poll == s->stop_at;
}

/* runs, stops at the n-th poll, saves, and goes on in a new trainer on another number of threads */
static bool stop_and_go_on(const char *whole, size_t whole_bytes, int n)
{
    char path[] = "/tmp/hirl-resume-XXXXXX";
    stopper s = { 0, n };
    hirl_status status;
    size_t bytes;
    char *state;
    world w;
    int fd = mkstemp(path);

    close(fd);
    open_world(&w, 2, "3", "1", "f32");
    hirl_context_set_progress(w.context, count_polls, &s);
    status = hirl_train_run(NULL, w.trainer);
    if (status == HIRL_OK) {
        close_world(&w);
        unlink(path);
        return false; /* there are fewer polls */
    }
    ck_assert_msg(status == HIRL_E_CANCELED, "poll %d: %s", n, hirl_error_message());
    ck_assert_msg(hirl_trainer_save(w.trainer, path) >= 0, "%s", hirl_error_message());
    close_world(&w);

    open_world(&w, 1 + n % 3, "3", "1", "f32");
    ck_assert_msg(hirl_trainer_load(w.trainer, path) >= 0, "%s", hirl_error_message());
    unlink(path);
    status = hirl_train_run(NULL, w.trainer);
    ck_assert_msg(status >= 0, "%s", hirl_error_message());
    state = state_of(&bytes, &w);
    ck_assert_uint_eq(bytes, whole_bytes);
    ck_assert_msg(!memcmp(state, whole, bytes), "stopped at poll %d the run ends elsewhere", n);
    free(state);
    close_world(&w);
    return true;
}

START_TEST(a_run_stopped_at_any_poll_ends_with_the_same_bits)
{
    size_t bytes;
    char *whole = whole_run(&bytes, 2);
    int n = 1;

    while (stop_and_go_on(whole, bytes, n))
        n++;
    ck_assert_int_gt(n, 20); /* training, extraction and clustering were all stopped */
    free(whole);
}
END_TEST

START_TEST(bf16_follows_f32_for_50_steps)
{
    hirl_step_report report = { .struct_size = sizeof report };
    double loss[2] = { 0 };

    for (int p = 0; p < 2; p++) {
        world w;

        open_world(&w, 2, "13", "1", p ? "bf16" : "f32");
        for (int s = 0; s < 50; s++) {
            ck_assert_msg(hirl_train_step(&report, w.trainer) == HIRL_OK, "%s",
                          hirl_error_message());
            if (s >= 40)
                loss[p] += report.loss / 10;
        }
        close_world(&w);
    }
    ck_assert_msg(loss[1] > 0.98 * loss[0] && loss[1] < 1.02 * loss[0], "f32 %g, bf16 %g", loss[0],
                  loss[1]);
}
END_TEST

START_TEST(a_rate_that_explodes_is_named_and_nothing_is_saved)
{
    char path[] = "/tmp/hirl-nan-XXXXXX";
    hirl_status status = HIRL_OK;
    world w;
    int fd = mkstemp(path);

    close(fd);
    unlink(path);
    open_world(&w, 2, "50", "0", "f32");
    hirl_trainer_destroy(w.trainer);
    set(w.options, "lr", "1000");
    set(w.options, "weight_decay", "1");
    ck_assert_int_eq(hirl_trainer_create(&w.trainer, w.context, NULL, w.images, w.options),
                     HIRL_OK);
    for (int s = 0; s < 200 && status == HIRL_OK; s++)
        status = hirl_train_step(NULL, w.trainer);
    ck_assert_int_eq(status, HIRL_E_NONFINITE);
    ck_assert_msg(strstr(hirl_error_message(), "finite") != NULL, "%s", hirl_error_message());
    close_world(&w);
}
END_TEST

START_TEST(evaluating_held_out_images_changes_nothing)
{
    hirl_step_report report = { .struct_size = sizeof report };
    size_t bytes[2];
    char *state[2];
    world w;

    open_world(&w, 2, "3", "1", "f32");
    for (int s = 0; s < 6; s++)
        ck_assert_int_eq(hirl_train_step(NULL, w.trainer), HIRL_OK);
    state[0] = state_of(&bytes[0], &w);
    ck_assert_msg(hirl_trainer_evaluate(&report, w.trainer, w.images) == HIRL_OK, "%s",
                  hirl_error_message());
    ck_assert(report.loss_image > 0 && report.loss_spd > 0);
    ck_assert_double_eq_tol(report.loss, report.loss_image + report.loss_spd, 1e-5);
    state[1] = state_of(&bytes[1], &w);
    ck_assert_uint_eq(bytes[0], bytes[1]);
    ck_assert(!memcmp(state[0], state[1], bytes[0]));
    free(state[0]);
    free(state[1]);
    close_world(&w);
}
END_TEST

START_TEST(a_tree_of_the_host_drives_the_path_loss)
{
    static const int64_t m[3] = { 6, 3, 2 };
    static const int32_t up1[6] = { 0, 1, 2, 0, 1, 2 }, up2[3] = { 0, 1, 0 };
    const int32_t *parents[2] = { up1, up2 };
    hirl_step_report report = { .struct_size = sizeof report };
    float node[3][6 * 16];
    const float *prototypes[3] = { node[0], node[1], node[2] };
    int32_t leaf[IMAGES];
    hirl_tree *tree, *used;
    world w;

    for (int l = 0; l < 3; l++)
        for (int i = 0; i < 6 * 16; i++)
            node[l][i] = (float)((i * 7 + l * 3) % 11) - 5;
    for (int n = 0; n < IMAGES; n++)
        leaf[n] = n % 7 == 6 ? -1 : n % 6;
    open_world(&w, 2, "3", "1", "f32");
    ck_assert_msg(hirl_tree_create(&tree, w.context, 3, 16, m, prototypes, parents, NULL, 0) ==
                      HIRL_OK,
                  "%s", hirl_error_message());
    ck_assert_msg(hirl_trainer_set_tree(w.trainer, tree, leaf) == HIRL_OK, "%s",
                  hirl_error_message());
    for (int s = 0; s < 9; s++) {
        ck_assert_msg(hirl_train_step(&report, w.trainer) == HIRL_OK, "%s", hirl_error_message());
        ck_assert(report.loss_spd > 0);
        ck_assert_int_eq(report.clustered, 0);
    }
    ck_assert_int_eq(hirl_trainer_tree(&used, w.trainer), HIRL_OK);
    ck_assert_int_eq(hirl_tree_count(used, 1), 6);
    hirl_tree_destroy(used);
    leaf[3] = 6;
    ck_assert_int_eq(hirl_trainer_set_tree(w.trainer, tree, leaf), HIRL_E_INVALID);
    ck_assert_int_eq(hirl_trainer_set_tree(w.trainer, NULL, NULL), HIRL_OK);
    ck_assert_int_eq(hirl_train_step(&report, w.trainer), HIRL_OK);
    ck_assert_int_eq(report.clustered, 1); /* its own clustering is back */
    hirl_tree_destroy(tree);
    close_world(&w);
}
END_TEST

START_TEST(a_snapshot_stays_while_training_goes_on)
{
    const uint8_t *image[2] = { &pixels[0][0][0][0], &pixels[1][0][0][0] };
    const int64_t side[2] = { SIDE, SIDE };
    float before[2 * 64], after[2 * 64], later[2 * 64];
    hirl_model *model;
    world w;

    open_world(&w, 2, "3", "0", "f32");
    ck_assert_int_eq(hirl_trainer_model(&model, w.trainer, "online"), HIRL_OK);
    ck_assert_int_eq(hirl_model_dim(model, "backbone"), 64);
    ck_assert_msg(hirl_model_embed(before, model, NULL, image, side, side, 2) == HIRL_OK, "%s",
                  hirl_error_message());
    for (int s = 0; s < 4; s++)
        ck_assert_int_eq(hirl_train_step(NULL, w.trainer), HIRL_OK);
    ck_assert_int_eq(hirl_model_embed(after, model, NULL, image, side, side, 2), HIRL_OK);
    ck_assert(!memcmp(before, after, sizeof before));
    hirl_model_destroy(model);
    ck_assert_int_eq(hirl_trainer_model(&model, w.trainer, "online"), HIRL_OK);
    ck_assert_int_eq(hirl_model_embed(later, model, NULL, image, side, side, 2), HIRL_OK);
    ck_assert(memcmp(before, later, sizeof before) != 0);
    hirl_model_destroy(model);
    close_world(&w);
}
END_TEST

/* in both stages; one thread: another one takes scratch of its own when it first gets work */
START_TEST(no_step_but_the_first_of_a_stage_allocates)
{
    int64_t before;
    world w;

    open_world(&w, 1, "3", "1", "f32");
    for (int s = 0; s < 12; s++) {
        before = hr_alloc_total();
        ck_assert_int_eq(hirl_train_step(NULL, w.trainer), HIRL_OK);
        if (s % 4 == 1 || s % 4 == 2) /* epochs begin with a clustering and end with a report */
            ck_assert_msg(hr_alloc_total() == before, "step %d: %lld blocks", s,
                          (long long)(hr_alloc_total() - before));
    }
    close_world(&w);
}
END_TEST

/* memory ends while a checkpoint is read: what was there before is gone as well */
START_TEST(a_trainer_that_was_loaded_halfway_is_refused)
{
    char path[] = "/tmp/hirl-half-XXXXXX";
    hirl_model *model;
    world w;
    int fd = mkstemp(path), failures = 0;

    close(fd);
    open_world(&w, 1, "3", "1", "f32");
    for (int s = 0; s < 6; s++)
        ck_assert_int_eq(hirl_train_step(NULL, w.trainer), HIRL_OK);
    ck_assert_int_eq(hirl_trainer_save(w.trainer, path), HIRL_OK);
    for (int n = 1; n < 4000 && failures < 3; n += 20) {
        hirl_status status;

        hr_alloc_fail_at(n, false);
        status = hirl_trainer_load(w.trainer, path);
        hr_alloc_fail_at(0, false);
        if (status == HIRL_OK)
            break;
        ck_assert_int_eq(status, HIRL_E_NOMEM);
        if (hirl_trainer_save(w.trainer, path) == HIRL_OK)
            continue; /* it failed before anything was changed */
        ck_assert_msg(strstr(hirl_error_message(), "halfway") != NULL, "%s", hirl_error_message());
        ck_assert_int_eq(hirl_train_step(NULL, w.trainer), HIRL_E_STATE);
        ck_assert_int_eq(hirl_trainer_model(&model, w.trainer, NULL), HIRL_E_STATE);
        failures++;
    }
    ck_assert_int_gt(failures, 0);
    ck_assert_int_eq(hirl_trainer_load(w.trainer, path), HIRL_OK);
    ck_assert_int_eq(hirl_train_step(NULL, w.trainer), HIRL_OK);
    unlink(path);
    close_world(&w);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("train");
    TCase *c = tcase_create("runs");

    tcase_set_timeout(c, 0);
    tcase_add_loop_test(c, the_loss_falls_below_chance_on_64_images, 0, 2);
    tcase_add_test(c, clustering_begins_at_t1_and_the_path_loss_is_positive);
    tcase_add_loop_test(c, threads_do_not_change_a_bit, 2, 5);
    tcase_add_test(c, a_run_stopped_at_any_poll_ends_with_the_same_bits);
    tcase_add_test(c, evaluating_held_out_images_changes_nothing);
    tcase_add_test(c, a_tree_of_the_host_drives_the_path_loss);
    tcase_add_test(c, a_snapshot_stays_while_training_goes_on);
    tcase_add_test(c, bf16_follows_f32_for_50_steps);
    tcase_add_test(c, no_step_but_the_first_of_a_stage_allocates);
    tcase_add_test(c, a_trainer_that_was_loaded_halfway_is_refused);
    tcase_add_test(c, a_rate_that_explodes_is_named_and_nothing_is_saved);
    suite_add_tcase(s, c);
    return s;
}

HR_TEST_MAIN(suite)
