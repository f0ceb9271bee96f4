/* center.h - running mean of a teacher's rows (DINO: Caron et al. 2021, eq. 4). */
#ifndef HR_CENTER_H
#define HR_CENTER_H

#include "tape/tape.h"

/* At commit: center <- keep center + (1 - keep) mean of the rows of all parts and all ranks.
 * center [K] real outlives the tape's step; part [N_i,K], as many rows on every rank. */
void hr_center_at_commit(hr_tape *t, const hr_array *center, hr_tensor *const *part, int parts,
                         double keep);

#endif
