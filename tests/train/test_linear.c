/* test_linear.c - labelled runs through the public interface: they learn, are evaluated on held-out
 * images, give the same bits for any number of threads and however often they are stopped, and
 * refuse what they cannot do. */
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <hirl/hirl.h>
#include <hirl/method.h>

#include "base/rng.h"
#include "support/close.h"
#include "support/folder.h"
#include "support/run.h"

enum { IMAGES = 256, HELD_OUT = 400, SIDE = 16, CLASSES = 4, STEPS = 24 };

typedef struct labelled {
    hirl_options *options;
    hirl_context *context;
    hirl_model *model;
    hirl_dataset *images, *held_out;
    hirl_trainer *trainer;
    uint8_t (*pixels)[SIDE * SIDE * 3];
    int32_t label[IMAGES + HELD_OUT];
} labelled;

static void set(labelled *l, const char *key, const char *value)
{
    hr_assert_ok(hirl_options_set(l->options, key, value));
}

/* Noise images; a class is a colour. */
static void draw_images(labelled *l)
{
    hr_rng rng;

    hr_rng_init(&rng, 11, HR_RNG_TEST, 0, 0, 0);
    for (int n = 0; n < IMAGES + HELD_OUT; n++) {
        l->label[n] = n % CLASSES;
        for (int i = 0; i < SIDE * SIDE * 3; i++) {
            bool brighter = i % 3 == l->label[n]; /* red, green, blue, or none */

            l->pixels[n][i] = (uint8_t)hr_rng_range(&rng, 0, brighter ? 256 : 96);
        }
    }
}

/* `count` images from number `first` on */
static void open_images(hirl_dataset **dataset, labelled *l, int first, int count,
                        const int32_t *label)
{
    hr_assert_ok(hirl_dataset_from_memory(dataset, l->context, l->pixels[first], count, SIDE, SIDE,
                                          3, label, 0, l->options));
}

/* all but the trainer: an untrained encoder, and images of 4 classes */
static void open_data(labelled *l, int threads)
{
    static const char *const settings[][2] = {
        { "arch", "resnet18" },    { "width", "0.125" }, { "stem", "small" },
        { "image_size", "16" },    { "seed", "7" },      { "batch_size", "64" },
        { "epochs", "6" },         { "lr", "0.05" },     { "eval_batch", "50" },
        { "loader_threads", "1" }, { "backend", "cpu" },
    };

    *l = (labelled){ 0 };
    hr_assert_ok(hirl_options_create(&l->options));
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++)
        set(l, settings[i][0], settings[i][1]);
    hr_assert_ok(hirl_options_set_int(l->options, "threads", threads));
    hr_assert_ok(hirl_context_create(&l->context, l->options));
    hr_assert_ok(hirl_model_create(&l->model, l->context, l->options));
    set(l, "task", "linear");
    l->pixels = calloc(IMAGES + HELD_OUT, sizeof *l->pixels);
    draw_images(l);
    open_images(&l->images, l, 0, IMAGES, l->label);
    open_images(&l->held_out, l, IMAGES, HELD_OUT, l->label + IMAGES);
}

static hirl_status make_trainer(labelled *l)
{
    return hirl_trainer_create(&l->trainer, l->context, l->model, l->images, l->options);
}

static void open_all(labelled *l, int threads)
{
    open_data(l, threads);
    hr_assert_ok(make_trainer(l));
}

static void close_all(labelled *l)
{
    hirl_trainer_destroy(l->trainer);
    hirl_dataset_destroy(l->images);
    hirl_dataset_destroy(l->held_out);
    hirl_model_destroy(l->model);
    hirl_context_destroy(l->context);
    hirl_options_destroy(l->options);
    free(l->pixels);
}

static void make_steps(labelled *l, int steps)
{
    for (int s = 0; s < steps; s++)
        hr_assert_ok(hirl_train_step(NULL, l->trainer));
}

static char *state_of(size_t *bytes, labelled *l)
{
    char path[HR_TEST_PATH], *state;

    hr_test_file(path);
    hr_assert_ok(hirl_trainer_save(l->trainer, path));
    state = hr_test_read(bytes, path);
    unlink(path);
    return state;
}

