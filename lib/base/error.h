/* error.h - the failing call's message, one a thread.
 *
 * Three idioms: a leaf returns hr_fail(...), a caller with nothing to release uses HR_TRY, an
 * owner keeps a `status` and one label `fail:`. A lower message is never overwritten.
 */
#ifndef HR_ERROR_H
#define HR_ERROR_H

#include "types.h"

#if defined(__GNUC__)
#define HR_PRINTF(text, args) __attribute__((format(printf, text, args)))
#else
#define HR_PRINTF(text, args)
#endif

/* sets the thread's message and returns status; control bytes of the text are escaped */
hirl_status hr_fail(hirl_status status, const char *format, ...) HR_PRINTF(2, 3);

/* a '?' for each control byte: names of files may hold anything */
void hr_escape_control(char *text);

/* puts "where: " before the message of the failure that is being passed on */
hirl_status hr_fail_in(hirl_status status, const char *where);

/* INVALID with a host callback's own negative value kept for hirl_error_callback_value() */
hirl_status hr_fail_callback(int32_t value, const char *which);

const char *hr_error_text(void);
int32_t hr_error_callback(void);

/* carries a worker thread's failure to the thread that made the call */
typedef struct hr_error {
    hirl_status status;
    int32_t callback;
    char text[512];
} hr_error;

void hr_error_keep(hr_error *kept, hirl_status status); /* this thread's message into kept */
hirl_status hr_error_raise(const hr_error *kept);       /* kept into this thread's message */

#define HR_TRY(call)                                                                               \
    do {                                                                                           \
        hirl_status hr_try_status = (call);                                                        \
        if (hr_try_status < 0)                                                                     \
            return hr_try_status;                                                                  \
    } while (0)

#endif
