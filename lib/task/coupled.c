/* coupled.c - a loss that couples images (SwAV, MoCo v3), over several micro-batches.
 *
 * Every micro-batch is first encoded without gradient, the loss and its gradient by the outputs are computed
 * on the whole batch, and each micro-batch is encoded again and led back from its rows of that gradient:
 *
 *   dL/dw = sum_m sum_v ( dL/dz_v,m dz_v,m/dw + dL/dout_v,m dout_v,m/dw )
 */
#include "task/coupled.h"

#include "base/error.h"
#include "task/encode.h"
#include "task/losses.h"
#include "task/micro.h"
#include "task/paths.h"

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
        for (int v = 0; v < HR_METHOD_VIEWS; v++) {
            hr_tensor *x = part_of(seen, which)[v];
            hr_array to;

            if (!x || hr_tape_status(t) < 0)
                continue;
            if (!micro->index) {
                int64_t shape[2] = { micro->count * micro->n, hr_cols(&x->x) };

                all->value[which][v] = hr_tape_keep_array(t, HR_REAL, 2, shape);
                if (!all->taught)
                    all->grad[which][v] = hr_tape_keep_array(t, HR_REAL, 2, shape);
                if (hr_tape_status(t) < 0)
                    return;
                if (!all->taught)
                    t->q->be->fill(t->q, &all->grad[which][v], 0);
            }
            to = hr_slice(&all->value[which][v], micro->first, micro->n);
            t->q->be->copy(t->q, &to, &x->x);
        }
}

static hr_tensor *leaf_of(whole *all, hr_tape *t, int which, int v)
{
    hr_array *grad = all->taught ? NULL : &all->grad[which][v];

    return all->value[which][v].data ? hr_wrap(t, &all->value[which][v], grad) : NULL;
}

static void leaves_of(hr_seen *seen, whole *all, hr_tape *t)
{
    for (int v = 0; v < HR_METHOD_VIEWS; v++) {
        seen->z0[v] = leaf_of(all, t, 0, v);
        seen->out[v] = leaf_of(all, t, 1, v);
    }
}

static hirl_status encode_all(whole *student, whole *teacher, hr_array *rows, hr_pretrain *self,
                              bool update)
{
    hr_tape *t = &self->learner->tape;
    int64_t micros = self->config.learner.accumulate;

    for (int64_t m = 0; m < micros; m++) {
        hr_micro micro = hr_micro_of(self, m, micros, false);
        hr_seen online = { 0 }, other = { 0 };

        hr_tape_next(t);
        hr_encode_online(&online, self, &micro);
        micro.update = update;
        hr_encode_teacher(&other, self, &micro, NULL);
        HR_TRY(hr_tape_status(t));
        keep_rows(student, t, &online, &micro);
        keep_rows(teacher, t, &other, &micro);
        *rows = online.rows;
    }
    hr_tape_next(t);
    return hr_tape_status(t);
}

/* sum <x, dx>: carries the batch's gradient into a micro-batch */
static hr_tensor *carried(hr_tape *t, hr_tensor *x, const hr_array *grad, const hr_micro *micro)
{
    hr_array rows = hr_slice(grad, micro->first, micro->n);
    hr_tensor *dot = hr_row_dot(t, x, hr_wrap(t, &rows, NULL));

    return hr_scale(t, hr_mean(t, dot), (double)micro->n);
}

static hirl_status run_back(hr_pretrain *self, const whole *all, const hr_micro *micro)
{
    hr_tape *t = &self->learner->tape;
    hr_seen seen = { 0 };
    hr_tensor *back = NULL, *spd;

    hr_encode_online(&seen, self, micro);
    spd = hr_path_loss(self, micro, seen.z0[0]);
    if (spd)
        back = hr_scale(t, spd, self->config.spd_weight);
    for (int which = 0; which < 2 && t->recording; which++)
        for (int v = 0; v < HR_METHOD_VIEWS; v++) {
            hr_tensor *x = part_of(&seen, which)[v], *term;

            if (!x)
                continue;
            term = carried(t, x, &all->grad[which][v], micro);
            back = back ? hr_add(t, back, term) : term;
        }
    HR_TRY(t->recording ? hr_tape_backward(t, back) : hr_tape_status(t));
    hr_losses_add(self, HR_RESULT_SPD, spd);
    return hr_tape_status(t);
}

/* L_img of the whole batch, from what all micro-batches gave */
static hirl_status image_loss(hr_pretrain *self, whole *student, whole *teacher,
                              const hr_array *rows)
{
    hr_tape *t = &self->learner->tape;
    hr_micro batch = hr_micro_of(self, 0, 1, t->recording);
    hr_seen online = { .rows = *rows }, other = { 0 };
    hr_now now = hr_now_of(self, &batch);
    hr_entropy entropy = { 0 };
    hr_tensor *image;

    now.entropy = &entropy;
    leaves_of(&online, student, t);
    leaves_of(&other, teacher, t);
    image = self->method->loss(self->method_state, t, &online, &other, &now);
    HR_TRY(t->recording ? hr_tape_backward(t, image) : hr_tape_status(t));
    hr_losses_add(self, HR_RESULT_IMAGE, image);
    hr_losses_add_entropy(self, &entropy, 1);
    return hr_tape_status(t);
}

hirl_status hr_losses_coupled(hr_pretrain *self)
{
    hr_tape *t = &self->learner->tape;
    int64_t micros = self->config.learner.accumulate;
    bool recording = t->recording;
    whole student = { 0 }, teacher = { .taught = true };
    hr_array rows = { 0 };

    t->recording = false;
    HR_TRY(encode_all(&student, &teacher, &rows, self, recording));
    t->recording = recording;
    HR_TRY(image_loss(self, &student, &teacher, &rows));
    if (!recording && !self->leaves)
        return HIRL_OK;
    for (int64_t m = 0; m < micros; m++) {
        hr_micro micro = hr_micro_of(self, m, micros, recording);

        hr_tape_next(t);
        HR_TRY(run_back(self, &student, &micro));
    }
    return HIRL_OK;
}
