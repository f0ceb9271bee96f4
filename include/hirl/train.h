/** @file train.h - hirl_trainer: a training run (HIRL Alg. 2), one step at a time or as a whole.
 *
 * Stage 1 trains the method alone. From epoch cluster_warmup_epoch (T1 in the paper) on, stage 2
 * begins each epoch by extracting the features of all images and clustering them into a tree, and
 * adds the path loss over this tree to the method's loss:
 *
 *     loss = loss_image + spd_weight * loss_spd             (HIRL eq. 4)
 *
 * With task=linear a run is labelled instead: it trains a linear classifier on the frozen encoder
 * of a model (a linear probe), with the data set's labels of level label_level,
 *
 *     loss = mean over the images of -log softmax(W f(x) + b)[label]
 *
 * where f is the encoder's backbone in evaluation mode, and x one random crop of an image. Steps,
 * checkpoints and resuming work alike; there is no hierarchy, no teacher and no tree.
 *
 * A run is reproducible: the same options and images give the same bits on the same machine, for
 * any number of threads, and however often the run was stopped and resumed.
 */
#ifndef HIRL_TRAIN_H
#define HIRL_TRAIN_H

#include <stddef.h>
#include <stdint.h>

#include "handles.h"
#include "status.h"
#include "stream.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Report of a step, or of the last step of an epoch or a run. */
typedef struct hirl_step_report {
    /** bytes; set by the caller to sizeof(hirl_step_report) */
    size_t struct_size;
    /** optimiser steps made so far, and in the whole run */
    int64_t step, steps;
    /** epoch of the last step, from 0, and epochs of the whole run */
    int64_t epoch, epochs;
    /** images trained on so far, repetitions included */
    int64_t images;
    /** loss of the last step, in nats: loss_image + spd_weight * loss_spd (HIRL eq. 4), or the
     * cross-entropy of a labelled run, in which the next two are 0 */
    double loss;
    /** loss of the method, L_img, in nats */
    double loss_image;
    /** path loss, L_SPD, in nats; 0 in stage 1 */
    double loss_spd;
    /** learning rate of the last step */
    double rate;
    /** Euclidean norm of the gradient of the last step */
    double grad_norm;
    /** images per second over the last steps; 0, as the next two: no step was timed yet */
    double images_per_s;
    /** share of the time that steps waited for images, 0 to 1 */
    double data_wait;
    /** estimated seconds to the end of the run */
    double seconds_left;
    /** 1: the epoch of this step began with extraction and clustering */
    int32_t clustered;
    /** 1: the call wrote a checkpoint */
    int32_t saved;
    /** seconds of extraction and clustering in this call */
    double cluster_seconds;
    /** 1: the step was the last of its epoch; health_std, health_rank and
     * hirl_trainer_judgement() are new, except in a labelled run, which measures none of them */
    int32_t epoch_end;
    /** standard deviation of the columns of normalised z0 over a sample of images, times sqrt(d):
     * about 1 if healthy, 0 if collapsed */
    double health_std;
    /** effective number of directions of normalised z0 over the sample, 1 to d */
    double health_rank;
    /** share of images whose leaf the last clustering changed, 0 to 1; -1: it was the first */
    double churn;
    /** leaves without an image in the last clustering */
    int64_t empty_clusters;
    /** weight decay of the last step */
    double weight_decay;
    /** m of teacher <- m teacher + (1 - m) online after the last step; -1: there is no teacher */
    double teacher_momentum;
    /** temperature of the teacher of DINO or iBOT in the last step; -1: another method */
    double teacher_temperature;
    /** entropy of the targets of the first view in the last step (outputs of the teacher of DINO
     * and iBOT, assignments of SwAV), mean over the images, in nats; at most the logarithm of the
     * number of outputs, when the targets carry no information; -1: another method */
    double teacher_entropy;
    /** entropy of the mean of these targets over the images, in nats; exp of it is the number of
     * outputs in use; -1: another method */
    double usage_entropy;
    /** images of the smallest, the median and the largest leaf in the last clustering */
    int64_t smallest_leaf, median_leaf, largest_leaf;
    /** most host memory that the process has used so far (resident), in 10^9 bytes; it includes the
     * application and mapped files, not GPU memory; 0: unknown */
    double memory_gb;
    /** task=linear: share of the images of the batch that the classifier gets right, 0 to 1, before
     * the step updates it; -1: another task */
    double top1;
} hirl_step_report;

