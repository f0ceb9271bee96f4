/* directory_metrics.c - metrics.jsonl in the directory of a run. */
#include "train/directory_metrics.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/file.h"

enum { LINE_BYTES = 1 << 16 }; /* longest line that is kept; a run writes some hundred bytes */

hirl_status hr_directory_metric(const hr_directory *directory, const char *line)
{
    char *path;
    hirl_status status = HIRL_OK;
    FILE *file;

    if (!hr_directory_writes(directory))
        return HIRL_OK;
    path = hr_path_join(directory->path, "metrics.jsonl");
    if (!path)
        return HIRL_E_NOMEM;
    file = fopen(path, "ae");
    if (!file) {
        status = hr_fail_errno("opening", path);
    } else {
        off_t before = fseeko(file, 0, SEEK_END) ? -1 : ftello(file);
        bool written = fputs(line, file) >= 0 && fputc('\n', file) >= 0;

        if (fclose(file) || !written) {
            status = hr_fail_errno("writing", path);
            if (before >= 0) /* removes a partly written line; cut() removes it if this fails */
                (void)!truncate(path, before);
        }
    }
    hr_free(path);
    return status;
}

hirl_status hr_directory_sync_metrics(const hr_directory *directory)
{
    char *path;
    hirl_status status = HIRL_OK;

    if (!hr_directory_writes(directory))
        return HIRL_OK;
    path = hr_path_join(directory->path, "metrics.jsonl");
    if (!path)
        return HIRL_E_NOMEM;
    if (hr_file_exists(path))
        status = hr_file_sync(path);
    hr_free(path);
    return status;
}

/* Reads the next line with its newline, of which at most LINE_BYTES are stored. Returns its length,
 * 0 at the end. */
static size_t next_line(char *line, FILE *from)
{
    size_t n = 0;
    int c = 0;

    while (c != '\n' && (c = getc_unlocked(from)) != EOF) {
        if (n < LINE_BYTES)
            line[n] = (char)c;
        n++;
    }
    return n;
}

/* A line is complete if it ends with "}\n" and has one "step": after a write that failed on a full
 * disk, the next line follows the cut one without a newline between them. */
static bool is_whole(const char *line, size_t bytes)
{
    const char *key = bytes <= LINE_BYTES ? memmem(line, bytes, "\"step\":", 7) : NULL;

    return key && bytes > 1 && line[bytes - 1] == '\n' && line[bytes - 2] == '}' &&
           !memchr(line, 0, bytes) &&
           !memmem(key + 1, bytes - (size_t)(key + 1 - line), "\"step\":", 7);
}

/* Copies the complete lines whose step is at most `step`. */
static hirl_status copy_lines(int64_t *kept, int64_t *last, hr_file *to, FILE *from, char *line,
                              int64_t step)
{
    for (size_t bytes; (bytes = next_line(line, from));) {
        int64_t of;

        if (!is_whole(line, bytes))
            continue;
        of = strtoll((char *)memmem(line, bytes, "\"step\":", 7) + 7, NULL, 10);
        if (of > step)
            continue;
        HR_TRY(hr_file_write(to, line, bytes));
        *last = of;
        ++*kept;
    }
    return ferror(from) ? hr_fail_errno("reading", to->path) : HIRL_OK;
}

static hirl_status cut(int64_t *kept, int64_t *last, const char *path, int64_t step)
{
    char *line = hr_alloc(LINE_BYTES);
    hr_file to = { 0 };
    FILE *from = NULL;
    uint64_t bytes;
    hirl_status status;
    int fd = -1;

    status = line ? hr_file_open(&fd, &bytes, path) : HIRL_E_NOMEM;
    if (status >= 0 && !(from = fdopen(fd, "rb"))) {
        status = hr_fail_errno("reading", path);
        close(fd);
    }
    if (status >= 0)
        status = hr_file_begin(&to, path);
    if (status >= 0)
        status = copy_lines(kept, last, &to, from, line, step);
    if (status >= 0)
        status = hr_file_commit(&to);
    hr_file_discard(&to);
    if (from)
        fclose(from);
    hr_free(line);
    return status;
}

hirl_status hr_directory_cut_metrics(int64_t *kept, int64_t *last, const hr_directory *directory,
                                     int64_t step)
{
    char *path;
    hirl_status status = HIRL_OK;

    *kept = 0;
    *last = -1;
    if (!hr_directory_writes(directory))
        return HIRL_OK;
    path = hr_path_join(directory->path, "metrics.jsonl");
    if (!path)
        return HIRL_E_NOMEM;
    if (hr_file_exists(path))
        status = cut(kept, last, path, step);
    hr_free(path);
    return status;
}
