/* context.c - what every handle uses: backend, threads, messages to the application, cancel. */
#include "context.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "backends.h"
#include "base/alloc.h"
#include "base/error.h"
#include "base/workspace.h"

#ifndef HR_BUILD_ID
#define HR_BUILD_ID "unnamed build"
#endif

enum { LINE = 512, KEPT_LINES = 16 };

typedef struct queue_node {
    hr_queue queue; /* first: a queue that is given back is its node */
    hr_workspace work;
    struct queue_node *next;
} queue_node;

typedef struct kept_line {
    int32_t level;
    char text[LINE];
} kept_line;

struct hirl_context {
    _Atomic int32_t references;
    hr_backends backends;
    hr_pool *pool;
    hr_comm *comm; /* NULL: one rank */
    pid_t process;
    atomic_uint cancels; /* requests so far; a call obeys those made after its start */
    hirl_log_fn *log;
    int32_t log_level; /* the least serious one that is passed on */
    hirl_progress_fn *progress;
    hr_user log_user, progress_user;
    pthread_mutex_t lock;       /* guards the fields below */
    queue_node *idle;           /* queues that nobody uses */
    kept_line kept[KEPT_LINES]; /* lines of threads outside public calls */
    int kept_count;
    _Atomic int entered;
};

static _Thread_local hr_call *innermost; /* public call that this thread is in, or NULL */

/* ---- what modules are given ---- */

static hirl_status fail_text(hirl_status status, const char *text)
{
    return hr_fail(status, "%s", text);
}

static void log_text(hirl_context *context, int32_t level, const char *text)
{
    hr_log(context, level, "%s", text);
}

static void run_tasks(hr_queue *q, int64_t count, hr_pool_task *task, void *arg)
{
    hr_workspace_run(q->work, count, task, arg);
}

static void *scratch_of(hr_queue *q, int worker, size_t bytes)
{
    return hr_workspace_scratch(q->work, worker, bytes);
}

static void stick(hr_queue *q, hirl_status status, const char *text)
{
    hr_workspace_fail(q->work, status, text);
}

static const hr_host host = { .abi = HR_MODULE_ABI,
                              .build_id = HR_BUILD_ID,
                              .fail = fail_text,
                              .alloc = hr_alloc,
                              .free = hr_free,
                              .log = log_text,
                              .run = run_tasks,
                              .scratch = scratch_of,
                              .stick = stick };

/* ---- life ---- */

hirl_status hr_context_create(hirl_context **out, const char *backend, int threads)
{
    hirl_context *context = hr_alloc(sizeof *context);
    hirl_status status;

    if (!context)
        return HIRL_E_NOMEM;
    context->references = 1;
    context->process = getpid();
    pthread_mutex_init(&context->lock, NULL);
    status = hr_backends_open(&context->backends, backend, &host, context);
    if (status >= 0)
        status = hr_pool_create(&context->pool, threads ? threads : hr_cores());
    if (status < 0) {
        hr_context_drop(context);
        return status;
    }
    *out = context;
    return HIRL_OK;
}

void hr_context_hold(hirl_context *context)
{
    atomic_fetch_add(&context->references, 1);
}

static void close_queue(queue_node *node)
{
    if (node->queue.state)
        node->queue.be->close_queue(&node->queue);
    hr_workspace_done(&node->work);
    hr_free(node);
}

void hr_context_drop(hirl_context *context)
{
    hr_user log, progress;

    if (!context || atomic_fetch_sub(&context->references, 1) > 1)
        return;
    log = context->log_user;
    progress = context->progress_user;
    while (context->idle) {
        queue_node *node = context->idle;

        context->idle = node->next;
        close_queue(node);
    }
    hr_backends_close(&context->backends);
    if (getpid() == context->process) {
        hr_pool_destroy(context->pool);
        pthread_mutex_destroy(&context->lock);
    }
    hr_free(context);
    hr_user_release(log);
    hr_user_release(progress);
}

hr_pool *hr_context_pool(hirl_context *context)
{
    return context->pool;
}

const hr_backend *hr_context_backend(const hirl_context *context)
{
    return context->backends.chosen;
}

void hr_context_set_comm(hirl_context *context, hr_comm *comm)
{
    context->comm = comm;
}

int32_t hr_context_rank(const hirl_context *context)
{
    return context->comm ? context->comm->rank : 0;
}

int32_t hr_context_ranks(const hirl_context *context)
{
    return context->comm ? context->comm->ranks : 1;
}

/* ---- queues ---- */

/* a failure that the last user of a queue did not read is not the next user's */
static void forget_failure(hr_queue *queue)
{
    hr_error kept;

    hr_error_keep(&kept, HIRL_OK);
    if (queue->be->sync(queue) < 0)
        (void)hr_error_raise(&kept);
}

static hirl_status open_queue(queue_node **out, hirl_context *context, const hr_backend *backend)
{
    queue_node *node = hr_alloc(sizeof *node);
    hirl_status status;

    if (!node)
        return HIRL_E_NOMEM;
    node->queue.be = backend;
    node->queue.work = &node->work;
    node->queue.context = context;
    status = hr_workspace_init(&node->work, context->pool);
    if (status >= 0)
        status = backend->open_queue(&node->queue);
    if (status < 0) {
        close_queue(node);
        return status;
    }
    *out = node;
    return HIRL_OK;
}

