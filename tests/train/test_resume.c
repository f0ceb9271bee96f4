/* test_resume.c - what a resumed run keeps besides its weights: a clustering in progress, the
 * report of a clustering, the settings after a refused resume, lines of metrics. */
#include <check.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "base/safetensors.h"
#include "context.h"
#include "small_trainer.h"
#include "support/close.h"
#include "support/folder.h"
#include "support/run.h"
#include "train/recluster.h"
#include "train/run.h"

static const small_pair two_epochs[] = {
    { "epochs", "2" }, { "hirl", "1" }, { "log_every", "1" }, { NULL, NULL }
};
static const small_pair *const two[] = { two_epochs, NULL };

static char *read_whole(const char *folder, const char *name)
{
    char path[HR_TEST_PATH];
    size_t bytes;

    return hr_test_read(&bytes, hr_test_path(path, folder, name));
}

/* ---- a clustering in progress ---- */

typedef struct stopper {
    char phase; /* first letter of the phase to stop in */
    int left;   /* polls of this phase before the stop */
} stopper;

static int32_t stop_in_phase(const char *phase, int64_t done, int64_t total, void *user)
{
    stopper *s = user;

    (void)done;
    (void)total;
    return *phase == s->phase && s->left-- == 0;
}

/* trains until the stop in `phase`, then saves */
static void stop_and_save(small_trainer *t, char phase, int left, const char *path)
{
    stopper s = { phase, left };

    hirl_context_set_progress(t->context, stop_in_phase, &s, NULL);
    ck_assert_int_eq(hirl_train_run(NULL, t->trainer), HIRL_E_CANCELED);
    hirl_context_set_progress(t->context, NULL, NULL, NULL);
    hr_assert_ok(hirl_trainer_save(t->trainer, path));
}

/* The run stops while it clusters, resumes, and stops again while it
 * extracts the same features once more. */
START_TEST(extracting_features_again_does_not_restart_a_clustering)
{
    char path[HR_TEST_PATH], *whole, *state;
    size_t bytes[2];
    hr_tensors list;
    small_trainer t;

    whole = small_trainer_run(&bytes[0], NULL, 2, two);
    hr_test_file(path);
    small_trainer_open(&t, 2, two);
    stop_and_save(&t, 'c', 3, path);
    small_trainer_close(&t);
    for (int i = 0; i < 2; i++) {
        small_trainer_open(&t, 2, two);
        hr_assert_ok(hirl_trainer_load(t.trainer, path));
        stop_and_save(&t, 'e', 0, path);
        small_trainer_close(&t);
    }
    hr_tensors_init(&list);
    ck_assert_int_ge(hr_tensors_load(&list, path), 0);
    ck_assert_str_eq(hr_tensors_text(&list, "phase"), "clustering");
    hr_tensors_done(&list);
    small_trainer_open(&t, 1, two);
    hr_assert_ok(hirl_trainer_load(t.trainer, path));
    hr_assert_ok(hirl_train_run(NULL, t.trainer));
    state = small_trainer_state(&bytes[1], &t);
    ck_assert_uint_eq(bytes[1], bytes[0]);
    ck_assert(!memcmp(state, whole, bytes[0]));
    small_trainer_close(&t);
    free(state);
    free(whole);
    unlink(path);
}
END_TEST

/* ---- report of a clustering ---- */

/* The call that made the tree ended before its step, so the next step
 * reports the clustering, also after a resume. */
START_TEST(the_next_step_reports_a_clustering)
{
    char path[HR_TEST_PATH];
    hirl_step_report report = { .struct_size = sizeof report };
    small_trainer t;
    hr_call call;

    hr_test_file(path);
    small_trainer_open(&t, 2, two);
    small_trainer_steps(&t, SMALL_PER_EPOCH);
    ck_assert_int_ge(hr_context_enter(&call, t.context), 0);
    ck_assert_int_ge(hr_trainer_recluster(t.trainer), 0);
    ck_assert_int_ge(hr_context_leave(&call, HIRL_OK), 0);
    hr_assert_ok(hirl_trainer_save(t.trainer, path));
    if (_i) {
        small_trainer_close(&t);
        small_trainer_open(&t, 2, two);
        hr_assert_ok(hirl_trainer_load(t.trainer, path));
    }
    hr_assert_ok(hirl_train_step(&report, t.trainer));
    ck_assert_int_eq(report.clustered, 1);
    hr_assert_ok(hirl_train_step(&report, t.trainer));
    ck_assert_int_eq(report.clustered, 0);
    small_trainer_close(&t);
    unlink(path);
}
END_TEST

