/* text.c - many strings in one block of memory, which are addressed by their offsets. */
#include "data/text.h"

#include <string.h>

#include "base/alloc.h"

hirl_status hr_text_add(size_t *at, hr_text *text, const char *string, size_t length)
{
    while (text->used + length + 1 > text->room) {
        size_t room = text->room ? 2 * text->room : 4096;
        char *grown = hr_grow(text->data, text->room, room);

        if (!grown)
            return HIRL_E_NOMEM;
        text->data = grown;
        text->room = room;
    }
    *at = text->used;
    memcpy(text->data + text->used, string, length);
    text->data[text->used + length] = 0;
    text->used += length + 1;
    return HIRL_OK;
}

void hr_text_done(hr_text *text)
{
    hr_free(text->data);
    *text = (hr_text){ 0 };
}
