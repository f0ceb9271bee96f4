/* test_directory.c - the directory of a run: a run starts in an empty folder or in the folder of a
 * run, and never removes files that no run wrote. */
#include <check.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "support/close.h"
#include "support/folder.h"
#include "support/run.h"
#include "train/directory.h"
#include "train/directory_files.h"
#include "train/directory_metrics.h"

static const char settings[] = "hirl: \"1\"\nprofile: \"paper\"\n";
static char folder[HR_TEST_PATH];

static void make_folder(void)
{
    hr_test_folder(folder);
}

static void remove_folder(void)
{
    hr_test_remove(folder);
}

static void put(const char *name, const char *text)
{
    char path[HR_TEST_PATH];

    hr_test_write(hr_test_path(path, folder, name), text, strlen(text));
}

static void put_folder(const char *name)
{
    char path[HR_TEST_PATH];

    ck_assert_int_eq(mkdir(hr_test_path(path, folder, name), 0777), 0);
}

static bool exists(const char *name)
{
    char path[HR_TEST_PATH];
    struct stat info;

    return stat(hr_test_path(path, folder, name), &info) == 0;
}

/* Opens the directory as a run does; for a fresh run, also clears it and writes the settings.
 * Returns whether the run is resumed. */
static bool begin(bool resume, bool overwrite)
{
    hr_directory directory;
    bool goes_on;

    hr_assert_ok(hr_directory_open(&directory, folder, resume, overwrite, 0));
    goes_on = directory.goes_on;
    if (!goes_on) {
        hr_assert_ok(hr_directory_clear(&directory));
        hr_assert_ok(hr_directory_write(&directory, "config.yaml", settings));
    }
    hr_directory_close(&directory);
    return goes_on;
}

static void expect_refused(bool resume, const char *word)
{
    hr_directory directory;

    hr_assert_fails(hr_directory_open(&directory, folder, resume, false, 0), HIRL_E_STATE, word);
}

static const char *const foreign[] = { "model.safetensors", "metrics.jsonl", "config.yaml",
                                       "trees/a.hpt",       "checkpoints",   "notes.txt" };
enum { FOREIGN = sizeof foreign / sizeof *foreign };

START_TEST(a_folder_of_other_files_is_refused_and_untouched)
{
    char first[16];

    snprintf(first, sizeof first, "%.*s", (int)strcspn(foreign[_i], "/"), foreign[_i]);
    if (strchr(foreign[_i], '/'))
        put_folder("trees");
    put(foreign[_i], "lr: 0.1\n");
    expect_refused(false, first);
    if (_i < FOREIGN - 1) /* a name that a run uses; for notes.txt see the next test */
        expect_refused(true, first);
    ck_assert(exists(foreign[_i]));
    ck_assert_int_eq(hr_test_entries(folder), 1); /* no LOCK and no folders of a run were made */
}
END_TEST

START_TEST(resume_without_a_run_starts_one_beside_other_files)
{
    put("log.txt", "mine");
    put_folder("plots");
    put("plots/metrics.jsonl", "mine");
    expect_refused(false, "log.txt");
    ck_assert_int_eq(hr_test_entries(folder), 2);
    ck_assert(!begin(true, false));
    put("metrics.jsonl", "of a run");
    put("checkpoints/step_000004.safetensors", "of a run");
    ck_assert(begin(true, false));
    ck_assert(!begin(false, true));
    ck_assert(exists("log.txt") && exists("plots/metrics.jsonl"));
    ck_assert(!exists("metrics.jsonl"));
}
END_TEST

START_TEST(overwrite_removes_only_what_a_run_writes)
{
    static const char *const stay[] = {
        "notes.txt",           "checkpoints/best.safetensors", "checkpoints/step_best.safetensors",
        "trees/a.hpt",         "trees/epoch_best.hpt",         "checkpoints/step_.safetensors",
        "checkpoints/last.txt"
    };
    static const char *const go[] = { "metrics.jsonl",
                                      "model.safetensors",
                                      "trees/current.hpt",
                                      "trees/epoch_0003.hpt",
                                      "checkpoints/step_000004.safetensors",
                                      "checkpoints/last.safetensors" };

    put_folder("checkpoints");
    put_folder("trees");
    for (size_t i = 0; i < sizeof stay / sizeof *stay; i++)
        put(stay[i], "mine");
    for (size_t i = 0; i < sizeof go / sizeof *go; i++)
        put(go[i], "of a run");
    put("config.yaml", settings);
    ck_assert(!begin(false, true));
    for (size_t i = 0; i < sizeof stay / sizeof *stay; i++)
        ck_assert_msg(exists(stay[i]), "%s is gone", stay[i]);
    for (size_t i = 0; i < sizeof go / sizeof *go; i++)
        ck_assert_msg(!exists(go[i]), "%s is still there", go[i]);
}
END_TEST

