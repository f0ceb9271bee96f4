/* op_shape.c - slices, concatenation and selection of rows (along the outermost dimension).
 *
 *   rows      y_r = x_{first + r}          dx_{first + r} += dy_r
 *   concat    y = (x_1; x_2; ...)          dx_i += the rows of dy that x_i became
 *   gather    y_r = x_{index r}            dx_{index r} += dy_r
 *   detach    y = x                        dx: unchanged
 */
#include "tape/ops.h"

#include <string.h>

static void rows_backward(hr_tape *t, const hr_node *s)
{
    const hr_array *dx = hr_grad_part(t, s->in[0]);
    hr_array part;

    if (!dx)
        return;
    part = hr_slice(dx, s->count[0], s->count[1]);
    t->q->be->axpby(t->q, &part, &s->out->g, 1, 1);
}

hr_tensor *hr_rows(hr_tape *t, hr_tensor *x, int64_t first, int64_t count)
{
    static const hr_op op = { "rows", rows_backward };
    hr_array slice;
    hr_node *s;

    x = hr_write(t, x);
    if (first < 0 || count < 1 || count > x->x.dim[0] - first)
        return hr_tape_fail(t, HIRL_E_INVALID,
                            "rows: %lld rows starting at row %lld; the input has %lld",
                            (long long)count, (long long)first, (long long)x->x.dim[0]);
    slice = hr_slice(&x->x, first, count);
    s = hr_tape_push_view(t, &op, &slice, 1, &x);
    if (!s)
        return &t->dead;
    s->count[0] = first;
    s->count[1] = count;
    return s->out;
}

static void concat_backward(hr_tape *t, const hr_node *s)
{
    int64_t at = 0;

    for (int i = 0; i < HR_NODE_INS && s->in[i]; i++) {
        int64_t rows = s->in[i]->x.dim[0];
        hr_array part = hr_slice(&s->out->g, at, rows);
        double beta;
        const hr_array *dx = hr_grad(t, s->in[i], &beta);

        if (dx)
            t->q->be->axpby(t->q, dx, &part, 1, beta);
        at += rows;
    }
}

static bool equal_but_rows(const hr_array *a, const hr_array *b)
{
    hr_array same_rows = *b;

    same_rows.dim[0] = a->dim[0];
    return a->dtype == b->dtype && hr_same_shape(a, &same_rows);
}

hr_tensor *hr_concat(hr_tape *t, hr_tensor **part, int parts)
{
    static const hr_op op = { "concat", concat_backward };
    hr_tensor *in[HR_NODE_INS];
    char first[HR_SHAPE], other[HR_SHAPE];
    int64_t dim[4], at = 0;
    hr_node *s;

    if (parts < 1 || parts > HR_NODE_INS)
        return hr_tape_fail(t, HIRL_E_INVALID, "concat: %d parts; wanted 1 to %d", parts,
                            HR_NODE_INS);
    for (int i = 0; i < parts; i++) {
        in[i] = hr_write(t, part[i]);
        if (!equal_but_rows(&in[0]->x, &in[i]->x))
            return hr_tape_fail(t, HIRL_E_INVALID, "concat: part 1 is %s, part %d %s",
                                hr_shape(first, &in[0]->x), i + 1, hr_shape(other, &in[i]->x));
        at += in[i]->x.dim[0];
    }
    for (int i = 0; i < 4; i++)
        dim[i] = i ? in[0]->x.dim[i] : at;
    s = hr_tape_push(t, &op, in[0]->x.dtype, in[0]->x.rank, dim, parts, in);
    if (!s)
        return &t->dead;
    at = 0;
    for (int i = 0; i < parts; i++) {
        hr_array to = hr_slice(&s->out->x, at, in[i]->x.dim[0]);

        t->q->be->copy(t->q, &to, &in[i]->x);
        at += in[i]->x.dim[0];
    }
    return s->out;
}

static void gather_backward(hr_tape *t, const hr_node *s)
{
    const hr_array *dx = hr_grad_part(t, s->in[0]);

    if (dx)
        t->q->be->scatter_add(t->q, dx, &s->out->g, &s->saved[0]);
}

hr_tensor *hr_gather(hr_tape *t, hr_tensor *x, const hr_array *index)
{
    static const hr_op op = { "gather", gather_backward };
    int64_t dim[4];
    hr_node *s;

    x = hr_write(t, x);
    if (!index->data || index->dtype != HR_I32)
        return hr_tape_fail(t, HIRL_E_INTERNAL, "gather: the index is not an int32 array");
    for (int i = 0; i < 4; i++)
        dim[i] = i ? x->x.dim[i] : hr_count(index);
    s = hr_tape_push(t, &op, x->x.dtype, x->x.rank, dim, 1, &x);
    if (!s)
        return &t->dead;
    s->saved[0] = *index;
    t->q->be->gather(t->q, &s->out->x, &x->x, index);
    return s->out;
}

hr_tensor *hr_detach(hr_tape *t, hr_tensor *x)
{
    static const hr_op op = { "detach", NULL };
    hr_node *s;

    x = hr_write(t, x);
    s = hr_tape_push_view(t, &op, &x->x, 1, &x);
    return s ? s->out : &t->dead;
}

hr_array hr_all_ranks(hr_tape *t, const hr_array *x)
{
    hr_comm *comm = t->q->comm;
    int64_t shape[4];
    hr_array all;

    if (!comm || comm->ranks == 1)
        return *x;
    memcpy(shape, x->dim, sizeof shape);
    shape[0] *= comm->ranks;
    all = hr_tape_array(t, x->dtype, x->rank, shape);
    if (all.data)
        comm->all_gather(comm, t->q, &all, x);
    return all;
}
