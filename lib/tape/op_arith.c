/* op_arith.c - sums, multiples, means and conversions.
 *
 *   y = a + b     da += dy      db += dy
 *   y = k x       dx += k dy
 *   y = k x       dx += k dy    the same with k [1] in device memory, which may change in each step
 *   y = mean x    dx += dy / n  over all n elements
 *   y = x         dx += dy      with another floating-point type
 */
#include "tape/ops.h"

static void give_multiple(hr_tape *t, hr_tensor *x, const hr_array *dy, double k)
{
    double beta;
    const hr_array *dx = hr_grad(t, x, &beta);

    if (dx)
        t->q->be->axpby(t->q, dx, dy, k, beta);
}

static void add_backward(hr_tape *t, const hr_node *s)
{
    give_multiple(t, s->in[0], &s->out->g, 1);
    give_multiple(t, s->in[1], &s->out->g, 1);
}

hr_tensor *hr_add(hr_tape *t, hr_tensor *a, hr_tensor *b)
{
    static const hr_op op = { "add", add_backward };
    hr_tensor *in[2] = { hr_write(t, a), hr_write(t, b) };
    char left[HR_SHAPE], right[HR_SHAPE];
    hr_node *s;

    if (!hr_same_shape(&a->x, &b->x))
        return hr_tape_fail(t, HIRL_E_INVALID, "add: shapes %s and %s differ",
                            hr_shape(left, &a->x), hr_shape(right, &b->x));
    s = hr_tape_push(t, &op, a->x.dtype, a->x.rank, a->x.dim, 2, in);
    if (!s)
        return &t->dead;
    t->q->be->copy(t->q, &s->out->x, &in[0]->x);
    t->q->be->axpby(t->q, &s->out->x, &in[1]->x, 1, 1);
    return s->out;
}

static void scale_backward(hr_tape *t, const hr_node *s)
{
    give_multiple(t, s->in[0], &s->out->g, s->number[0]);
}

hr_tensor *hr_scale(hr_tape *t, hr_tensor *x, double k)
{
    static const hr_op op = { "scale", scale_backward };
    hr_node *s;

    x = hr_write(t, x);
    s = hr_tape_push(t, &op, x->x.dtype, x->x.rank, x->x.dim, 1, &x);
    if (!s)
        return &t->dead;
    s->number[0] = k;
    t->q->be->axpby(t->q, &s->out->x, &x->x, k, 0);
    return s->out;
}

static void scale_by_backward(hr_tape *t, const hr_node *s)
{
    double beta;
    const hr_array *dx = hr_grad(t, s->in[0], &beta);

    if (dx)
        t->q->be->scale_blocks(t->q, dx, &s->saved[0], &s->out->g, beta);
}

hr_tensor *hr_scale_by(hr_tape *t, hr_tensor *x, const hr_array *k)
{
    static const hr_op op = { "scale_by", scale_by_backward };
    hr_node *s;

    x = hr_write(t, x);
    s = hr_tape_push(t, &op, x->x.dtype, x->x.rank, x->x.dim, 1, &x);
    if (!s)
        return &t->dead;
    s->saved[0] = *k;
    t->q->be->scale_blocks(t->q, &s->out->x, k, &x->x, 0);
    return s->out;
}

/* all elements as one row */
static hr_array flat(const hr_array *x)
{
    return hr_array_2(x->data, x->dtype, 1, hr_count(x));
}

static void mean_backward(hr_tape *t, const hr_node *s)
{
    double beta;
    const hr_array *dx = hr_grad(t, s->in[0], &beta);
    hr_array row;

    if (!dx)
        return;
    row = flat(dx);
    t->q->be->row_dot_grad(t->q, &row, &s->out->g, &s->saved[0], beta);
}

hr_tensor *hr_mean(hr_tape *t, hr_tensor *x)
{
    static const hr_op op = { "mean", mean_backward };
    int64_t n;
    hr_array row, *part;
    hr_node *s;

    x = hr_write(t, x);
    n = hr_count(&x->x);
    s = hr_tape_push(t, &op, HR_REAL, 1, (int64_t[]){ 1 }, 1, &x);
    if (!s)
        return &t->dead;
    part = &s->saved[0];
    *part = hr_tape_array(t, HR_REAL, 2, (int64_t[]){ 1, n });
    if (!part->data)
        return &t->dead;
    row = flat(&x->x);
    t->q->be->fill(t->q, part, 1 / (double)n);
    t->q->be->row_dot(t->q, &s->out->x, &row, part);
    return s->out;
}

static void convert_backward(hr_tape *t, const hr_node *s)
{
    give_multiple(t, s->in[0], &s->out->g, 1);
}

hr_tensor *hr_convert(hr_tape *t, hr_tensor *x, hr_dtype dtype)
{
    static const hr_op op = { "convert", convert_backward };
    hr_node *s;

    if (dtype != HR_REAL && dtype != HR_BF16)
        return hr_tape_fail(t, HIRL_E_INVALID, "convert: type %d is not an activation type",
                            (int)dtype);
    x = hr_write(t, x);
    if (x->x.dtype == dtype)
        return x;
    s = hr_tape_push(t, &op, dtype, x->x.rank, x->x.dim, 1, &x);
    if (!s)
        return &t->dead;
    t->q->be->copy(t->q, &s->out->x, &x->x);
    return s->out;
}
