/* distill.c - the centre of a teacher's outputs and the distillation of classes that uses it (Caron et al.
 * 2021, DINO).
 *
 *   p_u = softmax((t_u - c) / tau_t)                       u: a global view; no gradient
 *   L   = mean over (u, v), v != u, of mean_n - sum_k p_u log softmax(s_v / tau_s)_k
 *   c  <- m c + (1 - m) mean of t over views and images
 */
#include "ssl/distill.h"

hirl_status hr_center_init(hr_center *center, hr_queue *q, const hr_method *method,
                           const hr_method_config *config)
{
    center->keep = config->center_momentum;
    center->value = center->sum = hr_array_1(NULL, HR_REAL, config->out);
    HR_TRY(hr_method_take(&center->value, q, method));
    return hr_method_take(&center->sum, q, method);
}

void hr_center_done(hr_center *center, hr_queue *q)
{
    hr_method_give(&center->value, q);
    hr_method_give(&center->sum, q);
}

void hr_center_see(hr_center *center, hr_tape *t, const hr_tensor *rows, double share, bool first)
{
    if (hr_tape_status(t) >= 0)
        t->q->be->sum_rows(t->q, &center->sum, &rows->x, share, first ? 0 : 1);
}

static void commit(hr_queue *q, void *arg)
{
    hr_center *center = arg;
    int32_t ranks = q->comm ? q->comm->ranks : 1;

    if (ranks > 1)
        q->comm->all_reduce(q->comm, q, &center->sum);
    q->be->axpby(q, &center->value, &center->sum, (1 - center->keep) / ranks, center->keep);
}

void hr_center_at_commit(hr_center *center, hr_tape *t)
{
    hr_tape_at_commit(t, commit, center);
}

hr_tensor *hr_distill(hr_tape *t, const hr_seen *student, const hr_seen *teacher, hr_center *center,
                      const hr_now *now, double temperature)
{
    double rows = (double)(now->micros * now->globals * now->n);
    hr_tensor *sum = NULL;

    for (int u = 0; u < now->globals; u++) {
        hr_tensor *p = hr_target(t, teacher->out[u], &center->value, now->teacher_temperature);

        if (u == 0)
            hr_method_entropy(now, t, p);
        for (int v = 0; v < now->views; v++) {
            hr_tensor *term;

            if (v == u) /* a view teaches the others, not itself */
                continue;
            term = hr_soft_cross_entropy(t, p, student->out[v], temperature, NULL);
            sum = sum ? hr_add(t, sum, term) : term;
        }
        hr_center_see(center, t, teacher->out[u], 1 / rows, u == 0 && now->micro == 0);
    }
    if (now->micro == 0)
        hr_center_at_commit(center, t);
    return hr_scale(t, sum, 1.0 / (double)(now->globals * (now->views - 1)));
}
