/* reassign.h - new positive leaves for the images of a batch, at the start of its step. */
#ifndef HR_REASSIGN_H
#define HR_REASSIGN_H

#include "task/pretrain_state.h"

/* Replaces the positive leaves by those nearest to view 1, and makes valid negatives of the drawn
 * numbers. */
hirl_status hr_reassign(hr_pretrain *pretrain);

#endif
