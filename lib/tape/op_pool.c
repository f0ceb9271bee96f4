/* op_pool.c - maximum over windows, and mean over the image; the input may be pending.
 *
 *   y[n,p,c] = max_a x[n, stride p + a - pad, c]      dx += dy at the maximum (the first one)
 *   y[n,c]   = mean_{h,w} x[n,h,w,c]                  dx += dy / (H W)
 *
 * x [N,H,W,C]. The mean is real, as are the heads that follow it.
 */
#include "tape/ops.h"

static void max_backward(hr_tape *t, const hr_node *s)
{
    double beta;
    const hr_array *dx = hr_grad(t, s->in[0], &beta);

    if (dx)
        t->q->be->max_pool_grad(t->q, dx, &s->out->g, &s->saved[0], s->geo, beta);
}

hr_tensor *hr_max_pool(hr_tape *t, hr_tensor *x, int kernel, int stride, int pad)
{
    static const hr_op op = { "max_pool", max_backward };
    hr_geometry geo = { kernel, stride, pad };
    const hr_map *map = hr_map_of(t, x);
    char found[HR_SHAPE];
    int64_t dim[4];
    hr_node *s;

    if (x->x.rank != 4 || kernel < 1 || stride < 1 || pad < 0 || 2 * pad > kernel ||
        x->x.dim[1] + 2 * pad < kernel || x->x.dim[2] + 2 * pad < kernel)
        return hr_tape_fail(t, HIRL_E_INVALID,
                            "max_pool: input is %s, window %d, stride %d, pad %d; wanted [N,H,W,C]",
                            hr_shape(found, &x->x), kernel, stride, pad);
    dim[0] = x->x.dim[0];
    dim[1] = hr_window_count(x->x.dim[1], geo);
    dim[2] = hr_window_count(x->x.dim[2], geo);
    dim[3] = x->x.dim[3];
    s = hr_tape_push(t, &op, x->x.dtype, 4, dim, 1, &x);
    if (!s || !map)
        return &t->dead;
    s->geo = geo;
    s->saved[0] = hr_tape_array(t, HR_I32, 4, dim);
    if (!s->saved[0].data)
        return &t->dead;
    t->q->be->max_pool(t->q, &s->out->x, &s->saved[0], map, geo);
    return s->out;
}

static void mean_backward(hr_tape *t, const hr_node *s)
{
    double beta;
    const hr_array *dx = hr_grad(t, s->in[0], &beta);

    if (dx)
        t->q->be->mean_pool_grad(t->q, dx, &s->out->g, beta);
}

hr_tensor *hr_mean_pool(hr_tape *t, hr_tensor *x)
{
    static const hr_op op = { "mean_pool", mean_backward };
    const hr_map *map = hr_map_of(t, x);
    char found[HR_SHAPE];
    hr_node *s;

    if (x->x.rank != 4)
        return hr_tape_fail(t, HIRL_E_INVALID, "mean_pool: input is %s; wanted [N,H,W,C]",
                            hr_shape(found, &x->x));
    s = hr_tape_push(t, &op, HR_REAL, 2, (int64_t[]){ x->x.dim[0], x->x.dim[3] }, 1, &x);
    if (!s || !map)
        return &t->dead;
    t->q->be->mean_pool(t->q, &s->out->x, map);
    return s->out;
}
