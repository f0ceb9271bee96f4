/* test_directory.c - runs with a directory: the files after a failure, and
 * the lines that a resumed run removes. */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/file.h"
#include "base/safetensors.h"
#include "small_trainer.h"
#include "support/close.h"
#include "support/folder.h"
#include "support/run.h"

enum { LINE = 512 };

static char *read_file(size_t *bytes, const char *folder, const char *name)
{
    char path[HR_TEST_PATH];

    return hr_test_read(bytes, hr_test_path(path, folder, name));
}

static void assert_same_file(const char *before, size_t bytes, const char *folder, const char *name)
{
    size_t now;
    char *after = read_file(&now, folder, name);

    ck_assert_uint_eq(now, bytes);
    ck_assert_msg(!memcmp(after, before, bytes), "%s has changed", name);
    free(after);
}

static const char last[] = "checkpoints/last.safetensors";

START_TEST(a_non_finite_number_is_named_and_never_saved)
{
    char folder[HR_TEST_PATH], step[32], *good = NULL;
    const small_pair own[] = { { "out", folder },       { "hirl", "0" },    { "lr", "1000" },
                               { "weight_decay", "1" }, { "epochs", "50" }, { NULL, NULL } };
    const small_pair *const over[] = { own, NULL };
    hirl_step_report report = { .struct_size = sizeof report };
    hirl_status status;
    size_t bytes = 0;
    small_trainer t;
    int entries;

    hr_test_folder(folder);
    small_trainer_open(&t, 2, over);
    while ((status = hirl_train_step(&report, t.trainer)) == HIRL_OK) {
        free(good);
        ck_assert_msg(hirl_trainer_save(t.trainer, NULL) >= 0, "%s", hirl_error_message());
        good = read_file(&bytes, folder, last);
    }
    ck_assert_int_eq(status, HIRL_E_NONFINITE);
    snprintf(step, sizeof step, "step %d", (int)report.step);
    ck_assert_msg(strstr(hirl_error_message(), step) &&
                      strstr(hirl_error_message(), "weight (operation"),
                  "after %d steps: %s", (int)report.step, hirl_error_message());
    ck_assert_ptr_nonnull(good);
    assert_same_file(good, bytes, folder, last);
    ck_assert_int_eq(hirl_train_run(NULL, t.trainer), HIRL_E_NONFINITE);
    assert_same_file(good, bytes, folder, last);
    /* the trainer is in the state before the failed step */
    entries = hr_test_entries(folder);
    ck_assert_msg(hirl_trainer_save(t.trainer, NULL) >= 0, "%s", hirl_error_message());
    assert_same_file(good, bytes, folder, last);
    ck_assert_int_eq(hr_test_entries(folder), entries);
    free(good);
    small_trainer_close(&t);
    hr_test_remove(folder);
}
END_TEST

/* Checks that the lines of metrics.jsonl are for steps 1, 2,
 * ... in this order. Returns their number. */
static int metric_lines(const char *folder)
{
    size_t bytes;
    char *text = read_file(&bytes, folder, "metrics.jsonl"), *save = NULL;
    int n = 0;

    ck_assert_int_eq(text[bytes - 1], '\n');
    for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
        const char *key = strstr(line, "\"step\":");

        ck_assert_ptr_nonnull(key);
        ck_assert_int_eq(atoi(key + strlen("\"step\":")), ++n);
    }
    free(text);
    return n;
}

/* opens a run of two epochs that logs every step */
static void open_logging(small_trainer *t, const char *folder, const char *resume)
{
    const small_pair own[] = { { "out", folder },    { "hirl", "0" },      { "epochs", "2" },
                               { "log_every", "1" }, { "resume", resume }, { NULL, NULL } };
    const small_pair *const over[] = { own, NULL };

    small_trainer_open(t, 2, over);
}

START_TEST(a_resumed_run_removes_metrics_after_its_checkpoint)
{
    char folder[HR_TEST_PATH];
    small_trainer t;

    hr_test_folder(folder);
    open_logging(&t, folder, "0");
    for (int s = 0; s < SMALL_PER_EPOCH + 2;
         s++) /* the last checkpoint is the one of the first epoch */
        ck_assert_int_eq(hirl_train_step(NULL, t.trainer), HIRL_OK);
    small_trainer_close(&t);
    ck_assert_int_eq(metric_lines(folder), SMALL_PER_EPOCH + 2);
    open_logging(&t, folder, "1");
    ck_assert_int_eq(metric_lines(folder), SMALL_PER_EPOCH);
    ck_assert_int_eq(hirl_train_run(NULL, t.trainer), HIRL_OK);
    ck_assert_int_eq(hirl_train_run(NULL, t.trainer), HIRL_DONE);
    small_trainer_close(&t);
    ck_assert_int_eq(metric_lines(folder), 2 * SMALL_PER_EPOCH);
    hr_test_remove(folder);
}
END_TEST

static int fail_for_lack_of_space(int folder, const char *from, const char *to)
{
    (void)folder, (void)from, (void)to;
    errno = ENOSPC;
    return -1;
}

/* The line of the epoch's last step is written before the checkpoint fails, and must not be
 * repeated when the checkpoint is saved again. */
