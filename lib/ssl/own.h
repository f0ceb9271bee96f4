/* own.h - the application's own method: setting its functions (hirl/method.h). */
#ifndef HR_OWN_H
#define HR_OWN_H

#include "types.h"

#include <hirl/method.h>

/* Copies the functions. If a checkpoint was loaded before, passes its state to `load` now. */
hirl_status hr_own_set(void *state, const hirl_method_calls *calls);

#endif