START_TEST(statistics_of_the_last_clustering_are_kept)
{
    static const small_pair three_epochs[] = { { "epochs", "3" }, { "hirl", "1" }, { NULL, NULL } };
    static const small_pair *const three[] = { three_epochs, NULL };
    hirl_step_report report[2] = { { .struct_size = sizeof *report },
                                   { .struct_size = sizeof *report } };
    char path[HR_TEST_PATH];
    small_trainer t;

    hr_test_file(path);
    small_trainer_open(&t, 2, three);
    small_trainer_steps(&t, 2 * SMALL_PER_EPOCH + 1);
    hr_assert_ok(hirl_trainer_save(t.trainer, path));
    hr_assert_ok(hirl_train_step(&report[0], t.trainer));
    small_trainer_close(&t);
    small_trainer_open(&t, 2, three);
    hr_assert_ok(hirl_trainer_load(t.trainer, path));
    hr_assert_ok(hirl_train_step(&report[1], t.trainer));
    small_trainer_close(&t);
    ck_assert_double_ge(report[0].churn, 0);
    ck_assert_double_eq(report[1].churn, report[0].churn);
    ck_assert_int_gt(report[0].largest_leaf, 0);
    ck_assert_int_eq(report[1].smallest_leaf, report[0].smallest_leaf);
    ck_assert_int_eq(report[1].median_leaf, report[0].median_leaf);
    ck_assert_int_eq(report[1].largest_leaf, report[0].largest_leaf);
    unlink(path);
}
END_TEST

/* ---- files ---- */

/* checks env.json of a run that started or resumed at `step` */
static void check_environment(const char *folder, int step)
{
    char *text = read_whole(folder, "env.json");
    json_t *object = json_loads(text, 0, NULL);

    ck_assert_ptr_nonnull(object);
    ck_assert_int_eq(json_integer_value(json_object_get(object, "step")), step);
    ck_assert_str_eq(json_string_value(json_object_get(object, "hirl")), hirl_build_info());
    ck_assert_str_eq(json_string_value(json_object_get(object, "backend")), "cpu");
    ck_assert_int_eq(json_integer_value(json_object_get(object, "threads")), 2);
    ck_assert_ptr_nonnull(
        strstr(json_string_value(json_object_get(object, "data")), "64 images of 16 x 16"));
    json_decref(object);
    free(text);
}

/* The resume fails because of another number of images;
 * config.yaml must keep the settings of the run. */
START_TEST(a_refused_resume_leaves_the_settings)
{
    char folder[HR_TEST_PATH], *before, *after;
    const small_pair own[] = { { "out", folder }, { NULL, NULL } };
    const small_pair *const over[] = { two_epochs, own, NULL };
    hirl_trainer *refused = NULL;
    hirl_dataset *few;
    small_trainer t;

    hr_test_folder(folder);
    small_trainer_open(&t, 2, over);
    small_trainer_steps(&t, SMALL_PER_EPOCH);
    hirl_trainer_destroy(t.trainer);
    t.trainer = NULL;
    before = read_whole(folder, "config.yaml");
    check_environment(folder, 0);
    hr_assert_ok(hirl_options_set(t.options, "resume", "1"));
    hr_assert_ok(hirl_options_set(t.options, "log_every", "7"));
    hr_assert_ok(hirl_dataset_from_memory(&few, t.context, &small_pixels[0][0][0][0],
                                          SMALL_IMAGES / 2, SMALL_SIDE, SMALL_SIDE, 3, NULL, 0,
                                          t.options));
    ck_assert_int_eq(hirl_trainer_create(&refused, t.context, NULL, few, t.options),
                     HIRL_E_INVALID);
    after = read_whole(folder, "config.yaml");
    ck_assert_str_eq(after, before);
    free(after);
    check_environment(folder, 0);
    hr_assert_ok(hirl_trainer_create(&t.trainer, t.context, NULL, t.images, t.options));
    after = read_whole(folder, "config.yaml");
    ck_assert_ptr_nonnull(strstr(after, "log_every: 7\n"));
    free(after);
    check_environment(folder, SMALL_PER_EPOCH);
    free(before);
    hirl_dataset_destroy(few);
    small_trainer_close(&t);
    hr_test_remove(folder);
}
END_TEST

static int32_t any_pixels(hirl_image *image, int64_t index, void *user)
{
    (void)user;
    *image = (hirl_image){ .struct_size = sizeof *image,
                           .pixels = &small_pixels[index][0][0][0],
                           .height = SMALL_SIDE,
                           .width = SMALL_SIDE,
                           .channels = 3 };
    return 0;
}

