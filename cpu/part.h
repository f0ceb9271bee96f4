/* part.h - the fixed parts into which kernels cut n items, whatever the number of threads. */
#ifndef HR_CPU_PART_H
#define HR_CPU_PART_H

#include <stdint.h>

enum { HR_PART = 1 << 14 }; /* numbers that one elementwise task handles */

typedef struct hr_range {
    int64_t from, to;
} hr_range;

/* the i-th part of n items in parts of `part` items; cpu.h: hr_parts is the number of parts */
static inline hr_range hr_range_of(int64_t n, int64_t part, int64_t i)
{
    int64_t from = i * part, to = from + part;

    return (hr_range){ from, to < n ? to : n };
}

/* rows of `cols` numbers that one elementwise task handles, at least 1 */
static inline int64_t hr_part_rows(int64_t cols)
{
    return cols < HR_PART ? HR_PART / (cols > 0 ? cols : 1) : 1;
}

#endif
