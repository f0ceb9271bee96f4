/* op_token.c - tokens of images: assembly, selection, masking; and stochastic depth.
 *
 *   tokens       y_n = (class; x_n) + position     dx_n += rows 1.. of dy_n
 *                dclass += sum_n dy_n0             dposition += sum_n dy_n
 *   strip        y_n = rows first.. of x_n         those rows of dx_n += dy_n
 *   mask_tokens  y_r = token where masked, or x_r  dtoken += dy_r where masked, else dx_r += dy_r
 *   add_kept     y_n = x_n + keep_n branch_n       dx += dy, dbranch_n += keep_n dy_n
 *
 * x [N P, D] (or [N,h,w,D]), class [..,D], position [1, P+1, D], y [N (P+1), D].
 */
#include "tape/ops.h"

/* [N T, D] as [N, T, D] */
static hr_array blocks_of(const hr_array *x, int64_t rows)
{
    hr_array a = *x;

    a.rank = 3;
    a.dim[2] = hr_cols(x);
    a.dim[0] = hr_rows_of(x) / rows;
    a.dim[1] = rows;
    return a;
}

static hr_array matrix_of(const hr_array *x, int64_t rows, int64_t cols)
{
    return hr_array_2(x->data, x->dtype, rows, cols);
}

/* ---- tokens ---- */

static void tokens_backward(hr_tape *t, const hr_node *s)
{
    const hr_array *dx, *dclass, *dposition;
    int64_t rows = s->count[0], cols = hr_cols(&s->out->x);
    hr_array dy = blocks_of(&s->out->g, rows), to, sum, flat;
    hr_queue *q = t->q;
    double beta;

    if ((dx = hr_grad(t, s->in[0], &beta))) {
        to = blocks_of(dx, rows - 1);
        q->be->strip(q, &to, &dy, 0, 1, rows - 1, beta);
    }
    if (!s->in[1]->grad && !s->in[2]->grad)
        return;
    sum = hr_tape_array(t, HR_REAL, 2, (int64_t[]){ rows, cols });
    if (!sum.data)
        return;
    flat = matrix_of(&s->out->g, dy.dim[0], rows * cols);
    q->be->sum_rows(q, &sum, &flat, 1, 0);
    if ((dclass = hr_grad(t, s->in[1], &beta))) {
        to = hr_slice(&sum, 0, 1);
        q->be->axpby(q, dclass, &to, 1, beta);
    }
    if ((dposition = hr_grad(t, s->in[2], &beta)))
        q->be->axpby(q, dposition, &sum, 1, beta);
}

hr_tensor *hr_tokens(hr_tape *t, hr_tensor *x, hr_tensor *class_token, hr_tensor *position)
{
    static const hr_op op = { "tokens", tokens_backward };
    hr_tensor *in[3] = { hr_write(t, x), class_token, position };
    char found[HR_SHAPE], first[HR_SHAPE], second[HR_SHAPE];
    int64_t cols = hr_cols(&x->x), rows = hr_rows_of(&position->x), n;
    hr_array y, from, table;
    hr_node *s;

    if (hr_count(&class_token->x) != cols || hr_cols(&position->x) != cols || rows < 2 ||
        hr_rows_of(&x->x) % (rows - 1))
        return hr_tape_fail(
            t, HIRL_E_INVALID,
            "tokens: patches are %s, class token %s, positions %s; wanted [N P,D], [D], [P+1,D]",
            hr_shape(found, &x->x), hr_shape(first, &class_token->x),
            hr_shape(second, &position->x));
    n = hr_rows_of(&x->x) / (rows - 1);
    s = hr_tape_push(t, &op, x->x.dtype, 2, (int64_t[]){ n * rows, cols }, 3, in);
    if (!s)
        return &t->dead;
    s->count[0] = rows;
    y = blocks_of(&s->out->x, rows);
    from = blocks_of(&in[0]->x, rows - 1);
    t->q->be->strip(t->q, &y, &from, 1, 0, rows - 1, 0);
    from = matrix_of(&class_token->x, 1, cols);
    from = blocks_of(&from, 1);
    t->q->be->strip(t->q, &y, &from, 0, 0, 1, 0);
    y = matrix_of(&s->out->x, n, rows * cols);
    table = hr_array_1(position->x.data, position->x.dtype, rows * cols);
    t->q->be->add_rows(t->q, &y, &table);
    return s->out;
}

/* ---- strip ---- */

static void strip_backward(hr_tape *t, const hr_node *s)
{
    const hr_array *dx = hr_grad_part(t, s->in[0]);
    hr_array dy, to;

    if (!dx)
        return;
    to = blocks_of(dx, s->count[0]);
    dy = blocks_of(&s->out->g, s->count[2]);
    t->q->be->strip(t->q, &to, &dy, s->count[1], 0, s->count[2], 1);
}

