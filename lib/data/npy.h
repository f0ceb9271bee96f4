/* npy.h - NumPy's .npy files: reads headers and bytes; writes arrays. */
#ifndef HR_NPY_H
#define HR_NPY_H

#include "types.h"

enum { HR_NPY_RANK = 8 };

typedef struct hr_npy {
    int fd;          /* the open file; closed by hr_npy_close */
    uint8_t *memory; /* the whole file, owned, in place of fd; NULL: read from fd */
    uint64_t memory_bytes;
    char kind;    /* 'f', 'u', 'i', 'b'; 'V': bytes, as bfloat16 is saved */
    int32_t size; /* bytes of an item */
    bool big;     /* the most significant byte comes first */
    bool fortran; /* the first dimension varies fastest; only with rank 2 or more */
    bool bf16;    /* numbers of 2 bytes are bfloat16 */
    int32_t rank;
    int64_t dim[HR_NPY_RANK];
    int64_t items;
    uint64_t data_at; /* offset of the data, which extend to the end of the file */
} hr_npy;

bool hr_is_npy(const char *path);
/* Reads the header and keeps the file open. FORMAT when it is damaged or does not fit the size of
 * the file; UNSUPPORTED for objects, records, texts, complex and long double. */
hirl_status hr_npy_open(hr_npy *npy, const char *path);
/* As hr_npy_open, for a file in memory. Takes over data, also on failure. */
hirl_status hr_npy_open_memory(hr_npy *npy, uint8_t *data, uint64_t bytes, const char *path);
void hr_npy_close(hr_npy *npy);
/* Reads bytes from offset `at` of the file. */
hirl_status hr_npy_read_at(const hr_npy *npy, void *to, size_t bytes, uint64_t at,
                           const char *path);

/* Writes an array of dtype "f4", "i4", "i8" or "u1" atomically. */
hirl_status hr_npy_write(const char *path, const void *data, const char *dtype, int32_t rank,
                         const int64_t *dim);

#endif
