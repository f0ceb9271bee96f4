/* op_conv_norm.c - a convolution and the batch norm that follows, as one operation.
 *
 *   y = conv(x, w)        v = [relu] (gamma xhat(y) + beta + add)
 *
 * Formulas: op_conv.c, op_norm.c. The `conv` of the backend also returns the sums of y and y^2; a
 * fused kernel adds them up while it stores y, the CPU's reads y again. v stays pending. The
 * gradient of y exists only inside backward.
 */
#include "tape/conv.h"
#include "tape/norm.h"
#include "tape/ops.h"

enum { X = HR_NORM_Y, W = HR_NORM_INS, INS };

static void backward(hr_tape *t, const hr_node *s)
{
    const hr_array *raw = &s->out->pending->raw;
    hr_tensor *x = s->in[X], *w = s->in[W];
    hr_array dy;

    hr_norm_add_backward(t, s);
    if (!x->grad && !w->grad) {
        hr_norm_backward(t, s, NULL, 0);
        return;
    }
    dy = hr_tape_array(t, raw->dtype, raw->rank, raw->dim);
    if (!dy.data)
        return;
    hr_norm_backward(t, s, &dy, 0);
    hr_conv_backward(t, s, x, w, &dy);
}

/* computes y, then scale and shift of the map */
static void run(hr_tape *t, hr_node *s, const hr_norm *norm, hr_map *map, const hr_map *x)
{
    const hr_array *w = &s->in[W]->x;
    hr_array *sums = &s->saved[HR_NORM_SUMS];
    hr_queue *q = t->q;

    if (!t->training) {
        q->be->conv(q, &map->raw, NULL, x, w, s->geo);
        hr_norm_frozen(t, norm, map);
    } else if (hr_norm_open(t, s, norm, map)) {
        q->be->fill(q, sums, 0);
        q->be->conv(q, &map->raw, sums, x, w, s->geo);
        hr_norm_close(t, s, norm, map);
    }
}

hr_tensor *hr_conv_norm(hr_tape *t, hr_tensor *x, hr_tensor *w, hr_geometry geo,
                        const hr_norm *norm, hr_tensor *add, bool relu)
{
    static const hr_op op = { "conv_norm", backward },
                       frozen = { "conv_norm", hr_norm_no_backward };
    const hr_map *from = hr_map_of(t, x);
    hr_array raw = { .dtype = t->type, .rank = 4 };
    hr_tensor *in[INS] = { [X] = x, [HR_NORM_GAMMA] = norm->gamma, [HR_NORM_BETA] = norm->beta };
    hr_map *map;
    hr_node *s;

    if (!hr_conv_shape(raw.dim, t, x, w, geo))
        return &t->dead;
    if (add && add->pending && add->pending->add)
        add = hr_write(t, add);
    if (!hr_norm_fits(t, &raw, norm, add))
        return &t->dead;
    in[HR_NORM_ADD] = add;
    in[W] = w;
    s = hr_tape_push_view(t, t->training ? &op : &frozen, &raw, INS, in);
    map = hr_tape_take(t, sizeof *map);
    raw = hr_tape_array(t, raw.dtype, raw.rank, raw.dim);
    if (!s || !map || !raw.data || !from)
        return &t->dead;
    *map = (hr_map){ .raw = raw, .add = add ? hr_map_of(t, add) : NULL, .relu = relu };
    s->out->pending = map;
    s->geo = geo;
    s->more = from;
    run(t, s, norm, map, from);
    return t->failure.status < 0 ? &t->dead : s->out;
}