hr_tensor *hr_strip(hr_tape *t, hr_tensor *x, int64_t rows, int64_t first, int64_t count)
{
    static const hr_op op = { "strip", strip_backward };
    char found[HR_SHAPE];
    hr_array y, from;
    hr_node *s;

    x = hr_write(t, x);
    if (rows < 1 || hr_rows_of(&x->x) % rows || first < 0 || count < 1 || count > rows - first)
        return hr_tape_fail(
            t, HIRL_E_INVALID, "strip: %lld of %lld tokens starting at token %lld; the input is %s",
            (long long)count, (long long)rows, (long long)first, hr_shape(found, &x->x));
    s = hr_tape_push(t, &op, x->x.dtype, 2,
                     (int64_t[]){ hr_rows_of(&x->x) / rows * count, hr_cols(&x->x) }, 1, &x);
    if (!s)
        return &t->dead;
    s->count[0] = rows;
    s->count[1] = first;
    s->count[2] = count;
    y = blocks_of(&s->out->x, count);
    from = blocks_of(&x->x, rows);
    t->q->be->strip(t->q, &y, &from, 0, first, count, 0);
    return s->out;
}

/* ---- mask ---- */

enum { KEPT, MASKED };

static void mask_backward(hr_tape *t, const hr_node *s)
{
    hr_array dy = matrix_of(&s->out->g, hr_rows_of(&s->out->g), hr_cols(&s->out->g)), to;
    const hr_array *g;
    double beta;

    if ((g = hr_grad(t, s->in[0], &beta)))
        t->q->be->scale_blocks(t->q, g, &s->saved[KEPT], &s->out->g, beta);
    if ((g = hr_grad(t, s->in[1], &beta))) {
        to = matrix_of(g, 1, dy.dim[1]);
        t->q->be->gemm(t->q, &to, &s->saved[MASKED], &dy, HR_T, HR_N, 1, beta);
    }
}

hr_tensor *hr_mask_tokens(hr_tape *t, hr_tensor *x, hr_tensor *token, const hr_array *kept,
                          const hr_array *masked)
{
    static const hr_op op = { "mask_tokens", mask_backward };
    hr_tensor *in[2] = { hr_write(t, x), token };
    int64_t rows = hr_rows_of(&x->x), cols = hr_cols(&x->x);
    char found[HR_SHAPE], wanted[HR_SHAPE];
    hr_array y, from;
    hr_node *s;

    if (hr_count(&token->x) != cols || hr_count(kept) != rows || hr_count(masked) != rows)
        return hr_tape_fail(
            t, HIRL_E_INVALID,
            "mask_tokens: tokens are %s, the mask token %s, the mask has %lld rows; wanted [N,D], "
            "[D], N",
            hr_shape(found, &x->x), hr_shape(wanted, &token->x), (long long)hr_count(masked));
    s = hr_tape_push(t, &op, x->x.dtype, x->x.rank, x->x.dim, 2, in);
    if (!s)
        return &t->dead;
    s->saved[KEPT] = matrix_of(kept, rows, 1);
    s->saved[MASKED] = matrix_of(masked, rows, 1);
    y = matrix_of(&s->out->x, rows, cols);
    from = matrix_of(&token->x, 1, cols);
    t->q->be->scale_blocks(t->q, &y, &s->saved[KEPT], &in[0]->x, 0);
    t->q->be->gemm(t->q, &y, &s->saved[MASKED], &from, HR_N, HR_N, 1, 1);
    return s->out;
}

/* ---- stochastic depth (Huang et al. 2016) ---- */

static void kept_backward(hr_tape *t, const hr_node *s)
{
    const hr_array *g;
    double beta;

    if ((g = hr_grad(t, s->in[0], &beta)))
        t->q->be->axpby(t->q, g, &s->out->g, 1, beta);
    if ((g = hr_grad(t, s->in[1], &beta)))
        t->q->be->scale_blocks(t->q, g, &s->saved[0], &s->out->g, beta);
}

hr_tensor *hr_add_kept(hr_tape *t, hr_tensor *x, hr_tensor *branch, const hr_array *keep)
{
    static const hr_op op = { "add_kept", kept_backward };
    hr_tensor *in[2] = { hr_write(t, x), hr_write(t, branch) };
    char left[HR_SHAPE], right[HR_SHAPE], factors[HR_SHAPE];
    hr_node *s;

    if (!hr_same_shape(&x->x, &branch->x) || hr_rows_of(&x->x) % hr_count(keep))
        return hr_tape_fail(t, HIRL_E_INVALID,
                            "add_kept: inputs are %s and %s, factors %s; wanted equal shapes, [N]",
                            hr_shape(left, &x->x), hr_shape(right, &branch->x),
                            hr_shape(factors, keep));
    s = hr_tape_push(t, &op, x->x.dtype, x->x.rank, x->x.dim, 2, in);
    if (!s)
        return &t->dead;
    s->saved[0] = *keep;
    t->q->be->copy(t->q, &s->out->x, &in[0]->x);
    t->q->be->scale_blocks(t->q, &s->out->x, keep, &in[1]->x, 1);
    return s->out;
}