START_TEST(an_epoch_whose_checkpoint_failed_is_logged_once)
{
    char folder[HR_TEST_PATH];
    hr_file_calls full;
    small_trainer t;

    hr_test_folder(folder);
    open_logging(&t, folder, "0");
    for (int s = 0; s + 1 < SMALL_PER_EPOCH; s++)
        ck_assert_int_eq(hirl_train_step(NULL, t.trainer), HIRL_OK);
    full = *hr_file_use(NULL);
    full.rename = fail_for_lack_of_space;
    hr_file_use(&full);
    ck_assert_int_eq(hirl_train_step(NULL, t.trainer), HIRL_E_NOSPC);
    hr_file_use(NULL);
    ck_assert_int_eq(hirl_trainer_save(t.trainer, NULL), HIRL_OK);
    small_trainer_close(&t);
    ck_assert_int_eq(metric_lines(folder), SMALL_PER_EPOCH);
    open_logging(&t, folder, "1");
    ck_assert_int_eq(hirl_train_run(NULL, t.trainer), HIRL_OK);
    small_trainer_close(&t);
    ck_assert_int_eq(metric_lines(folder), 2 * SMALL_PER_EPOCH);
    hr_test_remove(folder);
}
END_TEST

static double number_of(const char *line, const char *key)
{
    const char *at = strstr(line, key);

    ck_assert_msg(at != NULL, "no %s in %s", key, line);
    return strtod(at + strlen(key), NULL);
}

START_TEST(a_line_of_metrics_has_the_wall_clock_time_and_the_memory)
{
    char folder[HR_TEST_PATH], *text;
    const small_pair own[] = {
        { "out", folder }, { "hirl", "0" }, { "log_every", "1" }, { NULL, NULL }
    };
    const small_pair *const over[] = { own, NULL };
    hirl_step_report first = { .struct_size = sizeof first }, second = first;
    time_t begun = time(NULL);
    size_t bytes, more;
    small_trainer t;
    char *block;

    hr_test_folder(folder);
    small_trainer_open(&t, 2, over);
    ck_assert_int_eq(hirl_train_step(&first, t.trainer), HIRL_OK);
    ck_assert(first.memory_gb > 1e-3 && first.memory_gb < 100);
    more = (size_t)(1e9 * first.memory_gb);
    block = malloc(more);
    ck_assert_ptr_nonnull(block);
    memset(block, 1, more); /* memory of the process counts, not only the library's */
    ck_assert_int_eq(hirl_train_step(&second, t.trainer), HIRL_OK);
    ck_assert_int_eq(block[more / 2], 1);
    free(block);
    ck_assert_msg(second.memory_gb > 1.1 * first.memory_gb &&
                      second.memory_gb <
                          10 * first.memory_gb, /* leaves room for a sanitizer's shadow */
                  "%g, then %g", first.memory_gb, second.memory_gb);
    small_trainer_close(&t);
    text = read_file(&bytes, folder, "metrics.jsonl");
    ck_assert_double_ge(number_of(text, "\"time\":"), (double)begun);
    ck_assert_double_le(number_of(text, "\"time\":"), (double)time(NULL));
    ck_assert_double_eq_tol(number_of(text, "\"mem_gb\":"), first.memory_gb, 1e-8);
    free(text);
    hr_test_remove(folder);
}
END_TEST

START_TEST(a_resumed_run_compares_settings_by_their_value)
{
    char folder[HR_TEST_PATH], path[HR_TEST_PATH];
    const small_pair own[] = {
        { "out", folder }, { "epochs", "2" }, { "blur_p", "0.5" }, { NULL, NULL }
    };
    const small_pair again[] = {
        { "resume", "1" },          { "lr", "3.0e-2" }, { "jitter_p", "0.0" }, { "blur_p", "50%" },
        { "prototypes", "8, 4,2" }, { "hirl", "yes" },  { NULL, NULL }
    };
    const small_pair *const over[] = { own, NULL }, *const resumed[] = { own, again, NULL };
    hirl_trainer *other;
    small_trainer t;

    hr_test_folder(folder);
    small_trainer_open(&t, 2, over);
    ck_assert_int_eq(hirl_train_epoch(NULL, t.trainer), HIRL_OK);
    small_trainer_close(&t);
    small_trainer_open(&t, 2, resumed); /* asserts that the run resumes */
    ck_assert_int_eq(hirl_trainer_load(t.trainer, hr_test_path(path, folder, last)), HIRL_OK);
    hirl_trainer_destroy(t.trainer);
    t.trainer = NULL;
    ck_assert_int_eq(hirl_options_set(t.options, "out", ""), HIRL_OK);
    ck_assert_int_eq(hirl_options_set(t.options, "resume", "0"), HIRL_OK);
    ck_assert_int_eq(hirl_trainer_create(&t.trainer, t.context, NULL, t.images, t.options),
                     HIRL_OK);
    ck_assert_msg(hirl_trainer_load(t.trainer, path) == HIRL_OK, "%s", hirl_error_message());
    ck_assert_int_eq(hirl_options_set(t.options, "out", folder), HIRL_OK);
    ck_assert_int_eq(hirl_options_set(t.options, "resume", "1"), HIRL_OK);
    ck_assert_int_eq(hirl_options_set(t.options, "jitter_p", "0.1"), HIRL_OK);
    hr_assert_fails(hirl_trainer_create(&other, t.context, NULL, t.images, t.options),
                    HIRL_E_INVALID, "jitter_p=0.1, but the run to be resumed has 0");
    small_trainer_close(&t);
    hr_test_remove(folder);
}
END_TEST

