/* op_spd.c - semantic path discrimination (HIRL sec. 4.2, eqs. 2 and 3).
 *
 *   s(z, P) = prod_l (1 + <u^l, c^l_P>) / 2                                          (eq. 2)
 *   loss    = -mean_n [ log s(z_n, P+_n) + mean_k log(1 - s(z_n, P-_nk)) ]           (eq. 3)
 *
 * where eps is added inside both logarithms. u^l = norm2(h_l(z_0)) [N,d]; c^l [M_l,d]: constants.
 * The kernel computes the loss and du [L,N,d] in one pass over the paths; backward only scales du.
 */
#include "tape/ops.h"

/* gradient of u += dloss du; dloss is one number in device memory */
static void give(hr_tape *t, hr_tensor *u, const hr_array *dloss, const hr_array *du)
{
    double beta;
    const hr_array *g = hr_grad(t, u, &beta);
    hr_array to, from;

    if (!g)
        return;
    to = hr_array_2(g->data, g->dtype, 1, hr_count(g));
    from = hr_array_2(du->data, du->dtype, 1, hr_count(du));
    t->q->be->row_dot_grad(t->q, &to, dloss, &from, beta);
}

static void backward(hr_tape *t, const hr_node *s)
{
    for (int l = 0; l < HR_LEVELS && s->in[l]; l++) {
        hr_array du = hr_slice(&s->saved[0], l, 1);

        give(t, s->in[l], &s->out->g, &du);
    }
}

static bool shapes_fit(hr_tape *t, hr_tensor **u, const hr_spd_paths *paths)
{
    char found[HR_SHAPE], other[HR_SHAPE];
    int32_t levels = paths->levels;

    if (levels < 1 || levels > HR_LEVELS) {
        hr_tape_fail(t, HIRL_E_INVALID, "spd: %d levels; wanted 1 to %d", (int)levels, HR_LEVELS);
        return false;
    }
    for (int l = 0; l < levels; l++)
        if (u[l]->x.rank != 2 || !hr_same_shape(&u[0]->x, &u[l]->x) || paths->proto[l].rank != 2 ||
            paths->proto[l].dim[1] != u[0]->x.dim[1]) {
            hr_tape_fail(t, HIRL_E_INVALID,
                         "spd: level %d is %s with prototypes %s; wanted [N,d] of one shape, [M,d]",
                         l + 1, hr_shape(found, &u[l]->x), hr_shape(other, &paths->proto[l]));
            return false;
        }
    if (paths->path.rank != 2 || paths->path.dim[0] != paths->proto[0].dim[0] ||
        paths->path.dim[1] != levels || hr_count(&paths->positive) != u[0]->x.dim[0] ||
        paths->negative.rank != 2 || paths->negative.dim[0] != u[0]->x.dim[0]) {
        hr_tape_fail(t, HIRL_E_INVALID, "spd: paths are %s, negatives %s; wanted [M_1,L], [N,K]",
                     hr_shape(found, &paths->path), hr_shape(other, &paths->negative));
        return false;
    }
    return true;
}

hr_tensor *hr_spd(hr_tape *t, hr_tensor **u, const hr_spd_paths *paths)
{
    static const hr_op op = { "spd", backward };
    int32_t levels = paths->levels;
    hr_tensor *in[HR_LEVELS];
    hr_array all; /* [L,N,d] */
    int64_t dim[3];
    hr_node *s;

    if (!shapes_fit(t, u, paths))
        return &t->dead;
    for (int l = 0; l < levels; l++)
        in[l] = hr_write(t, u[l]);
    s = hr_tape_push(t, &op, HR_REAL, 1, (int64_t[]){ 1 }, levels, in);
    if (!s)
        return &t->dead;
    dim[0] = levels;
    dim[1] = in[0]->x.dim[0];
    dim[2] = in[0]->x.dim[1];
    all = hr_tape_array(t, HR_REAL, 3, dim);
    s->saved[0] = hr_tape_array(t, HR_REAL, 3, dim);
    if (!s->saved[0].data)
        return &t->dead;
    for (int l = 0; l < levels; l++) {
        hr_array to = hr_slice(&all, l, 1);

        to = hr_array_2(to.data, to.dtype, dim[1], dim[2]);
        t->q->be->copy(t->q, &to, &in[l]->x);
    }
    t->q->be->spd(t->q, &s->out->x, &s->saved[0], &all, paths->proto, &paths->path,
                  &paths->positive, &paths->negative, paths->eps, paths->divisor_eps);
    return s->out;
}
