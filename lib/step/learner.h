/* learner.h - trained weights with their optimiser and their task: everything that a step changes.
 *
 * A step first computes, then commits; a step that fails before the commit has changed nothing.
 * With accumulation the batch is computed in micro-batches, then committed once.
 */
#ifndef HR_LEARNER_H
#define HR_LEARNER_H

#include "base/tensors.h"
#include "nn/param.h"
#include "step/inputs.h"
#include "step/optim.h"
#include "step/results.h"
#include "step/step_data.h"
#include "tape/tape.h"
#include "types.h"

typedef struct hr_learner_config {
    int64_t batch;      /* images of a step on this rank */
    int64_t accumulate; /* micro-batches of a step; divides batch */
    bool bf16;          /* the activation type is bf16 */
    hr_optim_config optim;
    uint64_t seed;
} hr_learner_config;

struct hr_learner {
    hr_learner_config config;
    hirl_context *context;
    hr_queue *queue;
    const hr_task *task;
    void *self;                      /* the task's struct, owned */
    const hr_layout *params, *norms; /* layout of the weights, owned by the task */
    hr_weights online;               /* trained by gradients */
    hr_weights teacher; /* moving average of the first slots of `online`; a task may make it */
    hr_optim *optim;
    hr_inputs inputs;
    hr_results results;
    hr_scalars scalars;
    hr_tape tape;
    hr_stage stage;    /* stage of the last step */
    uint64_t captured; /* its key for the backend */
};

/* Takes ownership of self, even if it fails. */
hirl_status hr_learner_create(hr_learner **learner, hirl_context *context, const hr_task *task,
                              void *self, const hr_learner_config *config);
void hr_learner_destroy(hr_learner *learner); /* NULL is allowed */
/* STATE: no step is possible yet; the message has the reason */
hirl_status hr_learner_ready(const hr_learner *learner);
/* Lets the task correct the weights, and refreshes their copies in the activation type. Does not
 * wait. */
void hr_learner_refresh(hr_learner *learner);
/* Called after weights were loaded from elsewhere: refreshes, makes the teacher a copy, and
 * waits. */
hirl_status hr_learner_restart(hr_learner *learner);

#endif
