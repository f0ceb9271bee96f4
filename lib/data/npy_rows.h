/* npy_rows.h - features in a .npy file as a source of rows. */
#ifndef HR_NPY_ROWS_H
#define HR_NPY_ROWS_H

#include "data/npy_read.h"
#include "row_source.h"

/* [n, d] of numbers, read as f32. `rows` is the source. */
typedef struct hr_npy_rows {
    hr_row_source rows;
    hr_npy npy;
    char *path;
    char *name; /* "<path>: row" */
} hr_npy_rows;

/* FORMAT, UNSUPPORTED, IO as hr_npy_open; a failed open needs no close */
hirl_status hr_npy_rows_open(hr_npy_rows *file, const char *path);
void hr_npy_rows_close(hr_npy_rows *file);

#endif
