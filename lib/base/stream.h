/* stream.h - where a list of tensors goes to or comes from: a file, a block, or a function of the
 * application. */
#ifndef HR_STREAM_H
#define HR_STREAM_H

#include <hirl/stream.h>

#include "base/tensors.h"
#include "types.h"

/* Exactly one of path, data and write is set. */
typedef struct hr_to {
    const char *path;
    void **data; /* a new block of hr_alloc, NULL on failure */
    size_t *bytes;
    hirl_write_fn *write;
    void *user;
} hr_to;

typedef struct hr_from {
    const char *path;
    const void *data; /* [bytes] */
    int64_t bytes;    /* length of data, or of all that `read` gives */
    hirl_read_fn *read;
    void *user;
} hr_from;

/* INVALID: nothing is set. A new block is NULL from then on. what: the object, for the message */
hirl_status hr_to_check(const hr_to *to, const char *what);
hirl_status hr_from_check(const hr_from *from, const char *what);
hirl_status hr_tensors_put(const hr_tensors *list, const hr_to *to);
/* As hr_tensors_load. */
hirl_status hr_tensors_take(hr_tensors *list, const hr_from *from);
/* The name of the source in messages. */
const char *hr_from_name(const hr_from *from);

#endif
