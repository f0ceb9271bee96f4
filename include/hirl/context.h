/** @file context.h - hirl_context: the backend chosen at run time, threads, messages, cancel. */
#ifndef HIRL_CONTEXT_H
#define HIRL_CONTEXT_H

#include <stddef.h>
#include <stdint.h>

#include "handles.h"
#include "status.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { HIRL_LOG_ERROR = 1, HIRL_LOG_WARNING = 2, HIRL_LOG_INFO = 3, HIRL_LOG_DEBUG = 4 };

/**
 * A line for the host, without a newline. Runs only on the thread that made the libhirl call: calls
 * of several threads in one context may run it at once.
 * Must not call back into the same handle and must not unwind through libhirl.
 */
typedef void hirl_log_fn(int32_t level, const char *text, void *user);

/**
 * Progress of a long call. phase: "train", "extract", "cluster", "embed", "knn", ...;
 * done of total units. Return 0 to go on, above 0 to stop as with hirl_cancel(), below 0 to fail
 * with HIRL_E_CALLBACK. Runs only on the thread that made the call; its answer is for that call alone.
 */
typedef int32_t hirl_progress_fn(const char *phase, int64_t done, int64_t total, void *user);

/**
 * Makes a context.
 *
 * @param[out] context  owned by the caller; NULL on failure
 * @param options       keys backend (auto, cpu, cuda, cuda:N), threads; NULL: their defaults, auto; read
 *                      during the call only
 *
 * @retval HIRL_E_INVALID              an option that cannot be
 * @retval HIRL_E_BACKEND_UNAVAILABLE  an explicit backend that cannot be used here, with the reason;
 *                                     `auto` never fails for that: it takes the CPU and logs why (HIRL_LOG_DEBUG)
 * @retval HIRL_E_NOMEM
 *
 * Reads the environment HIRL_BACKEND, HIRL_BACKEND_PATH, HIRL_NUM_THREADS (options win),
 * and OMP_NUM_THREADS where neither gives a number of threads.
 * Threads: safe. Since 0.1.
 */
HIRL_API HIRL_NODISCARD hirl_status hirl_context_create(hirl_context **context,
                                                        const hirl_options *options);

/** Ends a context; handles made from it stay usable and keep what they need. NULL is fine.
 * Threads: not while another call uses the context itself. Since 0.1. */
HIRL_API void hirl_context_destroy(hirl_context *context);

/** Where log lines go; NULL: nowhere (the default). Threads: one call per context at a time. Since 0.1. */
HIRL_API void hirl_context_set_log(hirl_context *context, hirl_log_fn *log, void *user);

/** Where progress goes; NULL: nowhere (the default). Threads: one call per context at a time. Since 0.1. */
HIRL_API void hirl_context_set_progress(hirl_context *context, hirl_progress_fn *progress,
                                        void *user);

/**
 * Stops the running call of this context, or the next one that takes long (training, clustering, embedding,
 * evaluation, a trainer that measures mean=auto; not the making of other handles): it returns HIRL_E_CANCELED with
 * nothing lost, calling it again goes on. NULL is fine. Threads: safe, also in signal handlers. Since 0.1.
 */
HIRL_API void hirl_cancel(hirl_context *context);

/** Name of the backend in use, "cpu" or "cuda". Borrowed. Threads: safe. Since 0.1. */
HIRL_API const char *hirl_context_backend(const hirl_context *context);
/** Threads in use, the caller included. Threads: safe. Since 0.1. */
HIRL_API int32_t hirl_context_threads(const hirl_context *context);

typedef void *hirl_alloc_fn(size_t bytes, size_t alignment, void *user);
typedef void hirl_free_fn(void *block, void *user);

/**
 * All memory that the library takes itself through the host's functions, from before the first handle on; what
 * image, JSON and YAML libraries take inside a call is theirs.
 *
 * @param alloc    returns a block of `bytes` at a multiple of `alignment` (64), or NULL
 * @param release  gives one back
 * @param user     handed to both
 *
 * @retval HIRL_E_STATE    something is allocated already
 * @retval HIRL_E_INVALID  only one of the two given
 *
 * Threads: not safe against any other call. Since 0.1.
 */
HIRL_API HIRL_NODISCARD hirl_status hirl_set_allocator(hirl_alloc_fn *alloc, hirl_free_fn *release,
                                                       void *user);

#ifdef __cplusplus
}
#endif

#endif
