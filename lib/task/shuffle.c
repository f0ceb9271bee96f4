/* shuffle.c - shuffle BN (MoCo: He et al. 2020): the teacher's batch-norm groups hold other images
 * together than the student's do.
 *
 * The images of all ranks are permuted, each rank and micro-batch encodes its part of the permuted
 * batch, and the inverse permutation returns each key to its image.
 */
#include "task/shuffle.h"

#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/rng.h"
#include "task/micro.h"

/* Permuted row r is image p[r] of all ranks, and image i is permuted row back[i]. Each rank writes
 * its own part of both. */
hirl_status hr_shuffle_fill(hr_pretrain *self, const hr_step_input *in)
{
    const hr_queue *q = self->learner->queue;
    int64_t rank = hr_queue_rank(q), n = in->n * hr_queue_ranks(q);
    int64_t *p = hr_tape_take(&self->learner->tape, (size_t)n * sizeof *p);
    int32_t *to = self->decided.shuffled.host, *back = self->decided.back.host;
    hr_rng rng;

    if (!p)
        return hr_tape_status(&self->learner->tape);
    hr_rng_init(&rng, self->config.learner.seed, HR_RNG_SHUFFLE, 0, (uint32_t)in->step, 0);
    hr_rng_permutation(&rng, p, n);
    for (int64_t r = 0; r < n; r++) {
        if (r / in->n == rank)
            to[r - rank * in->n] = (int32_t)p[r];
        if (p[r] / in->n == rank)
            back[p[r] - rank * in->n] = (int32_t)r;
    }
    return HIRL_OK;
}

/* Gathers rows x of all ranks by index. The result has the dimensions of x: a matrix, or images. */
static hr_tensor *permuted(hr_tape *t, const hr_array *x, const hr_array *index)
{
    hr_array all = hr_all_ranks(t, x);
    hr_array rows =
        hr_array_2(all.data, all.dtype, all.dim[0], all.dim[0] ? hr_count(&all) / all.dim[0] : 0);
    hr_tensor *y;

    if (!all.data)
        return &t->dead;
    y = hr_gather(t, hr_wrap(t, &rows, NULL), index);
    if (hr_tape_status(t) < 0)
        return &t->dead;
    y->x.rank = x->rank;
    memcpy(y->x.dim + 1, x->dim + 1, 3 * sizeof *x->dim);
    return y;
}

hr_array hr_encode_keys(hr_pretrain *self, bool update)
{
    hr_tape *t = &self->learner->tape;
    const hr_resolution *part = &self->teacher.part[0]; /* the teacher encodes one view only */
    int64_t micros = self->config.learner.accumulate, batch = self->config.learner.batch;
    hr_array keys = hr_tape_keep_array(t, HR_REAL, 2, (int64_t[]){ batch, self->net.z_dim });

    for (int64_t m = 0; m < micros && keys.data; m++) {
        hr_micro micro = hr_micro_of(self, m, micros, update);
        hr_pass pass = hr_pass_of(self, &self->learner->teacher, &micro);
        hr_array to = hr_slice(&keys, micro.first, micro.n);
        hr_array from = hr_slice(&self->decided.shuffled.device, micro.first, micro.n);
        hr_vit_input positions = { .positions = part->positions.device };
        hr_tensor *z;

        hr_tape_next(t);
        z = hr_net_z0(&self->net, &pass, permuted(t, &part->image, &from), &positions);
        if (hr_tape_status(t) >= 0)
            t->q->be->copy(t->q, &to, &z->x);
    }
    hr_tape_next(t);
    return keys;
}

void hr_keys_of_micro(hr_seen *seen, hr_pretrain *self, const hr_micro *micro, const hr_array *keys)
{
    hr_array to = hr_slice(&self->decided.back.device, micro->first, micro->n);

    if (keys && keys->data)
        seen->z0[self->teacher.view[0]] = permuted(&self->learner->tape, keys, &to);
}
