/* cpu.c - the CPU backend: its table, work queues, failures, scratch memory, bf16 operands. */
#include "cpu/cpu.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/alloc.h"
#include "base/half.h"
#include "cpu/blas.h"
#include "host.h"

/* ---- queues ---- */

static hirl_status open_queue(hr_queue *q)
{
    q->state = hr_alloc(sizeof(hr_cpu_queue));
    return q->state ? HIRL_OK : HIRL_E_NOMEM;
}

static void close_queue(hr_queue *q)
{
    hr_free(q->state);
    q->state = NULL;
}

static hirl_status sync(hr_queue *q)
{
    return hr_workspace_sync(q->work);
}

bool hr_cpu_ok(hr_queue *q)
{
    return hr_workspace_ok(q->work);
}

void hr_cpu_fail(hr_queue *q, hirl_status status, const char *format, ...)
{
    char text[512];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    hr_workspace_fail(q->work, status, text);
}

void hr_cpu_run(hr_queue *q, int64_t count, hr_pool_task *task, void *arg)
{
    hr_workspace_run(q->work, count, task, arg);
}

void *hr_cpu_scratch(hr_queue *q, int worker, size_t bytes)
{
    return hr_workspace_scratch(q->work, worker, bytes);
}

void *hr_cpu_work(hr_queue *q, size_t bytes)
{
    return hr_workspace_take(q->work, bytes);
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
    hr_workspace_reset(q->work);
}

/* ---- the table ---- */

static void enter(const hr_backend *be)
{
    (void)be;
    hr_cpu_blas_begin();
}

static void leave(const hr_backend *be)
{
    (void)be;
    hr_cpu_blas_end();
}

static const hr_backend table = { .name = "cpu",
                                  .enter = enter,
                                  .leave = leave,
                                  .open_queue = open_queue,
                                  .close_queue = close_queue,
                                  .sync = sync,
#define OP(type, op, ...) .op = hr_cpu_##op,
                                  HR_BACKEND_OPS(OP)
#undef OP
};

hirl_status hr_cpu_open(hr_backend *backend, const hr_host *host, uint32_t abi,
                        const char *build_id, const hr_opening *opening)
{
    (void)abi;
    (void)build_id;
    *backend = table;
    if (hr_cpu_blas_serialised())
        host->log(opening->context, HIRL_LOG_INFO,
                  "cpu: this build of OpenBLAS computes on one thread at a time; its pthread build "
                  "(libopenblas0-pthread) uses all threads");
    return HIRL_OK;
}
