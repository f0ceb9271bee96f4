/* cpu.h - what all CPU kernels use: the work queue with its threads, scratch memory, bf16 operands.
 *
 * Kernels compute with `real`. hr_cpu_in and hr_cpu_out widen a bf16 operand into memory of the
 * queue, and hr_cpu_end rounds the outputs back to bf16. So every operation accepts bf16, with the
 * same arithmetic. For operands of type HR_REAL these calls cost nothing.
 */
#ifndef HR_CPU_H
#define HR_CPU_H

#include "array.h"
#include "backend.h"
#include "base/pool.h"
#include "base/workspace.h"
#include "types.h"

enum { HR_CPU_PENDING = 8 }; /* most bf16 outputs of one kernel */

typedef struct hr_cpu_queue {
    const hr_scalars *scalars;
    struct { /* outputs that hr_cpu_end rounds to bf16 */
        hr_array to;
        real *from;
    } pending[HR_CPU_PENDING];
    int pendings;
} hr_cpu_queue;

static inline hr_cpu_queue *hr_cpu_state(hr_queue *q)
{
    return q->state;
}

/* calls task(arg, i, worker) for i in [0, count), see pool.h; nothing if the queue has failed */
void hr_cpu_run(hr_queue *q, int64_t count, hr_pool_task *task, void *arg);
/* At least `bytes` of uncleared memory for one worker, valid until the worker's next call. Without
 * memory it returns NULL and the queue fails. Call it within a task, or elsewhere with worker 0. */
void *hr_cpu_scratch(hr_queue *q, int worker, size_t bytes);
/* memory for the current kernel, valid until hr_cpu_end; NULL if the queue has failed */
void *hr_cpu_work(hr_queue *q, size_t bytes);

/* the values of a float array as real; NULL if the array is absent or the queue has failed */
const real *hr_cpu_in(hr_queue *q, const hr_array *a);
/* memory for the new values of a float array, as real; read: it holds the old values (for beta or
 * +=). NULL as for hr_cpu_in. */
real *hr_cpu_out(hr_queue *q, const hr_array *a, bool read);
/* must end every kernel that calls hr_cpu_in, hr_cpu_out or hr_cpu_work */
void hr_cpu_end(hr_queue *q);

/* false if a kernel has failed since the last sync */
bool hr_cpu_ok(hr_queue *q);
/* records a failure, which sync returns, unless there is one already */
void hr_cpu_fail(hr_queue *q, hirl_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* how many parts of at most `part` items n items make; see hr_range_of */
static inline int64_t hr_parts(int64_t n, int64_t part)
{
    return (n + part - 1) / part;
}

#define OP(type, op, ...) type hr_cpu_##op(__VA_ARGS__);
HR_BACKEND_OPS(OP)
#undef OP

#endif
