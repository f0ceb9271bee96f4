/* row_source.h - rows of features that are read span by span, so that no one holds them all in host
 * memory.
 *
 * Sources are an array (hr_rows_of_array in hier/rows.h) and a .npy file (data/npy_rows.h).
 */
#ifndef HR_ROW_SOURCE_H
#define HR_ROW_SOURCE_H

#include "types.h"

typedef struct hr_row_source hr_row_source;
struct hr_row_source {
    int64_t n, d;
    /* 0: any span can be read at any time. Else rows come in order, from row 0 on: each read is of
     * `block` rows, the last one of those that remain. A read that failed can be repeated. */
    int64_t block;
    const char *name; /* of a row in messages; NULL: "row" */
    /* out host [rows, d] <- rows first to first + rows - 1 */
    hirl_status (*read)(hr_row_source *self, float *out, int64_t first, int64_t rows);
};

#endif
