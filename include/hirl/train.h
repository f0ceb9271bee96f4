/** @file train.h - hirl_trainer: a training run (HIRL Alg. 2), step by step or whole. */
#ifndef HIRL_TRAIN_H
#define HIRL_TRAIN_H

#include <stddef.h>
#include <stdint.h>

#include "handles.h"
#include "status.h"

#ifdef __cplusplus
extern "C" {
#endif

/** What one step, epoch or run did. */
typedef struct hirl_step_report {
    size_t struct_size;   /**< set by the caller */
    int64_t step, steps;  /**< optimiser steps made, and in the whole run */
    int64_t epoch, epochs;/**< epoch of the last step (from 0), and in the whole run */
    int64_t images;       /**< images seen so far */
    double loss;          /**< of the last step, in nats: image loss + spd_weight * path loss (eq. 4) */
    double loss_image;    /**< L_img */
    double loss_spd;      /**< L_SPD; 0 in stage 1 */
    double rate;          /**< learning rate of the last step */
    double grad_norm;     /**< |gradient| of the last step */
    double images_per_s;  /**< over the last steps; 0, as the two below: no step was timed yet */
    double data_wait;     /**< share of the time spent waiting for data, 0 to 1 */
    double seconds_left;  /**< estimate for the whole run */
    int32_t clustered;    /**< 1: the epoch of this step began with extraction and clustering */
    int32_t saved;        /**< 1: a checkpoint was written in this call */
    double cluster_seconds; /**< extraction and clustering in this call */
    int32_t epoch_end;    /**< 1: the last step of an epoch; the health figures are fresh */
    double health_std;    /**< std of normalised z0 over a sample, times sqrt(d): 1 healthy, 0 collapsed */
    double health_rank;   /**< effective rank of z0 over the sample */
    double churn;         /**< share of images whose leaf changed in the last clustering; -1: first */
    int64_t empty_clusters; /**< leaves without an image in the last clustering */
    const char *judgement;/**< one sentence about the epoch; borrowed until the next call */
    double weight_decay;  /**< of the last step */
    double teacher_momentum; /**< m of teacher <- m teacher + (1 - m) online after the last step; -1: no teacher */
    double teacher_temperature; /**< of DINO's and iBOT's teacher in the last step; -1: other methods */
    double teacher_entropy; /**< of what the first view asks of the others in the last step (DINO's and iBOT's
                                 teacher, SwAV's assignments), mean over images, in nats: the log of the
                                 number of outputs when it says nothing; -1: other methods */
    double usage_entropy; /**< of the mean over those images: e to it is the number of outputs in use; -1 */
    int64_t smallest_leaf, median_leaf, largest_leaf; /**< images of the leaves in the last clustering */
    double memory_gb;     /**< most main memory that the process has had so far, the host's own and mapped files
                               included, in 10^9 bytes; memory of a GPU is not in it; 0: not known */
} hirl_step_report;

/**
 * Begins a run, or resumes one (resume=1 with out=; where there is none it begins, beside files of other names).
 *
 * @param[out] trainer  owned by the caller
 * @param start         weights to begin with (copied), or NULL: fresh from `seed`; of another method: its encoder
 *                      alone; not read when a run is resumed
 * @param dataset       held until the trainer ends; used by this trainer only meanwhile
 * @param options       method, arch, batch_size, epochs, lr, prototypes, ...; out: run directory, unset: none
 *
 * @retval HIRL_E_INVALID  options that do not fit each other or the data, with the numbers; a run to go on with that
 *                         has other images (their number, kind, split, names, some pixels where they have no
 *                         names, seed and size of generated ones); resume=1 together with overwrite=1
 * @retval HIRL_E_BUSY     the run directory is in use by another process
 * @retval HIRL_E_STATE    the run directory is not empty and neither resume nor overwrite is set, or holds
 *                         files of a run's names and no run (resume takes checkpoints without a config.yaml)
 * @retval HIRL_E_CANCELED, HIRL_E_CALLBACK  while colours are measured (mean=auto)
 * @retval HIRL_E_IO, HIRL_E_NOSPC, HIRL_E_DURABILITY, HIRL_E_FORMAT, HIRL_E_VERSION, HIRL_E_LIMIT, HIRL_E_NOMEM,
 *         HIRL_E_UNSUPPORTED
 * Threads: one call per trainer at a time. Since 0.1.
 */
HIRL_API HIRL_NODISCARD hirl_status hirl_trainer_create(hirl_trainer **trainer, hirl_context *context,
                                                        const hirl_model *start, hirl_dataset *dataset,
                                                        const hirl_options *options);
/** Ends a run's memory; what was saved stays. NULL is fine. Threads: not while another call uses it. Since 0.1. */
HIRL_API void hirl_trainer_destroy(hirl_trainer *trainer);

/**
 * One optimiser step on the next batch. When an epoch >= cluster_warmup_epoch (T1) begins, features
 * are first extracted and clustered, with progress.
 *
 * Steps allocate nothing after the first of a stage (and the first work of each thread), but those that
 * cluster or end an epoch do, for features and health figures, and give it back.
 *
 * With out= the step that ends an epoch writes checkpoints, and metrics.jsonl gets its lines. Images
 * found unreadable stay so for the data set: above max_bad every further call fails; open it again when
 * what was wrong is mended.
 *
 * @retval HIRL_DONE          the run was finished already; nothing was done, the report is untouched
 * @retval HIRL_E_CANCELED    stopped on request; nothing is lost, calling again goes on; the report is untouched
 *                             unless the call has reported a step
 * @retval HIRL_E_NONFINITE   a number is not finite: the message names tensor and step; the trainer
 *                            stays as it was before the step
 * @retval HIRL_E_FORMAT      more images than max_bad cannot be read, those whose callback failed included
 * @retval HIRL_E_IO, HIRL_E_CALLBACK, HIRL_E_LIMIT, HIRL_E_UNSUPPORTED  with on_bad_image=error: what reading the
 *                            image came to
 * @retval HIRL_E_STATE       method=own without its functions, or a load that failed halfway
 * @retval HIRL_E_NOMEM       as before the step: call again
 * Threads: one call per trainer at a time. Since 0.1.
 */
HIRL_API HIRL_NODISCARD hirl_status hirl_train_step(hirl_step_report *report, hirl_trainer *trainer);
/** Steps to the end of the epoch. As hirl_train_step().
 * Threads: one call per trainer at a time. Since 0.1. */
HIRL_API HIRL_NODISCARD hirl_status hirl_train_epoch(hirl_step_report *report, hirl_trainer *trainer);
/** Steps to the end of the run, with checkpoints and metrics when out= is set. As hirl_train_step().
 * Threads: one call per trainer at a time. Since 0.1. */
HIRL_API HIRL_NODISCARD hirl_status hirl_train_run(hirl_step_report *report, hirl_trainer *trainer);

/** Called after every step of hirl_train_epoch() and hirl_train_run(), on the calling thread. */
typedef void hirl_report_fn(const hirl_step_report *report, void *user);
/** Where steps are reported; NULL: nowhere. Threads: one call per trainer at a time. Since 0.1. */
HIRL_API void hirl_trainer_set_report(hirl_trainer *trainer, hirl_report_fn *report, void *user);

/** Writes a checkpoint of this moment, exact to the bit; path NULL: into the run directory.
 * @retval HIRL_E_INVALID    no path, and the run has no directory
 * @retval HIRL_E_NONFINITE  a weight is not finite; the checkpoints that are there stay
 * @retval HIRL_E_STATE      the last load failed halfway
 * @retval HIRL_E_IO, HIRL_E_NOSPC, HIRL_E_DURABILITY, HIRL_E_NOMEM, HIRL_E_CALLBACK
 * Threads: one call per trainer at a time. Since 0.1. */
HIRL_API HIRL_NODISCARD hirl_status hirl_trainer_save(hirl_trainer *trainer, const char *path);
/** Goes back to the checkpoint at `path`, of the same run. @retval HIRL_E_INVALID it belongs to other options or data.
 * @retval HIRL_E_IO, HIRL_E_FORMAT, HIRL_E_VERSION, HIRL_E_LIMIT, HIRL_E_NOMEM, HIRL_E_CALLBACK
 * After a load that failed halfway, calls but this one, hirl_trainer_set_method() and the destroy return
 * HIRL_E_STATE.
 * Threads: one call per trainer at a time. Since 0.1. */
HIRL_API HIRL_NODISCARD hirl_status hirl_trainer_load(hirl_trainer *trainer, const char *path);

/** A snapshot of a network, "online", "teacher" or "auto" (what the method evaluates). Heads h_l (layers z1 to zL) are in
 * "online" alone. Owned by the caller.
 * @retval HIRL_E_INVALID  another name, or a teacher that the method has not
 * @retval HIRL_E_STATE  the last load failed halfway
 * @retval HIRL_E_NOMEM
 * Threads: one call per trainer at a time. Since 0.1. */
HIRL_API HIRL_NODISCARD hirl_status hirl_trainer_model(hirl_model **model, const hirl_trainer *trainer,
                                                       const char *network);
/** The tree in use; owned by the caller. @retval HIRL_E_STATE there is none yet (stage 1), or the
 * last load failed halfway. @retval HIRL_E_NOMEM
 * Threads: one call per trainer at a time. Since 0.1. */
HIRL_API HIRL_NODISCARD hirl_status hirl_trainer_tree(hirl_tree **tree, const hirl_trainer *trainer);
/**
 * Drives the path loss with the host's own tree from the next step on (shared: a tree never changes, and
 * may be destroyed by the host); leaf [count], copied: leaf of
 * each image of the data set, -1: none. Clustering stops until it is called with NULL.
 * @retval HIRL_E_INVALID  a leaf outside the tree, or a tree of other levels or columns than the heads h_l
 * @retval HIRL_E_STATE, HIRL_E_NOMEM
 * Threads: one call per trainer at a time. Since 0.1.
 */
HIRL_API HIRL_NODISCARD hirl_status hirl_trainer_set_tree(hirl_trainer *trainer, const hirl_tree *tree,
                                                          const int32_t *leaf);

/**
 * Joint loss (eq. 4) on other images, held_out, averaged over whole batches, without changing anything.
 * report: loss, loss_image, loss_spd.
 * @retval HIRL_E_INVALID  fewer images than a batch, or a data set of another context
 * @retval HIRL_E_CANCELED, HIRL_E_STATE, HIRL_E_NONFINITE, HIRL_E_FORMAT, HIRL_E_IO, HIRL_E_CALLBACK, HIRL_E_NOMEM
 * Threads: one call per trainer at a time. Since 0.1.
 */
HIRL_API HIRL_NODISCARD hirl_status hirl_trainer_evaluate(hirl_step_report *report, hirl_trainer *trainer,
                                                          hirl_dataset *held_out);

#ifdef __cplusplus
}
#endif

#endif