/** Score of a run on held-out images. */
typedef struct hirl_trainer_score {
    /** bytes; set by the caller to sizeof(hirl_trainer_score) */
    size_t struct_size;
    /** images that count: those of whole batches; in a labelled run, readable ones with a label */
    int64_t images;
    /** loss_image + spd_weight * loss_spd (HIRL eq. 4), in nats; 0, as the next two, in a labelled
     * run */
    double loss;
    /** loss of the method, L_img, in nats */
    double loss_image;
    /** path loss, L_SPD, in nats; 0 in stage 1 */
    double loss_spd;
    /** task=linear: share of the images that the classifier gets right, 0 to 1; -1: another task */
    double top1;
} hirl_trainer_score;

/** Description of a run. */
typedef struct hirl_trainer_info {
    /** bytes; set by the caller to sizeof(hirl_trainer_info) */
    size_t struct_size;
    /** optimiser steps made so far, in the whole run, and in an epoch */
    int64_t step, steps, epoch_steps;
    /** epoch of the next step, from 0, and epochs of the whole run; equal if the run is finished */
    int64_t epoch, epochs;
    /** images of a step */
    int64_t batch_size;
    /** 1: the run is finished, and hirl_train_step() returns HIRL_DONE */
    int32_t finished;
    /** levels of the tree that the run uses now; 0: it has none */
    int32_t levels;
    /** [] char, library-owned, valid until the process ends: "pretrain" or "linear" */
    const char *task;
    /** [] char, library-owned, valid until the process ends: method of the network, "mocov2" */
    const char *method;
    /** [] char, library-owned, valid until the trainer is destroyed: directory of the run, as the
     * key out gave it; "": none */
    const char *out;
} hirl_trainer_info;

/**
 * Starts a run, or resumes the one in the directory `out` with resume=1. If `out` holds no run, a
 * new one starts; unrelated files are left alone. In place of a damaged checkpoint the newest whole
 * one is used, with a warning that names both, and a finished run writes a lost or damaged model
 * again.
 *
 * With task=linear the run trains a classifier on the encoder of `start`, which is required for a
 * new run; the network and its input size are those of `start`, whatever the options say. Every
 * image needs a label of level label_level. Checkpoints hold the encoder too, so that a resumed run
 * needs no `start`. The last step writes the classifier, tensors fc.weight and fc.bias, to
 * classifier.safetensors.
 *
 * @param[out] trainer  [1] handle, new, released with hirl_trainer_destroy(); NULL on failure
 * @param[in]  context  [1] handle, caller-owned, used during the call
 * @param[in]  start    [1] handle, caller-owned, read during the call; model whose weights the run
 *                      begins with; if it is of another method, only its encoder is taken; ignored
 *                      when a run is resumed; NULL: random weights, drawn from seed, but not with
 *                      task=linear
 * @param[in]  dataset  [1] handle, caller-owned, shared until the trainer is destroyed; of the same
 *                      context; no other trainer may use it in this time
 * @param[in]  options  [1] handle, caller-owned, read during the call; keys method, arch,
 *                      batch_size, epochs, lr, prototypes and all others of a run; out: directory
 *                      of the run, which receives its settings, metrics, checkpoints and model;
 *                      empty: nothing is written; NULL: defaults
 *
 * @retval HIRL_E_INVALID   a NULL; options that contradict each other or do not fit the images,
 *                          with the numbers; resume=1 with overwrite=1; a data set of another
 *                          context; or a run to resume that was made with other options, or other
 *                          images (their number, kind, split, names, sample of pixels, or seed
 *                          differ); task=linear with hirl=1, for a new run without `start`, or with
 *                          an image that has no label
 * @retval HIRL_E_BUSY      another process uses the directory
 * @retval HIRL_E_STATE     the directory is not empty, and neither resume nor overwrite is set; or
 *                          it holds files with the names of a run's, but no run; or all checkpoints
 *                          of a run to resume are damaged
 * @retval HIRL_E_CANCELED, HIRL_E_CALLBACK  while colours are measured (mean=auto, std=auto)
 * @retval HIRL_E_IO, HIRL_E_NOSPC, HIRL_E_DURABILITY, HIRL_E_FORMAT, HIRL_E_VERSION, HIRL_E_LIMIT,
 *         HIRL_E_NOMEM, HIRL_E_UNSUPPORTED
 *
 * Threads: one call per data set at a time. Since 0.1.
 */
