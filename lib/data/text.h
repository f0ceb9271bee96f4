/* text.h - many strings in one block of memory, which are addressed by their offsets. */
#ifndef HR_DATA_TEXT_H
#define HR_DATA_TEXT_H

#include "types.h"

typedef struct hr_text {
    char *data; /* moves when a string is added */
    size_t used, room;
} hr_text;

/* Appends the first `length` bytes of a string and a zero byte. */
hirl_status hr_text_add(size_t *at, hr_text *text, const char *string, size_t length);
void hr_text_done(hr_text *text);

#endif
