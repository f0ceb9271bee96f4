/* reassign.h - leaves of a batch chosen anew as the first part of its step. */
#ifndef HR_REASSIGN_H
#define HR_REASSIGN_H

#include "task/pretrain_state.h"

/* Replaces positive leaves by the nearest ones of view 1, and makes the negatives of the drawn numbers. */
hirl_status hr_reassign(hr_pretrain *pretrain);

#endif
