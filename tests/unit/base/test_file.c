/* test_file.c - replacing a file is all or nothing, whichever system call fails. */
#include <errno.h>
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "support/close.h"
#include "support/folder.h"
#include "support/run.h"

static char folder[HR_TEST_PATH], path[HR_TEST_PATH];

static void begin(void)
{
    hr_test_folder(folder);
    hr_test_path(path, folder, "model.bin");
}

static void expect_content(const char *want)
{
    void *data;
    size_t bytes;

    hr_assert_ok(hr_file_read(&data, &bytes, path, 1 << 20));
    ck_assert_uint_eq(bytes, strlen(want));
    ck_assert_str_eq(data, want);
    hr_free(data);
}

/* ---- a system whose n-th call fails ---- */

enum { SHORT_WRITE = -1 };
static int until_failure, failure;
static bool always;

static bool fails(void)
{
    if (!until_failure || --until_failure)
        return false;
    if (always)
        until_failure = 1;
    errno = failure;
    return failure != SHORT_WRITE;
}

static int open_or_fail(int at, const char *name, int flags, mode_t mode)
{
    return fails() ? -1 : openat(at, name, flags, mode);
}

static ssize_t write_or_fail(int fd, const void *data, size_t bytes)
{
    if (fails())
        return -1;
    return write(fd, data, failure == SHORT_WRITE && bytes > 1 ? bytes / 2 : bytes);
}

static int sync_or_fail(int fd)
{
    return fails() ? -1 : fsync(fd);
}

static int close_or_fail(int fd)
{
    bool failed = fails();
    int error = errno;

    close(fd); /* a close that fails has still closed the file */
    errno = error;
    return failed ? -1 : 0;
}

static int rename_or_fail(int at, const char *from, const char *to)
{
    return fails() ? -1 : renameat(at, from, at, to);
}

static int remove_or_work(int at, const char *name)
{
    return unlinkat(at, name, 0);
}

static const hr_file_calls frail = { open_or_fail,  write_or_fail,  sync_or_fail,
                                     close_or_fail, rename_or_fail, remove_or_work };

/* Replaces "old" by "new" while the n-th call fails, and returns the status. */
static hirl_status replace_failing_at(int nth, int error, bool persistent)
{
    hirl_status status;

    hr_test_write(path, "old content", 11);
    until_failure = nth;
    failure = error;
    always = persistent;
    hr_file_use(&frail);
    status = hr_file_replace(path, "new", 3);
    hr_file_use(NULL);
    return status;
}

static void expect_whole(hirl_status status)
{
    bool visible = status == HIRL_OK || status == HIRL_E_DURABILITY;

    expect_content(visible ? "new" : "old content");
    ck_assert_int_eq(hr_test_entries(folder), 1);
}

/* The calls are: open folder, open file, write, sync, close, rename, sync folder, close folder */
START_TEST(any_failing_call_leaves_the_old_file_or_the_new_one)
{
    static const int error[] = { EIO, ENOSPC, EDQUOT, EROFS, ENOMEM };
    int64_t live = hr_alloc_live();
    int descriptors;

    begin();
    descriptors = hr_test_descriptors();
    for (int e = 0; e < 5; e++)
        for (int nth = 1; nth <= 9; nth++)
            for (int persistent = 0; persistent < 2; persistent++) {
                hirl_status status = replace_failing_at(nth, error[e], persistent);

                expect_whole(status);
                if (nth == 7)
                    ck_assert_int_eq(status, HIRL_E_DURABILITY);
                else if (nth >= 8)
                    ck_assert_int_eq(status, HIRL_OK);
                else if (error[e] == ENOSPC || error[e] == EDQUOT)
                    ck_assert_int_eq(status, HIRL_E_NOSPC);
                else
                    ck_assert_int_eq(status, error[e] == ENOMEM ? HIRL_E_NOMEM : HIRL_E_IO);
                if (status)
                    ck_assert_ptr_nonnull(strstr(hr_error_text(), "hirl-test"));
                ck_assert_int_eq(hr_alloc_live(), live);
                ck_assert_int_eq(hr_test_descriptors(), descriptors);
            }
    hr_test_remove(folder);
}
END_TEST

START_TEST(an_interrupted_call_and_a_short_write_are_continued)
{
    begin();
    for (int nth = 1; nth <= 8; nth++) {
        if (nth != 6) /* rename is never interrupted */
            hr_assert_ok(replace_failing_at(nth, EINTR, false));
        unlink(path);
    }
    hr_assert_ok(replace_failing_at(1, SHORT_WRITE, true));
    expect_content("new");
    ck_assert_int_eq(hr_test_entries(folder), 1);
    hr_test_remove(folder);
}
END_TEST

START_TEST(a_pipe_is_refused_and_stays_one)
{
    struct stat info;

    begin();
    ck_assert_int_eq(mkfifo(path, 0600), 0);
    hr_assert_fails(hr_file_replace(path, "x", 1), HIRL_E_IO, "regular");
    ck_assert_int_eq(stat(path, &info), 0);
    ck_assert(S_ISFIFO(info.st_mode));
    hr_test_remove(folder);
}
END_TEST

