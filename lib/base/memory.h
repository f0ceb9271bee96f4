/* memory.h - main memory: how much is available, and the peak use of this process.
 *
 * These functions allocate nothing and leave the thread's error message alone.
 */
#ifndef HR_MEMORY_H
#define HR_MEMORY_H

#include "types.h"

/* Bytes that can be used before the kernel kills a process: the smaller of what the machine,
 * swap included, and the container's control group have left. INT64_MAX when the system reports
 * neither. */
int64_t hr_memory_available(void);
/* As hr_memory_available, read from files below `root` instead of /. */
int64_t hr_memory_available_in(const char *root);
/* Peak resident memory of this process in bytes; 0 when the system does not report it. */
int64_t hr_memory_peak(void);

#endif
