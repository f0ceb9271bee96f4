/** @file context.h - hirl_context: backend, threads, log, progress and cancellation.
 *
 * Every object except hirl_options belongs to a context. The backend is chosen when the context is
 * made, at run time: the CPU, or an NVIDIA GPU through a module that is opened then.
 */
#ifndef HIRL_CONTEXT_H
#define HIRL_CONTEXT_H

#include <stddef.h>
#include <stdint.h>

#include "handles.h"
#include "status.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Levels of a log line, the most serious first. */
enum { HIRL_LOG_ERROR = 1, HIRL_LOG_WARNING = 2, HIRL_LOG_INFO = 3, HIRL_LOG_DEBUG = 4 };

/**
 * Receives one log line. The library calls it only on a thread that is in a libhirl call; calls of
 * several threads in one context may run it at the same time. hirl.h (Callbacks) states what it may
 * call. It must return: no longjmp, no C++ exception.
 *
 * @param[in] level  HIRL_LOG_ERROR to HIRL_LOG_DEBUG
 * @param[in] text   [] char, library-owned, valid until the callback returns; without a newline,
 *                   control characters are replaced by '?'
 * @param[in] user   [any] bytes, caller-owned, kept until another log is set
 */
typedef void hirl_log_fn(int32_t level, const char *text, void *user);

/**
 * Receives the progress of a long call. The library calls it only on the thread that made this
 * call; hirl.h (Callbacks) states what it may call. It must return: no longjmp, no C++ exception.
 *
 * @param[in] phase  [] char, library-owned, valid until the callback returns: "train", "extract",
 *                   "cluster", "evaluate", "embed", "knn", "colours", or one that a later
 *                   version adds
 * @param[in] done   finished units of the phase, 0 to total
 * @param[in] total  units of the phase: steps, images or iterations
 * @param[in] user   [any] bytes, caller-owned, kept until another progress is set
 * @return 0 to continue; above 0 to stop this call with HIRL_E_CANCELED, as hirl_cancel() does;
 *         below 0 to stop it with HIRL_E_CALLBACK
 */
typedef int32_t hirl_progress_fn(const char *phase, int64_t done, int64_t total, void *user);

/**
 * Makes a context.
 *
 * Environment variables supply what the options leave open: HIRL_BACKEND and HIRL_NUM_THREADS give
 * the values of the two keys, then OMP_NUM_THREADS the number of threads; HIRL_BACKEND_PATH is a
 * directory in which the GPU module is searched.
 *
 * @param[out] context  [1] handle, new, released with hirl_context_destroy(); NULL on failure
 * @param[in]  options  [1] handle, caller-owned, read during the call; keys backend (auto, cpu,
 *                      cuda or cuda:N, N being the number of the GPU) and threads (1 to 256, or
 *                      auto: one per core); NULL: the defaults, auto
 *
 * @retval HIRL_E_INVALID              an invalid value of an option or of a variable
 * @retval HIRL_E_BACKEND_UNAVAILABLE  an explicit backend cannot be used, with the reason; auto
 *                                     takes the CPU instead, and logs the reason (HIRL_LOG_DEBUG)
 * @retval HIRL_E_NOMEM
 *
 * Threads: safe. Since 0.1.
 */
HIRL_API HIRL_NODISCARD hirl_status hirl_context_create(hirl_context **context,
                                                        const hirl_options *options);

/**
 * Releases a context. Handles that were made from it stay usable.
 *
 * @param[in] context  [1] handle, caller-owned, released by the call; NULL: nothing happens
 *
 * Threads: exclusive. Calls with other handles of the context may run. Since 0.1.
 */
HIRL_API void hirl_context_destroy(hirl_context *context);

/**
 * Sets the function that receives log lines. Lines that were logged before the first call with the
 * context are passed to it at once.
 *
 * @param[in] context  [1] handle, caller-owned, used during the call; NULL: nothing happens
 * @param[in] level    the least serious level that is passed on: HIRL_LOG_ERROR to HIRL_LOG_DEBUG;
 *                     below: no line, above: all
 * @param[in] log      [1] function, caller-owned, kept until another log is set, or the context and
 *                     its handles are destroyed; NULL: no log, the default
 * @param[in] user     [any] bytes, caller-owned, kept until the same moment; passed to log
 * @param[in] release  [1] function, caller-owned, kept until it was called with user; NULL: none
 *
 * Threads: exclusive, also against calls with other handles of the context. Since 0.1.
 */
HIRL_API void hirl_context_set_log(hirl_context *context, int32_t level, hirl_log_fn *log,
                                   void *user, hirl_release_fn *release);

/**
 * Sets the function that receives the progress of long calls.
 *
 * @param[in] context   [1] handle, caller-owned, used during the call; NULL: nothing happens
 * @param[in] progress  [1] function, caller-owned, kept until another progress is set, or the
 *                      context and its handles are destroyed; NULL: none, the default
 * @param[in] user      [any] bytes, caller-owned, kept until the same moment; passed to progress
 * @param[in] release   [1] function, caller-owned, kept until it was called with user; NULL: none
 *
 * Threads: exclusive, also against calls with other handles of the context. Since 0.1.
 */
HIRL_API void hirl_context_set_progress(hirl_context *context, hirl_progress_fn *progress,
                                        void *user, hirl_release_fn *release);

