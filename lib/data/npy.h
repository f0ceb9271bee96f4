/* npy.h - NumPy's .npy files: reads headers, features and labels; writes arrays. */
#ifndef HR_NPY_H
#define HR_NPY_H

#include "types.h"

enum { HR_NPY_RANK = 8 };

typedef struct hr_npy {
    int fd;       /* the open file; closed by hr_npy_close */
    char kind;    /* 'f', 'u', 'i', 'b' */
    int32_t size; /* bytes of an item */
    int32_t rank;
    int64_t dim[HR_NPY_RANK];
    int64_t items;
    uint64_t data_at; /* offset of the data, which extend to the end of the file */
} hr_npy;

bool hr_is_npy(const char *path);
/* Reads the header and keeps the file open. FORMAT when it is damaged or does not fit the size of
 * the file; UNSUPPORTED for Fortran order, big-endian numbers, objects and records. */
hirl_status hr_npy_open(hr_npy *npy, const char *path);
void hr_npy_close(hr_npy *npy);

/* Opens features [n, d] of f2, f4 or f8, with n and d at least 1; FORMAT if the file holds none. */
hirl_status hr_npy_open_features(hr_npy *npy, const char *path);
/* to <- items first to first + items - 1 of such an array, as f32 */
hirl_status hr_npy_read_floats(float *to, const hr_npy *npy, int64_t first, int64_t items,
                               const char *path);

/* Reads features [n, d] of f2, f4 or f8 as f32. *data is freed with hr_free. */
hirl_status hr_npy_read(float **data, int64_t *n, int64_t *d, const char *path);
/* Reads labels [n], integers of any size, as i32. *label is freed with hr_free. */
hirl_status hr_npy_read_labels(int32_t **label, int64_t *n, const char *path);
/* Writes an array of dtype "f4", "i4", "i8" or "u1" atomically. */
hirl_status hr_npy_write(const char *path, const void *data, const char *dtype, int32_t rank,
                         const int64_t *dim);

#endif
