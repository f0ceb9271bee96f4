/* shuffle.c - shuffle BN (MoCo v2): the teacher's batch norms see other images together than the student's (spec.md 8.6).
 *
 * The images of all ranks are permuted, each rank and micro-batch encodes its part of the permuted batch, and keys go
 * back to their images.
 */
#include "task/encode.h"

#include <string.h>

#include "base/rng.h"

/* the permutation of step s over the images of all ranks; shuffled row r is image to[r], image i is
 * shuffled row back[i]; each rank keeps its own part of both */
static hirl_status draw_shuffle(const int32_t **to, const int32_t **back, hr_learner *learner,
                                const hr_learner_input *in)
{
    hr_comm *comm = learner->queue->comm;
    int64_t rank = comm ? comm->rank : 0, n = in->n * (comm ? comm->ranks : 1);
    int64_t *p = hr_tape_take(&learner->tape, (size_t)n * sizeof *p);
    int32_t *index = hr_tape_take(&learner->tape, 2 * (size_t)n * sizeof *index);
    hr_rng rng;

    if (!p || !index)
        return HIRL_E_NOMEM;
    hr_rng_init(&rng, learner->config.seed, HR_RNG_SHUFFLE, 0, (uint32_t)in->step, 0);
    hr_rng_permutation(&rng, p, n);
    for (int64_t r = 0; r < n; r++) {
        index[r] = (int32_t)p[r];
        index[n + p[r]] = (int32_t)r;
    }
    *to = index + rank * in->n;
    *back = index + n + rank * in->n;
    return HIRL_OK;
}

/* rows of all ranks by index, as matrix or images */
static hr_tensor *permuted(hr_tape *t, const hr_array *x, const int32_t *index, int64_t n)
{
    hr_array all = hr_all_ranks(t, x);
    hr_array rows =
        hr_array_2(all.data, all.dtype, all.dim[0], all.dim[0] ? hr_count(&all) / all.dim[0] : 0);
    hr_tensor *y;

    if (!all.data)
        return &t->dead;
    y = hr_gather(t, hr_leaf(t, &rows, NULL), index, n);
    if (hr_tape_status(t) < 0)
        return &t->dead;
    y->x.rank = x->rank;
    memcpy(y->x.dim + 1, x->dim + 1, 3 * sizeof *x->dim);
    return y;
}

static int shuffled_view(const hr_method *method)
{
    int v = 0;

    while (!(method->teacher >> v & 1))
        v++;
    return v;
}

hr_array hr_encode_keys(hr_learner *learner, const hr_learner_input *batch, bool commit)
{
    hr_tape *t = &learner->tape;
    int v = shuffled_view(learner->method);
    int64_t micros = learner->config.accumulate;
    hr_array keys = hr_tape_keep_array(t, HR_REAL, 2, (int64_t[]){ batch->n, learner->net.z_dim });

    for (int64_t m = 0; m < micros && keys.data; m++) {
        hr_micro micro = hr_micro_of(batch, m, micros, commit);
        hr_pass run = hr_run_of(learner, &learner->teacher, &micro);
        hr_array to = hr_slice(&keys, micro.first, micro.in.n);
        const int32_t *from, *back;
        hr_tensor *images, *z;

        hr_tape_next(t);
        images = hr_encode_image(t, batch, v);
        if (draw_shuffle(&from, &back, learner, batch) < 0 || hr_tape_status(t) < 0)
            break;
        z = hr_net_z0(&learner->net, &run, permuted(t, &images->x, from + micro.first, micro.in.n));
        if (hr_tape_status(t) >= 0)
            t->q->be->copy(t->q, &to, &z->x);
    }
    hr_tape_next(t);
    return keys;
}

void hr_encode_at_keys(hr_seen *seen, hr_learner *learner, const hr_micro *micro,
                       const hr_array *keys)
{
    const int32_t *to, *back;

    if (draw_shuffle(&to, &back, learner, micro->batch) < 0)
        return;
    seen->z0[shuffled_view(learner->method)] =
        permuted(&learner->tape, keys, back + micro->first, micro->in.n);
}
