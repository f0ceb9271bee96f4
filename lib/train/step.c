/* step.c - one training step: the losses of eq. 4 over micro-batches, gradients, commit.
 *
 *   L = L_img + w L_SPD                                                        (HIRL eq. 4)
 *   commit: clip, optimiser, running statistics, queue, centres, teacher <- m teacher + (1 - m) online
 *
 * A batch is computed in k micro-batches. Where the loss is a mean over images, each gives 1/k of it.
 * Where it couples images (coupled: SwAV, MoCo v3), every micro-batch is first encoded without
 * gradient, the loss and its gradient by the outputs are computed on the whole batch, and each
 * micro-batch is encoded again and led back from its rows of that gradient:
 *
 *   dL/dw = sum_m sum_v ( dL/dz_v,m dz_v,m/dw + dL/dout_v,m dout_v,m/dw )
 *
 * The average is taken at commit. A program that takes it at the start of the next step computes the
 * same L_img; its trees differ where they are made of the average's features, which are one step older.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "train/look.h"

/* ---- the path loss ---- */

static hr_tensor *path_loss(hr_learner *learner, const hr_micro *micro, hr_tensor *z0)
{
    hr_tape *t = &learner->tape;
    const hr_learner_input *in = &micro->in;
    hr_run run = hr_run_of(learner, &learner->online, micro);
    hr_tensor *u[HR_LEVELS];
    hr_spd_paths *paths = hr_tape_take(t, sizeof *paths);
    int64_t shape[2] = { in->n, in->negatives };

    if (!paths)
        return &t->dead;
    run.groups = learner->config.path_bn_groups / micro->count;
    run.sync = false; /* ordinary batch norm (spec.md 3.4) */
    *paths =
        (hr_spd_paths){ .levels = learner->paths.tree->levels,
                        .path = learner->paths.path,
                        .eps = learner->config.spd_eps,
                        .divisor_eps = learner->config.reference ? 1e-6 : 0 }; /* spec.md 3.7 */
    memcpy(paths->proto, learner->paths.proto, sizeof paths->proto);
    paths->positive = hr_on_tape(t, in->leaf, HR_I32, HR_I32, 1, shape);
    paths->negative = hr_on_tape(t, in->negative, HR_I32, HR_I32, 2, shape);
    for (int l = 0; l < paths->levels; l++)
        u[l] = hr_normalize(t, hr_net_path(&learner->net, &run, l, z0));
    return hr_spd(t, u, paths);
}

static int64_t with_leaf(const hr_learner_input *in)
{
    int64_t count = 0;

    for (int64_t i = 0; i < in->n; i++)
        count += in->leaf[i] >= 0;
    return count;
}

/* Images of the step that have a leaf, on all ranks. Where none has one there is no path loss, and h_l rest:
 * running statistics, decay and momentum included (spec.md 0.2). */
static hirl_status count_leaves(hr_learner *learner, const hr_learner_input *in)
{
    hr_queue *q = learner->queue;
    int32_t count = in->leaf && learner->paths.tree ? (int32_t)with_leaf(in) : 0;

    if (in->leaf && q->comm && q->comm->ranks > 1) {
        q->be->upload(q, &learner->bad, &count, HR_I32);
        q->comm->all_reduce(q->comm, q, &learner->bad);
        q->be->download(q, &count, HR_I32, &learner->bad);
        HR_TRY(q->be->sync(q));
    }
    learner->leaves = count;
    return HIRL_OK;
}

/* the path loss of a micro-batch as its share of the step's, whose mean over ranks is taken later; NULL where
 * there is none */
static hr_tensor *share_of_path_loss(hr_learner *learner, const hr_micro *micro, hr_tensor *z0)
{
    const hr_comm *comm = learner->queue->comm;
    double mine;

    if (!learner->leaves)
        return NULL;
    mine = (double)with_leaf(&micro->in) * (comm ? comm->ranks : 1);
    return hr_scale(&learner->tape, path_loss(learner, micro, z0), mine / learner->leaves);
}

