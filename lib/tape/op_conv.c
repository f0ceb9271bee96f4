/* op_conv.c - convolution of a feature map, which may still be pending (backend.h: hr_map).
 *
 *   y[n,p,o] = sum_{a,i} x[n, stride p + a - pad, i] w[o,a,i]        p, a: places in 2-D
 *   dx += dy *' w      dw += dy' x
 *
 * x [N,H,W,I], w [O,k,k,I], y [N,OH,OW,O] raw, OH = (H + 2 pad - k) / stride + 1.
 */
#include "tape/ops.h"

static void backward(hr_tape *t, const hr_node *s)
{
    hr_tensor *x = s->in[0], *w = s->in[1];
    hr_queue *q = t->q;
    const hr_array *g;
    double beta;

    if ((g = hr_grad(t, x, &beta)))
        q->be->conv_dx(q, g, &s->out->g, &w->x, s->geo, beta);
    if ((g = hr_grad(t, w, &beta)))
        q->be->conv_dw(q, g, s->more, &s->out->g, s->geo, beta);
}

hr_tensor *hr_conv(hr_tape *t, hr_tensor *x, hr_tensor *w, int stride, int pad)
{
    static const hr_op op = { "conv", backward };
    hr_geometry geo = { (int32_t)w->x.dim[1], stride, pad };
    const hr_map *map = hr_map_of(t, x);
    char found[HR_SHAPE], weight[HR_SHAPE];
    int64_t h, width;
    hr_node *s;

    if (x->x.rank != 4 || w->x.rank != 4 || x->x.dim[3] != w->x.dim[3] ||
        w->x.dim[1] != w->x.dim[2])
        return hr_tape_fail(t, HIRL_E_INVALID,
                            "conv: input is %s, weight %s; wanted [N,H,W,I], [O,k,k,I]",
                            hr_shape(found, &x->x), hr_shape(weight, &w->x));
    h = stride < 1 ? 0 : hr_window_count(x->x.dim[1], geo);
    width = stride < 1 ? 0 : hr_window_count(x->x.dim[2], geo);
    if (stride < 1 || pad < 0 || x->x.dim[1] + 2 * pad < geo.kernel ||
        x->x.dim[2] + 2 * pad < geo.kernel)
        return hr_tape_fail(t, HIRL_E_INVALID, "conv: %s is smaller than a window of %d, pad %d",
                            hr_shape(found, &x->x), (int)geo.kernel, pad);
    s = hr_tape_push(t, &op, t->type, 4, (int64_t[]){ x->x.dim[0], h, width, w->x.dim[0] }, 2,
                     (hr_tensor *[]){ x, w });
    if (!s || !map)
        return &t->dead;
    s->geo = geo;
    s->more = map;
    t->q->be->conv(t->q, &s->out->x, NULL, map, &w->x, geo);
    return s->out;
}
