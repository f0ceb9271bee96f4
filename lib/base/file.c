/* file.c - reads whole files up to a limit, replaces files atomically, lists folders.
 *
 * A file is replaced by writing a hidden file in the same folder, fsync, rename to the final name,
 * and fsync of the folder. A failed fsync is not retried: the kernel may have dropped the pages.
 */
#include "base/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <locale.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/error.h"

enum { PIECE = 1 << 20, NAME_KEPT = 200, TRIES = 100 };

/* ---- the system ---- */

static int system_open(int folder, const char *name, int flags, mode_t mode)
{
    return openat(folder, name, flags, mode);
}

static int system_rename(int folder, const char *from, const char *to)
{
    return renameat(folder, from, folder, to);
}

static int system_remove(int folder, const char *name)
{
    return unlinkat(folder, name, 0);
}

static const hr_file_calls system_calls = { system_open, write,         fsync,
                                            close,       system_rename, system_remove };
static const hr_file_calls *calls = &system_calls;

const hr_file_calls *hr_file_use(const hr_file_calls *wanted)
{
    const hr_file_calls *before = calls;

    calls = wanted ? wanted : &system_calls;
    return before;
}

hirl_status hr_fail_errno(const char *action, const char *path)
{
    int error = errno;
    locale_t c = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    const char *reason = c ? strerror_l(error, c) : "unknown reason";
    hirl_status status = HIRL_E_IO;

    if (error == ENOSPC || error == EDQUOT)
        status = HIRL_E_NOSPC;
    if (error == ENOMEM)
        status = HIRL_E_NOMEM;
    hr_fail(status, "%s %s: %s", action, path, reason);
    if (c)
        freelocale(c);
    return status;
}

static int open_again(int folder, const char *name, int flags, mode_t mode)
{
    int fd;

    do
        fd = calls->open(folder, name, flags | O_CLOEXEC, mode);
    while (fd < 0 && errno == EINTR);
    return fd;
}

static int sync_again(int fd)
{
    int failed;

    do
        failed = calls->sync(fd);
    while (failed && errno == EINTR);
    return failed;
}

/* Linux has closed the descriptor even when close() returns EINTR. */
static int close_once(int fd)
{
    return calls->close(fd) && errno != EINTR ? -1 : 0;
}

/* ---- writing ---- */

static hirl_status open_folder(hr_file *file)
{
    char *slash = strrchr(file->path, '/');
    const char *folder = ".";
    hirl_status status = HIRL_OK;

    file->name = slash ? slash + 1 : file->path;
    if (!*file->name || !strcmp(file->name, ".") || !strcmp(file->name, ".."))
        return hr_fail(HIRL_E_INVALID, "write %s: the file name is missing", file->path);
    if (slash == file->path) {
        folder = "/";
    } else if (slash) {
        *slash = '\0';
        folder = file->path;
    }
    file->folder = open_again(AT_FDCWD, folder, O_RDONLY | O_DIRECTORY, 0);
    if (file->folder < 0)
        status = hr_fail_errno("open folder", folder);
    if (slash)
        *slash = '/';
    return status;
}

static _Atomic unsigned temporaries; /* temporary files that this process has created */

static hirl_status open_temporary(hr_file *file)
{
    size_t room = NAME_KEPT + 64;

    file->temporary = hr_alloc(room);
    if (!file->temporary)
        return HIRL_E_NOMEM;
    for (int i = 0; i < TRIES && file->fd < 0; i++) {
        snprintf(file->temporary, room, ".%.*s.tmp.%ld.%u", NAME_KEPT, file->name, (long)getpid(),
                 atomic_fetch_add(&temporaries, 1));
        file->fd = open_again(file->folder, file->temporary,
                              O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0666);
        if (file->fd < 0 && errno != EEXIST)
            break;
    }
    return file->fd < 0 ? hr_fail_errno("write", file->path) : HIRL_OK;
}

/* Refuses folders, devices and pipes: rename() would replace the device or pipe itself. */
static hirl_status check_target(const char *path)
{
    struct stat info;

    if (stat(path, &info) || S_ISREG(info.st_mode))
        return HIRL_OK;
    return hr_fail(S_ISDIR(info.st_mode) ? HIRL_E_INVALID : HIRL_E_IO, "write %s: it is %s", path,
                   S_ISDIR(info.st_mode) ? "a folder" : "not a regular file");
}

