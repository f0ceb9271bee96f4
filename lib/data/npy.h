/* npy.h - NumPy's .npy files: their header, features in, arrays out. */
#ifndef HR_NPY_H
#define HR_NPY_H

#include "types.h"

enum { HR_NPY_RANK = 8 };

typedef struct hr_npy {
    int fd;       /* closed with close() */
    char kind;    /* 'f', 'u', 'i', 'b' */
    int32_t size; /* bytes of an item */
    int32_t rank;
    int64_t dim[HR_NPY_RANK];
    int64_t items;
    uint64_t data_at; /* where the data begin; the file ends where they do */
} hr_npy;

bool hr_is_npy(const char *path);
/* FORMAT: damaged, or sizes that do not fit the file; UNSUPPORTED: Fortran order, big-endian numbers,
 * objects, records */
hirl_status hr_npy_open(hr_npy *npy, const char *path);
void hr_npy_close(hr_npy *npy);

/* [n, d] of f2, f4 or f8 as f32; *data freed with hr_free */
hirl_status hr_npy_read(float **data, int64_t *n, int64_t *d, const char *path);
/* all items as i32, from integers of any size; 1-D */
hirl_status hr_npy_read_labels(int32_t **label, int64_t *n, const char *path);
/* dtype "f4", "i4", "i8" or "u1"; written atomically */
hirl_status hr_npy_write(const char *path, const void *data, const char *dtype, int32_t rank,
                         const int64_t *dim);

#endif
