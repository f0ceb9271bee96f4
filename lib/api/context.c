/* context.c - functions of <hirl/context.h>, and the keys of a context. */
#include "context.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/halt.h"
#include "base/option.h"

typedef struct context_config {
    char backend[HR_KEY_TEXT_BYTES];
    int64_t threads;
} context_config;

static const hr_key keys[] = {
    { "backend", HR_KEY_TEXT, "auto", 0, 0, NULL, false, "",
      "what computes: auto, cpu, cuda, or cuda:N for GPU number N",
      offsetof(context_config, backend) },
    { "threads", HR_KEY_INT, "auto", 1, 256, NULL, true, "threads",
      "number of CPU threads; auto: one per core", offsetof(context_config, threads) },
};

const hr_keys hr_context_keys = { "context", keys, sizeof keys / sizeof *keys };

/* stores the value of an environment variable, unless the caller or a file has set the key */
static hirl_status from_environment(void *field, const hr_key *key, const char *variable,
                                    const hirl_options *options)
{
    const hr_option *given = options ? hr_options_find(options, key->name) : NULL;
    const char *text = secure_getenv(variable);

    if (!text || !text[0] || (given && given->origin >= HR_FROM_FILE))
        return HIRL_OK;
    return hr_key_parse(field, key, text) < 0 ? hr_fail_in(HIRL_E_INVALID, variable) : HIRL_OK;
}

/* OMP_NUM_THREADS is meant for every library of an application: "4", or "4,2" by nesting depth. An
 * invalid value is ignored, because the variable is not this library's. */
static void threads_from_openmp(int64_t *threads)
{
    const char *text = secure_getenv("OMP_NUM_THREADS");
    char first[16];

    if (*threads != HR_AUTO || !text || !text[0])
        return;
    snprintf(first, sizeof first, "%.*s", (int)strcspn(text, ","), text);
    if (hr_key_parse(threads, &keys[1], first) < 0)
        *threads = HR_AUTO;
}

static hirl_status create(hirl_context **context, const hirl_options *options)
{
    context_config config;

    HR_TRY(hr_options_read(&config, &hr_context_keys, options));
    HR_TRY(from_environment(config.backend, &keys[0], "HIRL_BACKEND", options));
    HR_TRY(from_environment(&config.threads, &keys[1], "HIRL_NUM_THREADS", options));
    threads_from_openmp(&config.threads);
    return hr_context_create(context, config.backend,
                             config.threads == HR_AUTO ? 0 : (int)config.threads);
}

/* A success must not change the thread's message, although a GPU that is missing, or an ignored
 * variable, has set one. */
hirl_status hirl_context_create(hirl_context **context, const hirl_options *options)
{
    hirl_status status;
    hr_error before;

    if (!context)
        return hr_fail(HIRL_E_INVALID, "context_create: context is NULL");
    *context = NULL;
    hr_error_keep(&before, HIRL_OK);
    status = create(context, options);
    return status < 0 ? status : hr_error_raise(&before);
}

void hirl_context_destroy(hirl_context *context)
{
    hr_context_drop(context);
}

void hirl_context_set_log(hirl_context *context, int32_t level, hirl_log_fn *log, void *user,
                          hirl_release_fn *release)
{
    if (context)
        hr_context_set_log(context, level, log, (hr_user){ user, release });
}

void hirl_context_set_progress(hirl_context *context, hirl_progress_fn *progress, void *user,
                               hirl_release_fn *release)
{
    if (context)
        hr_context_set_progress(context, progress, (hr_user){ user, release });
}

void hirl_cancel(hirl_context *context)
{
    if (context)
        hr_context_cancel(context);
}

hirl_status hirl_stop_create(hirl_stop **stop)
{
    if (!stop)
        return hr_fail(HIRL_E_INVALID, "stop_create: stop is NULL");
    *stop = hr_alloc(sizeof **stop);
    if (!*stop)
        return HIRL_E_NOMEM;
    atomic_init(&(*stop)->requested, 0);
    return HIRL_OK;
}

void hirl_stop_destroy(hirl_stop *stop)
{
    if (stop && hr_stop_used() == stop)
        hr_stop_use(NULL);
    hr_free(stop);
}

void hirl_stop_use(const hirl_stop *stop)
{
    hr_stop_use(stop);
}

void hirl_stop_request(hirl_stop *stop)
{
    if (stop)
        atomic_store(&stop->requested, 1);
}

void hirl_stop_clear(hirl_stop *stop)
{
    if (stop)
        atomic_store(&stop->requested, 0);
}

int32_t hirl_stop_requested(const hirl_stop *stop)
{
    return stop ? atomic_load(&stop->requested) : 0;
}

const char *hirl_context_backend(const hirl_context *context)
{
    return context ? hr_context_backend(context)->name : "";
}

int32_t hirl_context_threads(const hirl_context *context)
{
    return context ? hr_pool_threads(hr_context_pool((hirl_context *)context)) : 0;
}
