/* bundle.h - arrays that travel together: side by side on the device, and in host memory.
 *
 * All cells of a bundle are copied to the device, or back, in one transfer. Device addresses never change.
 */
#ifndef HR_BUNDLE_H
#define HR_BUNDLE_H

#include "array.h"
#include "backend.h"
#include "types.h"

typedef struct hr_cell {
    hr_array device; /* data NULL until hr_bundle_take, and where the cell was never added */
    void *host;      /* the same array in host memory */
} hr_cell;

typedef struct hr_bundle {
    hr_queue *queue;
    hr_cell **cell; /* borrowed, in order */
    int32_t count, room;
    hr_array device; /* u8 */
    void *host;
} hr_bundle;

void hr_bundle_init(hr_bundle *bundle, hr_queue *queue);
/* Declares a cell. The cell must stay where it is until hr_bundle_done. */
hirl_status hr_bundle_add(hr_bundle *bundle, hr_cell *cell, hr_dtype dtype, int rank,
                          const int64_t *dim);
/* Takes the memory of all declared cells, filled with 0 on both sides. */
hirl_status hr_bundle_take(hr_bundle *bundle, const char *what);
void hr_bundle_upload(hr_bundle *bundle);
void hr_bundle_download(hr_bundle *bundle); /* the host side is valid after the next sync */
void hr_bundle_done(hr_bundle *bundle);     /* fine on a zeroed struct */

#endif
