/* left_out.h - counts files that are not used by the endings of their names. */
#ifndef HR_DATA_LEFT_OUT_H
#define HR_DATA_LEFT_OUT_H

#include "types.h"

enum { HR_ENDINGS = 32, HR_ENDING_BYTES = 9 };

typedef struct hr_left_out {
    struct hr_ending {
        char text[HR_ENDING_BYTES]; /* in lower case, without the dot */
        int64_t files;
    } ending[HR_ENDINGS];
    int32_t endings;
    int64_t others; /* files without an ending, or with one that is no letters and digits */
} hr_left_out;

void hr_left_out_add(hr_left_out *left_out, const char *file);
/* Appends "3 .heic, 1 .mov", the most frequent first; nothing when no file was left out. */
void hr_left_out_text(char *text, size_t room, hr_left_out *left_out);

#endif
