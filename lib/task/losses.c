/* losses.c - the losses of a batch over its micro-batches.
 *
 *   L = L_img + w L_SPD                                                        (HIRL eq. 4)
 *
 * A batch is computed in k micro-batches. Where the loss is a mean over images, each gives 1/k of it, here;
 * where it couples images, see coupled.c. The path loss is a mean over the images of the step that have a leaf.
 */
#include "task/losses.h"

#include <string.h>

#include "hier/paths.h"

/* ---- the path loss ---- */

static hr_tensor *path_loss(hr_learner *learner, const hr_micro *micro, hr_tensor *z0)
{
    hr_tape *t = &learner->tape;
    const hr_learner_input *in = &micro->in;
    hr_pass run = hr_run_of(learner, &learner->online, micro);
    hr_tensor *u[HR_LEVELS];
    hr_spd_paths *paths = hr_tape_take(t, sizeof *paths);
    int64_t shape[2] = { in->n, in->negatives };

    if (!paths)
        return &t->dead;
    run.groups = learner->config.path_bn_groups / micro->count;
    run.sync = false; /* ordinary batch norm (spec.md 3.4) */
    *paths = (hr_spd_paths){ .levels = learner->paths.tree->levels,
                             .path = learner->paths.path,
                             .eps = learner->config.spd_eps,
                             .divisor_eps = hr_spd_divisor_eps(learner->config.reference) };
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

hirl_status hr_count_leaves(hr_learner *learner, const hr_learner_input *in)
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

hr_tensor *hr_path_loss_of(hr_learner *learner, const hr_micro *micro, hr_tensor *z0)
{
    const hr_comm *comm = learner->queue->comm;
    double mine;

    if (!learner->leaves)
        return NULL;
    mine = (double)with_leaf(&micro->in) * (comm ? comm->ranks : 1);
    return hr_scale(&learner->tape, path_loss(learner, micro, z0), mine / learner->leaves);
}

/* ---- losses of a batch ---- */

hirl_status hr_totals_add(double *sum, hr_learner *learner, hr_tensor *x)
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

hirl_status hr_totals_entropy(hr_totals *sum, hr_learner *learner, const hr_entropy *entropy,
                              int64_t micros)
{
    double rows = 0, usage = 0;

    HR_TRY(hr_totals_add(&rows, learner, entropy->rows));
    HR_TRY(hr_totals_add(&usage, learner, entropy->usage));
    sum->rows += rows / (double)micros;
    sum->usage += usage / (double)micros;
    sum->targets = entropy->rows != NULL;
    return HIRL_OK;
}

hr_now hr_now_of(hr_learner *learner, const hr_micro *micro)
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

static hirl_status run_micro(hr_totals *sum, hr_learner *learner, const hr_micro *micro,
                             const hr_array *keys)
{
    hr_tape *t = &learner->tape;
    hr_seen student = { 0 }, teacher = { 0 };
    hr_now now = hr_now_of(learner, micro);
    hr_entropy entropy = { 0 };
    hr_tensor *image, *spd, *all;

    hr_encode_online(&student, learner, micro, &now);
    hr_encode_teacher(&teacher, learner, micro, keys);
    HR_TRY(hr_tape_status(t));
    now.entropy = &entropy;
    image = hr_scale(t, learner->method->loss(learner->method_state, t, &student, &teacher, &now),
                     1.0 / (double)micro->count);
    spd = hr_path_loss_of(learner, micro, student.z0[0]);
    all = spd ? hr_add(t, image, hr_scale(t, spd, micro->in.spd_weight)) : image;
    HR_TRY(t->recording ? hr_tape_backward(t, all) : hr_tape_status(t));
    HR_TRY(hr_totals_add(&sum->image, learner, image));
    HR_TRY(hr_totals_entropy(sum, learner, &entropy, micro->count));
    return hr_totals_add(&sum->spd, learner, spd);
}

static hirl_status run_separately(hr_totals *sum, hr_learner *learner, const hr_learner_input *in,
                                  bool commit)
{
    int64_t micros = learner->config.accumulate;
    hr_array keys = { 0 };

    if (learner->method->shuffle_teacher)
        keys = hr_encode_keys(learner, in, commit);
    for (int64_t m = 0; m < micros; m++) {
        hr_micro micro = hr_micro_of(in, m, micros, commit);

        hr_tape_next(&learner->tape);
        HR_TRY(run_micro(sum, learner, &micro, &keys));
    }
    return HIRL_OK;
}

/* ---- all ---- */

hirl_status hr_losses_of(hr_learner_result *result, hr_learner *learner, const hr_learner_input *in,
                         bool commit)
{
    bool coupled = learner->method->coupled && learner->config.accumulate > 1;
    hr_totals sum = { 0 };

    HR_TRY(hr_learner_ready(learner));
    HR_TRY(coupled ? hr_losses_coupled(&sum, learner, in, commit)
                   : run_separately(&sum, learner, in, commit));
    result->loss_image = sum.image;
    result->loss_spd = sum.spd;
    result->loss = sum.image + in->spd_weight * sum.spd;
    result->teacher_entropy = sum.targets ? sum.rows : -1;
    result->usage_entropy = sum.targets ? sum.usage : -1;
    return HIRL_OK;
}
