/* build.c - describes this build of the library: compiler, BLAS, decoders. */
#include "build.h"

#include <pthread.h>
#include <stdio.h>

#include <cblas.h>
#include <jansson.h>
#include <png.h>
#include <yaml.h>
#include <zlib.h>
#if defined(__has_include)
#if __has_include(<jconfig.h>)
#include <jconfig.h> /* only this header has the version of libjpeg-turbo */
#endif
#endif

#include <hirl/version.h>

#define QUOTE(x) #x
#define TEXT_OF(x) QUOTE(x)
#ifdef LIBJPEG_TURBO_VERSION
#define TURBO_VERSION TEXT_OF(LIBJPEG_TURBO_VERSION)
#else
#define TURBO_VERSION "of unknown version"
#endif

enum { INFO = 1024 };

/* the __VERSION__ of clang begins with its name */
#ifdef __clang__
static const char compiler[] = __VERSION__;
#else
static const char compiler[] = "gcc " __VERSION__;
#endif

static char info[INFO];
static pthread_once_t info_once = PTHREAD_ONCE_INIT;

/* openblas_get_parallel returns 0: one thread, 1: its own threads, 2: OpenMP */
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
             HR_ABI, compiler, openblas_get_config(), blas_threads(), png_get_libpng_ver(NULL),
             zlibVersion(), jansson_version_str(), yaml_get_version_string());
}

const char *hr_build_info(void)
{
    pthread_once(&info_once, write_info);
    return info;
}
