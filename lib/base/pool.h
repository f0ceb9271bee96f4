/* pool.h - the threads of a context: a parallel for over a fixed grid.
 *
 * The number of tasks depends on sizes only, never on the number of threads, and each task writes
 * only its own results. So results do not depend on which worker runs which task.
 */
#ifndef HR_POOL_H
#define HR_POOL_H

#include "types.h"

/* Starts threads - 1 workers with all signals blocked; the caller is the remaining one. */
hirl_status hr_pool_create(hr_pool **pool, int threads);
void hr_pool_destroy(hr_pool *pool);
int hr_pool_threads(const hr_pool *pool);
/* Half of the threads, at least 1: the default number of loader threads. */
int hr_pool_half(const hr_pool *pool);

/* Runs task(arg, i, worker) for each i in [0, count) with worker in [0, threads), and returns
 * when all are done. Nested calls, and calls while another thread uses the pool, run on the
 * caller as worker 0. false: the caller is to stop (halt.h), so some tasks were not run and the
 * results must not be used. */
typedef void hr_pool_task(void *arg, int64_t i, int worker);
bool hr_pool_run(hr_pool *pool, int64_t count, hr_pool_task *task, void *arg);

/* Cores that this process may use, within its CPU affinity and its control group's limit. */
int hr_cores(void);

#endif
