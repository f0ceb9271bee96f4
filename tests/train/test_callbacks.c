/* test_callbacks.c - callbacks of the application during a run: images that its callback cannot
 * read, and the threads on which it is called. Also: the status after the last step. */
#include <check.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/safetensors.h"
#include "small_trainer.h"
#include "support/close.h"
#include "support/folder.h"
#include "support/run.h"

/* ---- unreadable images ---- */

enum { EVERY = 13, UNREADABLE = (SMALL_IMAGES + EVERY - 1) / EVERY };

static const small_pair some_bad[] = {
    { "epochs", "3" }, { "hirl", "1" }, { "max_bad", "0.2" }, { NULL, NULL }
};
static const small_pair *const bad[] = { some_bad, NULL };

static int64_t skipped(const small_trainer *t)
{
    hirl_dataset_info info = { .struct_size = sizeof info };

    ck_assert_int_eq(hirl_dataset_describe(&info, t->images), HIRL_OK);
    return info.skipped;
}

START_TEST(unreadable_images_have_no_leaf_in_the_tree_of_a_run)
{
    const int32_t *leaf;
    int64_t rows = 0;
    hirl_tree *tree;
    small_trainer t;

    small_unreadable = EVERY;
    small_trainer_open(&t, 2, bad);
    small_trainer_steps(&t, SMALL_PER_EPOCH + 1);
    ck_assert_int_eq(hirl_trainer_tree(&tree, t.trainer), HIRL_OK);
    ck_assert_int_eq(hirl_tree_rows(tree), SMALL_IMAGES);
    leaf = hirl_tree_leaves(tree);
    for (int i = 0; i < SMALL_IMAGES; i++)
        ck_assert_msg((leaf[i] < 0) == (i % EVERY == 0), "image %d: leaf %d", i, leaf[i]);
    for (int i = 0; i < hirl_tree_count(tree, 1); i++)
        rows += hirl_tree_sizes(tree, 1)[i];
    ck_assert_int_eq(rows, SMALL_IMAGES - UNREADABLE);
    hirl_tree_destroy(tree);
    small_trainer_close(&t);
    small_unreadable = 0;
}
END_TEST

START_TEST(a_checkpoint_records_the_unreadable_images)
{
    char path[HR_TEST_PATH];
    const hr_named *found;
    hr_tensors state;
    small_trainer t;

    small_unreadable = EVERY;
    hr_test_file(path);
    small_trainer_open(&t, 2, bad);
    small_trainer_steps(&t, SMALL_PER_EPOCH);
    ck_assert_int_eq(skipped(&t), UNREADABLE);
    ck_assert_int_eq(hirl_trainer_save(t.trainer, path), HIRL_OK);
    small_trainer_close(&t);
    hr_tensors_init(&state);
    ck_assert_int_eq(hr_tensors_load(&state, path), HIRL_OK);
    found = hr_tensors_find(&state, "unreadable");
    ck_assert_ptr_nonnull(found);
    ck_assert_uint_eq(found->bytes, SMALL_IMAGES);
    for (int i = 0; i < SMALL_IMAGES; i++)
        ck_assert_int_eq(((const uint8_t *)found->data)[i], i % EVERY == 0);
    hr_tensors_done(&state);
    small_trainer_open(&t, 2, bad);
    ck_assert_int_eq(skipped(&t), 0);
    ck_assert_int_eq(hirl_trainer_load(t.trainer, path), HIRL_OK);
    ck_assert_int_eq(skipped(&t), UNREADABLE);
    small_trainer_close(&t);
    unlink(path);
    small_unreadable = 0;
}
END_TEST

/* rewrites the checkpoint at `path` after `change` has edited its marks of unreadable images */
static void save_changed(const char *path, void (*change)(hr_named *marks))
{
    hr_tensors state;

    hr_tensors_init(&state);
    ck_assert_int_eq(hr_tensors_load(&state, path), HIRL_OK);
    change((hr_named *)hr_tensors_find(&state, "unreadable"));
    ck_assert_int_eq(hr_tensors_save(&state, path), HIRL_OK);
    hr_tensors_done(&state);
}