HIRL_API HIRL_NODISCARD hirl_status hirl_trainer_create(hirl_trainer **trainer,
                                                        hirl_context *context,
                                                        const hirl_model *start,
                                                        hirl_dataset *dataset,
                                                        const hirl_options *options);

/**
 * Releases a trainer. What it has written stays; steps after the last checkpoint are lost.
 *
 * @param[in] trainer  [1] handle, caller-owned, released by the call; NULL: nothing happens
 *
 * Threads: exclusive. Since 0.1.
 */
HIRL_API void hirl_trainer_destroy(hirl_trainer *trainer);

/**
 * Makes one optimiser step on the next batch. In stage 2, the first step of an epoch first extracts
 * and clusters the features of all images, and reports progress.
 *
 * With out=, the step that ends an epoch writes a checkpoint every save_every epochs, the last step
 * of the run also the model or the classifier, and metrics.jsonl receives a line every log_every
 * steps.
 *
 * Memory: after the first step of a stage, steps allocate nothing, except those that cluster or end
 * an epoch; they release what they allocate.
 *
 * @param[in,out] report   [1] struct, caller-owned, updated during the call; struct_size is set
 *                         before, the other fields are written when a step was made; NULL: not
 *                         wanted
 * @param[in,out] trainer  [1] handle, caller-owned, updated during the call
 *
 * @retval HIRL_DONE       the run was finished before the call; report is unchanged
 * @retval HIRL_E_CANCELED stopped on request; nothing is lost, and the same call continues the
 *                         work; report is unchanged unless a step was made
 * @retval HIRL_E_NONFINITE  a number is not finite; the message names the tensor and the step; the
 *                         trainer is as before the step
 * @retval HIRL_E_FORMAT   more than max_bad of the images are unreadable, those whose callback
 *                         failed included. They stay marked in the data set, so every further call
 *                         fails: after the cause is repaired, open the data set again
 * @retval HIRL_E_IO, HIRL_E_CALLBACK, HIRL_E_LIMIT, HIRL_E_UNSUPPORTED  an image is unreadable,
 *                         with on_bad_image=error
 * @retval HIRL_E_STATE    method=own without its functions, or a hirl_trainer_load() that failed
 *                         halfway
 * @retval HIRL_E_INVALID  trainer is NULL, or struct_size is not set
 * @retval HIRL_E_BUSY     another thread is in a call with the trainer
 * @retval HIRL_E_NOMEM    the trainer is as before the step
 *
 * Threads: one call per trainer at a time. Since 0.1.
 */
HIRL_API HIRL_NODISCARD hirl_status hirl_train_step(hirl_step_report *report,
                                                    hirl_trainer *trainer);

/**
 * Makes all steps to the end of the current epoch.
 *
 * @param[in,out] report   [1] struct, caller-owned, updated during the call; of the last step, as
 *                         in hirl_train_step(); NULL: not wanted
 * @param[in,out] trainer  [1] handle, caller-owned, updated during the call
 *
 * Errors: as hirl_train_step().
 *
 * Threads: one call per trainer at a time. Since 0.1.
 */
HIRL_API HIRL_NODISCARD hirl_status hirl_train_epoch(hirl_step_report *report,
                                                     hirl_trainer *trainer);

/**
 * Makes all steps to the end of the run.
 *
 * @param[in,out] report   [1] struct, caller-owned, updated during the call; of the last step, as
 *                         in hirl_train_step(); NULL: not wanted
 * @param[in,out] trainer  [1] handle, caller-owned, updated during the call
 *
 * Errors: as hirl_train_step().
 *
 * Threads: one call per trainer at a time. Since 0.1.
 */
HIRL_API HIRL_NODISCARD hirl_status hirl_train_run(hirl_step_report *report, hirl_trainer *trainer);

/**
 * Receives the report of a step. hirl_train_epoch() and hirl_train_run() call it after every step,
 * on the thread that called them, when the step is complete. It may call hirl_trainer_describe(),
 * hirl_trainer_options(), hirl_trainer_judgement(), hirl_trainer_model(), hirl_trainer_tree(),
 * hirl_trainer_save() and hirl_trainer_evaluate() with this trainer. It must return: no longjmp, no
 * C++ exception.
 *
 * @param[in] report  [1] struct, library-owned, valid until the callback returns
 * @param[in] user    [any] bytes, caller-owned, kept until another report function is set
 * @return 0 to continue; above 0 to stop the call with HIRL_E_CANCELED, below 0 with
 *         HIRL_E_CALLBACK; the step is made all the same
 */
