/* coupled.c - exact gradients of a loss that couples images (SwAV, MoCo v3), with micro-batches.
 *
 *   1. Encode every micro-batch without recording, and keep the outputs of the whole batch.
 *   2. Compute L_img of the whole batch, and its gradient with respect to these outputs.
 *   3. Encode every micro-batch again, now recorded, and backpropagate its rows of this gradient:
 *
 *   dL/dw = sum_m sum_v ( dL/dz_v,m dz_v,m/dw + dL/dout_v,m dout_v,m/dw )
 *
 * m: micro-batch; v: view; z: z0. The path loss does not couple images and is added in part 3.
 */
#include "task/coupled.h"

#include "base/error.h"
#include "task/encode.h"
#include "task/losses.h"
#include "task/micro.h"
#include "task/paths.h"

/* Outputs of one network for the whole batch, and the gradient with respect to them; [0]: z0, [1]:
 * out; data NULL: the network has no such output. */
typedef struct whole {
    hr_array value[2][HR_METHOD_VIEWS], grad[2][HR_METHOD_VIEWS];
    bool no_grad; /* outputs of the teacher */
} whole;

static hr_tensor *const *part_of(const hr_seen *seen, int which)
{
    return which ? seen->out : seen->z0;
}

/* Copies the rows of a micro-batch into the whole batch. The first micro-batch allocates it. */
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
                if (!all->no_grad)
                    all->grad[which][v] = hr_tape_keep_array(t, HR_REAL, 2, shape);
                if (hr_tape_status(t) < 0)
                    return;
                if (!all->no_grad)
                    t->q->be->fill(t->q, &all->grad[which][v], 0);
            }
            to = hr_slice(&all->value[which][v], micro->first, micro->n);
            t->q->be->copy(t->q, &to, &x->x);
        }
}

static hr_tensor *input_of(whole *all, hr_tape *t, int which, int v)
{
    hr_array *grad = all->no_grad ? NULL : &all->grad[which][v];

    return all->value[which][v].data ? hr_wrap(t, &all->value[which][v], grad) : NULL;
}

static void inputs_of(hr_seen *seen, whole *all, hr_tape *t)
{
    for (int v = 0; v < HR_METHOD_VIEWS; v++) {
        seen->z0[v] = input_of(all, t, 0, v);
        seen->out[v] = input_of(all, t, 1, v);
    }
}

/* Part 1. rows: weights of the last layer. update: the teacher's running statistics change at
 * commit, as it is encoded only here. */
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

/* sum <x, dL/dx> of a micro-batch: its gradient with respect to x is dL/dx */
static hr_tensor *dot_gradient(hr_tape *t, hr_tensor *x, const hr_array *grad,
                               const hr_micro *micro)
{
    hr_array rows = hr_slice(grad, micro->first, micro->n);
    hr_tensor *dot = hr_row_dot(t, x, hr_wrap(t, &rows, NULL));

    return hr_scale(t, hr_mean(t, dot), (double)micro->n);
}

/* Part 3 of one micro-batch, with its path loss. */
static hirl_status encode_again(hr_pretrain *self, const whole *all, const hr_micro *micro)
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
            term = dot_gradient(t, x, &all->grad[which][v], micro);
            back = back ? hr_add(t, back, term) : term;
        }
    HR_TRY(t->recording ? hr_tape_backward(t, back) : hr_tape_status(t));
    hr_losses_add(self, HR_RESULT_SPD, spd);
    return hr_tape_status(t);
}

/* Part 2: L_img of the whole batch. */
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
    inputs_of(&online, student, t);
    inputs_of(&other, teacher, t);
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
    whole student = { 0 }, teacher = { .no_grad = true };
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
        HR_TRY(encode_again(self, &student, &micro));
    }
    return HIRL_OK;
}
