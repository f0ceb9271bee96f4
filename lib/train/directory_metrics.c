/* directory_metrics.c - metrics.jsonl of a run: a line at its end, and the cut before a run goes on. */
#include "train/directory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/file.h"

enum { METRICS_BYTES = 1 << 30 };

hirl_status hr_directory_metric(const hr_directory *directory, const char *line)
{
    char *path;
    hirl_status status = HIRL_OK;
    FILE *file;

    if (!directory->path)
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
            if (before >= 0) /* no half of a line stays; cut() takes one that does */
                (void)!truncate(path, before);
        }
    }
    hr_free(path);
    return status;
}

/* keeps the lines whose step is not above `step`; returns the new length */
static size_t cut(char *text, size_t bytes, int64_t step)
{
    size_t to = 0;

    for (size_t at = 0; at < bytes;) {
        char *end = memchr(text + at, '\n', bytes - at);
        size_t length = end ? (size_t)(end - (text + at)) + 1 : 0; /* a torn last line goes */
        const char *key = length ? memmem(text + at, length, "\"step\":", 7) : NULL;
        /* a full disk may have cut one, and the next follow on the same line */
        bool whole =
            key && end[-1] == '}' && !memmem(key + 1, (size_t)(end - key) - 1, "\"step\":", 7);

        if (!length)
            break;
        if (whole && strtoll(key + 7, NULL, 10) <= step) {
            memmove(text + to, text + at, length);
            to += length;
        }
        at += length;
    }
    return to;
}

hirl_status hr_directory_cut_metrics(const hr_directory *directory, int64_t step)
{
    char *path;
    void *text = NULL;
    size_t bytes;
    hirl_status status = HIRL_OK;

    if (!directory->path)
        return HIRL_OK;
    path = hr_path_join(directory->path, "metrics.jsonl");
    if (!path)
        return HIRL_E_NOMEM;
    if (hr_file_exists(path))
        status = hr_file_read(&text, &bytes, path, METRICS_BYTES);
    if (text)
        status = hr_file_replace(path, text, cut(text, bytes, step));
    hr_free(text);
    hr_free(path);
    return status;
}
