/** @file method.h - a method of the host's own: method=own, and the functions that make it one.
 *
 * The library owns, trains, averages and keeps the networks that keys declare; the host computes the
 * loss of their outputs and its gradient.
 *
 *     method=own                      head="mlp 512 128 bn"  from the encoder to z0
 *     predictor="mlp 64 z bn"         after z0, of the trained network only; unset: none
 *     own_teacher=1                   an average of encoder and head (ema, ema_end) that sees all views
 *     recipe, and the keys of views   what an image is shown as; joint_views=0: each view on its own
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

/** What the networks made of a batch. Row (v, i) of an array is image i in view v; global views come
 * first. Arrays are in host memory, borrowed for the call. */
typedef struct hirl_method_step {
    size_t struct_size;         /**< set by the library */
    int64_t step;               /**< steps made before, from 0 */
    int64_t n;                  /**< images */
    int32_t views, globals;     /**< V views of each image, and how many of them are global ones */
    int64_t d;                  /**< columns of `student` */
    int64_t z_dim;              /**< columns of `z0` */
    int64_t teacher_dim;        /**< columns of `teacher`; 0: there is none */
    const float *student;       /**< [V, n, d] predictor or last layer; z0 where there is none */
    const float *z0;            /**< [V, n, z_dim] head; the same memory as `student` where that is z0 */
    const float *teacher;       /**< [V, n, teacher_dim] z0 of the teacher, or its last layer; NULL: none */
    const int64_t *image;       /**< [n] position of each image in the data set; in hirl_trainer_evaluate()
                                     -2 - its position in the held-out set */
    double temperature;         /**< the key */
    double teacher_temperature; /**< the scheduled number of this step */
    int32_t micro, micros;      /**< which micro-batch of how many; coupled: always 0 of 1 */
} hirl_method_step;

/**
 * Loss of a batch and its gradient. Runs on the thread that called the trainer, must not call into it,
 * and must not unwind through libhirl. A number that is not finite ends the step with
 * HIRL_E_NONFINITE. It may be asked twice about a step that then fails: what changes belongs to commit.
 *
 * loss:  [1] in nats, mean over the n images, 0 before the call; the batch's is the mean over its micro-batches
 * grad:  [V, n, d] d loss / d student, 0 before the call; NULL in evaluation: not wanted, and no commit follows
 *
 * Returns 0; below 0 the step fails with HIRL_E_CALLBACK and has changed nothing.
 */
typedef int32_t hirl_method_loss_fn(double *loss, float *grad, const hirl_method_step *step,
                                    void *user);
/** The step is about to be made: its loss and all gradients are finite. Once a step, after its losses; a
 * queue or a centre of the host's moves here, by what all micro-batches of the step came to. Returns 0; below 0:
 * the step is not made. */
typedef int32_t hirl_method_commit_fn(int64_t step, void *user);
/** The host's state for a checkpoint, as bytes. *size: in: bytes that fit into blob; out: bytes of the
 * state. blob NULL: only the size is asked for. Returns 0; below 0: the checkpoint is not written. */
typedef int32_t hirl_method_save_fn(void *blob, size_t *size, void *user);
/** Takes back what save gave. Returns 0; below 0: it cannot: no step is made until hirl_trainer_load() or
 * hirl_trainer_set_method(), whichever failed for it, succeeds. */
typedef int32_t hirl_method_load_fn(const void *blob, size_t size, void *user);

/** A method: all but struct_size, name and loss may be 0. */
typedef struct hirl_method_calls {
    size_t struct_size;            /**< set by the caller */
    const char *name;              /**< 1 to 63 bytes; a checkpoint tells it, and other names are refused */
    hirl_method_loss_fn *loss;
    hirl_method_commit_fn *commit;
    hirl_method_save_fn *save;
    hirl_method_load_fn *load;
    void *user;                    /**< handed to all */
    int32_t coupled; /**< 1: the loss couples images: accumulate=k still asks for it once, on the whole
                          batch, and encodes each micro-batch twice; 0: once a micro-batch. Where a run has
                          several processes, each is asked with its own rows only, and gradients are
                          averaged: what couples images across them is the host's to gather */
} hirl_method_calls;

/**
 * Gives a trainer of method=own its functions, before its first step; a later call replaces them.
 * Its networks are declared by keys: head and predictor as "mlp", the columns of each layer (numbers, in, hidden,
 * z) and words for all (bn, out_bn, bias, gelu, normal), as in "mlp hidden hidden z bn".
 *
 * Where the trainer was resumed (resume=1), or loaded before this call, the state that the checkpoint
 * holds is handed to `load` now.
 *
 * @param calls  copied, the name as well
 *
 * @retval HIRL_E_STATE     the run has another method, or the checkpoint holds a state and load is NULL
 * @retval HIRL_E_INVALID   no loss or no name, or another name or coupling than the run had before
 * @retval HIRL_E_CALLBACK  load failed: hirl_error_callback_value() is what it returned
 * Threads: one call per trainer at a time. Since 0.1.
 */
HIRL_API HIRL_NODISCARD hirl_status hirl_trainer_set_method(hirl_trainer *trainer,
                                                            const hirl_method_calls *calls);

#ifdef __cplusplus
}
#endif

#endif
