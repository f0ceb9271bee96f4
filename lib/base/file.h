/* file.h - whole files: read with a limit, replace atomically. */
#ifndef HR_FILE_H
#define HR_FILE_H

#include "types.h"

/* A file being written beside its final name: .<name>.tmp.<pid>.<n>, then fsync, rename, fsync of
 * the folder. Until commit the old file is untouched; discard leaves nothing behind. */
typedef struct hr_file {
    int fd;
    char *path, *temporary;
} hr_file;

hirl_status hr_file_begin(hr_file *file, const char *path);
hirl_status hr_file_write(hr_file *file, const void *data, size_t bytes);
hirl_status hr_file_commit(hr_file *file); /* also frees */
void hr_file_discard(hr_file *file);       /* fine after a failed begin or commit */

hirl_status hr_file_replace(const char *path, const void *data, size_t bytes);

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

/* status of the errno of a failed call: NOSPC for ENOSPC and EDQUOT, NOMEM, else IO; with message
 * "<action> <path>: <reason>" */
hirl_status hr_fail_errno(const char *action, const char *path);

#endif
