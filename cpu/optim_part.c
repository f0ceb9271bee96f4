/* optim_part.c - operations per part of a flat array: norms, gradient clipping, LARC.
 *
 *   part_square  s_p = sum of x^2 over part p
 *   clip_factor  factor = min(1, limit / (sqrt(s) + 1e-6)),  s = s_p, or the sum of all s_p
 *   part_scale   x <- factor x
 *   larc         grad <- a (grad + wd p),  a = trust |p| / (|grad| + wd |p| + eps); unchanged for a
 *                part with |p| = 0 or |grad| = 0 (You et al. 2017)
 *
 * parts [P,2]: first number and count. A task handles a chunk of one part; the sums of the chunks
 * are added in order.
 */
#include <math.h>

#include "cpu/cpu.h"
#include "cpu/dot.h"
#include "cpu/part.h"

static const double CLIP_EPS = 1e-6; /* as in torch.nn.utils.clip_grad_norm_ */

typedef struct chunk {
    int64_t part, from, to;
} chunk;

typedef struct part_job {
    chunk *chunk;
    int64_t chunks;
    const real *in;
    real *out;
    const double *factor; /* one of each part, or a single one */
    bool one_factor;
    double *sum; /* one of each chunk */
    real decay;
} part_job;

/* cuts all parts into chunks, in order; the chunks are valid until hr_cpu_end */
static void cut(part_job *job, hr_queue *q, const hr_array *parts)
{
    const int64_t *part = parts->data;
    int64_t n = 0;

    for (int64_t p = 0; p < parts->dim[0]; p++)
        n += hr_parts(part[2 * p + 1], HR_PART);
    job->chunk = hr_cpu_work(q, (size_t)n * sizeof *job->chunk);
    if (!job->chunk)
        return;
    job->chunks = n;
    n = 0;
    for (int64_t p = 0; p < parts->dim[0]; p++)
        for (int64_t i = 0; i < hr_parts(part[2 * p + 1], HR_PART); i++) {
            hr_range r = hr_range_of(part[2 * p + 1], HR_PART, i);

            job->chunk[n++] = (chunk){ p, part[2 * p] + r.from, part[2 * p] + r.to };
        }
}

/* ---- norms ---- */

static void square_chunk(void *arg, int64_t i, int worker)
{
    const part_job *job = arg;
    const chunk *c = &job->chunk[i];

    (void)worker;
    job->sum[i] = hr_cpu_dot(job->in + c->from, job->in + c->from, c->to - c->from);
}

void hr_cpu_part_square(hr_queue *q, const hr_array *s, const hr_array *x, const hr_array *parts)
{
    part_job job = { .in = hr_cpu_in(q, x) };
    double *square = s->data;

    cut(&job, q, parts);
    job.sum = hr_cpu_work(q, (size_t)job.chunks * sizeof *job.sum);
    hr_cpu_run(q, job.chunks, square_chunk, &job);
    if (hr_cpu_ok(q)) {
        for (int64_t p = 0; p < parts->dim[0]; p++)
            square[p] = 0;
        for (int64_t i = 0; i < job.chunks; i++)
            square[job.chunk[i].part] += job.sum[i];
    }
    hr_cpu_end(q);
}

/* ---- clipping ---- */

static double clip_of(double square, double limit)
{
    double factor = limit / (sqrt(square) + CLIP_EPS);

    return factor < 1 ? factor : 1;
}

void hr_cpu_clip_factor(hr_queue *q, const hr_array *factor, const hr_array *s, double limit)
{
    const double *square = s->data;
    double *to = factor->data, total = 0;

    if (!hr_cpu_ok(q))
        return;
    for (int64_t p = 0; p < s->dim[0]; p++)
        total += square[p];
    if (factor->dim[0] == 1)
        to[0] = clip_of(total, limit);
    else
        for (int64_t p = 0; p < s->dim[0]; p++)
            to[p] = clip_of(square[p], limit);
}

static void scale_chunk(void *arg, int64_t i, int worker)
{
    const part_job *job = arg;
    const chunk *c = &job->chunk[i];
    double factor = job->factor[job->one_factor ? 0 : c->part];
    real k = (real)factor;

    (void)worker;
    if (factor == 1)
        return;
    for (int64_t j = c->from; j < c->to; j++)
        job->out[j] *= k;
}

void hr_cpu_part_scale(hr_queue *q, const hr_array *x, const hr_array *factor,
                       const hr_array *parts)
{
    part_job job = { .out = hr_cpu_out(q, x, true),
                     .factor = factor->data,
                     .one_factor = factor->dim[0] == 1 };

    cut(&job, q, parts);
    hr_cpu_run(q, job.chunks, scale_chunk, &job);
    hr_cpu_end(q);
}

/* ---- LARC ---- */

static void larc_chunk(void *arg, int64_t i, int worker)
{
    const part_job *job = arg;
    const chunk *c = &job->chunk[i];
    real a = (real)job->factor[c->part], decay = job->decay;

    (void)worker;
    if (a == 0)
        return;
    for (int64_t j = c->from; j < c->to; j++)
        job->out[j] = a * (job->out[j] + decay * job->in[j]);
}

void hr_cpu_larc(hr_queue *q, const hr_array *grad, const hr_array *p, const hr_array *grad_square,
                 const hr_array *p_square, const hr_array *parts, int32_t group, double trust,
                 double eps)
{
    double decay = hr_cpu_state(q)->scalars->larc[group];
    const double *gg = grad_square->data, *pp = p_square->data;
    part_job job = { .out = hr_cpu_out(q, grad, true),
                     .in = hr_cpu_in(q, p),
                     .decay = (real)decay };
    double *a = hr_cpu_work(q, (size_t)parts->dim[0] * sizeof *a);

    for (int64_t i = 0; a && i < parts->dim[0]; i++) {
        double of_p = sqrt(pp[i]), of_g = sqrt(gg[i]);

        a[i] = of_p > 0 && of_g > 0 ? trust * of_p / (of_g + decay * of_p + eps) : 0;
    }
    job.factor = a;
    cut(&job, q, parts);
    hr_cpu_run(q, job.chunks, larc_chunk, &job);
    hr_cpu_end(q);
}