/* 's': the images of the run; 'o': a copy with one pixel changed; 'g': the same number of generated
 * images; 'c': from a callback, whose content the library cannot check */
static hirl_dataset *images_of(small_trainer *t, char which)
{
    static uint8_t changed[sizeof small_pixels];
    const uint8_t *pixels = &small_pixels[0][0][0][0];
    hirl_dataset *set;

    if (which == 'o') {
        memcpy(changed, small_pixels, sizeof changed);
        changed[5]++;
        pixels = changed;
    }
    if (which == 'g') {
        hirl_options *options = NULL;

        hr_assert_ok(hirl_options_create(&options));
        hr_assert_ok(hirl_options_set(options, "generated_images", "64"));
        hr_assert_ok(hirl_dataset_open(&set, t->context, "generated", options));
        hirl_options_destroy(options);
    } else if (which == 'c')
        hr_assert_ok(hirl_dataset_from_callback(&set, t->context, any_pixels, NULL, NULL,
                                                SMALL_IMAGES, NULL, t->options));
    else
        hr_assert_ok(hirl_dataset_from_memory(&set, t->context, pixels, SMALL_IMAGES, SMALL_SIDE,
                                              SMALL_SIDE, 3, NULL, 0, t->options));
    return set;
}

/* The other images are equal in number. Images of a callback are accepted. */
START_TEST(a_run_does_not_resume_with_other_images)
{
    char folder[HR_TEST_PATH];
    const small_pair own[] = { { "out", folder }, { "resume", "1" }, { NULL, NULL } };
    const small_pair *const over[] = { two_epochs, own, NULL };
    small_trainer t;

    hr_test_folder(folder);
    small_trainer_open(&t, 2, over);
    small_trainer_steps(&t, 2);
    hr_assert_ok(hirl_trainer_save(t.trainer, NULL));
    for (const char *which = "ogsc"; *which; which++) {
        hirl_dataset *set = images_of(&t, *which);

        hirl_trainer_destroy(t.trainer);
        t.trainer = NULL;
        if (*which == 'o' || *which == 'g') {
            ck_assert_int_eq(hirl_trainer_create(&t.trainer, t.context, NULL, set, t.options),
                             HIRL_E_INVALID);
            ck_assert_ptr_nonnull(strstr(hirl_error_message(), *which == 'o'
                                                                   ? "their pixels differ"
                                                                   : "the data set has generated"));
        } else {
            hr_assert_ok(hirl_trainer_create(&t.trainer, t.context, NULL, set, t.options));
        }
        hirl_dataset_destroy(set);
    }
    small_trainer_close(&t);
    hr_test_remove(folder);
}
END_TEST

static int lines_of(const char *folder)
{
    char *text = read_whole(folder, "metrics.jsonl");
    int n = 0;

    for (const char *c = text; *c; c++)
        n += *c == '\n';
    free(text);
    return n;
}

START_TEST(loading_an_earlier_step_removes_later_metrics)
{
    char folder[HR_TEST_PATH], path[HR_TEST_PATH];
    const small_pair own[] = { { "out", folder }, { NULL, NULL } };
    const small_pair *const over[] = { two_epochs, own, NULL };
    small_trainer t;

    hr_test_folder(folder);
    hr_test_file(path);
    small_trainer_open(&t, 2, over);
    small_trainer_steps(&t, 2);
    hr_assert_ok(hirl_trainer_save(t.trainer, path));
    small_trainer_steps(&t, 3);
    ck_assert_int_eq(lines_of(folder), 5);
    hr_assert_ok(hirl_trainer_load(t.trainer, path));
    ck_assert_int_eq(lines_of(folder), 2);
    small_trainer_steps(&t, 1);
    ck_assert_int_eq(lines_of(folder), 3);
    small_trainer_close(&t);
    unlink(path);
    hr_test_remove(folder);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("resume");
    TCase *c = tcase_create("resume");

    tcase_set_timeout(c, 0);
    tcase_add_test(c, extracting_features_again_does_not_restart_a_clustering);
    tcase_add_loop_test(c, the_next_step_reports_a_clustering, 0, 2);
    tcase_add_test(c, statistics_of_the_last_clustering_are_kept);
    tcase_add_test(c, a_refused_resume_leaves_the_settings);
    tcase_add_test(c, a_run_does_not_resume_with_other_images);
    tcase_add_test(c, loading_an_earlier_step_removes_later_metrics);
    suite_add_tcase(s, c);
    return s;
}

HR_TEST_MAIN(suite)
