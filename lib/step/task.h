/* task.h - the interface of a task: what a step optimises.
 *
 * A learner (learner.h) owns what all tasks have in common: a work queue, weights, an optimiser, a
 * tape, inputs and results. A task adds the network, the parameter groups, the losses and their
 * state. The library has two tasks: pretraining with HIRL (task/pretrain.c) and a linear probe of
 * labelled images (task/probe.c), the shorter one.
 *
 * hr_learner_create calls, in this order:
 *
 *   network   describes parameters and running statistics; the learner then allocates the online
 *             weights and draws their initial values
 *   group     once for each parameter; the learner then makes the optimiser
 *   make      allocates the rest of the task, and declares inputs (inputs.h) and results
 *             (results.h); the learner then allocates these
 *
 * A step (step.c) calls, in this order:
 *
 *   ready           refuses the step if the task is incomplete
 *   fill            writes the inputs in host memory, and the scalars; the step then sends them
 *   compute         losses, and their gradients, which add up in online.grad. The step then
 *                   averages gradients over ranks, checks that they are finite, clips them, and
 *                   reads the results in its one wait for the device
 *   report          converts the results that were read into an hr_step_result
 *   before_commit   last chance to refuse the step
 *   commit          after the optimiser, the running statistics and the teacher's average
 *
 * If the loss or a gradient is not finite, the step repeats fill, compute and report while checking
 * every tensor, and fails with the name of the first bad one.
 *
 * Three rules hold inside a step:
 *   - Before the commit nothing changes but gradients, results, the tape and the task's own scratch
 *     memory. `compute` requests all other changes with hr_tape_at_commit.
 *   - `compute` sends nothing to the device, reads nothing back and does not wait, except at host
 *     points: places where the host decides something from what the device has computed. `fill`
 *     declares how many there are (hr_stage.host_points), tests/house/house.py lists the functions
 *     that have one, and tests/train/test_waits.c counts them. With method=own, each call of the
 *     application's loss is a host point.
 *   - Shapes do not depend on the data, so that a backend can capture a step and replay it.
 *
 * How object detection would fit, with images of different sizes and any number of boxes:
 *   - hr_step_input.more points to the task's own batch: images with sizes, boxes, classes, masks.
 *   - Images are padded to one of a few canvas sizes. `make` declares streams of the largest canvas
 *     and inputs with room for a fixed number of boxes; `fill` writes true sizes and boxes. Unused
 *     rows have weight 0.
 *   - The host samples proposals: `compute` runs backbone and proposal network, reads the scores,
 *     samples, sends the chosen rows, and continues. This is a host point. The tape keeps the first
 *     part, so one backward pass covers both.
 *   - hr_stage.name is the canvas size, so that a backend captures one step for each.
 */
#ifndef HR_TASK_H
#define HR_TASK_H

#include "base/tensors.h"
#include "step/step_data.h"
#include "types.h"

/* `self` is the task's own struct, which the caller of hr_learner_create allocates. */
struct hr_task {
    const char *name;

    /* ---- making ---- */
    /* Sets learner->params and learner->norms: layouts of the trained parameters and of their
     * running statistics. The task owns both. */
    hirl_status (*network)(void *self, hr_learner *learner);
    /* Returns the parameter group of a slot, 0 to HR_GROUPS - 1; -1: the slot is never trained. */
    int8_t (*group)(const void *self, int32_t slot);
    /* groups that LARS updates as SGD does; bit g is group g */
    uint32_t plain_groups;
    bool labelled; /* the result of a step has top1 */
    hirl_status (*make)(void *self, hr_learner *learner);
    /* Frees everything of the task, and self. Also called after a failure at any point of making:
     * learner and learner->queue may be NULL. */
    void (*done)(void *self, hr_learner *learner);

    /* ---- a step ---- */
    /* STATE: no step is possible yet, with the reason. NULL: steps are always possible. */
    hirl_status (*ready)(const void *self);
    /* Writes the small inputs, sends the images (hr_inputs_send), and sets rate, decay, momentum
     * and ema in learner->scalars and all fields of the stage. Computes nothing. */
    hirl_status (*fill)(void *self, hr_learner *learner, const hr_step_input *input,
                        hr_stage *stage);
    /* Runs forward and, if tape.recording, backward passes of all micro-batches (hr_tape_next
     * starts each), and adds losses to the results. */
    hirl_status (*compute)(void *self, hr_learner *learner, const hr_step_input *input);
    /* A failure ends the step. NULL: never refuses. */
    hirl_status (*before_commit)(void *self, int64_t step);
    /* Corrects the weights after the optimiser, for example prototypes to unit length. Must not
     * allocate. hr_learner_restart calls it too. NULL: nothing to correct. */
    void (*commit)(void *self, hr_learner *learner);
    /* The loss when outputs carry no information, for the log; NAN: unknown. */
    double (*chance)(const void *self);
    /* Sets `loss` and the fields of the task; the step has set the others. */
    void (*report)(hr_step_result *result, void *self, const hr_learner *learner,
                   const hr_step_input *input);

    /* ---- checkpoints: state besides weights, teacher and optimiser; both NULL: none ---- */
    hirl_status (*save)(hr_tensors *out, const void *self, const hr_learner *learner);
    hirl_status (*load)(void *self, hr_learner *learner, const hr_tensors *in);
};

#endif
