/* ring.h - rows kept from earlier steps: those of a step replace the oldest (the queues of MoCo v2 and SwAV). */
#ifndef HR_RING_H
#define HR_RING_H

#include "ssl/method.h"

/* ring [rows, d] of 0, given back with hr_array_give; rows 0: it stays without data */
hirl_status hr_ring_init(hr_array *ring, hr_queue *q, int64_t rows, int64_t d,
                         const hr_method *method);
/* row r: d normal numbers keyed by (seed, r), divided by their length */
hirl_status hr_ring_fill_unit(hr_array *ring, hr_queue *q, uint64_t seed);

/* rows x of this micro-batch, as they are now, replace the oldest of the ring (real [rows, d], or of
 * any type) when the step commits. The ring lives longer than the tape's step */
void hr_ring_put(const hr_array *ring, hr_tape *t, const hr_array *x, const hr_now *now);

#endif
