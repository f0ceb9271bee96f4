/* status.c - functions of <hirl/status.h> and <hirl/version.h>, and hirl_set_allocator(). */
#include <hirl/status.h>

#include <hirl/context.h>
#include <hirl/version.h>

#include "base/alloc.h"
#include "base/error.h"
#include "build.h"

const char *hirl_status_name(hirl_status status)
{
    switch (status) {
#define NAME(name, number, text)                                                                   \
    case number:                                                                                   \
        return "HIRL_" #name;
        HIRL_STATUS_MAP(NAME)
#undef NAME
    }
    return "unknown status";
}

const char *hirl_status_text(hirl_status status)
{
    switch (status) {
#define TEXT(name, number, text)                                                                   \
    case number:                                                                                   \
        return text;
        HIRL_STATUS_MAP(TEXT)
#undef TEXT
    }
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
