/* op_host.c - a loss that a function on the host computes, with its gradient.
 *
 *   (y, g) = f(x)     dx += dy g           y [1]; x and g have the same shape; real, in host memory
 */
#include "tape/ops.h"

#include <string.h>

/* all elements as one row */
static hr_array flat(const hr_array *x)
{
    return hr_array_2(x->data, x->dtype, 1, hr_count(x));
}

static void backward(hr_tape *t, const hr_node *s)
{
    double beta;
    const hr_array *dx = hr_grad(t, s->in[0], &beta);
    hr_array row, g = flat(&s->saved[0]);

    if (!dx)
        return;
    row = flat(dx);
    t->q->be->row_dot_grad(t->q, &row, &s->out->g, &g, beta);
}

hr_tensor *hr_host_loss(hr_tape *t, hr_tensor *x, hr_host_fn *f, void *arg)
{
    static const hr_op op = { "host_loss", backward };
    real *value, *grad = NULL;
    double loss = 0;
    hirl_status status;
    size_t bytes;
    hr_node *s;

    x = hr_write(t, x);
    s = hr_tape_push(t, &op, HR_REAL, 1, (int64_t[]){ 1 }, 1, &x);
    if (!s)
        return &t->dead;
    bytes = (size_t)hr_count(&x->x) * sizeof *value;
    value = hr_tape_take(t, bytes);
    if (s->out->grad) {
        grad = hr_tape_take(t, bytes);
        s->saved[0] = hr_tape_array(t, HR_REAL, x->x.rank, x->x.dim);
    }
    if (hr_tape_status(t) < 0)
        return &t->dead;
    if (grad)
        memset(grad, 0, bytes);
    t->q->be->download(t->q, value, HR_REAL, &x->x);
    status = t->q->be->sync(t->q);
    if (status >= 0)
        status = f(&loss, grad, value, arg);
    if (status < 0)
        return hr_tape_pass(t, status);
    t->q->be->upload(t->q, &s->out->x, &loss, HR_F64);
    if (grad)
        t->q->be->upload(t->q, &s->saved[0], grad, HR_REAL);
    return s->out;
}
