/* partial_module.c - a backend module with an almost empty table (tests/parity/test_module.c). */
#include <string.h>

#include "host.h"

__attribute__((visibility("default"))) hr_module_open_fn hr_module_open;

hirl_status hr_module_open(hr_backend *backend, const hr_host *host, uint32_t abi,
                           const char *build_id, const hr_opening *opening)
{
    (void)opening;
    if (abi != HR_MODULE_ABI || strcmp(build_id, host->build_id) != 0)
        return host->fail(HIRL_E_BACKEND_UNAVAILABLE,
                          "partial: the module and the library are from different builds");
    backend->name = "partial";
    return HIRL_OK;
}
