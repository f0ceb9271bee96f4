/** @file handles.h - the opaque handles of libhirl.
 *
 * Each handle is made by a function that returns it through its first parameter, and is released by
 * its hirl_..._destroy(), which accepts NULL. Handles may be destroyed in any order: a handle keeps
 * what it needs of the handles from which it was made.
 */
#ifndef HIRL_HANDLES_H
#define HIRL_HANDLES_H

typedef struct hirl_context hirl_context; /**< backend, threads and callbacks: context.h */
typedef struct hirl_stop hirl_stop;       /**< a request to stop calls: context.h */
typedef struct hirl_options hirl_options; /**< values of keys: options.h */
typedef struct hirl_dataset hirl_dataset; /**< a source of images: dataset.h */
typedef struct hirl_model hirl_model;     /**< an encoder with its heads: model.h */
typedef struct hirl_trainer hirl_trainer; /**< a training run: train.h */
typedef struct hirl_tree hirl_tree;       /**< prototypes and the tree above them: cluster.h */

/**
 * Releases what a `user` or a `token` of the application refers to. The library calls it once, when
 * it will not use the pointer again: another function was set, or the last handle that needs it is
 * gone. It runs on the thread that causes this, and must return: no longjmp, no C++ exception.
 *
 * @param[in] user  [any] bytes, caller-owned, released by the call
 */
typedef void hirl_release_fn(void *user);

#endif
