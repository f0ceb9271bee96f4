/* error.h - the message of the last failure, one for each thread.
 *
 * The function that detects a failure returns hr_fail(...). Its callers pass the status on: with
 * HR_TRY when they have nothing to release, else by a variable `status`. They keep the message, or
 * put the place of the failure before it with hr_fail_in.
 */
#ifndef HR_ERROR_H
#define HR_ERROR_H

#include "types.h"

#if defined(__GNUC__)
#define HR_PRINTF(text, args) __attribute__((format(printf, text, args)))
#else
#define HR_PRINTF(text, args)
#endif

/* Sets the thread's message and returns `status`. Control bytes of the text become '?'. */
hirl_status hr_fail(hirl_status status, const char *format, ...) HR_PRINTF(2, 3);

/* Replaces each control byte by '?': the name of a file may hold any byte. */
void hr_escape_control(char *text);

/* Puts "where: " before the thread's message and returns `status`. */
hirl_status hr_fail_in(hirl_status status, const char *where);

/* Returns CALLBACK and keeps the negative value that the application's callback returned, for
 * hirl_error_callback_value(). */
hirl_status hr_fail_callback(int32_t value, const char *which);

const char *hr_error_text(void);
int32_t hr_error_callback(void);

/* Carries a failure from a worker thread to the calling thread. */
typedef struct hr_error {
    hirl_status status;
    int32_t callback;
    char text[512];
} hr_error;

void hr_error_keep(hr_error *kept, hirl_status status); /* copies this thread's message to `kept` */
hirl_status hr_error_raise(const hr_error *kept);       /* sets this thread's message from `kept` */

#define HR_TRY(call)                                                                               \
    do {                                                                                           \
        hirl_status hr_try_status = (call);                                                        \
        if (hr_try_status < 0)                                                                     \
            return hr_try_status;                                                                  \
    } while (0)

#endif
