/* status.c - names of statuses, the last message, the allocator, and which libhirl this is. */
#include <hirl/status.h>

#include <pthread.h>
#include <stdio.h>

#include <cblas.h>
#include <jansson.h>
#include <png.h>
#include <yaml.h>
#include <zlib.h>
#if defined(__has_include)
#if __has_include(<jconfig.h>)
#include <jconfig.h> /* the only place where libjpeg-turbo tells its version */
#endif
#endif

#include <hirl/context.h>
#include <hirl/version.h>

#include "base/alloc.h"
#include "base/error.h"

#define QUOTE(x) #x
#define TEXT_OF(x) QUOTE(x)
#ifdef LIBJPEG_TURBO_VERSION
#define TURBO_VERSION TEXT_OF(LIBJPEG_TURBO_VERSION)
#else
#define TURBO_VERSION "of unknown version"
#endif

enum { ABI = 1, INFO = 1024 };

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
    return ABI;
}

/* clang's __VERSION__ begins with its name */
#ifdef __clang__
static const char compiler[] = __VERSION__;
#else
static const char compiler[] = "gcc " __VERSION__;
#endif

static char info[INFO];
static pthread_once_t info_once = PTHREAD_ONCE_INIT;

/* openblas_get_parallel: 0 one thread, 1 its own threads, 2 OpenMP */
static const char *blas_threads(void)
{
    static const char *const name[] = { "serial", "pthread", "OpenMP" };
    int parallel = openblas_get_parallel();

    return parallel >= 0 && parallel < 3 ? name[parallel] : "unknown threading";
}

static void write_info(void)
{
    snprintf(info, sizeof info,
             "libhirl " HIRL_VERSION_STRING
             " (abi %d); compiler: %s; backends: cpu; blas: %s (%s); libjpeg-turbo " TURBO_VERSION
             "; libpng %s; zlib %s; jansson %s; libyaml %s",
             ABI, compiler, openblas_get_config(), blas_threads(), png_get_libpng_ver(NULL),
             zlibVersion(), jansson_version_str(), yaml_get_version_string());
}

const char *hirl_build_info(void)
{
    pthread_once(&info_once, write_info);
    return info;
}
