/* memory.h - main memory: what the machine has left, and what this program has had. Nothing is allocated or said. */
#ifndef HR_MEMORY_H
#define HR_MEMORY_H

#include "types.h"

/* bytes that can be taken without ending a program: of the machine, swap included, and of the control group of
 * a container; INT64_MAX: the system does not tell */
int64_t hr_memory_available(void);
/* the same from files below `root` instead of / */
int64_t hr_memory_available_in(const char *root);
/* most resident memory of this program so far, bytes; 0: the system does not tell */
int64_t hr_memory_peak(void);

#endif