static double top1_of(labelled *l)
{
    hirl_trainer_score score = { .struct_size = sizeof score };

    hr_assert_ok(hirl_trainer_evaluate(&score, l->trainer, l->held_out));
    return score.top1;
}

/* final state of a run that is not stopped */
static char *whole_run(size_t *bytes, int threads)
{
    labelled l;
    char *state;

    open_all(&l, threads);
    hr_assert_ok(hirl_train_run(NULL, l.trainer));
    state = state_of(bytes, &l);
    close_all(&l);
    return state;
}

static void assert_state(labelled *l, const char *whole, size_t whole_bytes, int stop)
{
    size_t bytes;
    char *state = state_of(&bytes, l);

    ck_assert_uint_eq(bytes, whole_bytes);
    ck_assert_msg(!memcmp(state, whole, bytes), "stopped after step %d: another final state", stop);
    free(state);
}

/* ---- learning ---- */

START_TEST(the_loss_starts_near_chance_and_falls)
{
    hirl_step_report report = { .struct_size = sizeof report };
    double last = 0;
    labelled l;

    open_all(&l, 2);
    for (int s = 0; s < STEPS; s++) {
        hr_assert_ok(hirl_train_step(&report, l.trainer));
        ck_assert_int_eq(report.step, s + 1);
        ck_assert(report.top1 >= 0 && report.top1 <= 1);
        if (s == 0)
            ck_assert_msg(fabs(report.loss - log(CLASSES)) < 0.2, "%g", report.loss);
        if (s >= STEPS - 4)
            last += report.loss / 4;
    }
    ck_assert_int_eq(report.steps, STEPS);
    ck_assert_int_eq(report.epochs, 6);
    ck_assert_msg(last < log(CLASSES) - 0.1, "%g", last);
    ck_assert_int_eq(hirl_train_step(&report, l.trainer), HIRL_DONE);
    close_all(&l);
}
END_TEST

/* Above chance by four standard deviations of a guess: false once in 30,000 runs of a useless
 * classifier. */
START_TEST(held_out_images_are_classified_above_chance)
{
    double chance = 1.0 / CLASSES, deviation = sqrt(chance * (1 - chance) / HELD_OUT);
    hirl_step_report report = { .struct_size = sizeof report };
    double top1, again;
    size_t before, after;
    char *first, *second;
    labelled l;

    open_all(&l, 2);
    hr_assert_ok(hirl_train_run(&report, l.trainer));
    first = state_of(&before, &l);
    top1 = top1_of(&l);
    again = top1_of(&l);
    second = state_of(&after, &l);
    printf("# top-1 accuracy %.3f, chance %.3f + %.3f\n", top1, chance, 4 * deviation);
    ck_assert_msg(top1 > chance + 4 * deviation, "%g", top1);
    ck_assert(top1 == again);
    ck_assert(before == after && !memcmp(first, second, before));
    free(first);
    free(second);
    close_all(&l);
}
END_TEST

/* ---- the same bits ---- */

START_TEST(the_number_of_threads_changes_no_bit)
{
    static const int threads[] = { 2, 4 };
    size_t bytes, other_bytes;
    char *one = whole_run(&bytes, 1), *other = whole_run(&other_bytes, threads[_i]);

    ck_assert(bytes == other_bytes && !memcmp(one, other, bytes));
    free(one);
    free(other);
}
END_TEST

/* The trainer that goes on was made from another encoder: the checkpoint holds the right one. */
START_TEST(a_run_that_is_stopped_at_any_step_ends_in_the_same_state)
{
    char path[HR_TEST_PATH], *whole;
    size_t bytes;

    whole = whole_run(&bytes, 2);
    hr_test_file(path);
    for (int stop = 0; stop <= STEPS; stop++) {
        labelled l;

        open_all(&l, 2);
        make_steps(&l, stop);
        hr_assert_ok(hirl_trainer_save(l.trainer, path));
        close_all(&l);
        open_data(&l, 1);
        hirl_model_destroy(l.model);
        set(&l, "seed", "8");
        hr_assert_ok(hirl_model_create(&l.model, l.context, l.options));
        set(&l, "seed", "7");
        hr_assert_ok(make_trainer(&l));
        hr_assert_ok(hirl_trainer_load(l.trainer, path));
        ck_assert_int_eq(hirl_train_run(NULL, l.trainer), stop < STEPS ? HIRL_OK : HIRL_DONE);
        assert_state(&l, whole, bytes, stop);
        close_all(&l);
    }
    unlink(path);
    free(whole);
}
END_TEST

