/* activation.c - y = max(x, 0); dx = beta dx + (y > 0) dy. A NaN stays one. */
#include "cpu/cpu.h"
#include "cpu/part.h"

typedef struct relu_job {
    real *to;
    const real *x, *dy;
    int64_t n;
    real beta;
} relu_job;

static void relu_part(void *arg, int64_t i, int worker)
{
    const relu_job *job = arg;
    hr_range r = hr_range_of(job->n, HR_PART, i);

    (void)worker;
    for (int64_t k = r.from; k < r.to; k++)
        job->to[k] = 0 > job->x[k] ? 0 : job->x[k];
}

void hr_cpu_relu(hr_queue *q, const hr_array *y, const hr_array *x)
{
    relu_job job = { hr_cpu_out(q, y, false), hr_cpu_in(q, x), NULL, hr_count(y), 0 };

    hr_cpu_run(q, hr_parts(job.n, HR_PART), relu_part, &job);
    hr_cpu_end(q);
}

static void relu_grad_part(void *arg, int64_t i, int worker)
{
    const relu_job *job = arg;
    hr_range r = hr_range_of(job->n, HR_PART, i);

    (void)worker;
    if (job->beta == 0)
        for (int64_t k = r.from; k < r.to; k++)
            job->to[k] = job->x[k] > 0 ? job->dy[k] : 0;
    else
        for (int64_t k = r.from; k < r.to; k++)
            job->to[k] = job->beta * job->to[k] + (job->x[k] > 0 ? job->dy[k] : 0);
}

void hr_cpu_relu_grad(hr_queue *q, const hr_array *dx, const hr_array *dy, const hr_array *y,
                      double beta)
{
    relu_job job = { hr_cpu_out(q, dx, beta != 0), hr_cpu_in(q, y), hr_cpu_in(q, dy), hr_count(dx),
                     (real)beta };

    hr_cpu_run(q, hr_parts(job.n, HR_PART), relu_grad_part, &job);
    hr_cpu_end(q);
}
