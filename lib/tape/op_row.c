/* op_row.c - operations on the rows of a matrix: normalisation and dot products.
 *
 *   y_r = x_r / max(|x_r|, 1e-12)     dx_r += (dy_r - y_r <y_r, dy_r>) / |x_r|
 *   y_r = <a_r, b_r>                  da_r += dy_r b_r      db_r += dy_r a_r
 *
 * x, a, b [N,d].
 */
#include "tape/ops.h"

static void normalize_backward(hr_tape *t, const hr_node *s)
{
    double beta;
    const hr_array *dx = hr_grad(t, s->in[0], &beta);

    if (dx)
        t->q->be->normalize_grad(t->q, dx, &s->out->g, &s->out->x, &s->saved[0], beta);
}

hr_tensor *hr_normalize(hr_tape *t, hr_tensor *x)
{
    static const hr_op op = { "normalize", normalize_backward };
    char found[HR_SHAPE];
    hr_node *s;

    x = hr_write(t, x);
    if (x->x.rank != 2)
        return hr_tape_fail(t, HIRL_E_INVALID, "normalize: input is %s; wanted [N,d]",
                            hr_shape(found, &x->x));
    s = hr_tape_push(t, &op, x->x.dtype, 2, x->x.dim, 1, &x);
    if (!s)
        return &t->dead;
    s->saved[0] = hr_tape_array_1(t, HR_REAL, x->x.dim[0]); /* 1 / |x_r| */
    if (!s->saved[0].data)
        return &t->dead;
    t->q->be->normalize(t->q, &s->out->x, &s->saved[0], &x->x);
    return s->out;
}

static void dot_backward(hr_tape *t, const hr_node *s)
{
    hr_tensor *a = s->in[0], *b = s->in[1];
    const hr_array *g;
    double beta;

    if ((g = hr_grad(t, a, &beta)))
        t->q->be->row_dot_grad(t->q, g, &s->out->g, &b->x, beta);
    if ((g = hr_grad(t, b, &beta)))
        t->q->be->row_dot_grad(t->q, g, &s->out->g, &a->x, beta);
}

hr_tensor *hr_row_dot(hr_tape *t, hr_tensor *a, hr_tensor *b)
{
    static const hr_op op = { "row_dot", dot_backward };
    hr_tensor *in[2] = { hr_write(t, a), hr_write(t, b) };
    char left[HR_SHAPE], right[HR_SHAPE];
    hr_node *s;

    if (a->x.rank != 2 || !hr_same_shape(&a->x, &b->x))
        return hr_tape_fail(t, HIRL_E_INVALID, "row_dot: inputs are %s and %s; wanted [N,d] twice",
                            hr_shape(left, &a->x), hr_shape(right, &b->x));
    s = hr_tape_push(t, &op, HR_REAL, 1, a->x.dim, 2, in);
    if (!s)
        return &t->dead;
    t->q->be->row_dot(t->q, &s->out->x, &in[0]->x, &in[1]->x);
    return s->out;
}
