/* status.c - functions of <hirl/status.h> and <hirl/version.h>, and hirl_set_allocator(). */
#include <hirl/status.h>

#include <hirl/context.h>
#include <hirl/version.h>

#include "base/alloc.h"
#include "base/error.h"
#include "build.h"

/* every status of <hirl/status.h>; tests/unit/api/test_status.c compares the two */
static const struct {
    hirl_status status;
    const char *name, *text;
} statuses[] = {
    { HIRL_OK, "HIRL_OK", "success" },
    { HIRL_DONE, "HIRL_DONE", "the run was finished before this call" },
    { HIRL_E_INVALID, "HIRL_E_INVALID", "invalid argument or option" },
    { HIRL_E_NOMEM, "HIRL_E_NOMEM", "out of memory" },
    { HIRL_E_IO, "HIRL_E_IO", "reading or writing failed" },
    { HIRL_E_NOSPC, "HIRL_E_NOSPC", "no space left on the disk" },
    { HIRL_E_DURABILITY, "HIRL_E_DURABILITY", "written, but not confirmed to be on the disk" },
    { HIRL_E_FORMAT, "HIRL_E_FORMAT", "a damaged file, or not of the expected kind" },
    { HIRL_E_LIMIT, "HIRL_E_LIMIT", "above a fixed limit" },
    { HIRL_E_UNSUPPORTED, "HIRL_E_UNSUPPORTED", "not supported" },
    { HIRL_E_VERSION, "HIRL_E_VERSION", "of a newer version" },
    { HIRL_E_STATE, "HIRL_E_STATE", "not possible in the present state of the object" },
    { HIRL_E_CANCELED, "HIRL_E_CANCELED", "stopped on request; nothing is lost" },
    { HIRL_E_NONFINITE, "HIRL_E_NONFINITE", "a number is not finite" },
    { HIRL_E_DEVICE, "HIRL_E_DEVICE", "the device failed" },
    { HIRL_E_DEVICE_OOM, "HIRL_E_DEVICE_OOM", "out of device memory" },
    { HIRL_E_DEVICE_LOST, "HIRL_E_DEVICE_LOST", "the device is lost; restart the process" },
    { HIRL_E_BACKEND_UNAVAILABLE, "HIRL_E_BACKEND_UNAVAILABLE",
      "the requested backend is not available" },
    { HIRL_E_NONDETERMINISTIC, "HIRL_E_NONDETERMINISTIC",
      "not available with deterministic results" },
    { HIRL_E_FORKED, "HIRL_E_FORKED", "the handle was made before fork()" },
    { HIRL_E_CALLBACK, "HIRL_E_CALLBACK", "a callback of the application failed" },
    { HIRL_E_BUSY, "HIRL_E_BUSY", "in use by another thread or process" },
    { HIRL_E_INTERNAL, "HIRL_E_INTERNAL", "a defect of the library" },
};

const char *hirl_status_name(hirl_status status)
{
    for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++)
        if (statuses[i].status == status)
            return statuses[i].name;
    return "unknown status";
}

const char *hirl_status_text(hirl_status status)
{
    for (size_t i = 0; i < sizeof statuses / sizeof *statuses; i++)
        if (statuses[i].status == status)
            return statuses[i].text;
    return "unknown status";
}

const char *hirl_error_message(void)
{
    return hr_error_text();
}

int32_t hirl_error_callback_value(void)
{
    return hr_error_callback();
}

void hirl_free(void *buffer)
{
    hr_free(buffer);
}

hirl_status hirl_set_allocator(hirl_alloc_fn *alloc, hirl_free_fn *release, void *user)
{
    return hr_alloc_hook(alloc, release, user);
}

const char *hirl_version(void)
{
    return HIRL_VERSION_STRING;
}

int32_t hirl_version_number(void)
{
    return HIRL_VERSION_MAJOR * 10000 + HIRL_VERSION_MINOR * 100 + HIRL_VERSION_PATCH;
}

int32_t hirl_abi_version(void)
{
    return HR_ABI;
}

const char *hirl_build_info(void)
{
    return hr_build_info();
}
