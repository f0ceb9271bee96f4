/** @file stream.h - functions of the application that take or give the bytes of a file.
 *
 * hirl_model_write(), hirl_tree_write() and hirl_trainer_write() pass to the application the same
 * bytes that their save functions write to a file; the read functions ask for them. So models,
 * trees and checkpoints can lie in an archive, a data base or a network store.
 */
#ifndef HIRL_STREAM_H
#define HIRL_STREAM_H

#include <stddef.h>
#include <stdint.h>

#include "handles.h"
#include "status.h"

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Takes the next bytes of a file, from its begin to its end. It runs on the thread that made the
 * call. It must return: no longjmp, no C++ exception.
 *
 * @param[in] data   [bytes] bytes, library-owned, valid until the callback returns
 * @param[in] bytes  of data, from 1
 * @param[in] user   [any] bytes, caller-owned, kept until the call returns
 * @return 0 if all bytes were taken; above 0 to stop the call with HIRL_E_CANCELED, below 0 with
 *         HIRL_E_CALLBACK; what was taken before is then to be thrown away
 */
typedef int32_t hirl_write_fn(const void *data, size_t bytes, void *user);

/**
 * Gives bytes of a file. It runs on the thread that made the call. It must return: no longjmp, no
 * C++ exception.
 *
 * @param[out] data    [bytes] bytes, library-owned, written by the callback
 * @param[in]  bytes   wanted, from 1; all of them lie inside the file
 * @param[in]  offset  of the first of them in the file, from 0; the header is read first, then the
 *                     data in ascending order
 * @param[in]  user    [any] bytes, caller-owned, kept until the call returns
 * @return 0 if all bytes were given; above 0 to stop the call with HIRL_E_CANCELED, below 0 with
 *         HIRL_E_CALLBACK
 */
typedef int32_t hirl_read_fn(void *data, size_t bytes, int64_t offset, void *user);

#ifdef __cplusplus
}
#endif

#endif
