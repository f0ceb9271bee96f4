/* coupled.h - the losses of a batch in several micro-batches whose images are coupled. */
#ifndef HR_COUPLED_H
#define HR_COUPLED_H

#include "task/pretrain_state.h"

/* the losses of a batch in several micro-batches whose images are coupled: coupled.c */
hirl_status hr_losses_coupled(hr_pretrain *pretrain);

#endif
