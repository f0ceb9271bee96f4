/* backend.c - opens the CPU table, or a module by dlopen. */
#include "backend.h"

#include <string.h>

#include "base/error.h"
#include "context.h"

static hirl_status open_cuda(const hr_backend **backend, const char *device)
{
    (void)backend;
    return hr_fail(HIRL_E_BACKEND_UNAVAILABLE, "%s: this build has no CUDA module", device);
}

hirl_status hr_backend_open(const hr_backend **backend, hirl_context *context, const char *name)
{
    bool automatic = !strcmp(name, "auto");

    *backend = &hr_cpu;
    if (!strcmp(name, "cpu"))
        return HIRL_OK;
    if (!automatic && strncmp(name, "cuda", 4))
        return hr_fail(HIRL_E_INVALID, "backend: \"%s\" is none of auto, cpu, cuda, cuda:N", name);
    if (open_cuda(backend, automatic ? "cuda" : name) >= 0)
        return HIRL_OK;
    if (!automatic)
        return HIRL_E_BACKEND_UNAVAILABLE;
    hr_log(context, HIRL_LOG_INFO, "backend: cpu (%s)", hr_error_text());
    return HIRL_OK;
}
