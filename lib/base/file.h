/* file.h - whole files: read with a limit, replace atomically. */
#ifndef HR_FILE_H
#define HR_FILE_H

#include <sys/types.h>

#include "types.h"

/* A file being written beside its final name: .<name>.tmp.<pid>.<n>, then fsync, rename, fsync of
 * the folder. Until commit the old file is untouched; discard leaves nothing behind. */
typedef struct hr_file {
    bool open;
    int fd, folder; /* the new file, the folder it lies in */
    char *path;     /* final name, as given */
    const char *name;
    char *temporary; /* beside name, in the folder */
} hr_file;

hirl_status hr_file_begin(hr_file *file, const char *path);
hirl_status hr_file_write(hr_file *file, const void *data, size_t bytes);
/* Also frees. DURABILITY: the new file is in place, but a power failure may still lose it; any
 * other failure: the old file is as it was. */
hirl_status hr_file_commit(hr_file *file);
void hr_file_discard(hr_file *file); /* fine after a failed begin or commit */

hirl_status hr_file_replace(const char *path, const void *data, size_t bytes);
/* Removes what writers that were killed left in `folder` of files whose names `is_such` knows. A file of a process
 * that is alive stays; of one on another machine it is not known. */
void hr_file_sweep(const char *folder, bool (*is_such)(const char *name));

/* the whole file, one zero byte after its end; LIMIT above max_bytes; *data freed with hr_free */
hirl_status hr_file_read(void **data, size_t *bytes, const char *path, size_t max_bytes);
bool hr_file_exists(const char *path);
bool hr_is_folder(const char *path);
hirl_status hr_make_folder(const char *path); /* parents too; fine when it exists */
/* sorted bytewise; *names: array of *count strings, freed with hr_names_free; hidden ones left out */
hirl_status hr_folder_list(char ***names, int64_t *count, const char *path);
void hr_names_free(char **names, int64_t count);
/* "a/b" in a new hr_alloc block; NULL when out of memory */
char *hr_path_join(const char *folder, const char *name);

/* A regular file for reading in pieces; *fd is closed with close(). */
hirl_status hr_file_open(int *fd, uint64_t *bytes, const char *path);
/* exactly `bytes` from `at`; FORMAT when the file ends before */
hirl_status hr_file_read_at(int fd, void *data, size_t bytes, uint64_t at, const char *path);

/* status of the errno of a failed call: NOSPC for ENOSPC and EDQUOT, NOMEM, else IO; with message
 * "<action> <path>: <reason>" */
hirl_status hr_fail_errno(const char *action, const char *path);

/* What writing asks of the system; replaced by tests that make one call fail. */
typedef struct hr_file_calls {
    int (*open)(int folder, const char *name, int flags, mode_t mode);
    ssize_t (*write)(int fd, const void *data, size_t bytes);
    int (*sync)(int fd);
    int (*close)(int fd);
    int (*rename)(int folder, const char *from, const char *to);
    int (*remove)(int folder, const char *name);
} hr_file_calls;

/* NULL: the system's own. Returns what was in use. For tests, on one thread. */
const hr_file_calls *hr_file_use(const hr_file_calls *calls);

#endif