hirl_status hr_file_begin(hr_file *file, const char *path)
{
    hirl_status status;

    *file = (hr_file){ .open = true, .fd = -1, .folder = -1, .path = hr_strdup(path) };
    status = file->path ? HIRL_OK : HIRL_E_NOMEM;
    if (!status)
        status = check_target(path);
    if (!status)
        status = open_folder(file);
    if (!status)
        status = open_temporary(file);
    if (status)
        hr_file_discard(file);
    return status;
}

hirl_status hr_file_write(hr_file *file, const void *data, size_t bytes)
{
    const char *at = data;

    while (bytes) {
        ssize_t n = calls->write(file->fd, at, bytes < PIECE ? bytes : PIECE);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return hr_fail_errno("write", file->path);
        if (!n)
            return hr_fail(HIRL_E_IO, "write %s: the system accepts no more bytes", file->path);
        at += n;
        bytes -= (size_t)n;
    }
    return HIRL_OK;
}

/* EINVAL: the file system cannot sync folders, so nothing more can be done. */
static hirl_status sync_folder(const hr_file *file)
{
    if (!sync_again(file->folder) || errno == EINVAL)
        return HIRL_OK;
    hr_fail_errno("sync folder of", file->path);
    return HIRL_E_DURABILITY;
}

hirl_status hr_file_commit(hr_file *file)
{
    hirl_status status = HIRL_OK;
    int fd = file->fd;

    if (sync_again(fd))
        status = hr_fail_errno("sync", file->path);
    file->fd = -1;
    if (close_once(fd) && !status)
        status = hr_fail_errno("close", file->path);
    if (!status && calls->rename(file->folder, file->temporary, file->name))
        status = hr_fail_errno("rename to", file->path);
    if (!status) {
        hr_free(file->temporary);
        file->temporary = NULL;
        status = sync_folder(file);
    }
    hr_file_discard(file);
    return status;
}

void hr_file_discard(hr_file *file)
{
    if (!file->open)
        return;
    if (file->fd >= 0)
        close_once(file->fd);
    if (file->temporary && file->folder >= 0)
        calls->remove(file->folder, file->temporary);
    if (file->folder >= 0)
        close_once(file->folder);
    hr_free(file->temporary);
    hr_free(file->path);
    *file = (hr_file){ .fd = -1, .folder = -1 };
}

hirl_status hr_file_replace(const char *path, const void *data, size_t bytes)
{
    hr_file file;
    hirl_status status;

    HR_TRY(hr_file_begin(&file, path));
    status = hr_file_write(&file, data, bytes);
    if (!status)
        return hr_file_commit(&file);
    hr_file_discard(&file);
    return status;
}

hirl_status hr_file_sync(const char *path)
{
    hr_file file = { .open = true, .fd = -1, .folder = -1, .path = hr_strdup(path) };
    hirl_status status = file.path ? open_folder(&file) : HIRL_E_NOMEM;

    if (!status) {
        file.fd = open_again(file.folder, file.name, O_RDONLY | O_NONBLOCK, 0);
        if (file.fd < 0 || sync_again(file.fd))
            status = hr_fail_errno("sync", path);
    }
    if (!status)
        status = sync_folder(&file);
    hr_file_discard(&file);
    return status;
}

/* `writer` is "<pid>.<n>". True when that process is alive; if it is this process, when it has
 * created a file of that number. */
static bool may_be_written(const char *writer)
{
    char *end;
    long pid = strtol(writer, &end, 10);

    if (pid == (long)getpid())
        return strtoul(end + 1, NULL, 10) < atomic_load(&temporaries);
    return pid > 0 && pid <= INT_MAX && (getpgid((pid_t)pid) >= 0 || errno != ESRCH);
}

/* Gets the final name for which `temporary` was created. False when it is not the temporary file
 * of a writer that is gone. */