/* ---- losses of a batch ---- */

typedef struct totals {
    double image, spd;
    double rows, usage; /* entropy of the targets */
    bool targets;
} totals;

static hirl_status read_number(double *sum, hr_learner *learner, hr_tensor *x)
{
    hr_queue *q = learner->queue;
    double value = 0;

    if (!x)
        return HIRL_OK;
    HR_TRY(hr_tape_status(&learner->tape));
    if (q->comm && q->comm->ranks > 1) {
        q->comm->all_reduce(q->comm, q, &x->x);
        q->be->axpby(q, &x->x, &x->x, 1.0 / q->comm->ranks, 0);
    }
    q->be->download(q, &value, HR_F64, &x->x);
    HR_TRY(q->be->sync(q));
    *sum += value;
    return HIRL_OK;
}

/* of a micro-batch, as its share of the batch's */
static hirl_status read_entropy(totals *sum, hr_learner *learner, const hr_entropy *entropy,
                                int64_t micros)
{
    double rows = 0, usage = 0;

    HR_TRY(read_number(&rows, learner, entropy->rows));
    HR_TRY(read_number(&usage, learner, entropy->usage));
    sum->rows += rows / (double)micros;
    sum->usage += usage / (double)micros;
    sum->targets = entropy->rows != NULL;
    return HIRL_OK;
}

static hr_now now_of(hr_learner *learner, const hr_micro *micro)
{
    const hr_learner_input *in = &micro->in;

    return (hr_now){ .n = in->n,
                     .globals = in->globals,
                     .views = in->views,
                     .step = in->step,
                     .micro = micro->index,
                     .micros = micro->count,
                     .image = hr_on_tape(&learner->tape, in->image, HR_I64, HR_I64, 1, &in->n),
                     .teacher_temperature = in->rates.teacher_temperature };
}

static hirl_status run_micro(totals *sum, hr_learner *learner, const hr_micro *micro,
                             const hr_array *keys)
{
    hr_tape *t = &learner->tape;
    hr_seen student = { 0 }, teacher = { 0 };
    hr_now now = now_of(learner, micro);
    hr_entropy entropy = { 0 };
    hr_tensor *image, *spd, *all;

    hr_look_online(&student, learner, micro, &now);
    hr_look_teacher(&teacher, learner, micro, keys);
    HR_TRY(hr_tape_status(t));
    now.entropy = &entropy;
    image = hr_scale(t, learner->method->loss(learner->method_state, t, &student, &teacher, &now),
                     1.0 / (double)micro->count);
    spd = share_of_path_loss(learner, micro, student.z0[0]);
    all = spd ? hr_add(t, image, hr_scale(t, spd, micro->in.spd_weight)) : image;
    HR_TRY(t->recording ? hr_tape_backward(t, all) : hr_tape_status(t));
    HR_TRY(read_number(&sum->image, learner, image));
    HR_TRY(read_entropy(sum, learner, &entropy, micro->count));
    return read_number(&sum->spd, learner, spd);
}

static hirl_status run_separately(totals *sum, hr_learner *learner, const hr_learner_input *in,
                                  bool commit)
{
    int64_t micros = learner->config.accumulate;
    hr_array keys = { 0 };

    if (learner->method->shuffle_teacher)
        keys = hr_look_keys(learner, in, commit);
    for (int64_t m = 0; m < micros; m++) {
        hr_micro micro = hr_micro_of(in, m, micros, commit);

        hr_tape_next(&learner->tape);
        HR_TRY(run_micro(sum, learner, &micro, &keys));
    }
    return HIRL_OK;
}

/* ---- coupled losses over several micro-batches ---- */

/* outputs of the whole batch, and the gradient by them */
typedef struct whole {
    hr_array value[2][HR_METHOD_VIEWS],
        grad[2][HR_METHOD_VIEWS]; /* 0: z0, 1: out; data NULL: none */
} whole;

