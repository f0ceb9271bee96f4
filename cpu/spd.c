/* spd.c - semantic path discrimination, HIRL eqs. 2 and 3, with its gradient (spec.md 3.7).
 *
 *   f_l = (1 + <u^l, c^l>) / 2          s(u, P) = prod_l f_l                     (eq. 2)
 *   l+  = -log(s+ + eps)                l- = sum_k -log(1 - s_k + eps) / (drawn + divisor_eps)
 *   loss = (1/N') sum_n (l+ + l-)                                                (eq. 3)
 *   ds/d<u^l, c^l> = 1/2 prod_{j != l} f_j, made without division: a factor can be 0
 *
 * u [L,N,d], c^l [M_l,d] constant, path [M_1,L] node of each leaf's path on each level.
 */
#include <math.h>
#include <string.h>

#include "cpu/cpu.h"

enum { LEVELS = 8 };

typedef struct spd_job {
    hr_queue *q;
    const real *u, *proto[LEVELS];
    const int32_t *path, *positive, *negative;
    int64_t levels, rows, d, negatives;
    double eps, divisor_eps, rows_with_leaf;
    real *du;
    double *row; /* loss of each row */
} spd_job;

static double dot(const real *a, const real *b, int64_t n)
{
    enum { LANES = 8 };
    double sum[LANES] = { 0 }, total = 0;
    int64_t k = 0;

    for (; k + LANES <= n; k += LANES)
        for (int l = 0; l < LANES; l++)
            sum[l] += (double)a[k + l] * (double)b[k + l];
    for (; k < n; k++)
        sum[0] += (double)a[k] * (double)b[k];
    for (int l = 0; l < LANES; l++)
        total += sum[l];
    return total;
}

static const real *node(const spd_job *job, int32_t leaf, int64_t level)
{
    return job->proto[level] + job->path[leaf * job->levels + level] * job->d;
}

/* similarity of row n to the path of a leaf, and its derivatives by the L dot products */
static double similarity(const spd_job *job, int64_t n, int32_t leaf, double slope[LEVELS])
{
    double f[LEVELS], s = 1;

    for (int64_t l = 0; l < job->levels; l++) {
        const real *u = job->u + (l * job->rows + n) * job->d;

        f[l] = (1 + dot(u, node(job, leaf, l), job->d)) / 2;
        s *= f[l];
    }
    for (int64_t l = 0; l < job->levels; l++) {
        slope[l] = 0.5;
        for (int64_t j = 0; j < job->levels; j++)
            slope[l] *= j == l ? 1 : f[j];
    }
    return s;
}

/* du^l += factor slope_l c^l */
static void push(const spd_job *job, double *du, int32_t leaf, const double slope[LEVELS],
                 double factor)
{
    for (int64_t l = 0; l < job->levels; l++) {
        const real *c = node(job, leaf, l);
        double k = factor * slope[l];

        for (int64_t i = 0; i < job->d; i++)
            du[l * job->d + i] += k * (double)c[i];
    }
}

/* loss of row n, and its gradient in du [L,d] */
static double row_loss(const spd_job *job, int64_t n, double *du)
{
    const int32_t *negative = job->negative + n * job->negatives;
    double slope[LEVELS], drawn = 0, loss, s, sum = 0, divisor;

    for (int64_t k = 0; k < job->negatives; k++)
        drawn += negative[k] >= 0;
    divisor = drawn + job->divisor_eps;
    s = similarity(job, n, job->positive[n], slope);
    loss = -log(s + job->eps);
    push(job, du, job->positive[n], slope, -1 / (s + job->eps) / job->rows_with_leaf);
    for (int64_t k = 0; k < job->negatives; k++) {
        double rest;

        if (negative[k] < 0)
            continue;
        s = similarity(job, n, negative[k], slope);
        rest = (s < 1 ? 1 - s : 0) + job->eps; /* rounding may give s > 1 */
        sum -= log(rest);
        push(job, du, negative[k], slope, 1 / (rest * divisor) / job->rows_with_leaf);
    }
    return drawn > 0 ? loss + sum / divisor : loss;
}

static void spd_row(void *arg, int64_t n, int worker)
{
    const spd_job *job = arg;
    int64_t size = job->levels * job->d;
    double *du = hr_cpu_scratch(job->q, worker, (size_t)size * sizeof *du);

    if (!du)
        return;
    memset(du, 0, (size_t)size * sizeof *du);
    job->row[n] = job->positive[n] < 0 ? 0 : row_loss(job, n, du);
    for (int64_t l = 0; l < job->levels; l++)
        for (int64_t i = 0; i < job->d; i++)
            job->du[(l * job->rows + n) * job->d + i] = (real)du[l * job->d + i];
}

static double count_leaves(const int32_t *positive, int64_t n)
{
    double count = 0;

    for (int64_t i = 0; i < n; i++)
        count += positive[i] >= 0;
    return count;
}

static void mean_of_rows(hr_queue *q, const hr_array *loss, const spd_job *job)
{
    real *to = hr_cpu_out(q, loss, false);
    double sum = 0;

    if (!hr_cpu_ok(q))
        return;
    for (int64_t n = 0; n < job->rows; n++)
        sum += job->row[n];
    to[0] = (real)(job->rows_with_leaf > 0 ? sum / job->rows_with_leaf : 0);
}

void hr_cpu_spd(hr_queue *q, const hr_array *loss, const hr_array *du, const hr_array *u,
                const hr_array *proto, const hr_array *path, const hr_array *positive,
                const hr_array *negative, double eps, double divisor_eps)
{
    spd_job job = { .q = q,
                    .u = hr_cpu_in(q, u),
                    .path = path->data,
                    .positive = positive->data,
                    .negative = negative->data,
                    .levels = u->dim[0],
                    .rows = u->dim[1],
                    .d = u->dim[2],
                    .negatives = hr_cols(negative),
                    .eps = eps,
                    .divisor_eps = divisor_eps,
                    .du = hr_cpu_out(q, du, false) };

    if (job.levels > LEVELS) {
        hr_cpu_fail(q, HIRL_E_INTERNAL, "spd: %d levels", (int)job.levels);
        job.levels = 0;
    }
    for (int64_t l = 0; l < job.levels; l++)
        job.proto[l] = hr_cpu_in(q, &proto[l]);
    job.rows_with_leaf = count_leaves(job.positive, job.rows);
    job.row = hr_cpu_work(q, (size_t)job.rows * sizeof *job.row);
    hr_cpu_run(q, job.rows, spd_row, &job);
    mean_of_rows(q, loss, &job);
    hr_cpu_end(q);
}