static hirl_status take(hr_queue **queue, hirl_context *context, const hr_backend *backend)
{
    queue_node **at, *node = NULL;

    pthread_mutex_lock(&context->lock);
    for (at = &context->idle; *at && !node; at = node ? at : &(*at)->next)
        if ((*at)->queue.be == backend) {
            node = *at;
            *at = node->next;
        }
    pthread_mutex_unlock(&context->lock);
    if (!node)
        HR_TRY(open_queue(&node, context, backend));
    forget_failure(&node->queue);
    node->next = NULL;
    node->queue.comm = context->comm;
    *queue = &node->queue;
    return HIRL_OK;
}

hirl_status hr_context_take_queue(hr_queue **queue, hirl_context *context)
{
    HR_TRY(hr_backend_complete(context->backends.chosen)); /* so an empty slot is never called */
    return take(queue, context, context->backends.chosen);
}

hirl_status hr_context_take_cpu_queue(hr_queue **queue, hirl_context *context)
{
    return take(queue, context, context->backends.on_cpu);
}

void hr_context_give_queue(hr_queue *queue)
{
    queue_node *node = (queue_node *)queue;
    hirl_context *context;
    bool forked;

    if (!queue)
        return;
    context = queue->context;
    forked = getpid() != context->process; /* in a forked child nobody may ever release the lock */
    if (!forked)
        pthread_mutex_lock(&context->lock);
    node->next = context->idle;
    context->idle = node;
    if (!forked)
        pthread_mutex_unlock(&context->lock);
}

/* ---- public calls ---- */

hirl_status hr_context_enter(hr_call *call, hirl_context *context)
{
    if (getpid() != context->process)
        return hr_fail(HIRL_E_FORKED,
                       "context: made before fork() in process %ld; make a new one in the child",
                       (long)context->process);
    call->context = context;
    call->outer = innermost;
    hr_error_keep(&call->before, HIRL_OK);
    innermost = call;
    call->halt = (hr_halt){ &context->cancels, atomic_load(&context->cancels), hr_stop_used() };
    call->obeyed = hr_halt_obey(&call->halt);
    atomic_fetch_add(&context->entered, 1);
    hr_backends_enter(&context->backends);
    return HIRL_OK;
}

/* true if this thread is in a public call of the context, false for a loader or pool thread */
static bool on_calling_thread(const hirl_context *context)
{
    const hr_call *call = innermost;

    while (call && call->context != context)
        call = call->outer;
    return call != NULL;
}

static void give_kept_lines(hirl_context *context)
{
    kept_line line;
    bool more = context->log != NULL;

    while (more) {
        pthread_mutex_lock(&context->lock);
        more = context->kept_count > 0;
        if (more) {
            line = context->kept[0];
            memmove(context->kept, context->kept + 1,
                    (size_t)--context->kept_count * sizeof *context->kept);
        }
        pthread_mutex_unlock(&context->lock);
        if (more && line.level <= context->log_level)
            context->log(line.level, line.text, context->log_user.data);
    }
}

hirl_status hr_context_leave(hr_call *call, hirl_status status)
{
    give_kept_lines(call->context);
    innermost = call->outer;
    (void)hr_halt_obey(call->obeyed);
    atomic_fetch_sub(&call->context->entered, 1);
    hr_backends_leave(&call->context->backends);
    if (status >= 0)
        (void)hr_error_raise(&call->before);
    return status;
}

void hr_context_set_log(hirl_context *context, int32_t level, hirl_log_fn *log, hr_user user)
{
    hr_user before = context->log_user;

    context->log = log;
    context->log_level = level;
    context->log_user = user;
    give_kept_lines(context);
    hr_user_release(before);
}

void hr_context_set_progress(hirl_context *context, hirl_progress_fn *progress, hr_user user)
{
    hr_user before = context->progress_user;

    context->progress = progress;
    context->progress_user = user;
    hr_user_release(before);
}

void hr_context_cancel(hirl_context *context)
{
    atomic_fetch_add(&context->cancels, 1);
}

void hr_log(hirl_context *context, int32_t level, const char *format, ...)
{
    char text[LINE];
    va_list args;

    if (context->log ? level > context->log_level : atomic_load(&context->entered) > 0)
        return; /* before the first call lines are kept: the application may still set a log */
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    hr_escape_control(text);
    if (on_calling_thread(context)) {
        give_kept_lines(context);
        context->log(level, text, context->log_user.data);
        return;
    }
    pthread_mutex_lock(&context->lock);
    if (context->kept_count < KEPT_LINES) {
        kept_line *line = &context->kept[context->kept_count++];

        line->level = level;
        memcpy(line->text, text, LINE);
    }
    pthread_mutex_unlock(&context->lock);
}

hirl_status hr_progress(hirl_context *context, const char *phase, int64_t done, int64_t total)
{
    int32_t answer = 0;

    if (context->progress && on_calling_thread(context)) {
        give_kept_lines(context);
        answer = context->progress(phase, done, total, context->progress_user.data);
        if (answer < 0)
            return hr_fail_callback(answer, "progress");
    }
    return answer > 0 ? hr_halt_fail() : hr_halt_check();
}