START_TEST(a_folder_that_cannot_be_synced_at_all_is_not_a_failure)
{
    begin();
    hr_assert_ok(replace_failing_at(7, EINVAL, false));
    expect_whole(HIRL_OK);
    hr_test_remove(folder);
}
END_TEST

START_TEST(any_failing_allocation_leaves_nothing_behind)
{
    int64_t live = hr_alloc_live();
    hirl_status status = HIRL_E_NOMEM;

    begin();
    hr_test_write(path, "old content", 11);
    for (int nth = 1; status; nth++) {
        ck_assert_int_lt(nth, 10);
        hr_alloc_fail_at(nth, false);
        status = hr_file_replace(path, "new", 3);
        hr_alloc_fail_at(0, false);
        ck_assert(status == HIRL_OK || status == HIRL_E_NOMEM);
        expect_whole(status);
        ck_assert_int_eq(hr_alloc_live(), live);
    }
    hr_test_remove(folder);
}
END_TEST

/* ---- the real system ---- */

START_TEST(a_large_file_is_written_in_pieces_and_read_back)
{
    size_t bytes = (5u << 20) + 12345, got;
    char *data = malloc(bytes);
    void *back;

    begin();
    for (size_t i = 0; i < bytes; i++)
        data[i] = (char)(i * 2654435761u >> 13);
    hr_assert_ok(hr_file_replace(path, data, bytes));
    hr_assert_ok(hr_file_read(&back, &got, path, bytes));
    ck_assert_uint_eq(got, bytes);
    ck_assert_int_eq(memcmp(back, data, bytes), 0);
    ck_assert_int_eq(((char *)back)[bytes], 0);
    hr_free(back);
    hr_assert_fails(hr_file_read(&back, &got, path, bytes - 1), HIRL_E_LIMIT, "at most");
    free(data);
    hr_test_remove(folder);
}
END_TEST

START_TEST(a_file_is_written_under_a_long_name_and_in_the_current_folder)
{
    char name[256], here[4096];

    begin();
    ck_assert_ptr_nonnull(getcwd(here, sizeof here));
    ck_assert_int_eq(chdir(folder), 0);
    memset(name, 'n', 255);
    name[255] = '\0';
    hr_assert_ok(hr_file_replace(name, "x", 1));
    ck_assert_int_eq(hr_test_entries(folder), 1);
    ck_assert(hr_file_exists(name));
    unlink(name);
    ck_assert_int_eq(chdir(here), 0);
    hr_test_remove(folder);
}
END_TEST

START_TEST(discard_leaves_the_old_file_and_nothing_else)
{
    hr_file file;

    begin();
    hr_test_write(path, "old content", 11);
    hr_assert_ok(hr_file_begin(&file, path));
    hr_assert_ok(hr_file_write(&file, "half of", 7));
    ck_assert_int_eq(hr_test_entries(folder), 2);
    hr_file_discard(&file);
    hr_file_discard(&file);
    expect_whole(HIRL_E_IO);
    hr_test_remove(folder);
}
END_TEST

START_TEST(targets_that_are_not_files_are_refused)
{
    char other[HR_TEST_PATH];
    size_t bytes;
    void *data;

    begin();
    hr_assert_fails(hr_file_replace(folder, "x", 1), HIRL_E_INVALID, "folder");
    hr_assert_fails(hr_file_replace("", "x", 1), HIRL_E_INVALID, "missing");
    hr_test_path(other, folder, "nowhere/a");
    hr_assert_fails(hr_file_replace(other, "x", 1), HIRL_E_IO, "No such file");
    hr_assert_fails(hr_file_read(&data, &bytes, other, 10), HIRL_E_IO, "No such file");
    hr_assert_fails(hr_file_read(&data, &bytes, folder, 10), HIRL_E_IO, "folder");
    ck_assert_int_eq(mkfifo(path, 0600), 0);
    hr_assert_fails(hr_file_read(&data, &bytes, path, 10), HIRL_E_IO, "regular");
    hr_assert_fails(hr_file_read(&data, &bytes, "/dev/full", 10), HIRL_E_IO, "regular");
    hr_test_remove(folder);
}
END_TEST

START_TEST(a_piece_is_read_where_it_lies)
{
    uint64_t bytes;
    char piece[4];
    int fd;

    begin();
    hr_test_write(path, "0123456789", 10);
    hr_assert_ok(hr_file_open(&fd, &bytes, path));
    ck_assert_uint_eq(bytes, 10);
    hr_assert_ok(hr_file_read_at(fd, piece, 4, 6, path));
    ck_assert_mem_eq(piece, "6789", 4);
    hr_assert_fails(hr_file_read_at(fd, piece, 4, 7, path), HIRL_E_FORMAT, "ends after 10");
    close(fd);
    hr_assert_fails(hr_file_read_at(-1, piece, 4, 0, path), HIRL_E_IO, "descriptor");
    hr_test_remove(folder);
}
END_TEST

