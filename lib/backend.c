/* backend.c - what works on any backend: arrays on it, and a check for empty slots of its table. */
#include "backend.h"

#include <stdio.h>

#include "base/error.h"

hirl_status hr_array_take(hr_array *a, hr_queue *q, const char *what)
{
    hirl_status status;

    a->data = q->be->take(q, hr_bytes(a));
    if (a->data) {
        q->be->fill(q, a, 0);
        return HIRL_OK;
    }
    status = q->be->sync(q);
    return hr_fail_in(status < 0 ? status : HIRL_E_NOMEM, what);
}

void hr_array_give(hr_array *a, hr_queue *q)
{
    if (a->data)
        q->be->give(q, a->data);
    a->data = NULL;
}

int hr_backend_missing(char *text, size_t bytes, const hr_backend *backend)
{
    enum { NAMED = 4 };
    int missing = 0;
    size_t at = 0;

    text[0] = 0;
#define OP(type, op, ...)                                                                          \
    if (!backend->op && ++missing <= NAMED && at < bytes)                                          \
        at += (size_t)snprintf(text + at, bytes - at, "%s%s", at ? ", " : "", #op);
    HR_BACKEND_OPS(OP)
#undef OP
    if (missing > NAMED && at < bytes)
        snprintf(text + at, bytes - at, " and %d more", missing - NAMED);
    return missing;
}

hirl_status hr_backend_complete(const hr_backend *backend)
{
    char names[256];

    if (!hr_backend_missing(names, sizeof names, backend))
        return HIRL_OK;
    return hr_fail(HIRL_E_UNSUPPORTED,
                   "%s: this needs operations that the backend has not yet: %s; use backend=cpu",
                   backend->name, names);
}
