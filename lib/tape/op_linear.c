/* op_linear.c - linear layers, and the addition of a bias alone.
 *
 *   y = x w' + b      dx += dy w      dw += dy' x      db += sum_n dy
 *   y = x + b         dx += dy                         db += sum_n dy
 *
 * x [N,I], w [O,I], b [O], y [N,O]; a bias alone: x, y [..,O].
 */
#include "tape/ops.h"

static void backward(hr_tape *t, const hr_node *s)
{
    hr_tensor *x = s->in[0], *w = s->in[1], *b = s->in[2];
    const hr_array *dy = &s->out->g, *g;
    hr_queue *q = t->q;
    double beta;

    if ((g = hr_grad(t, x, &beta)))
        q->be->gemm(q, g, dy, &w->x, HR_N, HR_N, 1, beta);
    if ((g = hr_grad(t, w, &beta)))
        q->be->gemm(q, g, dy, &x->x, HR_T, HR_N, 1, beta);
    if ((g = hr_grad(t, b, &beta)))
        q->be->sum_rows(q, g, dy, 1, beta);
}

hr_tensor *hr_linear(hr_tape *t, hr_tensor *x, hr_tensor *w, hr_tensor *b)
{
    static const hr_op op = { "linear", backward };
    hr_tensor *in[3] = { hr_write(t, x), w, b };
    char found[HR_SHAPE], weight[HR_SHAPE];
    hr_queue *q = t->q;
    hr_node *s;

    if (x->x.rank != 2 || w->x.rank != 2 || x->x.dim[1] != w->x.dim[1])
        return hr_tape_fail(t, HIRL_E_INVALID,
                            "linear: input is %s, weight %s; wanted [N,I], [O,I]",
                            hr_shape(found, &x->x), hr_shape(weight, &w->x));
    if (b && hr_count(&b->x) != w->x.dim[0])
        return hr_tape_fail(t, HIRL_E_INVALID, "linear: bias is %s for %lld outputs",
                            hr_shape(found, &b->x), (long long)w->x.dim[0]);
    s = hr_tape_push(t, &op, x->x.dtype, 2, (int64_t[]){ x->x.dim[0], w->x.dim[0] }, 3, in);
    if (!s)
        return &t->dead;
    q->be->gemm(q, &s->out->x, &in[0]->x, &w->x, HR_N, HR_T, 1, 0);
    if (b)
        q->be->add_rows(q, &s->out->x, &b->x);
    return s->out;
}

static void bias_backward(hr_tape *t, const hr_node *s)
{
    const hr_array *dy = &s->out->g, *g;
    double beta;

    if ((g = hr_grad(t, s->in[0], &beta)))
        t->q->be->axpby(t->q, g, dy, 1, beta);
    if ((g = hr_grad(t, s->in[1], &beta)))
        t->q->be->sum_rows(t->q, g, dy, 1, beta);
}

hr_tensor *hr_bias(hr_tape *t, hr_tensor *x, hr_tensor *b)
{
    static const hr_op op = { "bias", bias_backward };
    hr_tensor *in[2] = { hr_write(t, x), b };
    char found[HR_SHAPE], bias[HR_SHAPE];
    hr_node *s;

    if (hr_count(&b->x) != hr_cols(&x->x))
        return hr_tape_fail(t, HIRL_E_INVALID, "bias: input is %s, bias %s; wanted [..,O], [O]",
                            hr_shape(found, &x->x), hr_shape(bias, &b->x));
    s = hr_tape_push(t, &op, x->x.dtype, x->x.rank, x->x.dim, 2, in);
    if (!s)
        return &t->dead;
    t->q->be->copy(t->q, &s->out->x, &in[0]->x);
    t->q->be->add_rows(t->q, &s->out->x, &b->x);
    return s->out;
}
