/* spd.c - loss of semantic path discrimination and its gradient (HIRL, eqs. 2 and 3).
 *
 *   f_l = (1 + <u^l, c^l>) / 2          s(u, P) = prod_l f_l                     (eq. 2)
 *   l+  = -log(s+ + eps)                l- = sum_k -log(1 - s_k + eps) / (K_n + divisor_eps)
 *   loss = (1/N') sum_n (l+ + l-)                                                (eq. 3)
 *   ds/d<u^l, c^l> = 1/2 prod_{j != l} f_j, computed without division because a factor can be 0
 *
 * u [L,N,d]; c^l [M_l,d], constant; path [M_1,L]: the node of each leaf's path on each level;
 * positive [N]: leaf, or -1 for a row without loss; negative [N,K]: leaves, -1 where none was
 * drawn. K_n is the number of negatives drawn for row n, N' the number of rows with a leaf.
 */
#include <math.h>
#include <string.h>

#include "cpu/cpu.h"
#include "cpu/dot.h"

typedef struct spd_job {
    hr_queue *q;
    const real *u, *proto[HR_LEVELS];
    const int32_t *path, *positive, *negative;
    int64_t levels, rows, d, negatives;
    int64_t first[HR_LEVELS + 1]; /* index of each level's first node among all nodes */
    double eps, divisor_eps, rows_with_leaf;
    real *du;
    double *row; /* [N]: loss of each row */
} spd_job;

/* What one row keeps for each node. Paths share nodes: each dot product is computed once, and each
 * prototype is added to the gradient once. */
typedef struct nodes {
    double *product; /* <u^l, c^l> */
    double *slope;   /* d loss / d <u^l, c^l> */
    int32_t *met;    /* the `count` nodes on paths of this row, in the order of the paths */
    int64_t count;
    uint8_t *seen; /* 1 for a node in `met` */
    double *du;    /* [d] */
} nodes;

static size_t nodes_bytes(const spd_job *job)
{
    size_t all = (size_t)job->first[job->levels];

    return all * (2 * sizeof(double) + sizeof(int32_t) + 1) + (size_t)job->d * sizeof(double);
}

static nodes nodes_in(const spd_job *job, void *memory)
{
    int64_t all = job->first[job->levels];
    nodes k = { .product = memory };

    k.slope = k.product + all;
    k.du = k.slope + all;
    k.met = (int32_t *)(k.du + job->d);
    k.seen = (uint8_t *)(k.met + all);
    memset(k.seen, 0, (size_t)all);
    return k;
}

static const real *prototype(const spd_job *job, int64_t level, int64_t at)
{
    return job->proto[level] + (at - job->first[level]) * job->d;
}

static const real *direction(const spd_job *job, int64_t level, int64_t n)
{
    return job->u + (level * job->rows + n) * job->d;
}

/* at [L]: the nodes of a leaf's path, as indices among the nodes of all levels */
static void path_of(const spd_job *job, int32_t leaf, int64_t at[HR_LEVELS])
{
    for (int64_t l = 0; l < job->levels; l++)
        at[l] = job->first[l] + job->path[leaf * job->levels + l];
}

/* similarity of row n to a path (eq. 2) */
static double similarity(const spd_job *job, int64_t n, nodes *k, const int64_t at[HR_LEVELS])
{
    double s = 1;

    for (int64_t l = 0; l < job->levels; l++) {
        int64_t i = at[l];

        if (!k->seen[i]) {
            k->seen[i] = 1;
            k->met[k->count++] = (int32_t)i;
            k->product[i] = hr_cpu_dot(direction(job, l, n), prototype(job, l, i), job->d);
            k->slope[i] = 0;
        }
        s *= (1 + k->product[i]) / 2;
    }
    return s;
}

/* adds to the slopes of a path's nodes; dloss: derivative of the loss by the path's similarity */
static void push(const spd_job *job, nodes *k, const int64_t at[HR_LEVELS], double dloss)
{
    for (int64_t l = 0; l < job->levels; l++) {
        double slope = 0.5;

        for (int64_t j = 0; j < job->levels; j++)
            slope *= j == l ? 1 : (1 + k->product[at[j]]) / 2;
        k->slope[at[l]] += dloss * slope;
    }
}

static double count_leaves(const int32_t *leaf, int64_t n)
{
    double count = 0;

    for (int64_t i = 0; i < n; i++)
        count += leaf[i] >= 0;
    return count;
}

/* loss of row n; adds up the slopes of its nodes */
static double row_loss(const spd_job *job, int64_t n, nodes *k)
{
    const int32_t *negative = job->negative + n * job->negatives;
    double drawn = count_leaves(negative, job->negatives), divisor = drawn + job->divisor_eps;
    double sum = 0, s, plus;
    int64_t at[HR_LEVELS];

    path_of(job, job->positive[n], at);
    plus = similarity(job, n, k, at) + job->eps;
    push(job, k, at, -1 / plus / job->rows_with_leaf);
    for (int64_t i = 0; i < job->negatives; i++) {
        double rest;

        if (negative[i] < 0)
            continue;
        path_of(job, negative[i], at);
        s = similarity(job, n, k, at);
        rest = (s < 1 ? 1 - s : 0) + job->eps; /* rounding can give s > 1 */
        sum -= log(rest);
        push(job, k, at, 1 / (rest * divisor) / job->rows_with_leaf);
    }
    return -log(plus) + (drawn > 0 ? sum / divisor : 0);
}

/* du^l [d] of row n = sum over the nodes of level l of slope c^l */
static void write_du(const spd_job *job, int64_t n, const nodes *k, int64_t level)
{
    real *to = job->du + (level * job->rows + n) * job->d;

    memset(k->du, 0, (size_t)job->d * sizeof *k->du);
    for (int64_t i = 0; i < k->count; i++)
        if (k->met[i] >= job->first[level] && k->met[i] < job->first[level + 1])
            hr_cpu_add_scaled(k->du, k->slope[k->met[i]], prototype(job, level, k->met[i]), job->d);
    for (int64_t i = 0; i < job->d; i++)
        to[i] = (real)k->du[i];
}

static void spd_row(void *arg, int64_t n, int worker)
{
    const spd_job *job = arg;
    void *memory = hr_cpu_scratch(job->q, worker, nodes_bytes(job));
    nodes k;

    if (!memory)
        return;
    k = nodes_in(job, memory);
    job->row[n] = job->positive[n] < 0 ? 0 : row_loss(job, n, &k);
    for (int64_t l = 0; l < job->levels; l++)
        write_du(job, n, &k, l);
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

    if (job.levels > HR_LEVELS) {
        hr_cpu_fail(q, HIRL_E_INTERNAL, "spd: %d levels; wanted at most %d", (int)job.levels,
                    HR_LEVELS);
        job.levels = 0;
    }
    for (int64_t l = 0; l < job.levels; l++) {
        job.proto[l] = hr_cpu_in(q, &proto[l]);
        job.first[l + 1] = job.first[l] + proto[l].dim[0];
    }
    job.rows_with_leaf = count_leaves(job.positive, job.rows);
    job.row = hr_cpu_work(q, (size_t)job.rows * sizeof *job.row);
    hr_cpu_run(q, job.rows, spd_row, &job);
    mean_of_rows(q, loss, &job);
    hr_cpu_end(q);
}
