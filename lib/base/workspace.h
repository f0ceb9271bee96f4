/* workspace.h - what the kernels of one work queue use on the host: threads, memory, a failure.
 *
 * One queue runs one kernel at a time; the tasks of this kernel may call scratch and fail at once.
 */
#ifndef HR_WORKSPACE_H
#define HR_WORKSPACE_H

#include "base/arena.h"
#include "base/error.h"
#include "base/pool.h"
#include "types.h"

typedef struct hr_scratch {
    void *data;
    size_t bytes;
} hr_scratch;

struct hr_workspace {
    hr_pool *pool;
    hr_error failure;    /* the first since the last hr_workspace_sync */
    hr_scratch *scratch; /* [threads of the pool] */
    hr_arena kernel;     /* memory of the running kernel */
};

hirl_status hr_workspace_init(hr_workspace *w, hr_pool *pool);
void hr_workspace_done(hr_workspace *w); /* also after a failed init */

/* task(arg, i, worker) for i in [0, count): see pool.h. Does nothing after a failure.
 * When the thread is to stop, tasks are dropped, and CANCELED is a failure of the queue. */
void hr_workspace_run(hr_workspace *w, int64_t count, hr_pool_task *task, void *arg);
/* Memory of one worker, kept and grown, not cleared; valid until its next call. NULL when there is
 * none: a failure of the queue. To be called inside a task, or with worker 0 outside. */
void *hr_workspace_scratch(hr_workspace *w, int worker, size_t bytes);
/* Memory of the running kernel until reset; NULL after a failure. */
void *hr_workspace_take(hr_workspace *w, size_t bytes);
void hr_workspace_reset(hr_workspace *w);

bool hr_workspace_ok(const hr_workspace *w);
void hr_workspace_fail(hr_workspace *w, hirl_status status, const char *text);
/* Returns and clears the first failure since the last call. */
hirl_status hr_workspace_sync(hr_workspace *w);

#endif
