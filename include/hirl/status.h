/** @file status.h - what a call answers: a status and, on failure, one clear sentence. */
#ifndef HIRL_STATUS_H
#define HIRL_STATUS_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define HIRL_API __attribute__((visibility("default")))
#define HIRL_NODISCARD __attribute__((warn_unused_result))
#else
#define HIRL_API
#define HIRL_NODISCARD
#endif

/** 0 or above: success; below: failure, and hirl_error_message() has the sentence. */
typedef int32_t hirl_status;

/* name, number (frozen), meaning */
#define HIRL_STATUS_MAP(S)                                                                         \
    S(OK, 0, "done")                                                                               \
    S(DONE, 1, "the last step of the run was made before this call")                               \
    S(E_INVALID, -1, "an argument or option that cannot be")                                       \
    S(E_NOMEM, -2, "out of memory")                                                                \
    S(E_IO, -3, "reading or writing failed")                                                       \
    S(E_NOSPC, -4, "no space left")                                                                \
    S(E_DURABILITY, -5, "written, but not certain to survive a power failure")                     \
    S(E_FORMAT, -6, "a damaged or foreign file")                                                   \
    S(E_LIMIT, -7, "larger than a limit that protects the program")                                \
    S(E_UNSUPPORTED, -8, "known, but not supported here")                                          \
    S(E_VERSION, -9, "written by a newer version")                                                 \
    S(E_STATE, -10, "not possible in the object's present state")                                  \
    S(E_CANCELED, -11, "stopped on request; nothing is lost")                                      \
    S(E_NONFINITE, -12, "a number that is not finite")                                             \
    S(E_DEVICE, -13, "the device failed")                                                          \
    S(E_DEVICE_OOM, -14, "out of device memory")                                                   \
    S(E_DEVICE_LOST, -15, "the device is lost: the process must start again")                      \
    S(E_BACKEND_UNAVAILABLE, -16, "the backend asked for cannot be used here")                     \
    S(E_NONDETERMINISTIC, -17, "not available with deterministic results")                         \
    S(E_FORKED, -18, "the handle was made before fork()")                                          \
    S(E_CALLBACK, -19, "the host's callback failed")                                               \
    S(E_BUSY, -20, "in use by another thread or process")                                          \
    S(E_INTERNAL, -21, "a fault of the library")

enum hirl_status_code {
#define HIRL_STATUS_ENUM(name, number, text) HIRL_##name = number,
    HIRL_STATUS_MAP(HIRL_STATUS_ENUM)
#undef HIRL_STATUS_ENUM
    HIRL_STATUS_CODE_END = 2
};

/** Name of a status ("HIRL_E_FORMAT"), "unknown status" for any other number. Static. Threads: safe. Since 0.1. */
HIRL_API const char *hirl_status_name(hirl_status status);
/** Meaning of a status in a few words. Static. Threads: safe. Since 0.1. */
HIRL_API const char *hirl_status_text(hirl_status status);

/**
 * The calling thread's last failure in one sentence: what was found, what was expected.
 *
 * Meaningful directly after a failing call; valid until the next failing call of the same thread;
 * successes leave it alone. Never NULL. Threads: safe. Since 0.1.
 */
HIRL_API const char *hirl_error_message(void);

/** After HIRL_E_CALLBACK: the negative value that the host's callback returned. Threads: safe. Since 0.1. */
HIRL_API int32_t hirl_error_callback_value(void);

/** Frees a buffer that a libhirl call returned as owned by the caller; NULL is fine. Threads: safe. Since 0.1. */
HIRL_API void hirl_free(void *buffer);

#ifdef __cplusplus
}
#endif

#endif