START_TEST(a_link_in_the_way_is_replaced_and_its_target_left_alone)
{
    char target[HR_TEST_PATH];

    begin();
    hr_test_path(target, folder, "target");
    hr_test_write(target, "keep", 4);
    ck_assert_int_eq(symlink(target, path), 0);
    hr_assert_ok(hr_file_replace(path, "new", 3));
    expect_content("new");
    hr_test_path(path, folder, "target");
    expect_content("keep");
    hr_test_remove(folder);
}
END_TEST

START_TEST(a_full_disk_keeps_the_old_file)
{
    enum { BYTES = 1 << 20 };
    char *data = calloc(1, BYTES);

    begin();
    if (mount("none", folder, "tmpfs", 0, "size=256k")) { /* this user may not mount */
        hr_test_remove(folder);
        free(data);
        return;
    }
    hr_test_write(path, "old content", 11);
    hr_assert_fails(hr_file_replace(path, data, BYTES), HIRL_E_NOSPC, "No space");
    expect_whole(HIRL_E_NOSPC);
    ck_assert_int_eq(umount(folder), 0);
    hr_test_remove(folder);
    free(data);
}
END_TEST

/* ---- folders ---- */

START_TEST(a_folder_is_made_with_its_parents_and_listed_in_byte_order)
{
    static const char *const name[] = { "b", "a10", "a9", "B", "\xc3\xa4", ".hidden" };
    static const char *const want[] = { "B", "a10", "a9", "b", "\xc3\xa4" };
    int64_t live = hr_alloc_live(), count;
    char **names, inner[HR_TEST_PATH], file[HR_TEST_PATH];

    begin();
    hr_test_path(inner, folder, "x//y/z/");
    hr_assert_ok(hr_make_folder(inner));
    hr_assert_ok(hr_make_folder(inner));
    ck_assert(hr_is_folder(inner));
    hr_assert_ok(hr_folder_list(&names, &count, inner));
    ck_assert_int_eq(count, 0);
    hr_names_free(names, count);
    for (int i = 0; i < 6; i++)
        hr_test_write(hr_test_path(file, inner, name[i]), "x", 1);
    hr_assert_ok(hr_folder_list(&names, &count, inner));
    ck_assert_int_eq(count, 5);
    for (int i = 0; i < 5; i++)
        ck_assert_str_eq(names[i], want[i]);
    hr_names_free(names, count);
    hr_test_path(file, inner, "a9/below");
    hr_assert_fails(hr_make_folder(file), HIRL_E_IO, "Not a directory");
    hr_assert_fails(hr_folder_list(&names, &count, file), HIRL_E_IO, "Not a directory");
    ck_assert_int_eq(hr_alloc_live(), live);
    hr_test_remove(folder);
}
END_TEST

START_TEST(a_list_that_runs_out_of_memory_leaves_nothing)
{
    int64_t live = hr_alloc_live(), count;
    hirl_status status = HIRL_E_NOMEM;
    char file[HR_TEST_PATH], **names, text[16];

    begin();
    for (int i = 0; i < 70; i++) {
        snprintf(text, sizeof text, "%d", i);
        hr_test_write(hr_test_path(file, folder, text), "", 0);
    }
    for (int nth = 1; status; nth++) {
        hr_alloc_fail_at(nth, false);
        status = hr_folder_list(&names, &count, folder);
        hr_alloc_fail_at(0, false);
        if (status)
            ck_assert_int_eq(status, HIRL_E_NOMEM);
        else
            hr_names_free(names, count);
        ck_assert_int_eq(hr_alloc_live(), live);
    }
    ck_assert_int_eq(count, 70);
    hr_test_remove(folder);
}
END_TEST

START_TEST(paths_are_joined_with_one_slash)
{
    static const char *const part[][3] = {
        { "a", "b", "a/b" }, { "a/", "b", "a/b" }, { "", "b", "b" }, { "/", "b", "/b" }
    };

    for (int i = 0; i < 4; i++) {
        char *joined = hr_path_join(part[i][0], part[i][1]);

        ck_assert_str_eq(joined, part[i][2]);
        hr_free(joined);
    }
}
END_TEST

HR_TESTS("file", any_failing_call_leaves_the_old_file_or_the_new_one,
         an_interrupted_call_and_a_short_write_are_continued,
         a_folder_that_cannot_be_synced_at_all_is_not_a_failure,
         any_failing_allocation_leaves_nothing_behind,
         a_large_file_is_written_in_pieces_and_read_back,
         a_file_is_written_under_a_long_name_and_in_the_current_folder,
         discard_leaves_the_old_file_and_nothing_else, targets_that_are_not_files_are_refused,
         a_piece_is_read_where_it_lies, a_link_in_the_way_is_replaced_and_its_target_left_alone,
         a_pipe_is_refused_and_stays_one, a_full_disk_keeps_the_old_file,
         a_folder_is_made_with_its_parents_and_listed_in_byte_order,
         a_list_that_runs_out_of_memory_leaves_nothing, paths_are_joined_with_one_slash)