static hr_tensor *const *part_of(const hr_seen *seen, int which)
{
    return which ? seen->out : seen->z0;
}

/* copies a micro-batch's rows into the whole batch's */
static void keep_rows(whole *all, hr_tape *t, const hr_seen *seen, const hr_micro *micro)
{
    for (int which = 0; which < 2; which++)
        for (int v = 0; v < micro->in.views; v++) {
            hr_tensor *x = part_of(seen, which)[v];
            hr_array to;

            if (!x || hr_tape_status(t) < 0)
                continue;
            if (!micro->index) {
                int64_t shape[2] = { micro->batch->n, hr_cols(&x->x) };

                all->value[which][v] = hr_tape_keep_array(t, HR_REAL, 2, shape);
                all->grad[which][v] = hr_tape_keep_array(t, HR_REAL, 2, shape);
                if (!all->grad[which][v].data)
                    return;
                t->q->be->fill(t->q, &all->grad[which][v], 0);
            }
            to = hr_slice(&all->value[which][v], micro->first, micro->in.n);
            t->q->be->copy(t->q, &to, &x->x);
        }
}

static void leaves_of(hr_seen *seen, const whole *all, hr_tape *t, int views)
{
    for (int v = 0; v < views; v++) {
        if (all->value[0][v].data)
            seen->z0[v] = hr_leaf(t, &all->value[0][v], &all->grad[0][v]);
        if (all->value[1][v].data)
            seen->out[v] = hr_leaf(t, &all->value[1][v], &all->grad[1][v]);
    }
}

static hirl_status encode_all(whole *student, whole *teacher, hr_array *rows, hr_learner *learner,
                              const hr_learner_input *in, bool commit)
{
    hr_tape *t = &learner->tape;
    int64_t micros = learner->config.accumulate;

    for (int64_t m = 0; m < micros; m++) {
        hr_micro micro = hr_micro_of(in, m, micros, false);
        hr_seen online = { 0 }, other = { 0 };
        hr_now now;

        hr_tape_next(t);
        now = now_of(learner, &micro);
        hr_look_online(&online, learner, &micro, &now);
        micro.commit = commit;
        hr_look_teacher(&other, learner, &micro, NULL);
        HR_TRY(hr_tape_status(t));
        keep_rows(student, t, &online, &micro);
        keep_rows(teacher, t, &other, &micro);
        *rows = online.rows;
    }
    hr_tape_next(t);
    return hr_tape_status(t);
}

/* <x, dx> summed: leads the batch's gradient back into a micro-batch */
static hr_tensor *led_back(hr_tape *t, hr_tensor *x, const hr_array *grad, const hr_micro *micro)
{
    hr_array rows = hr_slice(grad, micro->first, micro->in.n);
    hr_tensor *dot = hr_row_dot(t, x, hr_leaf(t, &rows, NULL));

    return hr_scale(t, hr_mean(t, dot), (double)micro->in.n);
}

static hirl_status run_back(totals *sum, hr_learner *learner, const whole *all,
                            const hr_micro *micro)
{
    hr_tape *t = &learner->tape;
    hr_seen seen = { 0 };
    hr_tensor *back = NULL, *spd;
    hr_now now = now_of(learner, micro);

    hr_look_online(&seen, learner, micro, &now);
    spd = share_of_path_loss(learner, micro, seen.z0[0]);
    if (spd)
        back = hr_scale(t, spd, micro->in.spd_weight);
    for (int which = 0; which < 2 && t->recording; which++)
        for (int v = 0; v < micro->in.views; v++) {
            hr_tensor *x = part_of(&seen, which)[v], *term;

            if (!x)
                continue;
            term = led_back(t, x, &all->grad[which][v], micro);
            back = back ? hr_add(t, back, term) : term;
        }
    HR_TRY(t->recording ? hr_tape_backward(t, back) : hr_tape_status(t));
    return read_number(&sum->spd, learner, spd);
}

