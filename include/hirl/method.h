/** @file method.h - a self-supervised method of the application (method=own).
 *
 * The library makes, trains, averages and saves the networks, which keys declare. The application
 * computes the loss from their outputs, and its gradient.
 *
 *     method=own
 *     head="mlp 512 128 bn"        from the encoder to z0: columns of each linear layer (a number;
 *                                  or in, hidden, z for the columns that other keys give), then
 *                                  words for all layers: bn, out_bn, bias, gelu, normal
 *     predictor="mlp 64 z bn"      after z0, in the online network only; empty: none
 *     own_teacher=1                adds a teacher, the moving average (ema, ema_end) of encoder and
 *                                  head, which encodes all views
 *     recipe=..., and other keys   how views are made of an image; with joint_views=0 each view is
 *                                  encoded on its own
 *
 * V is the number of views, n the number of images, d the number of columns of an output. Row (v,
 * i) of an array [V, n, d] belongs to view v of image i; global views come first.
 */
#ifndef HIRL_METHOD_H
#define HIRL_METHOD_H

#include <stddef.h>
#include <stdint.h>

#include "handles.h"
#include "status.h"

#ifdef __cplusplus
extern "C" {
#endif

/** The outputs of the networks for one batch, or for one micro-batch of it (accumulate=k). */
typedef struct hirl_method_step {
    /** bytes; set by the library to sizeof(hirl_method_step) */
    size_t struct_size;
    /** optimiser steps that were made before this one, from 0 */
    int64_t step;
    /** n, number of images */
    int64_t n;
    /** V, views of each image, and how many of them are global */
    int32_t views, globals;
    /** columns of student */
    int64_t d;
    /** columns of z0 */
    int64_t z_dim;
    /** columns of teacher; 0: there is no teacher */
    int64_t teacher_dim;
    /** [V, n, d] float32, library-owned, valid until the callback returns; output of the online
     * network: of the predictor or the last layer, or z0 if there is none */
    const float *student;
    /** [V, n, z_dim] float32, library-owned, valid until the callback returns; z0 of the online
     * network; equal to student if nothing follows z0 */
    const float *z0;
    /** [V, n, teacher_dim] float32, library-owned, valid until the callback returns; output of the
     * teacher: of its last layer, or z0; NULL: there is no teacher */
    const float *teacher;
    /** [n] int64, library-owned, valid until the callback returns; number i of each image in the
     * data set; in hirl_trainer_evaluate() -2 - i for number i of the held-out data set */
    const int64_t *image;
    /** value of the key temperature */
    double temperature;
    /** temperature of the teacher that the schedule gives for this step */
    double teacher_temperature;
    /** number of this micro-batch, from 0, and how many the step has; 0 and 1 if coupled */
    int32_t micro, micros;
} hirl_method_step;

/**
 * Computes the loss of a micro-batch, and its gradient. The loss of the batch is the mean over its
 * micro-batches. A loss or gradient that is not finite ends the step with HIRL_E_NONFINITE.
 *
 * The library may call this twice for a step that then fails, so the function must not change state
 * of the method; hirl_method_commit_fn does. It runs on the thread that called the trainer, must
 * not call libhirl with this trainer, and must return: no longjmp, no C++ exception.
 *
 * @param[out] loss  [1] float64, library-owned, written by the callback; mean over the n images, in
 *                   nats; 0 before
 * @param[out] grad  [V, n, d] float32, library-owned, written by the callback; d loss / d student;
 *                   0 before; NULL: an evaluation, which needs no gradient and has no commit
 * @param[in]  step  [1] struct, library-owned, valid until the callback returns
 * @param[in]  user  [any] bytes, caller-owned, kept until the trainer is destroyed; field user
 * @return 0; below 0: the step fails with HIRL_E_CALLBACK, above 0 with HIRL_E_CANCELED; it changes
 *         nothing then
 */
typedef int32_t hirl_method_loss_fn(double *loss, float *grad, const hirl_method_step *step,
                                    void *user);

/**
 * Commits a step: updates the method's own state (a queue, a centre) from what its losses saw. The
 * library calls it once per step, after the losses of all micro-batches, when loss and gradients
 * are known to be finite, and then updates the networks.
 *
 * @param[in] step  optimiser steps that were made before this one, from 0
 * @param[in] user  [any] bytes, caller-owned, kept until the trainer is destroyed; field user
 * @return 0; below 0: the step fails with HIRL_E_CALLBACK, above 0 with HIRL_E_CANCELED, and the
 *         networks do not change
 */
typedef int32_t hirl_method_commit_fn(int64_t step, void *user);

/**
 * Writes the method's own state for a checkpoint. The library calls it twice: first with blob NULL
 * for the size, then with memory of this size.
 *
 * @param[out]    blob  [*size] bytes, library-owned, written by the callback; NULL: only the size
 *                      is wanted
 * @param[in,out] size  [1] size, library-owned, updated by the callback; before: bytes that fit
 *                      into blob; after: bytes of the state
 * @param[in]     user  [any] bytes, caller-owned, kept until the trainer is destroyed; field user
 * @return 0; below 0: the checkpoint is not written, and the call fails with HIRL_E_CALLBACK, above
 *         0 with HIRL_E_CANCELED
 */
typedef int32_t hirl_method_save_fn(void *blob, size_t *size, void *user);

/**
 * Restores the state that hirl_method_save_fn wrote.
 *
 * @param[in] blob  [size] bytes, library-owned, valid until the callback returns
 * @param[in] size  bytes of blob
 * @param[in] user  [any] bytes, caller-owned, kept until the trainer is destroyed; field user
 * @return 0; otherwise the state was not restored, and steps return HIRL_E_STATE until the call
 * that
 *         failed, hirl_trainer_load() or hirl_trainer_set_method(), succeeds
 */
typedef int32_t hirl_method_load_fn(const void *blob, size_t size, void *user);

/** A method. All fields except struct_size, name and loss may be 0. */
typedef struct hirl_method_calls {
    /** bytes; set by the caller to sizeof(hirl_method_calls) */
    size_t struct_size;
    /** [] char, caller-owned, read during the call; 1 to 63 bytes; checkpoints have it, and a
     * checkpoint with another name is refused */
    const char *name;
    /** [1] function, caller-owned, kept until the trainer is destroyed or gets another method */
    hirl_method_loss_fn *loss;
    /** [1] function, caller-owned, kept until the same moment; NULL: the method has no state that
     * steps change */
    hirl_method_commit_fn *commit;
    /** [1] function, caller-owned, kept until the same moment; NULL: no state in checkpoints */
    hirl_method_save_fn *save;
    /** [1] function, caller-owned, kept until the same moment; NULL: no state in checkpoints */
    hirl_method_load_fn *load;
    /** [any] bytes, caller-owned, kept until the same moment; passed to all four functions */
    void *user;
    /** 1: the loss couples the images of a batch (contrast, batch statistics). With accumulate=k it
     * is then called once, for the whole batch, and each micro-batch is encoded twice. 0: it is
     * called once per micro-batch. In a run of several ranks each rank's loss gets the rank's own
     * images, and gradients are averaged; gathering rows of other ranks is up to the application */
    int32_t coupled;
    /** [1] function, caller-owned, kept until it was called with user; NULL: none */
    hirl_release_fn *release;
} hirl_method_calls;

/**
 * Gives a trainer of method=own its functions, before its first step. A later call replaces them.
 *
 * If the trainer was resumed (resume=1), or loaded before this call, and the checkpoint holds state
 * of the method, the library passes this state to load now.
 *
 * @param[in,out] trainer  [1] handle, caller-owned, updated during the call
 * @param[in]     calls    [1] struct, caller-owned, read during the call
 *
 * @retval HIRL_E_STATE     the run has another method than own, or the checkpoint holds state and
 *                          load is NULL
 * @retval HIRL_E_INVALID   a NULL, no loss, no name or one above 63 bytes, or another name or
 *                          coupled than the run had before
 * @retval HIRL_E_CALLBACK  load failed; hirl_error_callback_value() returns its result
 *
 * Threads: one call per trainer at a time. Since 0.1.
 */
HIRL_API HIRL_NODISCARD hirl_status hirl_trainer_set_method(hirl_trainer *trainer,
                                                            const hirl_method_calls *calls);

#ifdef __cplusplus
}
#endif

#endif
