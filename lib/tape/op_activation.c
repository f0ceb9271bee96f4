/* op_activation.c - y = max(x, 0).
 *
 *   dx += dy where y > 0
 *
 * After a batch norm the ReLU is part of its map (op_norm.c); this one stands alone, in heads.
 */
#include "tape/ops.h"

static void backward(hr_tape *t, const hr_step *s)
{
    double beta;
    const hr_array *dx = hr_grad(t, s->in[0], &beta);

    if (dx)
        t->q->be->relu_grad(t->q, dx, &s->out->g, &s->out->x, beta);
}

hr_tensor *hr_relu(hr_tape *t, hr_tensor *x)
{
    static const hr_op op = { "relu", backward };
    hr_step *s;

    x = hr_write(t, x);
    s = hr_tape_push(t, &op, x->x.dtype, x->x.rank, x->x.dim, 1, &x);
    if (!s)
        return &t->dead;
    t->q->be->relu(t->q, &s->out->x, &x->x);
    return s->out;
}
