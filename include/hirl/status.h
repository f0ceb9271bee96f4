/** @file status.h - the status that a call returns and, after a failure, its message.
 *
 *     hirl_status status = hirl_model_save(model, "model.safetensors");
 *
 *     if (status < 0)
 *         fprintf(stderr, "%s: %s\n", hirl_status_name(status), hirl_error_message());
 */
#ifndef HIRL_STATUS_H
#define HIRL_STATUS_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * HIRL_API marks a function that the library exports. HIRL_NODISCARD makes the compiler warn where
 * the caller ignores the result, because the status is the only sign of a failure.
 */
#if defined(__GNUC__)
#define HIRL_API __attribute__((visibility("default")))
#define HIRL_NODISCARD __attribute__((warn_unused_result))
#else
#define HIRL_API
#define HIRL_NODISCARD
#endif

/**
 * The result of a call: 0 or above is success, below 0 is failure. The numbers are frozen: they
 * never change, and a later version may append statuses. Treat an unknown negative number as a
 * failure, and an unknown positive number as success.
 */
typedef int32_t hirl_status;

/** The statuses, and what each means for the application. */
enum hirl_status_code {
    /** The call has done all that its description promises. */
    HIRL_OK = 0,
    /** Success without work: the run was finished before the call. This ends a loop around
     * hirl_train_step(). */
    HIRL_DONE = 1,
    /** Correct the argument or the option; the message gives its name, its value and what was
     * expected. Repeating the call without a change fails again. */
    HIRL_E_INVALID = -1,
    /** Memory of the host is exhausted. Release some, or use a smaller batch_size (accumulate=k
     * computes the same batch in k parts), and call again. */
    HIRL_E_NOMEM = -2,
    /** The operating system could not read or write; the message gives the file and the reason. */
    HIRL_E_IO = -3,
    /** The disk is full. The file that was to be replaced is still complete; make space and call
     * again. */
    HIRL_E_NOSPC = -4,
    /** The file is written, but the system did not confirm that it is on the disk (fsync failed).
     * It may be lost if the power fails. */
    HIRL_E_DURABILITY = -5,
    /** The file is not of the expected kind, or is damaged; the message gives the place and what
     * was expected. */
    HIRL_E_FORMAT = -6,
    /** A size is above a fixed limit that protects the application from files that claim too much
     * memory. */
    HIRL_E_LIMIT = -7,
    /** The data or the request is valid, but this build of the library does not support it. */
    HIRL_E_UNSUPPORTED = -8,
    /** The file was written by a newer libhirl, or a struct has newer fields that are not zero
     * (hirl.h, Structs); update the library. */
    HIRL_E_VERSION = -9,
    /** The call does not fit the present state of the object; the message states which call has to
     * come first. */
    HIRL_E_STATE = -10,
    /** hirl_cancel() or the progress callback has stopped the call. Nothing is lost: the same call
     * continues the work. */
    HIRL_E_CANCELED = -11,
    /** An input or a computed number is infinite or not a number; the message names the tensor, or
     * the row. A training step that fails so has changed nothing. */
    HIRL_E_NONFINITE = -12,
    /** An operation on the GPU failed; the message has the driver's reason. */
    HIRL_E_DEVICE = -13,
    /** Memory of the GPU is exhausted; otherwise as E_NOMEM. */
    HIRL_E_DEVICE_OOM = -14,
    /** The GPU can no longer be used by this process. Restart the process and resume from the last
     * checkpoint. */
    HIRL_E_DEVICE_LOST = -15,
    /** backend= names a backend that cannot be used on this machine. */
    HIRL_E_BACKEND_UNAVAILABLE = -16,
    /** The operation has no implementation with reproducible results. */
    HIRL_E_NONDETERMINISTIC = -17,
    /** The handle was made before fork() and is used in the child process. Make new handles in the
     * child. */
    HIRL_E_FORKED = -18,
    /** A function of the application returned a negative value, which hirl_error_callback_value()
     * returns. */
    HIRL_E_CALLBACK = -19,
    /** Another thread or process uses the object or the run directory. */
    HIRL_E_BUSY = -20,
    /** A defect of the library; please report it with hirl_build_info(). */
    HIRL_E_INTERNAL = -21
};

/**
 * Name of a status, as it is written in C.
 *
 * @param[in] status  any number
 * @return [] char, library-owned, valid until the process ends: "HIRL_E_FORMAT"; "unknown status"
 *         for a number that is no status
 *
 * Threads: safe. Since 0.1.
 */
HIRL_API const char *hirl_status_name(hirl_status status);

/**
 * Meaning of a status in a few words. The message of hirl_error_message() has the details.
 *
 * @param[in] status  any number
 * @return [] char, library-owned, valid until the process ends: "out of memory"; "unknown status"
 *         for a number that is no status
 *
 * Threads: safe. Since 0.1.
 */
HIRL_API const char *hirl_status_text(hirl_status status);

/**
 * Message of the last failure in the calling thread: one sentence with what was found and what was
 * expected. It is meaningful directly after a call that failed; successful calls do not change it.
 * Control characters, as of a file name, are replaced by '?'.
 *
 * @return [] char, library-owned, valid until the next failure in the same thread; never NULL, ""
 *         before the first failure
 *
 * Threads: safe. Since 0.1.
 */
HIRL_API const char *hirl_error_message(void);

/**
 * Value that a callback of the application returned, after a call of the same thread has failed
 * with HIRL_E_CALLBACK.
 *
 * @return the negative value; 0 if no callback has failed in this thread
 *
 * Threads: safe. Since 0.1.
 */
HIRL_API int32_t hirl_error_callback_value(void);

/**
 * Releases memory that a function has returned as "new, released with hirl_free()". Do not pass it
 * to free(), and do not pass a handle to this function: handles have their own hirl_..._destroy().
 *
 * @param[in] buffer  [any] bytes, caller-owned, released by the call; NULL: nothing happens
 *
 * Threads: safe. Since 0.1.
 */
HIRL_API void hirl_free(void *buffer);

#ifdef __cplusplus
}
#endif

#endif
