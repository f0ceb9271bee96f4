/** @file hirl.h - includes every public header of libhirl: hierarchical self-supervised image
 * representation learning (HIRL, Xu et al. 2022), and the tree of prototypes that it learns.
 *
 *     hirl_options *options;
 *     hirl_context *context;
 *     hirl_dataset *images;
 *     hirl_trainer *trainer;
 *
 *     if (hirl_options_create(&options) < 0 ||
 *         hirl_options_preset(options, "hirl-mocov2-small") < 0 ||
 *         hirl_context_create(&context, options) < 0 ||
 *         hirl_dataset_open(&images, context, "my/photos", options) < 0 ||
 *         hirl_trainer_create(&trainer, context, NULL, images, options) < 0 ||
 *         hirl_train_run(NULL, trainer) < 0)
 *         fprintf(stderr, "%s\n", hirl_error_message());
 *
 * Link with `pkg-config --cflags --libs hirl`. The headers are C99 and C++98.
 *
 * Words. The application is the program that links libhirl. The caller is the code of the
 * application that calls a function. The host is the CPU and its memory; a device is a GPU.
 *
 * Pointers. The description of each pointer (parameter, result or field of a struct) begins with
 *
 *     [shape] dtype, owner
 *
 *     shape   []       a string that ends with a NUL byte
 *             [1]      one object
 *             [n, d]   an array in row-major order, in host memory; the sizes are other parameters
 *                      or fields, or are explained in the description
 *             [any]    a block whose size only the application knows
 *             "[L] pointers to [n, d]" is an array of L pointers, each to one such array
 *     dtype   char (UTF-8), uint8, int32, int64, size (size_t), float32, float64, bytes (any data),
 *             struct (declared in these headers), handle (handles.h), function
 *     owner   caller-owned, read during the call       the library keeps no pointer to it
 *             caller-owned, used during the call       a handle that the call needs
 *             caller-owned, updated during the call    read and written, or a handle that changes
 *             caller-owned, written on success         unchanged after a failure
 *             caller-owned, written during the call    partly written after a failure
 *             caller-owned, kept until EVENT           must stay valid, and unchanged, until EVENT
 *             caller-owned, shared until EVENT         the library holds a reference until EVENT;
 *                                                      the caller may destroy its handle before
 *             caller-owned, released by the call       must not be used afterwards
 *             new, released with F()                   becomes the caller's, who releases it with F
 *             library-owned, valid until EVENT         must not be changed or released
 *             library-owned, updated by the callback   the application's function reads and writes
 *             library-owned, written by the callback   the application's function writes
 *
 * NULL is allowed as an argument only where the description states what it means ("NULL: ..."). In
 * a description of memory, "caller" also means the application whose callback the library calls. A
 * parameter `user` may be NULL; it is passed to the callback unchanged, and the library never reads
 * the memory behind it.
 *
 * Structs. Each struct begins with struct_size. Whoever makes the struct sets it, and all other
 * fields to zero, which means the default: the caller before a call, the library before a callback.
 * The library reads or writes no more than that many bytes, and never changes struct_size. Later
 * versions only append fields, so an application that was compiled with an older header keeps
 * working. One that was compiled with a newer header works as long as it leaves the fields that the
 * library does not know at zero; otherwise the call fails with HIRL_E_VERSION. A struct_size that
 * was not set (below its own size, or above 4096) is HIRL_E_INVALID.
 *
 * Threads. Each function has one of these classes:
 *
 *     safe                           any number of calls at once, also with the same handles
 *     one call per HANDLE at a time  no two calls of this class with the same handle at the same
 *                                    time; calls of class "safe" may run meanwhile
 *     exclusive                      no other call may use the handle at the same time
 *
 * Calls with different handles never exclude each other, also in one context: they share the
 * threads of the context.
 *
 * Callbacks. A function of the application gets `user` last, and `release` is called with it once
 * when the library lets go of it (handles.h). Unless described otherwise it returns 0 to go on,
 * above 0 to stop the call with HIRL_E_CANCELED, below 0 with HIRL_E_CALLBACK. It may call the
 * functions of status.h, version.h and options.h, hirl_cancel(), hirl_stop_request() and the like,
 * functions of class "safe", and all functions with handles of other contexts. A report function
 * may also call hirl_trainer_describe(), _options(), _judgement(), _model(), _tree(), _save(),
 * _to_memory(), _write() and _evaluate() with its trainer; a progress function the first three. An
 * image function must not read its own data set. No callback may destroy a handle of the running
 * call, or set the function that is running.
 *
 * Failures. A function that can fail returns a hirl_status (status.h). Unless it is described
 * otherwise, a failed call has changed nothing and may be repeated. Besides the errors that are
 * listed for a function, a call with a handle from before fork() returns HIRL_E_FORKED in the child
 * process, a call with a trainer that is at work in another call returns HIRL_E_BUSY, and a call
 * that computes on a GPU may return HIRL_E_DEVICE, HIRL_E_DEVICE_OOM or HIRL_E_DEVICE_LOST.
 */
#ifndef HIRL_HIRL_H
#define HIRL_HIRL_H

#include "cluster.h"
#include "context.h"
#include "dataset.h"
#include "eval.h"
#include "image.h"
#include "loss.h"
#include "method.h"
#include "model.h"
#include "options.h"
#include "status.h"
#include "stream.h"
#include "train.h"
#include "weights.h"
#include <hirl/version.h>

#endif