static void remove_last_mark(hr_named *marks)
{
    marks->dim[0]--;
    marks->bytes--;
}

static void set_mark_to_two(hr_named *marks)
{
    ((uint8_t *)marks->data)[5] = 2;
}

START_TEST(a_checkpoint_with_invalid_marks_of_unreadable_images_is_refused)
{
    static const struct {
        void (*change)(hr_named *marks);
        const char *word;
    } fault[] = { { remove_last_mark, "unreadable" },
                  { set_mark_to_two, "unreadable is 2 for image 5" } };
    char path[HR_TEST_PATH];
    small_trainer t;

    hr_test_file(path);
    small_trainer_open(&t, 1, bad);
    ck_assert_int_eq(hirl_train_step(NULL, t.trainer), HIRL_OK);
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(hirl_trainer_save(t.trainer, path), HIRL_OK);
        ck_assert_int_eq(hirl_trainer_load(t.trainer, path), HIRL_OK);
        save_changed(path, fault[i].change);
        hr_assert_fails(hirl_trainer_load(t.trainer, path), HIRL_E_FORMAT, fault[i].word);
        ck_assert_int_eq(skipped(&t), 0);
        small_trainer_close(&t);
        small_trainer_open(&t, 1, bad);
    }
    small_trainer_close(&t);
    unlink(path);
}
END_TEST

START_TEST(a_run_with_unreadable_images_resumes_to_the_same_bits)
{
    int stretch = 0, at;
    small_polls polls;
    size_t bytes;
    char *whole;

    small_unreadable = EVERY;
    whole = small_trainer_run(&bytes, &polls, 2, bad);
    while ((at = small_polls_middle(&polls, stretch++)) != 0)
        ck_assert(small_trainer_stop(at, whole, bytes, bad));
    ck_assert_int_eq(stretch, 1 + 7); /* train; extract, cluster, train; extract, cluster, train */
    free(whole);
    small_unreadable = 0;
}
END_TEST

/* ---- threads ---- */

typedef struct call_counts {
    pthread_t caller;
    atomic_int here[4], elsewhere[4]; /* calls on the caller's thread, on others */
} call_counts;

enum { LOG, PROGRESS, REPORT, DATA };

static void count_call(call_counts *c, int what)
{
    if (pthread_equal(pthread_self(), c->caller))
        c->here[what]++;
    else
        c->elsewhere[what]++;
}

static void on_log(int32_t level, const char *text, void *user)
{
    (void)level;
    (void)text;
    count_call(user, LOG);
}

static int32_t on_progress(const char *phase, int64_t done, int64_t total, void *user)
{
    (void)phase;
    (void)done;
    (void)total;
    count_call(user, PROGRESS);
    return 0;
}

static int32_t on_report(const hirl_step_report *report, void *user)
{
    (void)report;
    count_call(user, REPORT);
    return 0;
}

/* One image in EVERY is unreadable: a loader thread detects it, but its log
 * line must come on the caller's thread. */
static int32_t on_data(hirl_image *image, int64_t index, void *user)
{
    count_call(user, DATA);
    if (index % EVERY == 0)
        return HIRL_IMAGE_NEVER;
    image->pixels = &small_pixels[index][0][0][0];
    image->width = image->height = SMALL_SIDE;
    image->channels = 3;
    return 0;
}

