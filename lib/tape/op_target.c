/* op_target.c - targets for other views, from a teacher or prototypes; they have no gradient.
 *
 *   target    p_n = softmax((z_n - center) / T)               (DINO: Caron et al. 2021, eq. 1)
 *   sinkhorn  p = diag(v) exp(s / eps) diag(u), rows sum to 1, columns to N / K
 *                                                          (SwAV: Caron et al. 2020, eqs. 3 to 5)
 *
 * z, s, p [N,K]; center [K]. Sinkhorn uses the rows of all ranks together.
 */
#include "tape/ops.h"

hr_tensor *hr_target(hr_tape *t, hr_tensor *z, const hr_array *center, const hr_array *temperature)
{
    static const hr_op op = { "target", NULL };
    char found[HR_SHAPE], other[HR_SHAPE];
    hr_node *s;

    z = hr_write(t, z);
    if (z->x.rank != 2)
        return hr_tape_fail(t, HIRL_E_INVALID, "target: scores are %s; wanted [N,K]",
                            hr_shape(found, &z->x));
    if (center && hr_count(center) != z->x.dim[1])
        return hr_tape_fail(
            t, HIRL_E_INVALID, "target: scores are %s, the center %s; wanted [%lld]",
            hr_shape(found, &z->x), hr_shape(other, center), (long long)z->x.dim[1]);
    s = hr_tape_push(t, &op, HR_REAL, 2, z->x.dim, 1, &z);
    if (!s)
        return &t->dead;
    t->q->be->target(t->q, &s->out->x, &z->x, center, temperature);
    return s->out;
}

hr_tensor *hr_sinkhorn(hr_tape *t, hr_tensor *scores, double epsilon, int iterations, int64_t keep)
{
    static const hr_op op = { "sinkhorn", NULL };
    char found[HR_SHAPE];
    hr_array all;
    int64_t rows, first;
    hr_node *s;

    scores = hr_write(t, scores);
    rows = scores->x.dim[0];
    if (scores->x.rank != 2 || keep < 0 || keep > rows)
        return hr_tape_fail(t, HIRL_E_INVALID,
                            "sinkhorn: scores are %s, rows to keep %lld; wanted [N,K] and 0 to N",
                            hr_shape(found, &scores->x), (long long)keep);
    if (iterations < 1 || !(epsilon > 0))
        return hr_tape_fail(t, HIRL_E_INVALID,
                            "sinkhorn: %d iterations with epsilon %g; wanted 1 or more, above 0",
                            iterations, epsilon);
    keep = keep ? keep : rows;
    s = hr_tape_push(t, &op, HR_REAL, 2, (int64_t[]){ keep, scores->x.dim[1] }, 1, &scores);
    if (!s)
        return &t->dead;
    all = hr_all_ranks(t, &scores->x);
    if (!all.data)
        return &t->dead;
    first = hr_queue_rank(t->q) * rows + rows - keep;
    t->q->be->sinkhorn(t->q, &s->out->x, &all, first, epsilon, iterations);
    return s->out;
}