START_TEST(overwrite_removes_nothing_from_a_folder_without_a_run)
{
    hr_directory directory;

    put("log.txt", "mine");
    put_folder("checkpoints");
    put("checkpoints/step_000004.safetensors", "mine");
    hr_assert_fails(hr_directory_open(&directory, folder, false, true, 0), HIRL_E_STATE,
                    "no config.yaml of a run");
    ck_assert(exists("checkpoints/step_000004.safetensors"));
    ck_assert_int_eq(hr_test_entries(folder), 2);
}
END_TEST

/* Only half of the second line fits on the disk. */
START_TEST(a_line_that_does_not_fit_on_the_disk_leaves_no_half)
{
    static const char line[] = "{\"step\":1}";
    struct rlimit before, low;
    hr_directory directory;
    char path[HR_TEST_PATH], *got;
    size_t bytes;

    hr_assert_ok(hr_directory_open(&directory, folder, false, false, 0));
    hr_assert_ok(hr_directory_metric(&directory, line));
    ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &before), 0);
    low = before;
    low.rlim_cur = sizeof line + sizeof line / 2;
    signal(SIGXFSZ, SIG_IGN);
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &low), 0);
    hr_assert_fails(hr_directory_metric(&directory, line), HIRL_E_IO, "metrics.jsonl");
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &before), 0);
    signal(SIGXFSZ, SIG_DFL);
    hr_directory_close(&directory);
    got = hr_test_read(&bytes, hr_test_path(path, folder, "metrics.jsonl"));
    ck_assert_uint_eq(bytes, sizeof line); /* with its newline */
    free(got);
}
END_TEST

static int fail_to_sync(int fd)
{
    (void)fd;
    errno = EIO;
    return -1;
}

START_TEST(lines_that_cannot_reach_the_disk_are_an_error)
{
    hr_file_calls failing = *hr_file_use(NULL);
    hr_directory directory;

    failing.sync = fail_to_sync;
    ck_assert(!begin(false, false));
    hr_assert_ok(hr_directory_open(&directory, folder, false, false, 0));
    hr_assert_ok(hr_directory_sync_metrics(&directory)); /* there is no file yet */
    hr_assert_ok(hr_directory_metric(&directory, "{\"step\":1}"));
    hr_assert_ok(hr_directory_sync_metrics(&directory));
    hr_file_use(&failing);
    hr_assert_fails(hr_directory_sync_metrics(&directory), HIRL_E_IO, "metrics.jsonl");
    hr_file_use(NULL);
    hr_directory_close(&directory);
}
END_TEST

START_TEST(overwrite_is_not_suggested_where_it_would_be_refused)
{
    put("a.txt", "mine");
    expect_refused(false, "overwrite=1");
    put("metrics.jsonl", "mine");
    expect_refused(false, "metrics.jsonl is there");
    ck_assert_ptr_null(strstr(hr_error_text(), "overwrite=1"));
}
END_TEST

START_TEST(a_run_that_lost_its_settings_resumes_from_its_checkpoint)
{
    ck_assert(!begin(false, false));
    put("checkpoints/step_000004.safetensors", "of a run");
    put("config.yaml", "");
    expect_refused(false, "resume from these checkpoints");
    ck_assert(begin(true, false));
    ck_assert(exists("checkpoints/step_000004.safetensors"));
}
END_TEST

START_TEST(a_line_cut_by_a_full_disk_is_removed)
{
    static const char whole[] = "{\"step\":1,\"lr\":0.1}\n", last[] = "{\"step\":4,\"lr\":0.1}\n";
    char text[256], path[HR_TEST_PATH];
    hr_directory directory;
    size_t bytes;
    int64_t kept, step;
    char *got;

    ck_assert(!begin(false, false));
    snprintf(text, sizeof text, "%s{\"step\":2,\"l{\"step\":3,\"lr\":0.1}\n{\"step\":3,\"lr\n%s",
             whole, last);
    put("metrics.jsonl", text);
    put("config.yaml", settings);
    hr_assert_ok(hr_directory_open(&directory, folder, false, false, 0));
    hr_assert_ok(hr_directory_cut_metrics(&kept, &step, &directory, 4));
    ck_assert(kept == 2 && step == 4);
    hr_directory_close(&directory);
    got = hr_test_read(&bytes, hr_test_path(path, folder, "metrics.jsonl"));
    ck_assert_int_eq(bytes, strlen(whole) + strlen(last));
    ck_assert(!memcmp(got, whole, strlen(whole)));
    ck_assert(!memcmp(got + strlen(whole), last, strlen(last)));
    free(got);
}
END_TEST

