/* op_attention.c - multi-head attention among the tokens of each image (Vaswani et al. 2017).
 *
 *   y = softmax(Q K' / sqrt d) V       for each image and head; no [T,T] array is kept
 *
 * qkv [N T, 3 D]: a row holds the blocks Q, K and V; a block holds its heads one after another,
 * with d = D / heads columns each. y [N T, D]. Saved for backward: y, and the logarithm of each
 * softmax's sum, [N, heads, T].
 */
#include "tape/ops.h"

static void backward(hr_tape *t, const hr_node *s)
{
    double beta;
    const hr_array *dqkv = hr_grad(t, s->in[0], &beta);

    if (dqkv)
        t->q->be->attention_grad(t->q, dqkv, &s->out->g, &s->out->x, &s->saved[0], &s->in[0]->x,
                                 beta);
}

hr_tensor *hr_attention(hr_tape *t, hr_tensor *qkv, int64_t tokens, int64_t heads)
{
    static const hr_op op = { "attention", backward };
    char found[HR_SHAPE];
    int64_t rows, cols;
    hr_node *s;

    qkv = hr_write(t, qkv);
    rows = hr_rows_of(&qkv->x);
    cols = hr_cols(&qkv->x);
    if (tokens < 1 || heads < 1 || rows % tokens || cols % (3 * heads))
        return hr_tape_fail(t, HIRL_E_INVALID,
                            "attention: input is %s for %lld tokens, %lld heads; wanted [N T,3 D]",
                            hr_shape(found, &qkv->x), (long long)tokens, (long long)heads);
    s = hr_tape_push(t, &op, qkv->x.dtype, 2, (int64_t[]){ rows, cols / 3 }, 1, &qkv);
    if (!s)
        return &t->dead;
    s->saved[0] = hr_tape_array(t, HR_REAL, 3, (int64_t[]){ rows / tokens, heads, tokens });
    if (!s->saved[0].data)
        return &t->dead;
    t->q->be->attention(t->q, &s->out->x, &s->saved[0], &qkv->x);
    return s->out;
}
