/* error.c - the message of the last failure, one for each thread. */
#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { TEXT = 512 };

static _Thread_local char message[TEXT];
static _Thread_local int32_t callback_value;

void hr_escape_control(char *text)
{
    for (; *text; text++)
        if ((unsigned char)*text < 0x20 || *text == 0x7f)
            *text = '?';
}

hirl_status hr_fail(hirl_status status, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(message, TEXT, format, args);
    va_end(args);
    hr_escape_control(message);
    return status;
}

/* Whether a message names a file or key already: "x.npy: ..." or "open x.npy: ...". */
static bool names(const char *text, const char *where)
{
    const char *found = strstr(text, where);
    size_t length = strlen(where);

    return length && found && (found == text || found[-1] == ' ' || found[-1] == '\'') &&
           (found[length] == ':' || found[length] == '\'');
}

hirl_status hr_fail_in(hirl_status status, const char *where)
{
    char below[TEXT];

    if (names(message, where))
        return status;
    memcpy(below, message, TEXT);
    return hr_fail(status, "%.200s: %.300s", where, below);
}

hirl_status hr_fail_callback(int32_t value, const char *which)
{
    callback_value = value;
    return hr_fail(HIRL_E_CALLBACK, "%s: the application's callback returned %d", which,
                   (int)value);
}

const char *hr_error_text(void)
{
    return message;
}

int32_t hr_error_callback(void)
{
    return callback_value;
}

void hr_error_keep(hr_error *kept, hirl_status status)
{
    kept->status = status;
    kept->callback = callback_value;
    memcpy(kept->text, message, TEXT);
}

hirl_status hr_error_raise(const hr_error *kept)
{
    callback_value = kept->callback;
    memcpy(message, kept->text, TEXT);
    return kept->status;
}
