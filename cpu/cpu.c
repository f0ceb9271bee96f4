/* cpu.c - the CPU backend: its table, work queues, failures, scratch memory, bf16 operands. */
#include "cpu/cpu.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/half.h"
#include "context.h"

static hirl_status open_queue(hr_queue *q, hirl_context *context)
{
    hr_cpu_queue *state = hr_alloc(sizeof *state);

    if (!state)
        return HIRL_E_NOMEM;
    state->pool = hr_context_pool(context);
    state->scratch = hr_alloc_array((size_t)hr_pool_threads(state->pool), sizeof *state->scratch);
    if (!state->scratch) {
        hr_free(state);
        return HIRL_E_NOMEM;
    }
    hr_arena_init_host(&state->wide);
    q->be = &hr_cpu;
    q->state = state;
    q->context = context;
    return HIRL_OK;
}

static void close_queue(hr_queue *q)
{
    hr_cpu_queue *state = hr_cpu_state(q);

    if (!state)
        return;
    for (int i = 0; i < hr_pool_threads(state->pool); i++)
        hr_free(state->scratch[i].data);
    hr_free(state->scratch);
    hr_arena_done(&state->wide);
    hr_free(state);
    q->state = NULL;
}

static hirl_status sync(hr_queue *q)
{
    hr_cpu_queue *state = hr_cpu_state(q);
    hr_error failure = state->failure;

    if (!failure.status)
        return HIRL_OK;
    memset(&state->failure, 0, sizeof state->failure);
    return hr_error_raise(&failure);
}

const hr_backend hr_cpu = { .name = "cpu",
                            .open_queue = open_queue,
                            .close_queue = close_queue,
                            .sync = sync,
#define OP(type, op, ...) .op = hr_cpu_##op,
                            HR_BACKEND_OPS(OP)
#undef OP
};

/* tasks of several threads can fail at the same time */
static pthread_mutex_t first_failure = PTHREAD_MUTEX_INITIALIZER;

bool hr_cpu_ok(hr_queue *q)
{
    return __atomic_load_n(&hr_cpu_state(q)->failure.status, __ATOMIC_ACQUIRE) == 0;
}

void hr_cpu_fail(hr_queue *q, hirl_status status, const char *format, ...)
{
    hr_error *failure = &hr_cpu_state(q)->failure;
    va_list args;

    pthread_mutex_lock(&first_failure);
    if (!failure->status) {
        va_start(args, format);
        vsnprintf(failure->text, sizeof failure->text, format, args);
        va_end(args);
        __atomic_store_n(&failure->status, status, __ATOMIC_RELEASE);
    }
    pthread_mutex_unlock(&first_failure);
}

/* records this thread's failure in the queue, unless the queue has failed before */
static void pass(hr_queue *q, hirl_status status)
{
    hr_error *failure = &hr_cpu_state(q)->failure;
    hr_error mine;

    hr_error_keep(&mine, status);
    pthread_mutex_lock(&first_failure);
    if (!failure->status) {
        failure->callback = mine.callback;
        memcpy(failure->text, mine.text, sizeof mine.text);
        __atomic_store_n(&failure->status, status, __ATOMIC_RELEASE);
    }
    pthread_mutex_unlock(&first_failure);
}

void hr_cpu_run(hr_queue *q, int64_t count, hr_pool_task *task, void *arg)
{
    if (hr_cpu_ok(q))
        hr_pool_run(hr_cpu_state(q)->pool, count, task, arg);
}

void *hr_cpu_scratch(hr_queue *q, int worker, size_t bytes)
{
    hr_cpu_scratch_block *block = &hr_cpu_state(q)->scratch[worker];

    if (block->bytes >= bytes)
        return block->data;
    hr_free(block->data);
    block->bytes = 0;
    block->data = hr_alloc(bytes);
    if (block->data)
        block->bytes = bytes;
    else
        pass(q, HIRL_E_NOMEM);
    return block->data;
}

void *hr_cpu_work(hr_queue *q, size_t bytes)
{
    void *block = hr_cpu_ok(q) ? hr_arena_take(&hr_cpu_state(q)->wide, bytes) : NULL;

    if (!block)
        pass(q, HIRL_E_NOMEM);
    return block;
}

/* ---- bf16 operands ---- */

enum { PART = 1 << 16 };

typedef struct convert_job {
    real *wide;
    uint16_t *narrow;
    int64_t n;
} convert_job;

static void widen(void *arg, int64_t i, int worker)
{
    convert_job *job = arg;
    int64_t end = (i + 1) * PART < job->n ? (i + 1) * PART : job->n;

    (void)worker;
    for (int64_t k = i * PART; k < end; k++)
        job->wide[k] = (real)hr_bf16_widen(job->narrow[k]);
}

static void narrow(void *arg, int64_t i, int worker)
{
    convert_job *job = arg;
    int64_t end = (i + 1) * PART < job->n ? (i + 1) * PART : job->n;

    (void)worker;
    for (int64_t k = i * PART; k < end; k++)
        job->narrow[k] = hr_bf16_narrow((float)job->wide[k]);
}

static real *widened(hr_queue *q, const hr_array *a, bool read)
{
    convert_job job = { NULL, a->data, hr_count(a) };

    if (a->dtype != HR_BF16) {
        hr_cpu_fail(q, HIRL_E_INTERNAL, "cpu: operand of type %d; wanted real or bf16",
                    (int)a->dtype);
        return NULL;
    }
    job.wide = hr_cpu_work(q, (size_t)job.n * sizeof(real));
    if (job.wide && read)
        hr_cpu_run(q, hr_parts(job.n, PART), widen, &job);
    return job.wide;
}

const real *hr_cpu_in(hr_queue *q, const hr_array *a)
{
    if (!a || !a->data || !hr_cpu_ok(q))
        return NULL;
    return a->dtype == HR_REAL ? a->data : widened(q, a, true);
}

real *hr_cpu_out(hr_queue *q, const hr_array *a, bool read)
{
    hr_cpu_queue *state = hr_cpu_state(q);
    real *wide;

    if (!a || !a->data || !hr_cpu_ok(q))
        return NULL;
    if (a->dtype == HR_REAL)
        return a->data;
    wide = widened(q, a, read);
    if (!wide)
        return NULL;
    state->pending[state->pendings].to = *a;
    state->pending[state->pendings++].from = wide;
    return wide;
}

void hr_cpu_end(hr_queue *q)
{
    hr_cpu_queue *state = hr_cpu_state(q);

    for (int i = 0; i < state->pendings; i++) {
        hr_array *to = &state->pending[i].to;
        convert_job job = { state->pending[i].from, to->data, hr_count(to) };

        hr_cpu_run(q, hr_parts(job.n, PART), narrow, &job);
    }
    state->pendings = 0;
    hr_arena_reset(&state->wide);
}
