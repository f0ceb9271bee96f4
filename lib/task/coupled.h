/* coupled.h - the losses of a batch in several micro-batches, for a method that couples images. */
#ifndef HR_COUPLED_H
#define HR_COUPLED_H

#include "task/pretrain_state.h"

hirl_status hr_losses_coupled(hr_pretrain *pretrain);

#endif
