/* pool.h - threads of a context: a parallel for over a fixed grid.
 *
 * The grid (count) depends on sizes only, never on the number of threads, and a task writes only
 * what is its own; so results do not depend on which worker ran what.
 */
#ifndef HR_POOL_H
#define HR_POOL_H

#include "types.h"

/* threads >= 1, the caller included: threads - 1 are started, with all signals blocked */
hirl_status hr_pool_create(hr_pool **pool, int threads);
void hr_pool_destroy(hr_pool *pool);
int hr_pool_threads(const hr_pool *pool);

/* runs task(arg, i, worker) for i in [0, count), worker in [0, threads); returns when all are done.
 * Nested calls, and calls while another thread uses the pool, run on the caller as worker 0. */
typedef void hr_pool_task(void *arg, int64_t i, int worker);
void hr_pool_run(hr_pool *pool, int64_t count, hr_pool_task *task, void *arg);

/* cores this process may use: affinity and cgroup limits respected */
int hr_cores(void);

#endif
