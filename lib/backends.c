/* backends.c - chooses a backend by name: the CPU table, or the CUDA module opened once. */
#include "backends.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "module.h"

enum { MOST_DEVICES = 16, ANY_DEVICE = -1 };

/* one table a device, opened once and kept: modules are never closed */
static struct {
    pthread_mutex_t lock;
    hr_backend table[MOST_DEVICES + 1];
} cuda = { .lock = PTHREAD_MUTEX_INITIALIZER };

static hirl_status open_cuda(const hr_backend **backend, const hr_host *host, int32_t device)
{
    hr_backend *table = &cuda.table[device - ANY_DEVICE];
    hirl_status status = HIRL_OK;

    pthread_mutex_lock(&cuda.lock);
    if (!table->name)
        status = hr_module_load(table, "libhirl-cuda.so", host, device);
    if (status < 0)
        memset(table, 0, sizeof *table);
    else
        *backend = table;
    pthread_mutex_unlock(&cuda.lock);
    return status;
}

/* "cuda" or "cuda:N" */
static hirl_status device_of(int32_t *device, const char *name)
{
    char *end;
    long n;

    *device = ANY_DEVICE;
    if (!strcmp(name, "cuda"))
        return HIRL_OK;
    n = strncmp(name, "cuda:", 5) ? -1 : strtol(name + 5, &end, 10);
    if (n < 0 || n >= MOST_DEVICES || !name[5] || *end)
        return hr_fail(HIRL_E_INVALID,
                       "backend: \"%s\" is none of auto, cpu, cuda, cuda:0 to cuda:%d", name,
                       MOST_DEVICES - 1);
    *device = (int32_t)n;
    return HIRL_OK;
}

hirl_status hr_backends_open(const hr_backend **backend, const char *name, const hr_host *host,
                             hirl_context *context)
{
    int32_t device = ANY_DEVICE;
    hirl_status status;
    char line[512];

    *backend = &hr_cpu;
    if (!strcmp(name, "cpu"))
        return HIRL_OK;
    if (strcmp(name, "auto")) {
        HR_TRY(device_of(&device, name));
        status = open_cuda(backend, host, device);
        return status < 0 ? HIRL_E_BACKEND_UNAVAILABLE : HIRL_OK;
    }
    status = open_cuda(backend, host, device);
    if (status >= 0)
        status = hr_backend_complete(*backend);
    if (status < 0) {
        *backend = &hr_cpu;
        snprintf(line, sizeof line, "backend: cpu; of CUDA: %s", hr_error_text());
        host->log(context, HIRL_LOG_DEBUG, line);
    }
    return HIRL_OK;
}