static bool final_name(char name[NAME_KEPT + 1], const char *temporary)
{
    const char *mark = NULL;
    int end = 0;

    for (const char *at = temporary; (at = strstr(at, ".tmp.")); at++)
        mark = at;
    if (!mark || temporary[0] != '.' || mark - temporary - 1 > NAME_KEPT)
        return false;
    sscanf(mark, ".tmp.%*[0-9].%*[0-9]%n", &end);
    snprintf(name, NAME_KEPT + 1, "%.*s", (int)(mark - temporary - 1), temporary + 1);
    return end && !mark[end] && !may_be_written(mark + strlen(".tmp."));
}

void hr_file_sweep(const char *folder, bool (*wanted)(const char *name))
{
    DIR *open = opendir(folder);
    char name[NAME_KEPT + 1];
    struct dirent *entry;

    while (open && (entry = readdir(open)))
        if (final_name(name, entry->d_name) && wanted(name))
            calls->remove(dirfd(open), entry->d_name);
    if (open)
        closedir(open);
}

/* ---- reading ---- */

hirl_status hr_file_open(int *out, uint64_t *bytes, const char *path)
{
    struct stat info;
    hirl_status status = HIRL_OK;
    int fd;

    /* O_NONBLOCK: opening a pipe must not block */
    do
        fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    while (fd < 0 && errno == EINTR);
    if (fd < 0)
        return hr_fail_errno("read", path);
    if (fstat(fd, &info))
        status = hr_fail_errno("read", path);
    else if (S_ISDIR(info.st_mode))
        status = hr_fail(HIRL_E_IO, "read %s: it is a folder", path);
    else if (!S_ISREG(info.st_mode))
        status = hr_fail(HIRL_E_IO, "read %s: it is not a regular file", path);
    if (status) {
        close(fd);
        return status;
    }
    *out = fd;
    *bytes = (uint64_t)info.st_size;
    return HIRL_OK;
}

/* Reads up to `bytes`; *got is smaller where the file ends. */
static hirl_status read_some(int fd, char *data, size_t bytes, uint64_t at, size_t *got,
                             const char *path)
{
    *got = 0;
    while (*got < bytes) {
        size_t left = bytes - *got;
        ssize_t n = pread(fd, data + *got, left < PIECE ? left : PIECE, (off_t)(at + *got));

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return hr_fail_errno("read", path);
        if (!n)
            break;
        *got += (size_t)n;
    }
    return HIRL_OK;
}

hirl_status hr_file_read_at(int fd, void *data, size_t bytes, uint64_t at, const char *path)
{
    size_t got;

    HR_TRY(read_some(fd, data, bytes, at, &got, path));
    if (got < bytes)
        return hr_fail(HIRL_E_FORMAT, "%s: the file ends after %llu bytes, %zu more were expected",
                       path, (unsigned long long)(at + got), bytes - got);
    return HIRL_OK;
}

hirl_status hr_file_read(void **data, size_t *bytes, const char *path, size_t max_bytes)
{
    hirl_status status = HIRL_OK;
    uint64_t size;
    size_t got = 0;
    char *block = NULL;
    int fd;

    HR_TRY(hr_file_open(&fd, &size, path));
    if (size > max_bytes)
        status = hr_fail(HIRL_E_LIMIT, "%s: the file has %llu bytes, at most %zu are read", path,
                         (unsigned long long)size, max_bytes);
    if (!status) {
        block = size < SIZE_MAX ? hr_alloc((size_t)size + 1) : NULL;
        status = block ? read_some(fd, block, (size_t)size, 0, &got, path) : HIRL_E_NOMEM;
    }
    close(fd);
    if (status) {
        hr_free(block);
        return status;
    }
    block[got] = '\0';
    *data = block;
    *bytes = got;
    return HIRL_OK;
}

/* ---- folders and names ---- */

bool hr_file_exists(const char *path)
{
    struct stat info;

    return !stat(path, &info);
}

bool hr_is_folder(const char *path)
{
    struct stat info;

    return !stat(path, &info) && S_ISDIR(info.st_mode);
}

static hirl_status make_one(const char *path)
{
    int error = mkdir(path, 0777) ? errno : 0;

    if (!error || hr_is_folder(path))
        return HIRL_OK;
    errno = error == EEXIST ? ENOTDIR : error;
    return hr_fail_errno("make folder", path);
}

