/* center.c - running mean of a teacher's rows (DINO: Caron et al. 2021, eq. 4).
 *
 *   center <- m center + (1 - m) 1/(R N) sum_rn z_rn          r: ranks, n: rows of all parts
 *
 * z [N,K], center [K]. The mean is taken now and enters at commit: the loss of a step uses the old
 * center, and a step that is not committed leaves it alone.
 */
#include "ssl/center.h"

#include "tape/ops.h"

typedef struct center_job {
    hr_array center, mean; /* [K] */
    double keep;
} center_job;

static void move(hr_queue *q, void *arg)
{
    const center_job *job = arg;

    q->be->axpby(q, &job->center, &job->mean, 1 - job->keep, job->keep);
}

void hr_center_at_commit(hr_tape *t, const hr_array *center, hr_tensor *const *part, int parts,
                         double keep)
{
    center_job *job = hr_tape_take(t, sizeof *job);
    hr_comm *comm = t->q->comm;
    int64_t rows = 0;

    for (int i = 0; i < parts; i++)
        rows += hr_rows_of(&part[i]->x);
    if (!job)
        return;
    *job = (center_job){ *center, hr_tape_array_1(t, HR_REAL, hr_count(center)), keep };
    if (!job->mean.data)
        return;
    for (int i = 0; i < parts; i++)
        t->q->be->sum_rows(t->q, &job->mean, &hr_write(t, part[i])->x,
                           1 / (double)(rows * (comm ? comm->ranks : 1)), i ? 1 : 0);
    if (comm && comm->ranks > 1)
        comm->all_reduce(comm, t->q, &job->mean);
    hr_tape_at_commit(t, move, job);
}
