/* step.c - one optimiser step of a task: compute, read the results once, commit.
 *
 *   inputs    sent to the device before anything is computed (inputs.h)
 *   compute   losses and gradients of the task; gradients are averaged over ranks
 *   clip      the part of the update that needs workspace. It changes gradients only, so a failure
 *             here leaves everything as it was
 *   results   losses, gradient norm and the finite check, read in the one wait (results.h)
 *   commit    the optimiser; updates that operations requested (running statistics, key queues,
 *             centres); teacher <- m teacher + (1 - m) online
 *
 * The teacher is updated at commit. A program that updates it at the start of the next step
 * computes the same losses; if its trees are built from the teacher's features, they are one step
 * older.
 */
#include "step/step.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/halt.h"
#include "step/task.h"

static void average_gradients(hr_learner *learner)
{
    hr_queue *q = learner->queue;
    hr_array *grad = &learner->online.grad;

    if (hr_queue_ranks(q) == 1)
        return;
    q->comm->all_reduce(q->comm, q, grad);
    q->be->axpby(q, grad, grad, 1.0 / q->comm->ranks, 0);
}

/* Averages gradients over ranks, measures and checks them, then clips them. */
static void finish_gradients(hr_learner *learner)
{
    hr_queue *q = learner->queue;

    average_gradients(learner);
    q->be->finite(q, &learner->results.bad.device, &learner->online.grad);
    q->be->square_sum(q, &learner->results.square.device, &learner->online.grad);
    hr_optim_clip(learner->optim, &learner->online, learner->stage.gradient);
    hr_optim_trust(learner->optim, &learner->online, learner->stage.updated);
}

/* Steps with the same key have the same operations on the same arrays. 0: the host takes part, so
 * the step cannot be replayed without it. */
static uint64_t key_of(const hr_stage *stage)
{
    if (stage->checks || stage->host_points)
        return 0;
    return UINT64_C(1) << 63 | (uint64_t)stage->evaluates << 62 |
           (uint64_t)(stage->arrays & 0xffffff) << 32 | (uint64_t)stage->name << 16 |
           (uint64_t)stage->gradient << 8 | stage->updated;
}

static void enter_stage(hr_learner *learner, const hr_stage *stage)
{
    hr_queue *q = learner->queue;
    uint64_t key = key_of(stage);

    if (q->be->stage && key != learner->captured)
        q->be->stage(q, key);
    learner->captured = key;
    learner->stage = *stage;
}

/* Sets stage and scalars of this step, and sends its inputs to the device. */
static hirl_status place(hr_learner *learner, const hr_step_input *in)
{
    hr_stage stage = { 0 };

    if (in->n != learner->config.batch)
        return hr_fail(HIRL_E_INVALID, "step: %lld images; the learner expects %lld",
                       (long long)in->n, (long long)learner->config.batch);
    memset(&learner->scalars, 0, sizeof learner->scalars);
    HR_TRY(learner->task->fill(learner->self, learner, in, &stage));
    learner->scalars.step = in->step;
    hr_optim_scalars(&learner->scalars, learner->optim, stage.updated);
    stage.evaluates = !learner->tape.recording;
    stage.checks = learner->tape.check;
    enter_stage(learner, &stage);
    hr_inputs_place(&learner->inputs, &learner->scalars);
    return HIRL_OK;
}

/* Computes losses and, if `record`, gradients. Commits nothing. */
static hirl_status compute(hr_step_result *result, hr_learner *learner, const hr_step_input *in,
                           bool record)
{
    hr_tape *t = &learner->tape;

    hr_tape_reset(t);
    t->training = true;
    t->recording = record;
    HR_TRY(place(learner, in));
    hr_results_clear(&learner->results);
    if (record)
        learner->queue->be->fill(learner->queue, &learner->online.grad, 0);
    HR_TRY(learner->task->compute(learner->self, learner, in));
    if (record)
        finish_gradients(learner);
    HR_TRY(hr_results_read(&learner->results)); /* the one wait */
    *result = HR_NO_RESULT;
    result->grad_norm = sqrt(*(const double *)learner->results.square.host);
    learner->task->report(result, learner->self, learner, in);
    return HIRL_OK;
}

static bool is_bad(const hr_learner *learner, const hr_step_result *result)
{
    return *(const int32_t *)learner->results.bad.host || !isfinite(result->loss);
}

/* Allocates nothing and is not stopped, so it cannot fail. */
static void commit(hr_learner *learner)
{
    const hr_halt *obeyed = hr_halt_obey(NULL);
    hr_queue *q = learner->queue;

    hr_optim_step(learner->optim, &learner->online, learner->stage.updated);
    hr_tape_commit(&learner->tape);
    if (learner->teacher.value.data) {
        hr_array averaged = hr_slice(&learner->online.value, 0, learner->teacher.value.dim[0]);

        q->be->ema(q, &learner->teacher.value, &averaged);
    }
    hr_learner_refresh(learner);
    (void)hr_halt_obey(obeyed);
}

/* Computes the step again and checks every tensor, to name the first one that is not finite. It
 * does so without the other ranks: one that stops at a fault would leave them waiting in a
 * reduction. */
static hirl_status name_the_fault(hr_learner *learner, const hr_step_input *in)
{
    hr_comm *comm = learner->queue->comm;
    hr_step_result again = { 0 };
    hirl_status status;

    learner->queue->comm = NULL;
    learner->tape.check = true;
    status = compute(&again, learner, in, true);
    learner->tape.check = false;
    learner->queue->comm = comm;
    if (status < 0) {
        char step[32];

        snprintf(step, sizeof step, "step %lld", (long long)in->step);
        return hr_fail_in(status, step);
    }
    return hr_fail(HIRL_E_NONFINITE, "step %lld: the loss or a gradient%s is not finite",
                   (long long)in->step, is_bad(learner, &again) ? "" : " of another rank");
}

hirl_status hr_learner_step(hr_step_result *result, hr_learner *learner, const hr_step_input *in)
{
    /* a rank that stops inside a step would leave the others waiting in a reduction */
    const hr_halt *obeyed =
        hr_halt_obey(hr_queue_ranks(learner->queue) > 1 ? NULL : hr_halt_obeyed());
    hr_step_result made;
    hirl_status status = hr_learner_ready(learner);

    if (status >= 0)
        status = compute(&made, learner, in, true);
    if (status >= 0 && is_bad(learner, &made))
        status = name_the_fault(learner, in);
    if (status >= 0 && learner->task->before_commit)
        status = learner->task->before_commit(learner->self, in->step);
    if (status >= 0) {
        commit(learner);
        *result = made;
    }
    hr_tape_reset(&learner->tape);
    (void)hr_halt_obey(obeyed);
    return status;
}

hirl_status hr_learner_evaluate(hr_step_result *result, hr_learner *learner,
                                const hr_step_input *in)
{
    hr_step_result made;
    hirl_status status = hr_learner_ready(learner);

    if (status >= 0)
        status = compute(&made, learner, in, false);
    if (status >= 0 && !isfinite(made.loss))
        status =
            hr_fail(HIRL_E_NONFINITE, "the loss of held-out images is not finite: %g", made.loss);
    hr_tape_reset(&learner->tape);
    if (status >= 0)
        *result = made;
    return status;
}
