/* op_layer_norm.c - layer normalisation (Ba et al. 2016): each row has its own mean and variance.
 *
 *   y = gamma xhat + shift,  xhat = (x - mean) / sqrt(var + eps)
 *   dx += (d - mean d - xhat mean(d xhat)) / sqrt(var + eps),  d = gamma dy
 *   dgamma += sum_r dy xhat      dshift += sum_r dy
 *
 * x, y [..,D], gamma, shift [D]; mean and var (biased) over D.
 */
#include "tape/ops.h"

enum { MEAN, RSTD };

static void backward(hr_tape *t, const hr_node *s)
{
    hr_tensor *x = s->in[0], *gamma = s->in[1], *shift = s->in[2];
    double beta = 0;
    const hr_array *dgamma = hr_grad_part(t, gamma), *dshift = hr_grad_part(t, shift);
    const hr_array *dx = hr_grad(t, x, &beta);

    if (dx || dgamma)
        t->q->be->layer_norm_grad(t->q, dx, dgamma, dshift, &s->out->g, &x->x, &s->saved[MEAN],
                                  &s->saved[RSTD], &gamma->x, beta);
}

hr_tensor *hr_layer_norm(hr_tape *t, hr_tensor *x, hr_tensor *gamma, hr_tensor *shift, double eps)
{
    static const hr_op op = { "layer_norm", backward };
    hr_tensor *in[3] = { hr_write(t, x), gamma, shift };
    char found[HR_SHAPE], first[HR_SHAPE], second[HR_SHAPE];
    int64_t cols = hr_cols(&x->x);
    hr_node *s;

    if (hr_count(&gamma->x) != cols || hr_count(&shift->x) != cols || gamma->grad != shift->grad)
        return hr_tape_fail(t, HIRL_E_INVALID,
                            "layer_norm: input is %s, gamma %s, shift %s; wanted [..,D], [D], [D]",
                            hr_shape(found, &x->x), hr_shape(first, &gamma->x),
                            hr_shape(second, &shift->x));
    s = hr_tape_push(t, &op, x->x.dtype, x->x.rank, x->x.dim, 3, in);
    if (!s)
        return &t->dead;
    s->saved[MEAN] = hr_tape_array_1(t, HR_REAL, hr_rows_of(&x->x));
    s->saved[RSTD] = hr_tape_array_1(t, HR_REAL, hr_rows_of(&x->x));
    if (!s->saved[RSTD].data)
        return &t->dead;
    t->q->be->layer_norm(t->q, &s->out->x, &s->saved[MEAN], &s->saved[RSTD], &in[0]->x, &gamma->x,
                         &shift->x, eps);
    return s->out;
}