typedef int32_t hirl_report_fn(const hirl_step_report *report, void *user);

/**
 * Sets the function that receives the report of every step.
 *
 * @param[in,out] trainer  [1] handle, caller-owned, updated during the call
 * @param[in]     report   [1] function, caller-owned, kept until another one is set or the trainer
 *                         is destroyed; hirl_report_print() is one; NULL: none, the default
 * @param[in]     user     [any] bytes, caller-owned, kept until the same moment; passed to report
 * @param[in]     release  [1] function, caller-owned, kept until it was called with user; NULL:
 *                         none
 *
 * @retval HIRL_E_INVALID  trainer is NULL
 * @retval HIRL_E_BUSY     the call comes from a callback of the trainer, or another thread is in a
 *                         call with the trainer
 *
 * Threads: one call per trainer at a time. Since 0.1.
 */
HIRL_API HIRL_NODISCARD hirl_status hirl_trainer_set_report(hirl_trainer *trainer,
                                                            hirl_report_fn *report, void *user,
                                                            hirl_release_fn *release);

/**
 * A report function that writes one line at the end of each epoch to a file of the application:
 * hirl_trainer_set_report(trainer, hirl_report_print, stdout, NULL).
 *
 * @param[in] report  [1] struct, caller-owned, read during the call
 * @param[in] user    [any] bytes, caller-owned, used during the call; a FILE of the C library, open
 *                    for writing; NULL: nothing is written
 * @return 0
 *
 * Threads: safe. Since 0.1.
 */
HIRL_API int32_t hirl_report_print(const hirl_step_report *report, void *user);

/**
 * Describes a run. In a report function, the step is the one that was just made.
 *
 * @param[in,out] info     [1] struct, caller-owned, updated during the call; struct_size is set
 *                         before, the other fields are written on success
 * @param[in]     trainer  [1] handle, caller-owned, read during the call
 *
 * @retval HIRL_E_INVALID  a NULL, or struct_size is not set
 *
 * Threads: one call per trainer at a time. Since 0.1.
 */
HIRL_API HIRL_NODISCARD hirl_status hirl_trainer_describe(hirl_trainer_info *info,
                                                          const hirl_trainer *trainer);

/**
 * The values of all keys of a run, as they are used: keys that were auto, or follow from others,
 * are filled in, and those of a resumed run come from its checkpoint. A run made of them is the
 * same run.
 *
 * @param[out] options  [1] handle, new, released with hirl_options_destroy(); NULL on failure
 * @param[in]  trainer  [1] handle, caller-owned, read during the call
 *
 * @retval HIRL_E_INVALID  a NULL
 * @retval HIRL_E_NOMEM
 *
 * Threads: one call per trainer at a time. Since 0.1.
 */
HIRL_API HIRL_NODISCARD hirl_status hirl_trainer_options(hirl_options **options,
                                                         const hirl_trainer *trainer);

/**
 * One sentence about the representation at the end of the last epoch: whether it is healthy or
 * collapsed, with the figures that led to it.
 *
 * @param[in] trainer  [1] handle, caller-owned, read during the call; NULL: the result is ""
 * @return [] char, library-owned, valid until the next step of the trainer; "" before the end of an
 *         epoch, and in a labelled run
 *
 * Threads: one call per trainer at a time. Since 0.1.
 */
HIRL_API const char *hirl_trainer_judgement(const hirl_trainer *trainer);

/**
 * Writes a checkpoint of the present state. A run that continues from it is equal to the bit.
 *
 * @param[in,out] trainer  [1] handle, caller-owned, updated during the call
 * @param[in]     path     [] char, caller-owned, read during the call; NULL: the directory of the
 *                         run
 *
 * @retval HIRL_E_INVALID    trainer is NULL, or there is neither a path nor a directory (out=)
 * @retval HIRL_E_NONFINITE  a weight is not finite; existing checkpoints stay
 * @retval HIRL_E_STATE      a hirl_trainer_load() failed halfway
 * @retval HIRL_E_CALLBACK   the application's hirl_method_save_fn failed
 * @retval HIRL_E_IO, HIRL_E_NOSPC, HIRL_E_DURABILITY, HIRL_E_NOMEM
 *
 * Threads: one call per trainer at a time. Since 0.1.
 */
