/* folder.h - temporary folders and files for tests; the number of open descriptors. */
#ifndef HR_TEST_FOLDER_H
#define HR_TEST_FOLDER_H

#include <check.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { HR_TEST_PATH = 600 };

/* the folder in which tests write: $TMPDIR, or /tmp */
static inline const char *hr_test_base(void)
{
    const char *base = getenv("TMPDIR");

    return base ? base : "/tmp";
}

/* creates an empty folder */
static inline void hr_test_folder(char folder[HR_TEST_PATH])
{
    snprintf(folder, HR_TEST_PATH, "%.400s/hirl-test-XXXXXX", hr_test_base());
    ck_assert_ptr_nonnull(mkdtemp(folder));
}

/* creates an empty file */
static inline void hr_test_file(char path[HR_TEST_PATH])
{
    int fd;

    snprintf(path, HR_TEST_PATH, "%.400s/hirl-test-XXXXXX", hr_test_base());
    fd = mkstemp(path);
    ck_assert_int_ge(fd, 0);
    close(fd);
}

static inline const char *hr_test_path(char path[HR_TEST_PATH], const char *folder,
                                       const char *name)
{
    snprintf(path, HR_TEST_PATH, "%.400s/%.190s", folder, name);
    return path;
}

/* how many files and folders, hidden ones included, the folder holds directly */
static inline int hr_test_entries(const char *folder)
{
    DIR *open = opendir(folder);
    struct dirent *entry;
    int n = 0;

    ck_assert_ptr_nonnull(open);
    while ((entry = readdir(open)))
        n += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
    closedir(open);
    return n;
}

/* removes the folder and everything in it */
static inline void hr_test_remove(const char *folder)
{
    DIR *open = opendir(folder);
    struct dirent *entry;
    struct stat info;
    char path[HR_TEST_PATH];

    while (open && (entry = readdir(open))) {
        if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
            continue;
        hr_test_path(path, folder, entry->d_name);
        if (!lstat(path, &info) && S_ISDIR(info.st_mode))
            hr_test_remove(path);
        else
            unlink(path);
    }
    if (open)
        closedir(open);
    rmdir(folder);
}

static inline void hr_test_write(const char *path, const void *data, size_t bytes)
{
    FILE *file = fopen(path, "wb");

    ck_assert_ptr_nonnull(file);
    ck_assert_uint_eq(fwrite(data, 1, bytes, file), bytes);
    ck_assert_int_eq(fclose(file), 0);
}

/* a whole file, followed by a 0; the caller frees it */
static inline char *hr_test_read(size_t *bytes, const char *path)
{
    FILE *file = fopen(path, "rb");
    char *data;

    ck_assert_msg(file != NULL, "%s cannot be opened", path);
    fseek(file, 0, SEEK_END);
    *bytes = (size_t)ftell(file);
    rewind(file);
    data = calloc(*bytes + 1, 1);
    ck_assert_uint_eq(fread(data, 1, *bytes, file), *bytes);
    fclose(file);
    return data;
}

/* how many descriptors below 256 are open */
static inline int hr_test_descriptors(void)
{
    int n = 0;

    for (int fd = 0; fd < 256; fd++) {
        struct stat info;

        n += !fstat(fd, &info);
    }
    return n;
}

#endif