START_TEST(a_run_of_other_numerics_is_not_resumed)
{
    char folder[HR_TEST_PATH], path[HR_TEST_PATH];
    const small_pair own[] = { { "out", folder }, { "epochs", "2" }, { NULL, NULL } };
    const small_pair *const over[] = { own, NULL };
    hr_tensors list;
    small_trainer t;

    hr_test_folder(folder);
    small_trainer_open(&t, 2, over);
    ck_assert_int_eq(hirl_train_epoch(NULL, t.trainer), HIRL_OK);
    hr_test_path(path, folder, last);
    hr_assert_ok(hirl_trainer_load(t.trainer, path));
    hr_assert_ok(hr_tensors_load(&list, path));
    hr_assert_ok(hr_tensors_set_int(&list, "numerics", 1));
    hr_assert_ok(hr_tensors_save(&list, path));
    hr_tensors_done(&list);
    hr_assert_fails(hirl_trainer_load(t.trainer, path), HIRL_E_VERSION,
                    "numerics is 1, this library computes with 2");
    small_trainer_close(&t);
    hr_test_remove(folder);
}
END_TEST

static void damage(const char *path)
{
    FILE *file = fopen(path, "r+b");
    int byte;

    ck_assert_msg(file != NULL, "%s cannot be opened", path);
    fseek(file, -1, SEEK_END);
    byte = fgetc(file);
    fseek(file, -1, SEEK_END);
    fputc(byte ^ 1, file);
    fclose(file);
}

static void keep_warning(int32_t level, const char *line, void *user)
{
    if (level == HIRL_LOG_WARNING)
        snprintf(user, LINE, "%s", line);
}

START_TEST(the_error_of_a_damaged_checkpoint_suggests_an_earlier_one)
{
    char folder[HR_TEST_PATH], path[HR_TEST_PATH], warning[LINE] = "";
    const small_pair own[] = {
        { "out", folder }, { "hirl", "0" }, { "epochs", "2" }, { "keep", "2" }, { NULL, NULL }
    };
    const small_pair *const over[] = { own, NULL };
    hirl_step_report report = { .struct_size = sizeof report };
    small_trainer t;

    hr_test_folder(folder);
    small_trainer_open(&t, 2, over);
    ck_assert_int_eq(hirl_train_run(NULL, t.trainer), HIRL_OK);
    damage(hr_test_path(
        path, folder,
        "checkpoints/step_000008.safetensors")); /* last.safetensors is the same file */
    hr_assert_fails(hirl_trainer_load(t.trainer, path), HIRL_E_FORMAT, "checksum");
    hr_assert_fails(hirl_trainer_load(t.trainer, path), HIRL_E_FORMAT,
                    "; try an earlier checkpoint of the run");
    ck_assert_int_eq(
        hirl_trainer_load(t.trainer,
                          hr_test_path(path, folder, "checkpoints/step_000004.safetensors")),
        HIRL_OK);
    hirl_trainer_destroy(t.trainer);
    t.trainer = NULL;
    hirl_context_set_log(t.context, HIRL_LOG_DEBUG, keep_warning, warning, NULL);
    ck_assert_int_eq(hirl_options_set(t.options, "resume", "1"), HIRL_OK);
    hr_assert_ok(hirl_trainer_create(&t.trainer, t.context, NULL, t.images, t.options));
    ck_assert_msg(
        strstr(warning,
               "step_000008.safetensors is damaged, so step_000004.safetensors is used instead: "),
        "%s", warning);
    ck_assert_int_eq(hirl_train_step(&report, t.trainer), HIRL_OK);
    ck_assert_int_eq(report.step, SMALL_PER_EPOCH + 1);
    hirl_trainer_destroy(t.trainer);
    t.trainer = NULL;
    damage(path);
    hr_assert_fails(hirl_trainer_create(&t.trainer, t.context, NULL, t.images, t.options),
                    HIRL_E_STATE, "all checkpoints are damaged; the newest: ");
    ck_assert_ptr_nonnull(strstr(hirl_error_message(), "; overwrite=1 starts a new run"));
    small_trainer_close(&t);
    hr_test_remove(folder);
}
END_TEST

HR_TESTS("run-directory", a_non_finite_number_is_named_and_never_saved,
         a_resumed_run_removes_metrics_after_its_checkpoint,
         an_epoch_whose_checkpoint_failed_is_logged_once,
         a_line_of_metrics_has_the_wall_clock_time_and_the_memory,
         a_resumed_run_compares_settings_by_their_value, a_run_of_other_numerics_is_not_resumed,
         the_error_of_a_damaged_checkpoint_suggests_an_earlier_one)
