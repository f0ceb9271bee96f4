/* left_out.c - counts files that are not used by the endings of their names. */
#include "data/left_out.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LISTED = 6 };

/* The letter or digit in lower case, in every locale; 0: neither. */
static char plain(char c)
{
    if (c >= 'A' && c <= 'Z')
        return (char)(c - 'A' + 'a');
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ? c : 0;
}

static bool read_ending(char ending[HR_ENDING_BYTES], const char *file)
{
    const char *slash = strrchr(file, '/'), *dot = strrchr(slash ? slash : file, '.');
    size_t n = 0;

    if (!dot || !dot[1])
        return false;
    while (n + 1 < HR_ENDING_BYTES && (ending[n] = plain(dot[n + 1])))
        n++;
    ending[n] = 0;
    return !dot[n + 1];
}

void hr_left_out_add(hr_left_out *left_out, const char *file)
{
    char ending[HR_ENDING_BYTES];
    int32_t i = 0;

    if (!read_ending(ending, file)) {
        left_out->others++;
        return;
    }
    while (i < left_out->endings && strcmp(left_out->ending[i].text, ending) != 0)
        i++;
    if (i == HR_ENDINGS) {
        left_out->others++;
        return;
    }
    if (i == left_out->endings)
        memcpy(left_out->ending[left_out->endings++].text, ending, sizeof ending);
    left_out->ending[i].files++;
}

static int by_files(const void *a, const void *b)
{
    const struct hr_ending *x = a, *y = b;

    if (x->files != y->files)
        return x->files > y->files ? -1 : 1;
    return strcmp(x->text, y->text);
}

void hr_left_out_text(char *text, size_t room, hr_left_out *left_out)
{
    int64_t others = left_out->others;
    size_t used = strlen(text);

    qsort(left_out->ending, (size_t)left_out->endings, sizeof *left_out->ending, by_files);
    for (int32_t i = 0; i < left_out->endings; i++) {
        if (i >= LISTED) {
            others += left_out->ending[i].files;
            continue;
        }
        snprintf(text + used, room - used, "%s%lld .%s", used ? ", " : "",
                 (long long)left_out->ending[i].files, left_out->ending[i].text);
        used = strlen(text);
    }
    if (others)
        snprintf(text + used, room - used, "%s%lld other file%s", used ? ", " : "",
                 (long long)others, others == 1 ? "" : "s");
}
