/* rows.h - rows of features on a queue's device: taken, given back, uploaded, checked. */
#ifndef HR_ROWS_H
#define HR_ROWS_H

#include "backend.h"
#include "types.h"

/* a new array [rows, cols] of 0; given back with hr_array_give */
hirl_status hr_rows_take(hr_array *a, hr_queue *queue, hr_dtype dtype, int64_t rows, int64_t cols);

/* a new array with the values of a host array of `from` type */
hirl_status hr_rows_copy(hr_array *a, hr_queue *queue, hr_dtype dtype, int64_t rows, int64_t cols,
                         const void *host, hr_dtype from);
/* y [n,d] real <- host rows, of unit length if asked for; NONFINITE names a row that is not finite,
 * counting from `first` */
hirl_status hr_rows_upload(hr_queue *queue, const hr_array *y, const float *host, bool unit,
                           int64_t first);

/* y <- the chosen rows of x; row: host [rows of y] */
hirl_status hr_rows_gather(hr_queue *queue, const hr_array *y, const hr_array *x,
                           const int32_t *row);

/* NONFINITE, naming the row, when a usable row (NULL: all) of x [n,d] real is not finite */
hirl_status hr_rows_finite(hr_queue *queue, const hr_array *x, const uint8_t *usable);

#endif