/* An overlong line and a line with a zero byte are removed too; the end of the overlong line must
 * not count as a line of its own. */
START_TEST(lines_that_no_run_writes_are_removed)
{
    static const char whole[] = "{\"step\":1,\"lr\":0.1}\n", zero[] = "{\"step\":2,\"lr\":\0}\n",
                      tail[] = "{\"step\":2,\"lr\":0.1}\n", last[] = "{\"step\":4,\"lr\":0.1}\n";
    enum { LONG = 200000, SIZE = LONG + 128 };
    char *text = malloc(SIZE), *at = text, path[HR_TEST_PATH], *got;
    hr_directory directory;
    size_t bytes;
    int64_t kept, step;

    ck_assert(!begin(false, false));
    at = mempcpy(at, whole, sizeof whole - 1);
    at = mempcpy(at, zero, sizeof zero - 1);
    memset(at, 'x', LONG);
    at = mempcpy(at + LONG, tail, sizeof tail - 1); /* the end of the overlong line */
    at = mempcpy(at, last, sizeof last - 1);
    hr_test_write(hr_test_path(path, folder, "metrics.jsonl"), text, (size_t)(at - text));
    free(text);
    hr_assert_ok(hr_directory_open(&directory, folder, false, false, 0));
    hr_assert_ok(hr_directory_cut_metrics(&kept, &step, &directory, 3));
    ck_assert(kept == 1 && step == 1);
    got = hr_test_read(&bytes, path);
    ck_assert_int_eq(bytes, strlen(whole));
    ck_assert(!memcmp(got, whole, bytes));
    free(got);
    hr_assert_ok(hr_directory_cut_metrics(&kept, &step, &directory, 1));
    ck_assert(kept == 1 && step == 1);
    hr_assert_ok(hr_directory_cut_metrics(&kept, &step, &directory, 0));
    ck_assert(kept == 0 && step == -1);
    hr_directory_close(&directory);
}
END_TEST

START_TEST(loading_before_the_first_checkpoint_is_an_error)
{
    hr_directory directory;
    hr_tensors state;

    ck_assert(!begin(false, false));
    put("checkpoints/notes.txt", "mine");
    hr_tensors_init(&state);
    hr_assert_ok(hr_directory_open(&directory, folder, false, false, 0));
    hr_assert_fails(hr_directory_load(&state, &directory, NULL), HIRL_E_STATE, "no checkpoint yet");
    hr_directory_close(&directory);
}
END_TEST

START_TEST(temporary_files_of_a_killed_run_are_removed)
{
    /* no process has the id 99999999 */
    static const char *const go[] = { ".config.yaml.tmp.99999999.0",
                                      ".env.json.tmp.99999999.1",
                                      ".metrics.jsonl.tmp.99999999.1",
                                      ".model.safetensors.tmp.99999999.1",
                                      "checkpoints/.last.safetensors.tmp.99999999.1",
                                      "checkpoints/.step_000004.safetensors.tmp.99999999.17",
                                      "trees/.current.hpt.tmp.99999999.1",
                                      "trees/.epoch_0002.hpt.tmp.99999999.2" };
    static const char *const stay[] = {
        ".notes.txt.tmp.99999999.0", ".config.yaml.tmp.99999999.x",
        ".config.yaml.tmp.99999999", "config.yaml.tmp.99999999.0",
        ".config.yaml.tmp.1.0",      "checkpoints/.step_best.safetensors.tmp.99999999.1"
    };
    char mine[2][64];
    hr_directory directory;

    ck_assert(!begin(false, false));
    snprintf(mine[0], sizeof mine[0], ".env.json.tmp.%d.0", (int)getpid());
    snprintf(mine[1], sizeof mine[1], ".env.json.tmp.%d.4000000000", (int)getpid());
    put(mine[0], "this process may be writing it");
    put(mine[1], "one of the same number, before it");
    for (size_t i = 0; i < sizeof go / sizeof *go; i++)
        put(go[i], "half");
    for (size_t i = 0; i < sizeof stay / sizeof *stay; i++)
        put(stay[i], "other");
    hr_assert_ok(hr_directory_open(&directory, folder, true, false, 0));
    hr_directory_close(&directory);
    for (size_t i = 0; i < sizeof go / sizeof *go; i++)
        ck_assert_msg(!exists(go[i]), "%s", go[i]);
    for (size_t i = 0; i < sizeof stay / sizeof *stay; i++)
        ck_assert_msg(exists(stay[i]), "%s", stay[i]);
    ck_assert(exists(mine[0]));
    ck_assert(!exists(mine[1]));
}
END_TEST

