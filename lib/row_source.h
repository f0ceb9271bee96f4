/* row_source.h - feature rows that are read span by span, so that they need not all be in host
 * memory at once.
 *
 * Sources are an array (hr_rows_of_array in hier/rows.h), a .npy file (data/npy_rows.h), and the
 * features that a run extracts (train/recluster.c).
 */
#ifndef HR_ROW_SOURCE_H
#define HR_ROW_SOURCE_H

#include "types.h"

typedef struct hr_row_source hr_row_source;
struct hr_row_source {
    int64_t n, d;
    /* 0: any span can be read at any time. Else spans must be read in order, from row 0 on, of
     * `block` rows each; the last span has the rows that remain. A failed read can be repeated. */
    int64_t block;
    const char *name; /* word for a row in messages; NULL: "row" */
    /* Reads rows first to first + rows - 1 into out [rows, d], in host memory. */
    hirl_status (*read)(hr_row_source *self, float *out, int64_t first, int64_t rows);
};

#endif
