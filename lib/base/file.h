/* file.h - reads whole files up to a limit, replaces files atomically, lists folders. */
#ifndef HR_FILE_H
#define HR_FILE_H

#include <sys/types.h>

#include "types.h"

/* A file that is being written as .<name>.tmp.<pid>.<n> beside its final name. The old file stays
 * unchanged until commit; discard leaves nothing behind. */
typedef struct hr_file {
    bool open;
    int fd, folder;   /* descriptors of the new file and of its folder */
    char *path;       /* the final path, as given */
    const char *name; /* the last part of path */
    char *temporary;  /* name of the new file in the folder */
} hr_file;

hirl_status hr_file_begin(hr_file *file, const char *path);
hirl_status hr_file_write(hr_file *file, const void *data, size_t bytes);
/* Gives the file its final name and releases `file`. DURABILITY: the new file is in place, but a
 * power failure may still lose it. After any other failure the old file is unchanged. */
hirl_status hr_file_commit(hr_file *file);
void hr_file_discard(hr_file *file); /* harmless after a failed begin or commit */

hirl_status hr_file_replace(const char *path, const void *data, size_t bytes);
/* Makes a file that was written otherwise, and its name in the folder, outlast a power failure. */
hirl_status hr_file_sync(const char *path);
/* Removes the temporary files that killed writers left in `folder`, where wanted(final name) is
 * true. Files of live processes stay. Process ids are those of this machine, so a folder shared
 * with another machine may lose a file that is being written there. */
void hr_file_sweep(const char *folder, bool (*wanted)(const char *name));

/* Reads the whole file and appends one zero byte. LIMIT when it has more than max_bytes. *data is
 * freed with hr_free. */
hirl_status hr_file_read(void **data, size_t *bytes, const char *path, size_t max_bytes);
bool hr_file_exists(const char *path);
bool hr_is_folder(const char *path);
hirl_status hr_make_folder(const char *path); /* with its parents; OK when it exists */
/* Lists the names in a folder, sorted bytewise, without hidden ones. *names is an array of *count
 * strings, freed with hr_names_free. */
hirl_status hr_folder_list(char ***names, int64_t *count, const char *path);
void hr_names_free(char **names, int64_t count);

typedef enum hr_entry_kind {
    HR_ENTRY_FILE,
    HR_ENTRY_FOLDER,
    HR_ENTRY_OTHER, /* a device, a pipe, or a link that leads nowhere */
} hr_entry_kind;

typedef struct hr_entry {
    char *name;
    hr_entry_kind kind; /* that of the target if the entry is a link */
} hr_entry;

/* Lists a folder like hr_folder_list, with the kind of each entry. *entries is an array of *count,
 * freed with hr_entries_free. */
hirl_status hr_folder_entries(hr_entry **entries, int64_t *count, const char *path);
void hr_entries_free(hr_entry *entries, int64_t count);
/* Finds whether a folder has an entry for whose name `wanted` returns true. Hidden entries do not
 * count. */
hirl_status hr_folder_has(bool *yes, const char *path, bool (*wanted)(const char *name));
/* Returns "folder/name" in a new block of hr_alloc; NULL when out of memory. */
char *hr_path_join(const char *folder, const char *name);

/* Opens a regular file to be read in pieces. The caller closes *fd with close(). */
hirl_status hr_file_open(int *fd, uint64_t *bytes, const char *path);
/* Reads exactly `bytes` from offset `at`. FORMAT when the file ends earlier. */
hirl_status hr_file_read_at(int fd, void *data, size_t bytes, uint64_t at, const char *path);

/* Fails with the status that errno stands for (NOSPC for ENOSPC and EDQUOT, NOMEM for ENOMEM, else
 * IO) and the message "<action> <path>: <reason>". */
hirl_status hr_fail_errno(const char *action, const char *path);

/* The system calls used for writing. Tests replace them to make one call fail. */
typedef struct hr_file_calls {
    int (*open)(int folder, const char *name, int flags, mode_t mode);
    ssize_t (*write)(int fd, const void *data, size_t bytes);
    int (*sync)(int fd);
    int (*close)(int fd);
    int (*rename)(int folder, const char *from, const char *to);
    int (*remove)(int folder, const char *name);
} hr_file_calls;

/* Replaces the system calls (NULL: restores the real ones) and returns the previous ones. For tests
 * on one thread. */
const hr_file_calls *hr_file_use(const hr_file_calls *calls);

#endif