HIRL_API HIRL_NODISCARD hirl_status hirl_trainer_save(hirl_trainer *trainer, const char *path);

/**
 * Writes a checkpoint into a new block of memory: the bytes that hirl_trainer_save() writes to a
 * file.
 *
 * @param[out]    data     [bytes] bytes, new, released with hirl_free(); NULL on failure
 * @param[out]    bytes    [1] size, caller-owned, written on success
 * @param[in,out] trainer  [1] handle, caller-owned, updated during the call
 *
 * Errors: as hirl_trainer_save(), without those of files.
 *
 * Threads: one call per trainer at a time. Since 0.1.
 */
HIRL_API HIRL_NODISCARD hirl_status hirl_trainer_to_memory(void **data, size_t *bytes,
                                                           hirl_trainer *trainer);

/**
 * Passes the bytes that hirl_trainer_save() writes to a file to a function of the application.
 *
 * @param[in,out] trainer  [1] handle, caller-owned, updated during the call
 * @param[in]     write    [1] function, caller-owned, kept until the call returns
 * @param[in]     user     [any] bytes, caller-owned, kept until the call returns; passed to write
 *
 * @retval HIRL_E_CALLBACK  write failed; hirl_error_callback_value() returns its result
 * @retval HIRL_E_CANCELED  write stopped the call
 *
 * Errors: as hirl_trainer_save(), without those of files.
 *
 * Threads: one call per trainer at a time. Since 0.1.
 */
HIRL_API HIRL_NODISCARD hirl_status hirl_trainer_write(hirl_trainer *trainer, hirl_write_fn *write,
                                                       void *user);

/**
 * Returns to a checkpoint of the same run. A file that another program wrote again is refused.
 * After a failure halfway, all calls with the trainer return HIRL_E_STATE, except this one,
 * hirl_trainer_from_memory(), hirl_trainer_read(), hirl_trainer_set_method(),
 * hirl_trainer_set_report() and hirl_trainer_destroy().
 *
 * @param[in,out] trainer  [1] handle, caller-owned, updated during the call
 * @param[in]     path     [] char, caller-owned, read during the call; a checkpoint file
 *
 * @retval HIRL_E_INVALID   a NULL, or a checkpoint of other options or images
 * @retval HIRL_E_CALLBACK  the application's hirl_method_load_fn failed
 * @retval HIRL_E_IO, HIRL_E_FORMAT, HIRL_E_VERSION, HIRL_E_LIMIT, HIRL_E_NOMEM
 *
 * Threads: one call per trainer at a time. Since 0.1.
 */
HIRL_API HIRL_NODISCARD hirl_status hirl_trainer_load(hirl_trainer *trainer, const char *path);

/**
 * Returns to a checkpoint in a block of memory that holds the bytes of a file.
 *
 * @param[in,out] trainer  [1] handle, caller-owned, updated during the call
 * @param[in]     data     [bytes] bytes, caller-owned, read during the call
 * @param[in]     bytes    of data
 *
 * Errors: as hirl_trainer_load(), without those of files.
 *
 * Threads: one call per trainer at a time. Since 0.1.
 */
HIRL_API HIRL_NODISCARD hirl_status hirl_trainer_from_memory(hirl_trainer *trainer,
                                                             const void *data, size_t bytes);

/**
 * Returns to a checkpoint whose bytes a function of the application gives.
 *
 * @param[in,out] trainer  [1] handle, caller-owned, updated during the call
 * @param[in]     read     [1] function, caller-owned, kept until the call returns
 * @param[in]     user     [any] bytes, caller-owned, kept until the call returns; passed to read
 * @param[in]     bytes    of the whole file
 *
 * @retval HIRL_E_CALLBACK  read failed; hirl_error_callback_value() returns its result
 * @retval HIRL_E_CANCELED  read stopped the call
 *
 * Errors: as hirl_trainer_load(), without those of files.
 *
 * Threads: one call per trainer at a time. Since 0.1.
 */
HIRL_API HIRL_NODISCARD hirl_status hirl_trainer_read(hirl_trainer *trainer, hirl_read_fn *read,
                                                      void *user, int64_t bytes);