hirl_status hr_make_folder(const char *path)
{
    char *part = hr_strdup(path);
    hirl_status status = HIRL_OK;

    if (!part)
        return HIRL_E_NOMEM;
    for (char *slash = part; !status && (slash = strchr(slash + 1, '/')) != NULL;) {
        *slash = '\0';
        status = *part ? make_one(part) : HIRL_OK;
        *slash = '/';
    }
    hr_free(part);
    return status ? status : make_one(path);
}

static int bytewise(const void *a, const void *b)
{
    return strcmp(((const hr_entry *)a)->name, ((const hr_entry *)b)->name);
}

static hr_entry_kind kind_of(DIR *folder, const struct dirent *entry)
{
    struct stat info;

    if (entry->d_type == DT_REG)
        return HR_ENTRY_FILE;
    if (entry->d_type == DT_DIR)
        return HR_ENTRY_FOLDER;
    if (fstatat(dirfd(folder), entry->d_name, &info, 0))
        return HR_ENTRY_OTHER;
    if (S_ISDIR(info.st_mode))
        return HR_ENTRY_FOLDER;
    return S_ISREG(info.st_mode) ? HR_ENTRY_FILE : HR_ENTRY_OTHER;
}

static hirl_status add_entry(hr_entry **entries, int64_t *count, int64_t *room, const char *name,
                             hr_entry_kind kind)
{
    hr_entry *grown = hr_grow_array(*entries, room, *count, sizeof *grown);

    if (!grown)
        return HIRL_E_NOMEM;
    *entries = grown;
    grown[*count] = (hr_entry){ hr_strdup(name), kind };
    if (!grown[*count].name)
        return HIRL_E_NOMEM;
    ++*count;
    return HIRL_OK;
}

hirl_status hr_folder_entries(hr_entry **entries, int64_t *count, const char *path)
{
    DIR *folder = opendir(path);
    hr_entry *found = NULL;
    int64_t n = 0, room = 0;
    hirl_status status = HIRL_OK;
    struct dirent *entry;

    if (!folder)
        return hr_fail_errno("list", path);
    while (!status) {
        errno = 0;
        entry = readdir(folder);
        if (!entry && errno)
            status = hr_fail_errno("list", path);
        if (!entry)
            break;
        if (entry->d_name[0] != '.')
            status = add_entry(&found, &n, &room, entry->d_name, kind_of(folder, entry));
    }
    closedir(folder);
    if (status) {
        hr_entries_free(found, n);
        return status;
    }
    if (n)
        qsort(found, (size_t)n, sizeof *found, bytewise);
    *entries = found;
    *count = n;
    return HIRL_OK;
}

void hr_entries_free(hr_entry *entries, int64_t count)
{
    for (int64_t i = 0; i < count; i++)
        hr_free(entries[i].name);
    hr_free(entries);
}

hirl_status hr_folder_list(char ***names, int64_t *count, const char *path)
{
    hr_entry *entry;
    char **found;

    HR_TRY(hr_folder_entries(&entry, count, path));
    found = hr_alloc_array((size_t)*count, sizeof *found);
    if (!found) {
        hr_entries_free(entry, *count);
        return HIRL_E_NOMEM;
    }
    for (int64_t i = 0; i < *count; i++)
        found[i] = entry[i].name;
    hr_free(entry);
    *names = found;
    return HIRL_OK;
}

void hr_names_free(char **names, int64_t count)
{
    for (int64_t i = 0; i < count; i++)
        hr_free(names[i]);
    hr_free(names);
}

hirl_status hr_folder_has(bool *yes, const char *path, bool (*wanted)(const char *name))
{
    char **name;
    int64_t count;

    HR_TRY(hr_folder_list(&name, &count, path));
    *yes = false;
    for (int64_t i = 0; i < count; i++)
        *yes |= wanted(name[i]);
    hr_names_free(name, count);
    return HIRL_OK;
}

char *hr_path_join(const char *folder, const char *name)
{
    size_t n = strlen(folder), bytes = n + strlen(name) + 2;
    char *path = hr_alloc(bytes);

    if (path)
        snprintf(path, bytes, "%s%s%s", folder, n && folder[n - 1] != '/' ? "/" : "", name);
    return path;
}
