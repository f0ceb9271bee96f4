/* token.c - operations on blocks of rows, such as the tokens of an image.
 *
 *   strip          y[n, at + i] = x[n, from + i] + beta y[n, at + i]      i < count
 *   scale_blocks   y_n = k_n x_n + beta y_n
 *
 * strip: y [N,T,D], x [N,U,D], or [1,U,D] shared by all n. scale_blocks: k [N], and block n is the
 * n-th of N equal contiguous parts of x and y.
 */
#include "cpu/cpu.h"
#include "cpu/part.h"

typedef struct strip_job {
    real *y;
    const real *x;
    int64_t y_rows, x_rows, at, from, count, cols, rows; /* rows = N count */
    real beta;
} strip_job;

static void strip_part(void *arg, int64_t i, int worker)
{
    const strip_job *job = arg;
    hr_range r = hr_range_of(job->rows, hr_part_rows(job->cols), i);

    (void)worker;
    for (int64_t row = r.from; row < r.to; row++) {
        int64_t n = row / job->count, k = row % job->count;
        const real *x = job->x + (n * job->x_rows + job->from + k) * job->cols;
        real *y = job->y + (n * job->y_rows + job->at + k) * job->cols, beta = job->beta;

        if (beta == 0)
            for (int64_t c = 0; c < job->cols; c++)
                y[c] = x[c];
        else
            for (int64_t c = 0; c < job->cols; c++)
                y[c] = x[c] + beta * y[c];
    }
}

void hr_cpu_strip(hr_queue *q, const hr_array *y, const hr_array *x, int64_t at, int64_t from,
                  int64_t count, double beta)
{
    strip_job job = { .y = hr_cpu_out(q, y, beta != 0 || count < y->dim[1]),
                      .x = hr_cpu_in(q, x),
                      .y_rows = y->dim[1],
                      .x_rows = x->dim[0] == 1 ? 0 : x->dim[1],
                      .at = at,
                      .from = from,
                      .count = count,
                      .cols = hr_cols(y),
                      .rows = y->dim[0] * count,
                      .beta = (real)beta };

    hr_cpu_run(q, hr_parts(job.rows, hr_part_rows(job.cols)), strip_part, &job);
    hr_cpu_end(q);
}

typedef struct scale_job {
    real *y;
    const real *k, *x;
    int64_t n, length; /* numbers of y, numbers of one block */
    real beta;
} scale_job;

static void scale_part(void *arg, int64_t i, int worker)
{
    const scale_job *job = arg;
    hr_range r = hr_range_of(job->n, HR_PART, i);

    (void)worker;
    for (int64_t at = r.from; at < r.to;) {
        int64_t block = at / job->length, end = (block + 1) * job->length;
        real k = job->k[block], beta = job->beta;

        end = end < r.to ? end : r.to;
        if (beta == 0)
            for (; at < end; at++)
                job->y[at] = k * job->x[at];
        else
            for (; at < end; at++)
                job->y[at] = k * job->x[at] + beta * job->y[at];
    }
}

void hr_cpu_scale_blocks(hr_queue *q, const hr_array *y, const hr_array *k, const hr_array *x,
                         double beta)
{
    scale_job job = { .y = hr_cpu_out(q, y, beta != 0),
                      .k = hr_cpu_in(q, k),
                      .x = hr_cpu_in(q, x),
                      .n = hr_count(y),
                      .length = hr_count(y) / hr_count(k),
                      .beta = (real)beta };

    hr_cpu_run(q, hr_parts(job.n, HR_PART), scale_part, &job);
    hr_cpu_end(q);
}
