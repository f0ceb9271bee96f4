/* reassign.c - new positive leaves for the images of a batch, at the start of its step, as in the
 * authors' program of HIRL-SwAV (iter_wise_assignment).
 *
 *   leaf_n <- argmax_j <norm2(z0(x_n1)), c_j>         x_n1: view 1; c [M_1,d]: unit leaf prototypes
 *
 * The online network encodes view 1 without gradient, with batch statistics as in training. Profile
 * paper does not update running statistics from this pass; profile reference does, as the authors'
 * program, at the commit of the step. The new leaves stay on the device until the results are read.
 * So the host draws negatives without knowing the leaves, and path_leaves makes them valid
 * (hier/paths.h).
 */
#include "task/reassign.h"

#include "base/error.h"
#include "task/encode.h"
#include "task/micro.h"

/* Writes the nearest leaf of each image of a micro-batch to self->chosen. */
static void choose(hr_pretrain *self, const hr_micro *micro)
{
    hr_tape *t = &self->learner->tape;
    hr_pass pass = hr_pass_of(self, &self->learner->online, micro);
    const hr_resolution *part = &self->nearest.part[0];
    hr_vit_input positions = { .positions = part->positions.device };
    hr_tensor *z0 = hr_net_z0(&self->net, &pass, hr_encode_images(self, part, micro), &positions);
    hr_tensor *unit = hr_normalize(t, z0); /* [n, d] */
    hr_array index = hr_slice(&self->chosen, micro->first, micro->n);
    hr_array score = hr_slice(&self->score, micro->first, micro->n);

    if (hr_tape_status(t) >= 0)
        t->q->be->top(t->q, &index, &score, &unit->x, &self->paths.proto[0], NULL);
}

hirl_status hr_reassign(hr_pretrain *self)
{
    hr_tape *t = &self->learner->tape;
    int64_t micros = self->config.learner.accumulate;
    hr_decisions *d = &self->decided;
    bool recording = t->recording;

    t->recording = false;
    for (int64_t m = 0; m < micros; m++) {
        hr_micro micro = hr_micro_of(self, m, micros, self->config.reference && recording);

        hr_tape_next(t);
        choose(self, &micro);
    }
    hr_tape_next(t);
    t->recording = recording;
    HR_TRY(hr_tape_status(t));
    t->q->be->path_leaves(t->q, &d->positive.device, &d->negative.device, &self->chosen,
                          &d->negative.device, self->config.draws_all);
    t->q->be->copy(t->q, &self->leaf.device, &d->positive.device);
    return HIRL_OK;
}
