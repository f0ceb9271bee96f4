/* kmeans_sum.c - sums over clusters, the second half of a Lloyd iteration (the first: kmeans.c).
 *
 *   sum[j] = sum of w_i x_i, weight[j] = sum of w_i, over i with label j, rising
 *
 * x [n,d]; sum [k,d]; label, w [n]; weight [k].
 *
 * Rows are sorted by cluster (stable); one task adds all rows of some clusters over a span of
 * columns, in f64. The grid depends only on sizes.
 */
#include <string.h>

#include "cpu/cpu.h"
#include "cpu/dot.h"

enum {
    CLUSTER_PARTS = 64, /* spans of clusters, at most */
    COLUMN_PART = 512,  /* columns of one span */
};

typedef struct sum_job {
    double *sum, *weight;
    const real *x, *row_weight;
    const int64_t *begin; /* [k + 1]: where the rows of each cluster begin in `row` */
    const int32_t *row;   /* [n]: rows sorted by cluster */
    int64_t k, d;
    int64_t clusters, column_parts; /* clusters of one task, spans of columns */
} sum_job;

/* stable counting sort of the rows by label; rows with label -1 are left out */
static void sort_rows(int64_t *begin, int32_t *row, const int32_t *label, int64_t n, int64_t k)
{
    memset(begin, 0, (size_t)(k + 1) * sizeof *begin);
    for (int64_t i = 0; i < n; i++)
        if (label[i] >= 0)
            begin[label[i] + 1]++;
    for (int64_t j = 0; j < k; j++)
        begin[j + 1] += begin[j];
    for (int64_t i = 0; i < n; i++)
        if (label[i] >= 0)
            row[begin[label[i]]++] = (int32_t)i;
    memmove(begin + 1, begin,
            (size_t)k * sizeof *begin); /* the loop has moved each start to the next */
    begin[0] = 0;
}

static double weight_of(const sum_job *job, int64_t row)
{
    return job->row_weight ? (double)job->row_weight[row] : 1;
}

static void sum_cluster(const sum_job *job, int64_t j, int64_t from, int64_t to)
{
    double *sum = job->sum + j * job->d;

    memset(sum + from, 0, (size_t)(to - from) * sizeof *sum);
    for (int64_t i = job->begin[j]; i < job->begin[j + 1]; i++) {
        const real *x = job->x + job->row[i] * job->d;

        hr_cpu_add_scaled(sum + from, weight_of(job, job->row[i]), x + from, to - from);
    }
}

static void sum_part(void *arg, int64_t part, int worker)
{
    const sum_job *job = arg;
    int64_t first = part / job->column_parts * job->clusters;
    int64_t last = first + job->clusters < job->k ? first + job->clusters : job->k;
    int64_t from = part % job->column_parts * COLUMN_PART;
    int64_t to = from + COLUMN_PART < job->d ? from + COLUMN_PART : job->d;

    (void)worker;
    for (int64_t j = first; j < last; j++) {
        sum_cluster(job, j, from, to);
        if (from)
            continue;
        job->weight[j] = 0;
        for (int64_t i = job->begin[j]; i < job->begin[j + 1]; i++)
            job->weight[j] += weight_of(job, job->row[i]);
    }
}

void hr_cpu_kmeans_sum(hr_queue *q, const hr_array *sum, const hr_array *weight, const hr_array *x,
                       const hr_array *label, const hr_array *row_weight)
{
    sum_job job = { .sum = sum->data, .weight = weight->data, .k = sum->dim[0], .d = hr_cols(x) };
    int64_t n = x->dim[0];
    int64_t *begin = hr_cpu_work(q, (size_t)(job.k + 1) * sizeof *begin);
    int32_t *row = hr_cpu_work(q, (size_t)n * sizeof *row);

    job.x = hr_cpu_in(q, x);
    job.row_weight = hr_cpu_in(q, row_weight);
    if (hr_cpu_ok(q)) {
        sort_rows(begin, row, label->data, n, job.k);
        job.begin = begin;
        job.row = row;
        job.clusters = hr_parts(job.k, CLUSTER_PARTS);
        job.column_parts = hr_parts(job.d, COLUMN_PART);
        hr_cpu_run(q, hr_parts(job.k, job.clusters) * job.column_parts, sum_part, &job);
    }
    hr_cpu_end(q);
}
