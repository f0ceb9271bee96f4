/* task.h - what a step optimises: the seam between one optimiser step and a network with its losses.
 *
 * A step is inputs and a task. The step (step.c) clears gradients and results, lets the task write its
 * inputs, places them on the device, lets the task compute, reduces gradients over ranks, clips them, reads
 * the results in one wait, and applies the update if everything is finite. The task says what is computed.
 *
 * Tasks so far: self-supervised pretraining under HIRL (task/pretrain.c) and a labelled probe (task/probe.c).
 *
 * How detection fits, as a third task with images of different size, any number of boxes and losses that
 * depend on choices of the host:
 *   - hr_step_input.more points at the task's own batch: images with sizes, boxes, classes, masks.
 *   - Images are padded to one of a few canvas sizes; `make` declares the streams of the largest canvas, and
 *     `fill` writes the true sizes and the boxes into inputs of fixed capacity, with their counts. Rows beyond
 *     a count have weight 0, so that shapes do not depend on the data.
 *   - Proposals are chosen on the host: `compute` runs backbone and proposal network, reads the scores (one
 *     declared host point), samples on the host, sends the chosen rows as a second set of inputs, and goes on.
 *     The tape keeps the first part, so one backward pass covers both.
 *   - `stage` names the canvas size: a backend that replays captured steps captures once for each.
 */
#ifndef HR_TASK_H
#define HR_TASK_H

#include "base/tensors.h"
#include "step/step_data.h"
#include "types.h"

/* Self is the task's own struct; every function but `done` may rely on what the ones before it made. */
struct hr_task {
    const char *name;
    /* Waits inside a step besides the one at its end. 0 for all tasks of this library; a loss that is a
     * function of the application (method=own) adds one for each call of it. */
    int32_t host_points;

    /* ---- making, in this order ---- */
    /* Sets learner->params and learner->norms: what is trained, and its running statistics. */
    hirl_status (*network)(void *self, hr_learner *learner);
    /* The parameter group of a slot, 0 to HR_GROUPS - 1; -1: never trained. */
    int8_t (*group)(const void *self, int32_t slot);
    /* Groups that LARS leaves to plain SGD, as a bit mask. */
    uint32_t plain_groups;
    /* First values are drawn. Makes the rest, and declares inputs and results. */
    hirl_status (*make)(void *self, hr_learner *learner);
    /* Frees everything and self. Must accept what a failed `network` or `make` left. */
    void (*done)(void *self, hr_learner *learner);

    /* ---- a step ---- */
    /* HIRL_E_STATE: a step cannot be made yet, and why; NULL: it always can. */
    hirl_status (*ready)(const void *self);
    /* Writes the inputs of a step, sends its images, sets rate, decay, momentum and ema of the scalars, and names
     * the stage. Nothing is computed yet. */
    hirl_status (*fill)(void *self, hr_learner *learner, const hr_step_input *input,
                        hr_stage *stage);
    /* Forward, backward (when the tape records) and results of all micro-batches. Changes nothing but
     * gradients, results and the tape; everything else is asked for with hr_tape_at_commit. */
    hirl_status (*compute)(void *self, hr_learner *learner, const hr_step_input *input);
    /* The last chance to refuse the step; NULL: none. */
    hirl_status (*before_commit)(void *self, int64_t step);
    /* Corrects the weights after the optimiser (unit rows of prototypes); takes no memory. NULL: nothing. */
    void (*commit)(void *self, hr_learner *learner);
    /* Translates the results that were read. */
    void (*report)(hr_step_result *result, void *self, const hr_learner *learner,
                   const hr_step_input *input);

    /* ---- state besides weights, teacher and optimiser ---- */
    hirl_status (*save)(hr_tensors *out, const void *self, const hr_learner *learner);
    hirl_status (*load)(void *self, hr_learner *learner, const hr_tensors *in);
};

#endif
