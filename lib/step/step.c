/* step.c - one training step: losses of the batch (losses.c), gradients, commit.
 *
 *   commit: clip, optimiser, running statistics, queue, centres, teacher <- m teacher + (1 - m) online
 *
 * The average is taken at commit. A program that takes it at the start of the next step computes the
 * same L_img; its trees differ where they are made of the average's features, which are one step older.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "task/losses.h"

/* groups that have a gradient, and those that are updated */
static uint32_t groups_with_gradient(const hr_learner *learner)
{
    uint32_t groups = 1u << HR_GROUP_METHOD | 1u << HR_GROUP_PLAIN | 1u << HR_GROUP_PREDICTOR |
                      1u << HR_GROUP_PREDICTOR_PLAIN | 1u << HR_GROUP_LAST;

    if (learner->leaves)
        groups |= 1u << HR_GROUP_PATH | 1u << HR_GROUP_PATH_PLAIN;
    return groups;
}

static uint32_t groups_updated(const hr_learner *learner, const hr_learner_input *in)
{
    uint32_t groups = groups_with_gradient(learner);

    return in->rates.freeze_last ? groups & ~(1u << HR_GROUP_LAST) : groups;
}

static void set_scalars(hr_learner *learner, const hr_learner_input *in)
{
    const hr_learner_config *c = &learner->config;
    hr_scalars *s = &learner->scalars;

    memset(s, 0, sizeof *s);
    for (int g = 0; g <= HR_GROUP_PATH_PLAIN; g++) {
        s->rate[g] = in->rates.rate;
        s->decay[g] = g < HR_GROUP_PATH ? in->rates.decay : in->rates.path_decay;
        s->momentum[g] = c->momentum;
    }
    s->rate[HR_GROUP_PREDICTOR] = s->rate[HR_GROUP_PREDICTOR_PLAIN] = in->rates.predictor_rate;
    s->decay[HR_GROUP_PLAIN] = s->decay[HR_GROUP_PREDICTOR_PLAIN] = 0;
    s->decay[HR_GROUP_PATH_PLAIN] = 0;
    s->ema = in->rates.ema;
    s->step = in->step;
    hr_optim_scalars(s, learner->optim, groups_updated(learner, in));
    learner->queue->be->scalars(learner->queue, s);
}

/* gradients of all ranks averaged; finite and norm looked at */
static hirl_status finish_gradients(hr_learner *learner, bool *bad, double *norm)
{
    hr_queue *q = learner->queue;
    hr_array *grad = &learner->online.grad;
    int32_t flag = 0;
    double square = 0;

    if (q->comm && q->comm->ranks > 1) {
        q->comm->all_reduce(q->comm, q, grad);
        q->be->axpby(q, grad, grad, 1.0 / q->comm->ranks, 0);
    }
    q->be->fill(q, &learner->bad, 0);
    q->be->finite(q, &learner->bad, grad);
    q->be->square_sum(q, &learner->square, grad);
    q->be->download(q, &flag, HR_I32, &learner->bad);
    q->be->download(q, &square, HR_F64, &learner->square);
    HR_TRY(q->be->sync(q));
    *bad = flag != 0;
    *norm = sqrt(square);
    return HIRL_OK;
}

static hirl_status compute(hr_learner_result *result, hr_learner *learner,
                           const hr_learner_input *in, bool *bad)
{
    hr_tape *t = &learner->tape;

    if (in->assigned)
        hr_tape_next(t); /* keeps what is asked for at commit */
    else
        hr_tape_reset(t);
    t->training = t->recording = true;
    learner->queue->be->fill(learner->queue, &learner->online.grad, 0);
    HR_TRY(hr_count_leaves(learner, in));
    set_scalars(learner, in);
    HR_TRY(hr_losses_of(result, learner, in, true));
    HR_TRY(finish_gradients(learner, bad, &result->grad_norm));
    if (!isfinite(result->loss))
        *bad = true;
    return HIRL_OK;
}

/* what of the update takes workspace: it changes gradients only */
static hirl_status prepare(hr_learner *learner, const hr_learner_input *in)
{
    hr_optim_clip(learner->optim, &learner->online, groups_with_gradient(learner));
    hr_optim_trust(learner->optim, &learner->online, groups_updated(learner, in));
    return learner->queue->be->sync(learner->queue);
}

/* takes no memory */
static void commit(hr_learner *learner, const hr_learner_input *in)
{
    hr_queue *q = learner->queue;
    hr_weights *teacher = &learner->teacher;

    hr_optim_step(learner->optim, &learner->online, groups_updated(learner, in));
    hr_tape_commit(&learner->tape);
    if (teacher->value.data) {
        hr_array trained = hr_slice(&learner->online.value, 0, teacher->value.dim[0]);

        q->be->ema(q, &teacher->value, &trained);
    }
}

/* The same step with a look at every tensor: names the first that is not finite. Without the other ranks: one that
 * finds something would not meet them again. */
static hirl_status name_the_fault(hr_learner *learner, const hr_learner_input *in)
{
    hr_comm *comm = learner->queue->comm;
    hr_learner_result ignored;
    hirl_status status;
    bool bad;

    learner->queue->comm = NULL;
    learner->tape.check = true;
    status = compute(&ignored, learner, in, &bad);
    learner->tape.check = false;
    learner->queue->comm = comm;
    hr_tape_reset(&learner->tape);
    if (status < 0) {
        char step[32];

        snprintf(step, sizeof step, "step %lld", (long long)in->step);
        return hr_fail_in(status, step);
    }
    return hr_fail(HIRL_E_NONFINITE, "step %lld: the loss or a gradient%s is not finite",
                   (long long)in->step, bad ? "" : " of another rank");
}

hirl_status hr_learner_step(hr_learner_result *result, hr_learner *learner,
                            const hr_learner_input *in)
{
    hr_learner_result made = { 0 };
    hirl_status status;
    bool bad = false;

    status = compute(&made, learner, in, &bad);
    if (status >= 0 && bad)
        status = name_the_fault(learner, in);
    if (status >= 0)
        status = prepare(learner, in);
    if (status >= 0 && learner->method->commit)
        status = learner->method->commit(learner->method_state, in->step);
    if (status >= 0) {
        commit(learner, in);
        status = hr_learner_refresh(learner, false);
    }
    hr_tape_reset(&learner->tape);
    if (status >= 0)
        *result = made;
    return status;
}

hirl_status hr_learner_evaluate(hr_learner_result *result, hr_learner *learner,
                                const hr_learner_input *in)
{
    hr_tape *t = &learner->tape;
    hr_learner_result made = { 0 };
    hirl_status status;

    HR_TRY(hr_count_leaves(learner, in));
    hr_tape_reset(t);
    t->training = true;
    t->recording = false;
    set_scalars(learner, in);
    status = hr_losses_of(&made, learner, in, false);
    if (status >= 0 && !isfinite(made.loss))
        status = hr_fail(HIRL_E_NONFINITE,
                         "the loss of held-out images is not finite: L_img %g, L_SPD %g",
                         made.loss_image, made.loss_spd);
    hr_tape_reset(t);
    if (status >= 0)
        *result = made;
    return status;
}