START_TEST(a_run_that_ends_before_its_settings_leaves_nothing)
{
    char path[HR_TEST_PATH];
    hr_directory directory, other;

    hr_test_path(path, folder, "new");
    hr_assert_ok(hr_directory_open(&directory, path, false, false, 0));
    hr_assert_fails(hr_directory_open(&other, path, false, false, 0), HIRL_E_BUSY,
                    "another process");
    ck_assert(exists("new/LOCK")); /* the refused run did not remove it */
    hr_directory_close(&directory);
    ck_assert(!exists("new"));
    put("log.txt", "mine");
    hr_assert_ok(hr_directory_open(&directory, folder, false, true, 0));
    hr_directory_close(&directory);
    ck_assert(exists("log.txt"));
    ck_assert_int_eq(hr_test_entries(folder), 1);
}
END_TEST

/* A run was killed before it wrote its settings: LOCK is not held and the folders are empty. */
START_TEST(the_empty_folders_of_a_killed_run_are_reused_and_kept)
{
    hr_directory directory;

    put("LOCK", "");
    put_folder("checkpoints");
    put_folder("trees");
    hr_assert_ok(hr_directory_open(&directory, folder, false, false, 0));
    hr_directory_close(&directory);
    ck_assert_int_eq(hr_test_entries(folder), 3);
    ck_assert(!begin(false, false));
}
END_TEST

/* The folder of a run is moved away, and another run starts at its old path. */
START_TEST(a_run_leaves_the_files_of_another_run)
{
    char here[HR_TEST_PATH], moved[HR_TEST_PATH];
    hr_directory first, second, third;

    hr_test_path(here, folder, "run");
    hr_test_path(moved, folder, "moved");
    hr_assert_ok(hr_directory_open(&first, here, false, false, 0));
    ck_assert_int_eq(rename(here, moved), 0);
    hr_assert_ok(hr_directory_open(&second, here, false, false, 0));
    hr_directory_close(&first);
    ck_assert(exists("run/LOCK") && exists("run/checkpoints") && exists("run/trees"));
    hr_assert_fails(hr_directory_open(&third, here, false, false, 0), HIRL_E_BUSY,
                    "another process");
    hr_directory_close(&second);
    ck_assert(!exists("run"));
}
END_TEST

START_TEST(a_run_that_wrote_its_settings_keeps_its_folder)
{
    ck_assert(!begin(false, false));
    ck_assert(exists("LOCK") && exists("checkpoints") && exists("trees") && exists("config.yaml"));
}
END_TEST

START_TEST(a_run_without_a_checkpoint_starts_again)
{
    ck_assert(!begin(false, false));
    ck_assert(!begin(false, false));
    put("metrics.jsonl", "{}\n");
    put("trees/current.hpt", "of a run");
    ck_assert(!begin(true, false)); /* resume=1 starts from step 0 */
    ck_assert(!exists("metrics.jsonl"));
    put("metrics.jsonl", "{}\n");
    ck_assert(!begin(false, false));
    ck_assert(!exists("metrics.jsonl"));
}
END_TEST

START_TEST(a_run_with_a_checkpoint_is_resumed_or_overwritten_on_request_only)
{
    ck_assert(!begin(false, false));
    put("checkpoints/step_000004.safetensors", "of a run");
    expect_refused(false, "resume=1");
    ck_assert(begin(true, false));
    ck_assert(exists("checkpoints/step_000004.safetensors"));
    ck_assert(!begin(false, true));
    ck_assert(!exists("checkpoints/step_000004.safetensors"));
}
END_TEST

START_TEST(files_of_a_run_are_removed_only_on_request)
{
    ck_assert(!begin(false, false));
    put("model.safetensors", "of a run");
    expect_refused(false, "overwrite=1");
    expect_refused(true, "no checkpoint to resume from");
    ck_assert(exists("model.safetensors"));
    put("checkpoints/last.safetensors", "of a run");
    expect_refused(false, "resume=1");
    ck_assert(begin(true, false));
    ck_assert(exists("checkpoints/last.safetensors"));
    ck_assert(!begin(false, true));
    ck_assert(!exists("model.safetensors"));
    ck_assert(!exists("checkpoints/last.safetensors"));
}
END_TEST