/**
 * Copies a network of the trainer, as it is now, into a model. The heads h_l (layers "z1" to "zL")
 * are in the online network only.
 *
 * @param[out] model    [1] handle, new, released with hirl_model_destroy(); NULL on failure
 * @param[in]  trainer  [1] handle, caller-owned, read during the call
 * @param[in]  network  [] char, caller-owned, read during the call; "online", "teacher" or "auto"
 *                      (the one that the method evaluates); NULL: "auto"
 *
 * @retval HIRL_E_INVALID  a NULL, another name, or "teacher" in a method without one
 * @retval HIRL_E_STATE    a labelled run, which trains no network; or a hirl_trainer_load() failed
 *                         halfway
 * @retval HIRL_E_NOMEM
 *
 * Threads: one call per trainer at a time. Since 0.1.
 */
HIRL_API HIRL_NODISCARD hirl_status hirl_trainer_model(hirl_model **model,
                                                       const hirl_trainer *trainer,
                                                       const char *network);

/**
 * The tree that the trainer uses now. The trainer replaces it at the next clustering; this handle
 * keeps the present one.
 *
 * @param[out] tree     [1] handle, new, released with hirl_tree_destroy(); NULL on failure
 * @param[in]  trainer  [1] handle, caller-owned, read during the call
 *
 * @retval HIRL_E_INVALID  a NULL
 * @retval HIRL_E_STATE    there is no tree yet (stage 1) or never (a labelled run), or a
 *                         hirl_trainer_load() failed halfway
 *
 * Threads: one call per trainer at a time. Since 0.1.
 */
HIRL_API HIRL_NODISCARD hirl_status hirl_trainer_tree(hirl_tree **tree,
                                                      const hirl_trainer *trainer);

/**
 * Makes the trainer use a tree of the application for the path loss, from the next step on. The
 * trainer no longer clusters, until this function is called with NULL.
 *
 * @param[in,out] trainer  [1] handle, caller-owned, updated during the call
 * @param[in]     tree     [1] handle, caller-owned, shared until the trainer is destroyed or gets
 *                         another tree; with as many levels and columns as the heads h_l; NULL: the
 *                         trainer clusters again
 * @param[in]     leaf     [count] int32, caller-owned, read during the call; leaf of each image of
 *                         the data set, -1: none; NULL: only with tree NULL
 *
 * @retval HIRL_E_INVALID  a NULL, a leaf outside the tree, or a tree of other levels or columns
 * @retval HIRL_E_STATE    a labelled run, or a hirl_trainer_load() failed halfway
 * @retval HIRL_E_NOMEM
 *
 * Threads: one call per trainer at a time. Since 0.1.
 */
HIRL_API HIRL_NODISCARD hirl_status hirl_trainer_set_tree(hirl_trainer *trainer,
                                                          const hirl_tree *tree,
                                                          const int32_t *leaf);

/**
 * Computes the loss (HIRL eq. 4) on held-out images, averaged over whole batches. The trainer does
 * not change. A held-out image belongs to the leaf that is nearest to its features.
 *
 * In a labelled run, the call classifies the held-out images instead, each as
 * hirl_model_embed_dataset() sees it, and sets top1, the share of right answers.
 *
 * @param[in,out] score     [1] struct, caller-owned, updated during the call; struct_size is set
 *                          before, the other fields are written on success
 * @param[in,out] trainer   [1] handle, caller-owned, updated during the call; the same state after
 *                          it
 * @param[in,out] held_out  [1] handle, caller-owned, updated during the call; of the trainer's
 *                          context, at least batch_size images (a labelled run: at least one,
 *                          with the classes of the training images); unreadable ones are marked
 *
 * @retval HIRL_E_INVALID   a NULL, fewer images than a batch, or a data set of another context; in
 *                          a labelled run: other classes, or no readable image with a label
 * @retval HIRL_E_CANCELED  stopped on request
 * @retval HIRL_E_FORMAT    more than max_bad of the images are unreadable
 * @retval HIRL_E_STATE     as in hirl_train_step()
 * @retval HIRL_E_NONFINITE, HIRL_E_IO, HIRL_E_CALLBACK, HIRL_E_NOMEM
 *
 * Threads: one call per trainer at a time. Since 0.1.
 */
HIRL_API HIRL_NODISCARD hirl_status hirl_trainer_evaluate(hirl_trainer_score *score,
                                                          hirl_trainer *trainer,
                                                          hirl_dataset *held_out);

#ifdef __cplusplus
}
#endif

#endif
