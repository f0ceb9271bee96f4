/* own.h - a method of the host: the functions that it gives (hirl/method.h). */
#ifndef HR_OWN_H
#define HR_OWN_H

#include "types.h"

#include <hirl/method.h>

/* Copies the functions; a state that came from a checkpoint before is handed to `load` now. */
hirl_status hr_own_set(void *state, const hirl_method_calls *calls);

#endif
