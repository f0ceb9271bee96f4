/* origin.h - which images the rows of a tree stand for: their names, and digests of some files. */
#ifndef HR_ORIGIN_H
#define HR_ORIGIN_H

#include "base/tensors.h"
#include "types.h"

enum { HR_ORIGIN_DIGESTS = 64 };

typedef struct hr_origin {
    int64_t n;         /* rows */
    char *text;        /* [bytes] names, each ended by a 0 byte; NULL: no names */
    int64_t bytes;     /* size of text */
    const char **name; /* [n] pointers into text; NULL: no names */
    /* hr_told and checksum of the data set (data/identity.h) */
    int64_t kind, crc;
    /* Digests of the files of rows i n / digests; 0: none. */
    int64_t digests;
    int64_t digest[HR_ORIGIN_DIGESTS];
} hr_origin;

/* Copies the names; name NULL: none. Freed with hr_origin_free. */
hirl_status hr_origin_new(hr_origin **origin, const char *const *name, int64_t n);
void hr_origin_free(hr_origin *origin); /* NULL is fine */
/* the row whose file has digest i */
int64_t hr_origin_row(const hr_origin *origin, int64_t i);

hirl_status hr_origin_save(hr_tensors *out, const hr_origin *origin);
/* *origin is NULL if the file has none. FORMAT: not n names. */
hirl_status hr_origin_load(hr_origin **origin, const hr_tensors *in, int64_t n);

#endif