/* ---- ranks ---- */

static void write_everything(hr_directory *directory)
{
    hr_tensors state;
    int64_t kept, step;

    hr_tensors_init(&state);
    hr_assert_ok(hr_directory_clear(directory));
    hr_assert_ok(hr_directory_write(directory, "config.yaml", settings));
    hr_assert_ok(hr_directory_metric(directory, "{\"step\":1}"));
    hr_assert_ok(hr_directory_cut_metrics(&kept, &step, directory, 0));
    hr_assert_ok(hr_directory_save(directory, &state, 4, 2));
    hr_assert_ok(hr_directory_tree(directory, NULL, 1));
    hr_tensors_done(&state);
}

START_TEST(a_rank_above_0_writes_nothing)
{
    char path[HR_TEST_PATH];
    hr_directory directory;

    hr_test_path(path, folder, "new");
    hr_assert_ok(hr_directory_open(&directory, path, false, false, 1));
    ck_assert(!hr_directory_writes(&directory));
    write_everything(&directory);
    hr_directory_close(&directory);
    ck_assert_int_eq(hr_test_entries(folder), 0);
    hr_assert_ok(hr_directory_open(&directory, "", false, false, 1));
    hr_directory_close(&directory);
}
END_TEST

/* while rank 0 has the lock; even overwrite leaves the files of the run alone */
START_TEST(a_rank_above_0_sees_what_rank_0_resumes)
{
    hr_directory writer, reader;

    ck_assert(!begin(false, false));
    put("metrics.jsonl", "{\"step\":1}\n");
    put("checkpoints/step_000004.safetensors", "damaged");
    hr_assert_ok(hr_directory_open(&writer, folder, true, false, 0));
    ck_assert(hr_directory_writes(&writer));
    hr_assert_ok(hr_directory_open(&reader, folder, true, false, 1));
    ck_assert(reader.goes_on && reader.has_settings);
    hr_directory_close(&reader);
    hr_assert_ok(hr_directory_open(&reader, folder, false, true, 1));
    ck_assert(!reader.goes_on);
    write_everything(&reader);
    hr_directory_close(&reader);
    ck_assert(exists("LOCK") && exists("metrics.jsonl") && exists("config.yaml"));
    ck_assert(exists("checkpoints/step_000004.safetensors"));
    ck_assert(!exists("checkpoints/last.safetensors") && !exists("trees/current.hpt"));
    hr_directory_close(&writer);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("directory");
    TCase *c = tcase_create("begin");

    tcase_add_checked_fixture(c, make_folder, remove_folder);
    tcase_add_test(c, a_rank_above_0_writes_nothing);
    tcase_add_test(c, a_rank_above_0_sees_what_rank_0_resumes);
    tcase_add_loop_test(c, a_folder_of_other_files_is_refused_and_untouched, 0, FOREIGN);
    tcase_add_test(c, resume_without_a_run_starts_one_beside_other_files);
    tcase_add_test(c, overwrite_removes_only_what_a_run_writes);
    tcase_add_test(c, overwrite_removes_nothing_from_a_folder_without_a_run);
    tcase_add_test(c, a_line_that_does_not_fit_on_the_disk_leaves_no_half);
    tcase_add_test(c, overwrite_is_not_suggested_where_it_would_be_refused);
    tcase_add_test(c, lines_that_cannot_reach_the_disk_are_an_error);
    tcase_add_test(c, a_run_that_lost_its_settings_resumes_from_its_checkpoint);
    tcase_add_test(c, a_line_cut_by_a_full_disk_is_removed);
    tcase_add_test(c, lines_that_no_run_writes_are_removed);
    tcase_add_test(c, loading_before_the_first_checkpoint_is_an_error);
    tcase_add_test(c, temporary_files_of_a_killed_run_are_removed);
    tcase_add_test(c, a_run_that_ends_before_its_settings_leaves_nothing);
    tcase_add_test(c, the_empty_folders_of_a_killed_run_are_reused_and_kept);
    tcase_add_test(c, a_run_leaves_the_files_of_another_run);
    tcase_add_test(c, a_run_that_wrote_its_settings_keeps_its_folder);
    tcase_add_test(c, a_run_without_a_checkpoint_starts_again);
    tcase_add_test(c, a_run_with_a_checkpoint_is_resumed_or_overwritten_on_request_only);
    tcase_add_test(c, files_of_a_run_are_removed_only_on_request);
    suite_add_tcase(s, c);
    return s;
}

HR_TEST_MAIN(suite)
