/* op_contrast.c - InfoNCE loss against a key queue (MoCo: He et al. 2020, eq. 1).
 *
 *   pos_n  = <q_n, k_n> / T      neg_nj = <q_n, queue_j> / T
 *   loss   = mean_n [ -pos_n + log( exp pos_n + sum_j exp neg_nj ) ]     j: owner_j != id_n
 *   dq_n  += dpos_n k_n + sum_j dneg_nj queue_j
 *
 * q, k [N,d] unit rows; queue [K,d]; id [N], owner [K]. Keys of the same image are not negatives.
 */
#include "tape/ops.h"

enum { POS, NEG, LSE, QUEUE, ID, OWNER };

static void backward(hr_tape *t, const hr_node *s)
{
    hr_tensor *query = s->in[0], *key = s->in[1];
    const hr_array *saved = s->saved, *dneg = &saved[NEG];
    hr_queue *q = t->q;
    double beta;
    hr_array dpos = hr_tape_array_1(t, HR_REAL, query->x.dim[0]);
    const hr_array *dq = hr_grad(t, query, &beta);

    if (!dq)
        return;
    q->be->info_nce_grad(q, &dpos, dneg, &s->out->g, &saved[LSE], &saved[POS], &saved[NEG],
                         &saved[ID], &saved[OWNER], s->number[0]);
    q->be->gemm(q, dq, dneg, &saved[QUEUE], HR_N, HR_N, 1, beta);
    q->be->row_dot_grad(q, dq, &dpos, &key->x, 1);
}

static bool shapes_fit(hr_tape *t, const hr_tensor *q, const hr_tensor *k, const hr_array *queue,
                       const hr_array *id, const hr_array *owner)
{
    char a[HR_SHAPE], b[HR_SHAPE], c[HR_SHAPE];

    if (q->x.rank != 2 || !hr_same_shape(&q->x, &k->x) || queue->rank != 2 ||
        queue->dim[1] != q->x.dim[1]) {
        hr_tape_fail(t, HIRL_E_INVALID,
                     "info_nce: q is %s, k %s, queue %s; wanted [N,d], [N,d], [K,d]",
                     hr_shape(a, &q->x), hr_shape(b, &k->x), hr_shape(c, queue));
        return false;
    }
    if (hr_count(id) != q->x.dim[0] || hr_count(owner) != queue->dim[0]) {
        hr_tape_fail(t, HIRL_E_INVALID,
                     "info_nce: ids are %s, owners %s; wanted one id for each row of q %s, "
                     "one owner for each of %lld keys",
                     hr_shape(a, id), hr_shape(b, owner), hr_shape(c, &q->x),
                     (long long)queue->dim[0]);
        return false;
    }
    if (k->grad)
        hr_tape_fail(t, HIRL_E_INVALID, "info_nce: the keys need a gradient; wanted detached keys");
    return !k->grad;
}

hr_tensor *hr_info_nce(hr_tape *t, hr_tensor *q, hr_tensor *k, const hr_array *queue,
                       const hr_array *id, const hr_array *owner, double temperature)
{
    static const hr_op op = { "info_nce", backward };
    const hr_backend *be = t->q->be;
    int64_t n, keys = queue->dim[0];
    hr_array *saved;
    hr_node *s;

    q = hr_write(t, q);
    k = hr_write(t, k);
    if (!shapes_fit(t, q, k, queue, id, owner))
        return &t->dead;
    n = q->x.dim[0];
    s = hr_tape_push(t, &op, HR_REAL, 1, (int64_t[]){ 1 }, 2, (hr_tensor *[]){ q, k });
    if (!s)
        return &t->dead;
    saved = s->saved;
    saved[POS] = hr_tape_array_1(t, HR_REAL, n);
    saved[NEG] = hr_tape_array(t, HR_REAL, 2, (int64_t[]){ n, keys });
    saved[LSE] = hr_tape_array_1(t, HR_REAL, n);
    saved[QUEUE] = *queue;
    saved[ID] = *id;
    saved[OWNER] = *owner;
    s->number[0] = temperature;
    if (!saved[LSE].data)
        return &t->dead;
    be->row_dot(t->q, &saved[POS], &q->x, &k->x);
    be->gemm(t->q, &saved[NEG], &q->x, queue, HR_N, HR_T, 1, 0); /* [N,K] */
    be->info_nce(t->q, &s->out->x, &saved[LSE], &saved[POS], &saved[NEG], id, owner, temperature);
    return s->out;
}
