/* directory_metrics.c - metrics.jsonl of a run: a line at its end, and the cut before a run goes on. */
#include "train/directory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/file.h"

enum { LINE_BYTES = 1 << 16 }; /* of a line, at most; a run writes some hundreds */

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

/* a whole line: one step, and its end */
static bool is_whole(const char *line, size_t length)
{
    const char *key = memmem(line, length, "\"step\":", 7);

    /* a full disk may have cut one, and the next follow on the same line */
    return key && length > 1 && line[length - 1] == '\n' && line[length - 2] == '}' &&
           !memmem(key + 1, length - (size_t)(key + 1 - line), "\"step\":", 7);
}

/* lines whose step is not above `step`; a torn or overlong one goes, whatever it says */
static hirl_status copy_lines(hr_file *to, FILE *from, char *line, int64_t step)
{
    bool begins = true;

    while (fgets(line, LINE_BYTES, from)) {
        size_t length = strlen(line);
        bool ends = length && line[length - 1] == '\n';

        if (begins && is_whole(line, length) &&
            strtoll(strstr(line, "\"step\":") + 7, NULL, 10) <= step)
            HR_TRY(hr_file_write(to, line, length));
        begins = ends;
    }
    return HIRL_OK;
}

static hirl_status cut(const char *path, int64_t step)
{
    FILE *from = fopen(path, "rbe");
    char *line = hr_alloc(LINE_BYTES);
    hr_file to = { 0 };
    hirl_status status;

    if (!from)
        status = hr_fail_errno("reading", path);
    else
        status = line ? hr_file_begin(&to, path) : HIRL_E_NOMEM;
    if (status >= 0)
        status = copy_lines(&to, from, line, step);
    if (status >= 0 && ferror(from))
        status = hr_fail_errno("reading", path);
    if (status >= 0)
        status = hr_file_commit(&to);
    hr_file_discard(&to);
    if (from)
        fclose(from);
    hr_free(line);
    return status;
}

hirl_status hr_directory_cut_metrics(const hr_directory *directory, int64_t step)
{
    char *path;
    hirl_status status = HIRL_OK;

    if (!directory->path)
        return HIRL_OK;
    path = hr_path_join(directory->path, "metrics.jsonl");
    if (!path)
        return HIRL_E_NOMEM;
    if (hr_file_exists(path))
        status = cut(path, step);
    hr_free(path);
    return status;
}
