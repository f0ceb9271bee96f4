/* op_cross_entropy.c - softmax cross-entropy with hard and with soft targets.
 *
 *   loss   = mean_n -log softmax(z_n)[label_n]
 *   dz_nc += dloss / N (softmax(z_n)[c] - [c = label_n])
 *
 *   loss   = sum_n w_n ( - sum_k p_nk log softmax(z_n / T)[k] )
 *   dz_nk += dloss w_n / T (softmax(z_n / T)[k] sum_c p_nc - p_nk)
 *
 * z [N,C], label [N]; p [N,C], w [N]. Only the log-sum-exp of each row is saved for backward.
 */
#include "tape/ops.h"

enum { LSE, LABEL, WEIGHT = LABEL };

static void backward(hr_tape *t, const hr_node *s)
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
    hr_node *s;

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

static void soft_backward(hr_tape *t, const hr_node *s)
{
    double beta;
    const hr_array *dz = hr_grad(t, s->in[1], &beta);

    if (dz)
        t->q->be->soft_cross_entropy_grad(t->q, dz, &s->out->g, &s->saved[LSE], &s->in[0]->x,
                                          &s->in[1]->x, &s->saved[WEIGHT], s->number[0], beta);
}

hr_tensor *hr_soft_cross_entropy(hr_tape *t, hr_tensor *p, hr_tensor *z, double temperature,
                                 const hr_array *weight)
{
    static const hr_op op = { "soft_cross_entropy", soft_backward };
    hr_tensor *in[2] = { hr_write(t, p), hr_write(t, z) };
    char found[HR_SHAPE], other[HR_SHAPE];
    hr_node *s;

    if (z->x.rank != 2 || !hr_same_shape(&p->x, &z->x))
        return hr_tape_fail(t, HIRL_E_INVALID,
                            "soft_cross_entropy: targets are %s, scores %s; wanted [N,K] twice",
                            hr_shape(found, &p->x), hr_shape(other, &z->x));
    if (weight && hr_count(weight) != z->x.dim[0])
        return hr_tape_fail(t, HIRL_E_INVALID,
                            "soft_cross_entropy: weights are %s, scores %s; wanted [N], [N,K]",
                            hr_shape(found, weight), hr_shape(other, &z->x));
    if (p->grad)
        return hr_tape_fail(
            t, HIRL_E_INVALID,
            "soft_cross_entropy: the targets need a gradient; wanted detached targets");
    s = hr_tape_push(t, &op, HR_REAL, 1, (int64_t[]){ 1 }, 2, in);
    if (!s)
        return &t->dead;
    s->saved[LSE] = hr_tape_array_1(t, HR_REAL, z->x.dim[0]);
    if (weight)
        s->saved[WEIGHT] = *weight;
    s->number[0] = temperature;
    if (!s->saved[LSE].data)
        return &t->dead;
    t->q->be->soft_cross_entropy(t->q, &s->out->x, &s->saved[LSE], &in[0]->x, &in[1]->x, weight,
                                 temperature);
    return s->out;
}
