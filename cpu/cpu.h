/* cpu.h - what the CPU kernels stand on: a queue with threads, scratch memory, widened operands.
 *
 * A kernel is written over `real`. A bf16 operand is widened into the queue's memory by
 * hr_cpu_in / hr_cpu_out, and hr_cpu_end rounds outputs back: so every line accepts bf16, and the
 * arithmetic is the same. For real operands these calls cost nothing.
 */
#ifndef HR_CPU_H
#define HR_CPU_H

#include "array.h"
#include "backend.h"
#include "base/pool.h"
#include "base/workspace.h"
#include "types.h"

enum { HR_CPU_PENDING = 8 };

typedef struct hr_cpu_queue {
    const hr_scalars *scalars;
    struct { /* outputs of the running kernel that are rounded to bf16 when it ends */
        hr_array to;
        real *from;
    } pending[HR_CPU_PENDING];
    int pendings;
} hr_cpu_queue;

static inline hr_cpu_queue *hr_cpu_state(hr_queue *q)
{
    return q->state;
}

/* task(arg, i, worker) for i in [0, count): see pool.h. Does nothing after a failure. */
void hr_cpu_run(hr_queue *q, int64_t count, hr_task *task, void *arg);
/* memory of one worker until its next call, kept and grown; not cleared; NULL after a failure. To
 * be called inside a task, or with worker 0 outside. */
void *hr_cpu_scratch(hr_queue *q, int worker, size_t bytes);
/* memory of the running kernel until hr_cpu_end; NULL after a failure */
void *hr_cpu_work(hr_queue *q, size_t bytes);

/* values of a float array as real; NULL for an absent array or after a failure */
const real *hr_cpu_in(hr_queue *q, const hr_array *a);
/* where to write real values of a float array; read: the old values are needed (beta, +=) */
real *hr_cpu_out(hr_queue *q, const hr_array *a, bool read);
/* ends a kernel that used in, out or work */
void hr_cpu_end(hr_queue *q);

bool hr_cpu_ok(hr_queue *q);
void hr_cpu_fail(hr_queue *q, hirl_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* splits n items into fixed parts of at most `part`: how many there are, and the i-th range */
static inline int64_t hr_parts(int64_t n, int64_t part)
{
    return (n + part - 1) / part;
}

#define OP(type, op, ...) type hr_cpu_##op(__VA_ARGS__);
HR_BACKEND_OPS(OP)
#undef OP

#endif
