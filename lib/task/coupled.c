/* coupled.c - a loss that couples images (SwAV, MoCo v3), over several micro-batches.
 *
 * Every micro-batch is first encoded without gradient, the loss and its gradient by the outputs are computed
 * on the whole batch, and each micro-batch is encoded again and led back from its rows of that gradient:
 *
 *   dL/dw = sum_m sum_v ( dL/dz_v,m dz_v,m/dw + dL/dout_v,m dout_v,m/dw )
 */
#include "task/losses.h"

/* outputs of the whole batch, and the loss's gradient by them; [0]: z0, [1]: out; data NULL: none */
typedef struct whole {
    hr_array value[2][HR_METHOD_VIEWS], grad[2][HR_METHOD_VIEWS];
    bool taught; /* the loss has no gradient by them: the teacher's */
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
                if (!all->taught)
                    all->grad[which][v] = hr_tape_keep_array(t, HR_REAL, 2, shape);
                if (hr_tape_status(t) < 0)
                    return;
                if (!all->taught)
                    t->q->be->fill(t->q, &all->grad[which][v], 0);
            }
            to = hr_slice(&all->value[which][v], micro->first, micro->in.n);
            t->q->be->copy(t->q, &to, &x->x);
        }
}

static hr_tensor *leaf_of(whole *all, hr_tape *t, int which, int v)
{
    hr_array *grad = all->taught ? NULL : &all->grad[which][v];

    return all->value[which][v].data ? hr_leaf(t, &all->value[which][v], grad) : NULL;
}

static void leaves_of(hr_seen *seen, whole *all, hr_tape *t, int views)
{
    for (int v = 0; v < views; v++) {
        seen->z0[v] = leaf_of(all, t, 0, v);
        seen->out[v] = leaf_of(all, t, 1, v);
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
        now = hr_now_of(learner, &micro);
        hr_encode_online(&online, learner, &micro, &now);
        micro.commit = commit;
        hr_encode_teacher(&other, learner, &micro, NULL);
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

static hirl_status run_back(hr_totals *sum, hr_learner *learner, const whole *all,
                            const hr_micro *micro)
{
    hr_tape *t = &learner->tape;
    hr_seen seen = { 0 };
    hr_tensor *back = NULL, *spd;
    hr_now now = hr_now_of(learner, micro);

    hr_encode_online(&seen, learner, micro, &now);
    spd = hr_path_loss_of(learner, micro, seen.z0[0]);
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
    return hr_totals_add(&sum->spd, learner, spd);
}

hirl_status hr_losses_coupled(hr_totals *sum, hr_learner *learner, const hr_learner_input *in,
                              bool commit)
{
    hr_tape *t = &learner->tape;
    int64_t micros = learner->config.accumulate;
    hr_micro batch = hr_micro_of(in, 0, 1, commit);
    bool recording = t->recording;
    whole student = { 0 }, teacher = { .taught = true };
    hr_seen online = { 0 }, other = { 0 };
    hr_entropy entropy = { 0 };
    hr_tensor *image;
    hr_now now;

    t->recording = false;
    HR_TRY(encode_all(&student, &teacher, &online.rows, learner, in, commit));
    t->recording = recording;
    now = hr_now_of(learner, &batch);
    now.entropy = &entropy;
    leaves_of(&online, &student, t, in->views);
    leaves_of(&other, &teacher, t, in->views);
    image = learner->method->loss(learner->method_state, t, &online, &other, &now);
    HR_TRY(recording ? hr_tape_backward(t, image) : hr_tape_status(t));
    HR_TRY(hr_totals_add(&sum->image, learner, image));
    HR_TRY(hr_totals_entropy(sum, learner, &entropy, 1));
    if (!recording && !learner->leaves)
        return HIRL_OK;
    for (int64_t m = 0; m < micros; m++) {
        hr_micro micro = hr_micro_of(in, m, micros, commit);

        hr_tape_next(t);
        HR_TRY(run_back(sum, learner, &student, &micro));
    }
    return HIRL_OK;
}