static hirl_status run_coupled(totals *sum, hr_learner *learner, const hr_learner_input *in,
                               bool commit)
{
    hr_tape *t = &learner->tape;
    int64_t micros = learner->config.accumulate;
    hr_micro batch = hr_micro_of(in, 0, 1, commit);
    bool recording = t->recording;
    whole student = { 0 }, teacher = { 0 };
    hr_seen online = { 0 }, other = { 0 };
    hr_entropy entropy = { 0 };
    hr_tensor *image;
    hr_now now;

    t->recording = false;
    HR_TRY(encode_all(&student, &teacher, &online.rows, learner, in, commit));
    t->recording = recording;
    now = now_of(learner, &batch);
    now.entropy = &entropy;
    leaves_of(&online, &student, t, in->views);
    leaves_of(&other, &teacher, t, in->views);
    for (int v = 0; v < in->views; v++)
        if (other.z0[v])
            other.z0[v] = hr_detach(t, other.z0[v]);
    image = learner->method->loss(learner->method_state, t, &online, &other, &now);
    HR_TRY(recording ? hr_tape_backward(t, image) : hr_tape_status(t));
    HR_TRY(read_number(&sum->image, learner, image));
    HR_TRY(read_entropy(sum, learner, &entropy, 1));
    for (int64_t m = 0; m < micros; m++) {
        hr_micro micro = hr_micro_of(in, m, micros, commit);

        hr_tape_next(t);
        HR_TRY(run_back(sum, learner, &student, &micro));
    }
    return HIRL_OK;
}

static hirl_status run_losses(hr_learner_result *result, hr_learner *learner,
                              const hr_learner_input *in, bool commit)
{
    bool coupled = learner->method->coupled && learner->config.accumulate > 1;
    totals sum = { 0 };

    HR_TRY(hr_learner_ready(learner));
    HR_TRY(coupled ? run_coupled(&sum, learner, in, commit)
                   : run_separately(&sum, learner, in, commit));
    result->loss_image = sum.image;
    result->loss_spd = sum.spd;
    result->loss = sum.image + in->spd_weight * sum.spd;
    result->teacher_entropy = sum.targets ? sum.rows : -1;
    result->usage_entropy = sum.targets ? sum.usage : -1;
    return HIRL_OK;
}

/* ---- step ---- */

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
    HR_TRY(count_leaves(learner, in));
    set_scalars(learner, in);
    HR_TRY(run_losses(result, learner, in, true));
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

/* the same step with a look at every tensor: names the first that is not finite */
static hirl_status name_the_fault(hr_learner *learner, const hr_learner_input *in)
{
    hr_learner_result ignored;
    hirl_status status;
    bool bad;

    learner->tape.check = true;
    status = compute(&ignored, learner, in, &bad);
    learner->tape.check = false;
    hr_tape_reset(&learner->tape);
    if (status < 0) {
        char step[32];

        snprintf(step, sizeof step, "step %lld", (long long)in->step);
        return hr_fail_in(status, step);
    }
    return hr_fail(HIRL_E_NONFINITE, "step %lld: the loss or a gradient is not finite",
                   (long long)in->step);
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
        status = hr_learner_settle(learner, false);
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
    hirl_status status;

    HR_TRY(count_leaves(learner, in));
    hr_tape_reset(t);
    t->training = true;
    t->recording = false;
    set_scalars(learner, in);
    status = run_losses(result, learner, in, false);
    if (status >= 0 && !isfinite(result->loss))
        status = hr_fail(HIRL_E_NONFINITE,
                         "the loss of held-out images is not finite: L_img %g, L_SPD %g",
                         result->loss_image, result->loss_spd);
    result->grad_norm = 0;
    hr_tape_reset(t);
    return status;
}
