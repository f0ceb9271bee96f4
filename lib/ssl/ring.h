/* ring.h - a key queue as a ring: the rows of a step replace the oldest ones (MoCo v2, SwAV). */
#ifndef HR_RING_H
#define HR_RING_H

#include "ssl/method.h"

/* Makes a ring [rows, d] of zeros, to be freed with hr_array_give. rows 0: data is NULL. */
hirl_status hr_ring_init(hr_array *ring, hr_queue *q, int64_t rows, int64_t d,
                         const hr_method *method);
/* Fills the ring with random unit rows. Row r depends only on (seed, r). */
hirl_status hr_ring_fill_unit(hr_array *ring, hr_queue *q, uint64_t seed);

/* Copies rows x of this micro-batch. When the step commits, they replace the oldest rows of the
 * ring, which must exist until then. Ring and x are of any one type. */
void hr_ring_put(const hr_array *ring, hr_tape *t, const hr_array *x, const hr_now *now);

#endif
