/* alike.h - a sentence when clustering cannot separate many rows. */
#ifndef HR_ALIKE_H
#define HR_ALIKE_H

#include "context.h"
#include "types.h"

/* Logs a warning if half of the rows x [n,d] real, on the queue's device, equal other rows, or lie
 * within the resolution of f32 around the first; or if fewer rows differ than there are leaves. */
hirl_status hr_rows_warn_alike(hirl_context *context, hr_queue *queue, const hr_array *x,
                               int64_t leaves);

#endif
