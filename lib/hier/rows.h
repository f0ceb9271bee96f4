/* rows.h - rows of features: read from a source, placed on a queue's device, checked. */
#ifndef HR_ROWS_H
#define HR_ROWS_H

#include "backend.h"
#include "row_source.h"
#include "types.h"

/* ---- sources ---- */

/* an array x [n,d] as a source; x is borrowed. `rows` is the source */
typedef struct hr_rows_array {
    hr_row_source rows;
    const float *x;
} hr_rows_array;
hr_rows_array hr_rows_of_array(const float *x, int64_t n, int64_t d);

/* rows to read at a time: whole blocks of the source, about 1024 rows */
int64_t hr_rows_span(const hr_row_source *source);
/* reads a span, block by block; after a failure a source with block > 0 cannot be read any
 * further */
hirl_status hr_rows_read(hr_row_source *source, float *out, int64_t first, int64_t rows);

/* NONFINITE names the first row of host x [n,d] that is not finite, counting from `first`; name as
 * in hr_row_source */
hirl_status hr_rows_check(const float *x, int64_t n, int64_t d, int64_t first, const char *name);

/* ---- arrays on the device ---- */

/* takes an array [rows, cols] of zeros; the caller returns it with hr_array_give */
hirl_status hr_rows_take(hr_array *a, hr_queue *queue, hr_dtype dtype, int64_t rows, int64_t cols);

/* takes an array and fills it from a host array of type `from` */
hirl_status hr_rows_copy(hr_array *a, hr_queue *queue, hr_dtype dtype, int64_t rows, int64_t cols,
                         const void *host, hr_dtype from);

/* y [n,d] real <- host rows, scaled to unit length if `unit`, unless their length is 1 already up
 * to rounding; checks them as hr_rows_check does */
hirl_status hr_rows_upload(hr_queue *queue, const hr_array *y, const float *host, bool unit,
                           int64_t first);

/* How far a source has been placed: rows read, and rows of them that are in the array. Starts as
 * { 0 }. */
typedef struct hr_rows_placed {
    int64_t read, kept;
} hr_rows_placed;

/* Reads what remains of a source into y real [at least the usable rows, d], scaled to unit length
 * if `unit`. Rows that usable [n] marks 0 are left out, and y has no gaps; NULL: all rows are
 * usable. The source may write the marks of a span while it reads it. NONFINITE names a usable row
 * that is not finite. After a failure *placed counts the spans that are complete, and another call
 * continues with the next one. */
hirl_status hr_rows_place(hr_rows_placed *placed, hr_queue *queue, const hr_array *y,
                          hr_row_source *source, bool unit, const uint8_t *usable);

/* y <- rows of x by number; row host [rows of y] */
hirl_status hr_rows_gather(hr_queue *queue, const hr_array *y, const hr_array *x,
                           const int32_t *row);

/* NONFINITE when a row of x [n,d] real is not finite. The message names row i as number[i]; number
 * NULL: as i. */
hirl_status hr_rows_finite(hr_queue *queue, const hr_array *x, const int32_t *number);

#endif
