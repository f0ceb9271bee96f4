/* workspace.c - what the kernels of one work queue use on the host: threads, memory, a failure. */
#include "base/workspace.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/halt.h"

/* tasks of several threads may fail at once */
static pthread_mutex_t first_failure = PTHREAD_MUTEX_INITIALIZER;

hirl_status hr_workspace_init(hr_workspace *w, hr_pool *pool)
{
    memset(w, 0, sizeof *w);
    w->pool = pool;
    hr_arena_init_host(&w->kernel);
    w->scratch = hr_alloc_array((size_t)hr_pool_threads(pool), sizeof *w->scratch);
    return w->scratch ? HIRL_OK : HIRL_E_NOMEM;
}

void hr_workspace_done(hr_workspace *w)
{
    for (int i = 0; w->scratch && i < hr_pool_threads(w->pool); i++)
        hr_free(w->scratch[i].data);
    hr_free(w->scratch);
    w->scratch = NULL;
    hr_arena_done(&w->kernel);
}

static void keep_first(hr_workspace *w, const hr_error *failure)
{
    pthread_mutex_lock(&first_failure);
    if (!w->failure.status) {
        w->failure.callback = failure->callback;
        memcpy(w->failure.text, failure->text, sizeof failure->text);
        __atomic_store_n(&w->failure.status, failure->status, __ATOMIC_RELEASE);
    }
    pthread_mutex_unlock(&first_failure);
}

void hr_workspace_run(hr_workspace *w, int64_t count, hr_pool_task *task, void *arg)
{
    hr_error failure;

    if (!hr_workspace_ok(w) || hr_pool_run(w->pool, count, task, arg))
        return;
    hr_error_keep(&failure, hr_halt_fail());
    keep_first(w, &failure);
}

/* out of memory: the message is this thread's */
static void fail_here(hr_workspace *w)
{
    hr_error failure;

    hr_error_keep(&failure, HIRL_E_NOMEM);
    keep_first(w, &failure);
}

void *hr_workspace_scratch(hr_workspace *w, int worker, size_t bytes)
{
    hr_scratch *block = &w->scratch[worker];

    if (block->bytes >= bytes)
        return block->data;
    hr_free(block->data);
    block->bytes = 0;
    block->data = hr_alloc(bytes);
    if (block->data)
        block->bytes = bytes;
    else
        fail_here(w);
    return block->data;
}

void *hr_workspace_take(hr_workspace *w, size_t bytes)
{
    void *block = hr_workspace_ok(w) ? hr_arena_take(&w->kernel, bytes) : NULL;

    if (!block)
        fail_here(w);
    return block;
}

void hr_workspace_reset(hr_workspace *w)
{
    hr_arena_reset(&w->kernel);
}

bool hr_workspace_ok(const hr_workspace *w)
{
    return __atomic_load_n(&w->failure.status, __ATOMIC_ACQUIRE) == 0;
}

void hr_workspace_fail(hr_workspace *w, hirl_status status, const char *text)
{
    hr_error failure = { .status = status };

    snprintf(failure.text, sizeof failure.text, "%s", text);
    keep_first(w, &failure);
}

hirl_status hr_workspace_sync(hr_workspace *w)
{
    hr_error failure = w->failure;

    if (!failure.status)
        return HIRL_OK;
    memset(&w->failure, 0, sizeof w->failure);
    return hr_error_raise(&failure);
}
