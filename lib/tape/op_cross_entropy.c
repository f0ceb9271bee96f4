/* op_cross_entropy.c - softmax cross-entropy with hard targets.
 *
 *   loss   = mean_n -log softmax(z_n)[label_n]
 *   dz_nc += dloss / N (softmax(z_n)[c] - [c = label_n])
 *
 * z [N,C], label [N]. Only log sum exp of each row is kept.
 */
#include "tape/ops.h"

enum { LSE, LABEL };

static void backward(hr_tape *t, const hr_step *s)
{
    double beta;
    const hr_array *dz = hr_grad(t, s->in[0], &beta);

    if (dz)
        t->q->be->cross_entropy_grad(t->q, dz, &s->out->g, &s->saved[LSE], &s->in[0]->x,
                                     &s->saved[LABEL], beta);
}

hr_tensor *hr_cross_entropy(hr_tape *t, hr_tensor *z, const hr_array *label)
{
    static const hr_op op = { "cross_entropy", backward };
    char found[HR_SHAPE], labels[HR_SHAPE];
    hr_step *s;

    z = hr_write(t, z);
    if (z->x.rank != 2 || hr_count(label) != z->x.dim[0])
        return hr_tape_fail(t, HIRL_E_INVALID,
                            "cross_entropy: scores are %s, labels %s; wanted [N,C], [N]",
                            hr_shape(found, &z->x), hr_shape(labels, label));
    s = hr_tape_push(t, &op, HR_REAL, 1, (int64_t[]){ 1 }, 1, &z);
    if (!s)
        return &t->dead;
    s->saved[LSE] = hr_tape_array_1(t, HR_REAL, z->x.dim[0]);
    s->saved[LABEL] = *label;
    if (!s->saved[LSE].data)
        return &t->dead;
    t->q->be->cross_entropy(t->q, &s->out->x, &s->saved[LSE], &z->x, label);
    return s->out;
}
