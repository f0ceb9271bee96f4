/* bundle.h - arrays that are copied to or from the device in one transfer.
 *
 * The arrays (cells) of a bundle lie next to each other in one block of device memory and, in the
 * same order, in one block of host memory. Their addresses never change.
 */
#ifndef HR_BUNDLE_H
#define HR_BUNDLE_H

#include "array.h"
#include "backend.h"
#include "types.h"

typedef struct hr_cell {
    hr_array device; /* data NULL before hr_bundle_take, or if the cell was never added */
    void *host;      /* the same array in host memory; NULL in these cases too */
} hr_cell;

typedef struct hr_bundle {
    hr_queue *queue;
    hr_cell **cell; /* borrowed, in order */
    int32_t count, room;
    hr_array device; /* u8: all cells */
    void *host;      /* all cells */
} hr_bundle;

void hr_bundle_init(hr_bundle *bundle, hr_queue *queue);
/* Declares a cell. Its address must not change until hr_bundle_done. */
hirl_status hr_bundle_add(hr_bundle *bundle, hr_cell *cell, hr_dtype dtype, int rank,
                          const int64_t *dim);
/* Allocates all declared cells on the device and in host memory, filled with 0. A message of
 * failure begins with `what`. */
hirl_status hr_bundle_take(hr_bundle *bundle, const char *what);
void hr_bundle_upload(hr_bundle *bundle);
void hr_bundle_download(hr_bundle *bundle); /* host memory is valid after the next sync */
void hr_bundle_done(hr_bundle *bundle);     /* a zeroed struct is allowed */

#endif
