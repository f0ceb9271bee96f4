/* context.h - what every handle uses: backend, threads, messages to the application, cancel.
 *
 * The struct is the public hirl_context. It counts references: handles made from it hold one.
 */
#ifndef HR_CONTEXT_H
#define HR_CONTEXT_H

#include "array.h"
#include "backend.h"
#include "base/arena.h"
#include "base/error.h"
#include "base/halt.h"
#include "base/pool.h"
#include "base/user.h"
#include "types.h"

#include <hirl/context.h>

/* threads 0: all cores that the process may use */
hirl_status hr_context_create(hirl_context **context, const char *backend, int threads);
void hr_context_hold(hirl_context *context);
void hr_context_drop(hirl_context *context); /* NULL: does nothing */

hr_pool *hr_context_pool(hirl_context *context);
const hr_backend *hr_context_backend(const hirl_context *context);
/* A work queue of the context's backend. UNSUPPORTED, naming them, if it lacks operations. */
hirl_status hr_context_take_queue(hr_queue **queue, hirl_context *context);
/* A work queue of the CPU: images are prepared there under any backend. */
hirl_status hr_context_take_cpu_queue(hr_queue **queue, hirl_context *context);
void hr_context_give_queue(hr_queue *queue); /* NULL: does nothing */

/* How the ranks of a distributed run communicate: queues that are taken later carry it. NULL, the
 * default, means one rank. comm must outlive the context. */
void hr_context_set_comm(hirl_context *context, hr_comm *comm);
int32_t hr_context_rank(const hirl_context *context);
int32_t hr_context_ranks(const hirl_context *context);

/* Lines above `level` are not passed on. The user of the function that was set before is released.
 */
void hr_context_set_log(hirl_context *context, int32_t level, hirl_log_fn *log, hr_user user);
void hr_context_set_progress(hirl_context *context, hirl_progress_fn *progress, hr_user user);
void hr_context_cancel(hirl_context *context); /* stops the calls that are running */

/* A public call in its context; a callback of the application may make another one within it. */
typedef struct hr_call {
    hirl_context *context;
    struct hr_call *outer; /* the call that this thread was in */
    hr_halt halt;          /* the requests that stop the call */
    const hr_halt *obeyed; /* requests that this thread obeyed before */
    hr_error before;       /* the thread's message before the call: a success restores it */
} hr_call;

/* Every public call brackets its work. In between, log lines and progress of this thread go
 * straight to the application, and the backends know that the context computes (enter and leave of
 * backend.h). Enter fails in a forked child (HIRL_E_FORKED): then do not call leave. Leave returns
 * status. */
hirl_status hr_context_enter(hr_call *call, hirl_context *context);
hirl_status hr_context_leave(hr_call *call, hirl_status status);

/* Sends a line to the application, on a thread that is in a public call. Lines of other threads
 * (loader, pool) are kept until the next log or progress call of such a thread. */
void hr_log(hirl_context *context, int32_t level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Reports progress; returns CANCELED or CALLBACK if the work is to stop, as hr_halt_check does
 * without a report. */
hirl_status hr_progress(hirl_context *context, const char *phase, int64_t done, int64_t total);

#endif