/* step at which the progress callback cancels the run */
static int32_t cancel(const char *phase, int64_t done, int64_t total, void *user)
{
    (void)phase;
    (void)total;
    return done == *(const int *)user;
}

static void begin_in(labelled *l, const char *folder, bool resume)
{
    open_data(l, resume ? 1 : 2);
    if (resume) {
        hirl_model_destroy(l->model);
        l->model = NULL;
    }
    set(l, "out", folder);
    set(l, "resume", resume ? "1" : "0");
    set(l, "overwrite", resume ? "0" : "1");
    hr_assert_ok(make_trainer(l));
}

static char *file_of(size_t *bytes, const char *folder, const char *name)
{
    char path[HR_TEST_PATH];

    return hr_test_read(bytes, hr_test_path(path, folder, name));
}

START_TEST(a_run_in_a_directory_resumes_without_a_model)
{
    static const int stops[] = { 1, 4, 7, 23 };
    char folder[HR_TEST_PATH], *wanted_state, *wanted;
    size_t bytes, wanted_bytes, state_bytes;
    double top1;
    labelled l;

    hr_test_folder(folder);
    begin_in(&l, folder, false);
    hr_assert_ok(hirl_train_run(NULL, l.trainer));
    top1 = top1_of(&l);
    wanted_state = state_of(&state_bytes, &l);
    close_all(&l);
    wanted = file_of(&wanted_bytes, folder, "classifier.safetensors");
    for (size_t i = 0; i < sizeof stops / sizeof *stops; i++) {
        char *classifier;
        int stop = stops[i];

        begin_in(&l, folder, false);
        hirl_context_set_progress(l.context, cancel, &stop, NULL);
        ck_assert_int_eq(hirl_train_run(NULL, l.trainer), HIRL_E_CANCELED);
        hr_assert_ok(hirl_trainer_save(l.trainer, NULL));
        close_all(&l);
        begin_in(&l, folder, true);
        hr_assert_ok(hirl_train_run(NULL, l.trainer));
        ck_assert(top1_of(&l) == top1);
        assert_state(&l, wanted_state, state_bytes, stop);
        close_all(&l);
        classifier = file_of(&bytes, folder, "classifier.safetensors");
        ck_assert(bytes == wanted_bytes && !memcmp(classifier, wanted, bytes));
        free(classifier);
    }
    begin_in(&l, folder, true);
    ck_assert_int_eq(hirl_train_run(NULL, l.trainer), HIRL_DONE);
    ck_assert(top1_of(&l) == top1);
    close_all(&l);
    free(wanted);
    free(wanted_state);
    hr_test_remove(folder);
}
END_TEST

/* ---- refusals ---- */

static int32_t no_loss(double *loss, float *grad, const hirl_method_step *step, void *user)
{
    (void)loss;
    (void)grad;
    (void)step;
    (void)user;
    return 0;
}

START_TEST(a_labelled_run_refuses_what_pretraining_takes)
{
    hirl_method_calls calls = { .struct_size = sizeof calls, .name = "none", .loss = no_loss };
    hirl_model *model = NULL;
    hirl_tree *tree = NULL;
    labelled l;

    open_all(&l, 1);
    hr_assert_fails(hirl_trainer_set_tree(l.trainer, NULL, NULL), HIRL_E_STATE, "task=linear");
    hr_assert_fails(hirl_trainer_set_method(l.trainer, &calls), HIRL_E_STATE, "task=linear");
    hr_assert_fails(hirl_trainer_model(&model, l.trainer, NULL), HIRL_E_STATE, "task=linear");
    hr_assert_fails(hirl_trainer_tree(&tree, l.trainer), HIRL_E_STATE, "tree");
    ck_assert(!model && !tree);
    make_steps(&l, 1);
    close_all(&l);
}
END_TEST

