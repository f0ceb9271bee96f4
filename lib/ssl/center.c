/* center.c - the centre of a teacher's outputs (DINO: Caron et al. 2021, eq. 4).
 *
 *   c <- m_c c + (1 - m_c) mean of t over views, rows and ranks         when the step commits
 *
 * The teacher's softmax subtracts the centre, so that no output can win for every image.
 */
#include "ssl/center.h"

hirl_status hr_center_init(hr_center *center, hr_queue *q, const hr_method *method,
                           const hr_method_config *config)
{
    center->keep = config->center_momentum;
    center->value = center->sum = hr_array_1(NULL, HR_REAL, config->out);
    HR_TRY(hr_array_take(&center->value, q, method->name));
    return hr_array_take(&center->sum, q, method->name);
}

void hr_center_done(hr_center *center, hr_queue *q)
{
    hr_array_give(&center->value, q);
    hr_array_give(&center->sum, q);
}

void hr_center_see(hr_center *center, hr_tape *t, const hr_tensor *rows, double share, bool first)
{
    if (hr_tape_status(t) >= 0)
        t->q->be->sum_rows(t->q, &center->sum, &rows->x, share, first ? 0 : 1);
}

static void commit(hr_queue *q, void *arg)
{
    hr_center *center = arg;
    int32_t ranks = hr_queue_ranks(q);

    if (ranks > 1)
        q->comm->all_reduce(q->comm, q, &center->sum);
    q->be->axpby(q, &center->value, &center->sum, (1 - center->keep) / ranks, center->keep);
}

void hr_center_at_commit(hr_center *center, hr_tape *t)
{
    hr_tape_at_commit(t, commit, center);
}
