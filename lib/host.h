/* host.h - the interface between the library and a backend module, and how a module is opened.
 *
 * A module is a shared library with one exported function, hr_module_open. It links nothing of
 * ours: a second copy of base/ would have a failure message of its own that no caller reads. So
 * the library hands it what it needs:
 *
 *   hr_host          services of the library: messages, memory, log, threads and memory of a queue
 *   opening->below   the table below the module's own, or NULL
 *   *backend         the table that it fills; it sets at least `name`
 *
 * A module of one of two kinds is named in the list in backends.c:
 *
 *   with a table of its own (CUDA)   *backend is empty. The module sets open_queue, close_queue and
 *                                    sync, and the operations that it has; an empty slot is never
 *                                    called.
 *   over the CPU's table (oneDNN)    *backend is a copy of *below, without state, close, enter
 *                                    and leave. The module replaces the slots that it computes
 *                                    better. Such a slot gets a queue that the table below has
 *                                    opened, so it may pass a call on: below->gemm(q, ...). Its own
 *                                    data is q->be->state.
 *
 * A module is searched as a file in the folder HIRL_BACKEND_PATH or, when that is not set, in the
 * compiled-in one (module.c). backend=NAME opens it or fails; backend=auto takes the first of the
 * list that opens and has every operation, else the plain CPU; backend=cpu is always plain.
 */
#ifndef HR_HOST_H
#define HR_HOST_H

#include <stdarg.h>

#include "backend.h"
#include "base/pool.h"
#include "types.h"

#include <hirl/context.h>

/* Raised when a module is found or opened in another way. The build id covers the tables. */
enum { HR_MODULE_ABI = 4 };

/* All modules get one hr_host, valid until the process ends. abi, build_id and fail stay the first
 * fields and hr_module_open_fn keeps its first four parameters in every version, so that a module
 * can refuse a library of another version. */
typedef struct hr_host {
    uint32_t abi;
    const char *build_id; /* build of the library: a module of another build refuses to open */
    hirl_status (*fail)(hirl_status status, const char *text); /* sets the thread's message */
    void *(*alloc)(size_t bytes);                              /* base/alloc.h */
    void (*free)(void *block);
    void (*log)(hirl_context *context, int32_t level, const char *text); /* HIRL_LOG_... */
    /* For queues (base/workspace.h): a parallel for on the context's threads; memory of one worker,
     * which a call of a slot below overwrites; a failure, which sync of the CPU's table returns. */
    void (*run)(hr_queue *q, int64_t count, hr_pool_task *task, void *arg);
    void *(*scratch)(hr_queue *q, int worker, size_t bytes);
    void (*stick)(hr_queue *q, hirl_status status, const char *text);
} hr_host;

typedef struct hr_opening {
    hirl_context *context;   /* whose backend it becomes; for the log */
    const hr_backend *below; /* outlives the new table; NULL: there is none */
    int32_t device;          /* -1: the best one */
} hr_opening;

/* Fills the table; called once for each context. On failure the message states the reason. */
typedef hirl_status hr_module_open_fn(hr_backend *backend, const hr_host *host, uint32_t abi,
                                      const char *build_id, const hr_opening *opening);
#define HR_MODULE_SYMBOL "hr_module_open"

/* The CPU's: built in (cpu/cpu.c). */
hr_module_open_fn hr_cpu_open;

#endif