START_TEST(callbacks_run_on_the_documented_threads)
{
    const small_pair own[] = { { "loader_threads", _i ? "2" : "0" },
                               { "epochs", "2" },
                               { "hirl", "1" },
                               { "max_bad", "0.2" },
                               { NULL, NULL } };
    const small_pair *const over[] = { own, NULL };
    call_counts c = { .caller = pthread_self() };
    small_trainer t;

    small_trainer_open(&t, 3, over);
    hirl_trainer_destroy(t.trainer);
    hirl_dataset_destroy(t.images);
    hirl_context_set_log(t.context, HIRL_LOG_DEBUG, on_log, &c, NULL);
    hirl_context_set_progress(t.context, on_progress, &c, NULL);
    ck_assert_int_eq(hirl_dataset_from_callback(&t.images, t.context, on_data, &c, NULL,
                                                SMALL_IMAGES, NULL, t.options),
                     HIRL_OK);
    ck_assert_msg(hirl_trainer_create(&t.trainer, t.context, NULL, t.images, t.options) == HIRL_OK,
                  "%s", hirl_error_message());
    hr_assert_ok(hirl_trainer_set_report(t.trainer, on_report, &c, NULL));
    ck_assert_msg(hirl_train_run(NULL, t.trainer) == HIRL_OK, "%s", hirl_error_message());
    for (int what = LOG; what <= REPORT; what++) {
        ck_assert_int_gt(c.here[what], 0);
        ck_assert_int_eq(c.elsewhere[what], 0);
    }
    ck_assert_int_gt(_i ? c.elsewhere[DATA] : c.here[DATA], 0);
    ck_assert_int_eq(_i ? c.here[DATA] : c.elsewhere[DATA], 0);
    small_trainer_close(&t);
}
END_TEST

/* ---- the end ---- */

static hirl_status run_step(hirl_step_report *report, hirl_trainer *trainer)
{
    return hirl_train_step(report, trainer);
}

static hirl_status run_epoch(hirl_step_report *report, hirl_trainer *trainer)
{
    return hirl_train_epoch(report, trainer);
}

static hirl_status run_whole(hirl_step_report *report, hirl_trainer *trainer)
{
    return hirl_train_run(report, trainer);
}

START_TEST(after_the_last_step_every_call_returns_done)
{
    static const struct {
        hirl_status (*call)(hirl_step_report *, hirl_trainer *);
        int times;
    } way[] = { { run_step, 2 * SMALL_PER_EPOCH }, { run_epoch, 2 }, { run_whole, 1 } };
    const small_pair own[] = { { "epochs", "2" }, { "hirl", "0" }, { NULL, NULL } };
    const small_pair *const over[] = { own, NULL };
    hirl_step_report report = { .struct_size = sizeof report };
    small_trainer t;

    small_trainer_open(&t, 2, over);
    for (int n = 0; n < way[_i].times; n++)
        ck_assert_int_eq(way[_i].call(&report, t.trainer), HIRL_OK);
    ck_assert_int_eq(report.step, 2 * SMALL_PER_EPOCH);
    ck_assert_int_eq(report.steps, 2 * SMALL_PER_EPOCH);
    for (int n = 0; n < 2; n++)
        for (int other = 0; other < 3; other++)
            ck_assert_int_eq(way[other].call(&report, t.trainer), HIRL_DONE);
    small_trainer_close(&t);
}
END_TEST

static Suite *callbacks(void)
{
    Suite *suite = suite_create("callbacks");
    TCase *tests = tcase_create("callbacks");

    tcase_set_timeout(tests, 0);
    tcase_add_test(tests, unreadable_images_have_no_leaf_in_the_tree_of_a_run);
    tcase_add_test(tests, a_checkpoint_records_the_unreadable_images);
    tcase_add_test(tests, a_checkpoint_with_invalid_marks_of_unreadable_images_is_refused);
    tcase_add_test(tests, a_run_with_unreadable_images_resumes_to_the_same_bits);
    tcase_add_loop_test(tests, callbacks_run_on_the_documented_threads, 0, 2);
    tcase_add_loop_test(tests, after_the_last_step_every_call_returns_done, 0, 3);
    suite_add_tcase(suite, tests);
    return suite;
}

HR_TEST_MAIN(callbacks)
