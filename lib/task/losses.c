/* losses.c - the losses of a batch, summed over its micro-batches.
 *
 *   L = L_img + w L_SPD                                                        (HIRL eq. 4)
 *
 * If L_img is a mean over images, each of the k micro-batches adds 1/k of its own L_img; this file
 * computes them. If L_img couples images, see coupled.c.
 */
#include "task/losses.h"

#include "base/error.h"
#include "task/encode.h"
#include "task/micro.h"
#include "task/paths.h"
#include "task/shuffle.h"

void hr_losses_add(hr_pretrain *self, int result, const hr_tensor *x)
{
    if (x && hr_tape_status(&self->learner->tape) >= 0)
        hr_results_add(&self->learner->results, result, &x->x);
}

void hr_losses_add_entropy(hr_pretrain *self, const hr_entropy *entropy, int64_t micros)
{
    hr_tape *t = &self->learner->tape;

    self->targets = entropy->rows != NULL;
    if (!self->targets)
        return;
    hr_losses_add(self, HR_RESULT_ROWS, hr_scale(t, entropy->rows, 1.0 / (double)micros));
    hr_losses_add(self, HR_RESULT_USAGE, hr_scale(t, entropy->usage, 1.0 / (double)micros));
}

hr_now hr_now_of(hr_pretrain *self, const hr_micro *micro)
{
    const hr_step_input *in = self->input;
    hr_decisions *d = &self->decided;
    int64_t room = micro->n * self->config.mask_most;
    hr_now now = { .n = micro->n,
                   .globals = in->globals,
                   .views = in->views,
                   .step = in->step,
                   .micro = micro->index,
                   .micros = micro->count,
                   .image = hr_slice(&d->image.device, micro->first, micro->n),
                   .image_on_host = in->image + micro->first,
                   .row = hr_slice(&d->row.device, micro->first, micro->n),
                   .teacher_temperature = d->temperature.device,
                   .teacher_temperature_on_host = in->rates.teacher_temperature };

    for (int v = 0; v < in->globals && self->method->patches; v++) {
        now.place[v] = hr_slice(&d->place[v].device, micro->index * room, room);
        now.weight[v] = hr_slice(&d->weight[v].device, micro->index * room, room);
    }
    return now;
}

/* keys: the teacher's outputs with shuffle BN; else it is not used */
static hirl_status compute_micro(hr_pretrain *self, const hr_micro *micro, const hr_array *keys)
{
    hr_tape *t = &self->learner->tape;
    hr_seen student = { 0 }, teacher = { 0 };
    hr_now now = hr_now_of(self, micro);
    hr_entropy entropy = { 0 };
    hr_tensor *image, *spd, *all;

    hr_encode_online(&student, self, micro);
    hr_encode_teacher(&teacher, self, micro, keys);
    HR_TRY(hr_tape_status(t));
    now.entropy = &entropy;
    image = hr_scale(t, self->method->loss(self->method_state, t, &student, &teacher, &now),
                     1.0 / (double)micro->count);
    spd = hr_path_loss(self, micro, student.z0[0]);
    all = spd ? hr_add(t, image, hr_scale(t, spd, self->config.spd_weight)) : image;
    HR_TRY(t->recording ? hr_tape_backward(t, all) : hr_tape_status(t));
    hr_losses_add(self, HR_RESULT_IMAGE, image);
    hr_losses_add_entropy(self, &entropy, micro->count);
    hr_losses_add(self, HR_RESULT_SPD, spd);
    return hr_tape_status(t);
}

hirl_status hr_losses_separate(hr_pretrain *self)
{
    hr_tape *t = &self->learner->tape;
    int64_t micros = self->config.learner.accumulate;
    hr_array keys = { 0 };

    if (self->method->shuffle_teacher)
        keys = hr_encode_keys(self, t->recording);
    for (int64_t m = 0; m < micros; m++) {
        hr_micro micro = hr_micro_of(self, m, micros, t->recording);

        hr_tape_next(t);
        HR_TRY(compute_micro(self, &micro, &keys));
    }
    return HIRL_OK;
}
