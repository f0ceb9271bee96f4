/* part.h - fixed parts of n items, the grid of elementwise kernels. */
#ifndef HR_CPU_PART_H
#define HR_CPU_PART_H

#include <stdint.h>

enum { HR_PART = 1 << 14 }; /* numbers an elementwise task handles */

typedef struct hr_range {
    int64_t from, to;
} hr_range;

/* the i-th part of n items in parts of `part` */
static inline hr_range hr_range_of(int64_t n, int64_t part, int64_t i)
{
    int64_t from = i * part, to = from + part;

    return (hr_range){ from, to < n ? to : n };
}

/* rows of `cols` numbers that make one elementwise task */
static inline int64_t hr_part_rows(int64_t cols)
{
    return cols < HR_PART ? HR_PART / (cols > 0 ? cols : 1) : 1;
}

#endif
