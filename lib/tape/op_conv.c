/* op_conv.c - convolution of a feature map, which may still be pending (backend.h: hr_map).
 *
 *   y[n,p,o] = sum_{a,i} x[n, stride p + a - pad, i] w[o,a,i]        p, a: positions in 2-D
 *   dx += dy *' w      dw += dy' x
 *
 * x [N,H,W,I], w [O,k,k,I], y [N,OH,OW,O] raw, OH = (H + 2 pad - k) / stride + 1.
 */
#include "tape/conv.h"

#include "tape/ops.h"

void hr_conv_backward(hr_tape *t, const hr_node *s, hr_tensor *x, hr_tensor *w, const hr_array *dy)
{
    hr_queue *q = t->q;
    const hr_array *g;
    double beta;

    if ((g = hr_grad(t, x, &beta)))
        q->be->conv_dx(q, g, dy, &w->x, s->geo, beta);
    if ((g = hr_grad(t, w, &beta)))
        q->be->conv_dw(q, g, s->more, dy, s->geo, beta);
}

static void backward(hr_tape *t, const hr_node *s)
{
    hr_conv_backward(t, s, s->in[0], s->in[1], &s->out->g);
}

bool hr_conv_shape(int64_t dim[4], hr_tape *t, const hr_tensor *x, const hr_tensor *w,
                   hr_geometry geo)
{
    char found[HR_SHAPE], weight[HR_SHAPE];

    if (x->x.rank != 4 || w->x.rank != 4 || x->x.dim[3] != w->x.dim[3] ||
        w->x.dim[1] != w->x.dim[2] || w->x.dim[1] != geo.kernel) {
        hr_tape_fail(t, HIRL_E_INVALID, "conv: input is %s, weight %s; wanted [N,H,W,I], [O,k,k,I]",
                     hr_shape(found, &x->x), hr_shape(weight, &w->x));
        return false;
    }
    if (geo.stride < 1 || geo.pad < 0 || x->x.dim[1] + 2 * geo.pad < geo.kernel ||
        x->x.dim[2] + 2 * geo.pad < geo.kernel) {
        hr_tape_fail(t, HIRL_E_INVALID,
                     "conv: input %s is smaller than the window, kernel %d with pad %d",
                     hr_shape(found, &x->x), (int)geo.kernel, (int)geo.pad);
        return false;
    }
    dim[0] = x->x.dim[0];
    dim[1] = hr_window_count(x->x.dim[1], geo);
    dim[2] = hr_window_count(x->x.dim[2], geo);
    dim[3] = w->x.dim[0];
    return true;
}

hr_tensor *hr_conv(hr_tape *t, hr_tensor *x, hr_tensor *w, int stride, int pad)
{
    static const hr_op op = { "conv", backward };
    hr_geometry geo = { (int32_t)w->x.dim[1], stride, pad };
    const hr_map *map = hr_map_of(t, x);
    int64_t dim[4];
    hr_node *s;

    if (!hr_conv_shape(dim, t, x, w, geo))
        return &t->dead;
    s = hr_tape_push(t, &op, t->type, 4, dim, 2, (hr_tensor *[]){ x, w });
    if (!s || !map)
        return &t->dead;
    s->geo = geo;
    s->more = map;
    t->q->be->conv(t->q, &s->out->x, NULL, map, &w->x, geo);
    return s->out;
}