/**
 * Stops all calls that run in this context: each returns HIRL_E_CANCELED, nothing is lost, and the
 * same call continues the work, with results of the same bits. A call that begins later is not
 * stopped; a hirl_stop also reaches the next call.
 *
 * A call stops within about 0.3 seconds, also inside a step, an operation or the decoding of an
 * image. A callback of the application, a single write to a file, and the short part of a step that
 * changes the weights are waited for. With several ranks a step is finished.
 *
 * @param[in] context  [1] handle, caller-owned, used during the call; NULL: nothing happens
 *
 * Threads: safe, also in a signal handler. Since 0.1.
 */
HIRL_API void hirl_cancel(hirl_context *context);

/**
 * Makes a stop: a request that belongs to the calls of the threads that use it. It stays until it
 * is cleared, so a request between two calls is not lost, and calls that use another stop, or none,
 * do not notice it.
 *
 * @param[out] stop  [1] handle, new, released with hirl_stop_destroy(); NULL on failure
 *
 * @retval HIRL_E_INVALID  stop is NULL
 * @retval HIRL_E_NOMEM
 *
 * Threads: safe. Since 0.1.
 */
HIRL_API HIRL_NODISCARD hirl_status hirl_stop_create(hirl_stop **stop);

/**
 * Releases a stop. No other thread may use it then; the calling thread uses none from then on, if
 * this was the one.
 *
 * @param[in] stop  [1] handle, caller-owned, released by the call; NULL: nothing happens
 *
 * Threads: exclusive. Since 0.1.
 */
HIRL_API void hirl_stop_destroy(hirl_stop *stop);

/**
 * Chooses the stop that this thread's calls use from now on, in any context. A call uses the one
 * that was chosen when it began.
 *
 * @param[in] stop  [1] handle, caller-owned, kept until the thread uses another one; NULL: none,
 *                  the default
 *
 * Threads: safe; each thread has its own choice. Since 0.1.
 */
HIRL_API void hirl_stop_use(const hirl_stop *stop);

/**
 * Stops the calls that use this stop, as hirl_cancel() does, and all later ones until the request
 * is cleared.
 *
 * @param[in] stop  [1] handle, caller-owned, used during the call; NULL: nothing happens
 *
 * Threads: safe, also in a signal handler. Since 0.1.
 */
HIRL_API void hirl_stop_request(hirl_stop *stop);

/**
 * Takes the request back: calls that begin later run.
 *
 * @param[in] stop  [1] handle, caller-owned, used during the call; NULL: nothing happens
 *
 * Threads: safe, also in a signal handler. Since 0.1.
 */
HIRL_API void hirl_stop_clear(hirl_stop *stop);

/**
 * Whether a request is set.
 *
 * @param[in] stop  [1] handle, caller-owned, read during the call; NULL: the result is 0
 * @return 1 from hirl_stop_request() until hirl_stop_clear(); otherwise 0
 *
 * Threads: safe, also in a signal handler. Since 0.1.
 */
HIRL_API int32_t hirl_stop_requested(const hirl_stop *stop);

/**
 * Name of the backend that the context uses.
 *
 * @param[in] context  [1] handle, caller-owned, read during the call; NULL: the result is ""
 * @return [] char, library-owned, valid until the process ends: "cpu" or "cuda"
 *
 * Threads: safe. Since 0.1.
 */
HIRL_API const char *hirl_context_backend(const hirl_context *context);

/**
 * Number of CPU threads that compute in this context, the calling thread included.
 *
 * @param[in] context  [1] handle, caller-owned, read during the call; NULL: the result is 0
 * @return threads, from 1
 *
 * Threads: safe. Since 0.1.
 */
HIRL_API int32_t hirl_context_threads(const hirl_context *context);

/**
 * Allocates memory for the library; it may run on any thread.
 *
 * @param[in] bytes      size of the block, from 1
 * @param[in] alignment  the address of the block must be a multiple of it: 64
 * @param[in] user       [any] bytes, caller-owned, kept until the process ends
 * @return [bytes] bytes, caller-owned, kept until the library passes it to the hirl_free_fn; NULL:
 *         out of memory
 */
typedef void *hirl_alloc_fn(size_t bytes, size_t alignment, void *user);

/**
 * Releases a block that the hirl_alloc_fn has returned; it may run on any thread.
 *
 * @param[in] block  [any] bytes, caller-owned, released by the call
 * @param[in] user   [any] bytes, caller-owned, kept until the process ends
 */
typedef void hirl_free_fn(void *block, void *user);

/**
 * Makes the library allocate through two functions of the application, instead of the C library.
 * It has to be called before the first handle is made. The libraries that decode images, JSON and
 * YAML continue to use their own allocator.
 *
 * @param[in] alloc    [1] function, caller-owned, kept until the process ends; NULL, with release
 *                     NULL: the C library again
 * @param[in] release  [1] function, caller-owned, kept until the process ends
 * @param[in] user     [any] bytes, caller-owned, kept until the process ends; passed to both
 *
 * @retval HIRL_E_STATE    the library has memory in use; the message gives the number of blocks
 * @retval HIRL_E_INVALID  only one of the two functions is given
 *
 * Threads: exclusive: no other libhirl call may run. Since 0.1.
 */
HIRL_API HIRL_NODISCARD hirl_status hirl_set_allocator(hirl_alloc_fn *alloc, hirl_free_fn *release,
                                                       void *user);

#ifdef __cplusplus
}
#endif

#endif