START_TEST(settings_that_a_labelled_run_cannot_have_are_refused)
{
    static const char *const wrong[][3] = {
        { "hirl", "1", "hirl=1" },
        { "label_level", "1", "label_level" },
        { "batch_size", "512", "batch_size" },
        { "accumulate", "3", "accumulate" },
        { "global_crops_number", "2", "global_crops_number" },
    };
    labelled l;

    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        open_data(&l, 1);
        set(&l, wrong[i][0], wrong[i][1]);
        hr_assert_fails(make_trainer(&l), HIRL_E_INVALID, wrong[i][2]);
        ck_assert_ptr_null(l.trainer);
        close_all(&l);
    }
    open_data(&l, 1);
    hirl_model_destroy(l.model);
    l.model = NULL;
    hr_assert_fails(make_trainer(&l), HIRL_E_INVALID, "no start model");
    close_all(&l);
}
END_TEST

/* trains on images with labels of this kind; wanted NULL: a trainer is made */
static void try_labels(labelled *l, const int32_t *label, const char *wanted)
{
    open_data(l, 1);
    hirl_dataset_destroy(l->images);
    l->images = NULL;
    open_images(&l->images, l, 0, IMAGES, label);
    if (wanted)
        hr_assert_fails(make_trainer(l), HIRL_E_INVALID, wanted);
    else
        hr_assert_ok(make_trainer(l));
}

START_TEST(images_without_usable_labels_are_refused)
{
    int32_t label[IMAGES];
    labelled l;

    try_labels(&l, NULL, "no labels");
    close_all(&l);
    memset(label, 0, sizeof label);
    try_labels(&l, label, "1 class");
    close_all(&l);
    for (int i = 0; i < IMAGES; i++)
        label[i] = i % 3;
    label[77] = -1;
    try_labels(&l, label, "image 77");
    close_all(&l);
    label[77] = 0;
    try_labels(&l, label, NULL);
    close_all(&l);
}
END_TEST

START_TEST(held_out_images_of_other_classes_are_refused)
{
    hirl_trainer_score score = { .struct_size = sizeof score };
    hirl_dataset *other = NULL, *unlabelled = NULL, *partly = NULL;
    int32_t label[IMAGES];
    labelled l;

    for (int i = 0; i < IMAGES; i++)
        label[i] = i % 3;
    try_labels(&l, label, NULL);
    open_images(&unlabelled, &l, 0, IMAGES, NULL);
    for (int i = 0; i < IMAGES; i++)
        label[i] = i % 5;
    open_images(&other, &l, 0, IMAGES, label);
    for (int i = 0; i < IMAGES; i++)
        label[i] = i ? -1 : 2;
    open_images(&partly, &l, 0, IMAGES, label);
    hr_assert_fails(hirl_trainer_evaluate(&score, l.trainer, other), HIRL_E_INVALID, "5 classes");
    hr_assert_fails(hirl_trainer_evaluate(&score, l.trainer, unlabelled), HIRL_E_INVALID,
                    "0 classes");
    hr_assert_ok(hirl_trainer_evaluate(&score, l.trainer, partly)); /* one image counts */
    ck_assert(score.top1 == 0 || score.top1 == 1);
    make_steps(&l, 1);
    hirl_dataset_destroy(other);
    hirl_dataset_destroy(unlabelled);
    hirl_dataset_destroy(partly);
    close_all(&l);
}
END_TEST

static Suite *linear(void)
{
    Suite *suite = suite_create("linear");
    TCase *tests = tcase_create("linear");

    tcase_add_test(tests, the_loss_starts_near_chance_and_falls);
    tcase_add_test(tests, held_out_images_are_classified_above_chance);
    tcase_add_loop_test(tests, the_number_of_threads_changes_no_bit, 0, 2);
    tcase_add_test(tests, a_run_that_is_stopped_at_any_step_ends_in_the_same_state);
    tcase_add_test(tests, a_run_in_a_directory_resumes_without_a_model);
    tcase_add_test(tests, a_labelled_run_refuses_what_pretraining_takes);
    tcase_add_test(tests, settings_that_a_labelled_run_cannot_have_are_refused);
    tcase_add_test(tests, images_without_usable_labels_are_refused);
    tcase_add_test(tests, held_out_images_of_other_classes_are_refused);
    suite_add_tcase(suite, tests);
    return suite;
}

HR_TEST_MAIN(linear)
