/* overlay_module.c - a module that lays two slots over the CPU's table (test_overlay.c).
 *
 * relu computes real numbers itself and passes bf16 on; gemm passes every shape on.
 */
#include <string.h>

#include "host.h"
#include "support/overlay.h"

#define EXPORTED __attribute__((visibility("default")))

extern hr_test_overlay hr_test_overlay_counts;
EXPORTED hr_test_overlay hr_test_overlay_counts;
EXPORTED hr_module_open_fn hr_module_open;

enum { PART = 1000 }; /* numbers of one task */

/* state of one table */
typedef struct overlay {
    const hr_backend *below;
    const hr_host *host;
} overlay;

typedef struct relu_job {
    const hr_host *host;
    hr_queue *q;
    real *y;
    const real *x;
    int64_t n;
} relu_job;

/* by way of the worker's own memory, as a module does whose kernel needs some */
static void relu_part(void *arg, int64_t i, int worker)
{
    const relu_job *job = arg;
    int64_t from = i * PART, n = job->n - from < PART ? job->n - from : PART;
    real *part = job->host->scratch(job->q, worker, (size_t)n * sizeof *part);

    if (!part)
        return;
    memcpy(part, job->x + from, (size_t)n * sizeof *part);
    for (int64_t k = 0; k < n; k++)
        job->y[from + k] = 0 > part[k] ? 0 : part[k];
}

static void relu(hr_queue *q, const hr_array *y, const hr_array *x)
{
    const overlay *own = q->be->state;
    relu_job job = { own->host, q, y->data, x->data, hr_count(y) };

    hr_test_overlay_counts.relu++;
    if (y->dtype == HR_REAL && x->dtype == HR_REAL) {
        own->host->run(q, (job.n + PART - 1) / PART, relu_part, &job);
        return;
    }
    hr_test_overlay_counts.passed_on++;
    own->below->relu(q, y, x);
}

static void gemm(hr_queue *q, const hr_array *c, const hr_array *a, const hr_array *b, hr_trans ta,
                 hr_trans tb, double alpha, double beta)
{
    const overlay *own = q->be->state;

    hr_test_overlay_counts.gemm++;
    if (alpha == HR_TEST_OVERLAY_ALPHA) {
        own->host->stick(q, HIRL_E_UNSUPPORTED, "overlay: this factor is refused");
        return;
    }
    hr_test_overlay_counts.passed_on++;
    own->below->gemm(q, c, a, b, ta, tb, alpha, beta);
}

static void enter(const hr_backend *backend)
{
    (void)backend;
    hr_test_overlay_counts.entered++;
}

static void leave(const hr_backend *backend)
{
    (void)backend;
    hr_test_overlay_counts.left++;
}

static void close_table(hr_backend *backend)
{
    overlay *own = backend->state;

    hr_test_overlay_counts.closed++;
    own->host->free(own);
}

hirl_status hr_module_open(hr_backend *backend, const hr_host *host, uint32_t abi,
                           const char *build_id, const hr_opening *opening)
{
    overlay *own;

    if (abi != HR_MODULE_ABI || strcmp(build_id, HR_BUILD_ID))
        return host->fail(HIRL_E_BACKEND_UNAVAILABLE,
                          "overlay: the module and the library are from different builds");
    if (!opening->below)
        return host->fail(HIRL_E_BACKEND_UNAVAILABLE, "overlay: there is no table below");
    own = host->alloc(sizeof *own);
    if (!own)
        return HIRL_E_NOMEM;
    *own = (overlay){ opening->below, host };
    backend->name = "overlay";
    backend->state = own;
    backend->close = close_table;
    backend->enter = enter;
    backend->leave = leave;
    backend->relu = relu;
    backend->gemm = gemm;
    hr_test_overlay_counts.opened++;
    host->log(opening->context, HIRL_LOG_INFO, "overlay: lies over the CPU");
    return HIRL_OK;
}
