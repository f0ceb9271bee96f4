/* op_activation.c - ReLU, and GELU (Hendrycks and Gimpel 2016).
 *
 *   y = max(x, 0)      dx += dy where y > 0
 *   y = x Phi(x)       dx += (Phi(x) + x Phi'(x)) dy       Phi: the normal distribution function
 *
 * A ReLU after a batch norm is part of the pending feature map (op_norm.c). The ReLU here is for
 * layers without a norm.
 */
#include "tape/ops.h"

static hr_node *elementwise(hr_tape *t, const hr_op *op, hr_tensor *x)
{
    x = hr_write(t, x);
    return hr_tape_push(t, op, x->x.dtype, x->x.rank, x->x.dim, 1, &x);
}

static void relu_backward(hr_tape *t, const hr_node *s)
{
    double beta;
    const hr_array *dx = hr_grad(t, s->in[0], &beta);

    if (dx)
        t->q->be->relu_grad(t->q, dx, &s->out->g, &s->out->x, beta);
}

hr_tensor *hr_relu(hr_tape *t, hr_tensor *x)
{
    static const hr_op op = { "relu", relu_backward };
    hr_node *s = elementwise(t, &op, x);

    if (!s)
        return &t->dead;
    t->q->be->relu(t->q, &s->out->x, &s->in[0]->x);
    return s->out;
}

static void gelu_backward(hr_tape *t, const hr_node *s)
{
    double beta;
    const hr_array *dx = hr_grad(t, s->in[0], &beta);

    if (dx)
        t->q->be->gelu_grad(t->q, dx, &s->out->g, &s->in[0]->x, beta);
}

hr_tensor *hr_gelu(hr_tape *t, hr_tensor *x)
{
    static const hr_op op = { "gelu", gelu_backward };
    hr_node *s = elementwise(t, &op, x);

    if (!s)
        return &t->dead;
    t->q->be->gelu(t->q, &s->out->x, &s->in[0]->x);
    return s->out;
}
