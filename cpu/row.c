/* row.c - operations on rows: normalisation, dot products, selection, writes to a ring buffer.
 *
 *   normalize    y_r = inv_r x_r, inv_r = 1 / max(|x_r|, 1e-12)
 *                dx_r = beta dx_r + inv_r (dy_r - y_r <y_r, dy_r>), or beta dx_r if |x_r| <= 1e-12
 *   row_dot      y_r = <a_r, b_r>                da_r = beta da_r + g_r b_r
 *   gather       y_r = x_index[r]                scatter_add: dx_index[r] += dy_r, in order of r
 *   ring_write   ring[(step per_step + first + r) mod ring rows] = x_r
 *
 * x, y, a, b [R,C]; inv, g and y of row_dot [R].
 */
#include <math.h>
#include <string.h>

#include "cpu/cpu.h"
#include "cpu/dot.h"
#include "cpu/part.h"

static const double SHORTEST = 1e-12;

typedef struct row_job {
    real *to, *inv;
    const real *a, *b, *c;
    int64_t rows, cols;
    real beta;
} row_job;

static void run_rows(hr_queue *q, row_job *job, hr_pool_task *task)
{
    hr_cpu_run(q, hr_parts(job->rows, hr_part_rows(job->cols)), task, job);
    hr_cpu_end(q);
}

static hr_range rows_of(const row_job *job, int64_t i)
{
    return hr_range_of(job->rows, hr_part_rows(job->cols), i);
}

/* ---- unit length ---- */

static void normalize_part(void *arg, int64_t i, int worker)
{
    const row_job *job = arg;
    hr_range r = rows_of(job, i);

    (void)worker;
    for (int64_t row = r.from; row < r.to; row++) {
        const real *x = job->a + row * job->cols;
        double length = sqrt(hr_cpu_dot(x, x, job->cols));
        real inv = (real)(1 / (SHORTEST > length ? SHORTEST : length));

        job->inv[row] = inv;
        for (int64_t c = 0; c < job->cols; c++)
            job->to[row * job->cols + c] = x[c] * inv;
    }
}

void hr_cpu_normalize(hr_queue *q, const hr_array *y, const hr_array *inv, const hr_array *x)
{
    row_job job = { .to = hr_cpu_out(q, y, false),
                    .inv = hr_cpu_out(q, inv, false),
                    .a = hr_cpu_in(q, x),
                    .rows = hr_rows_of(x),
                    .cols = hr_cols(x) };

    run_rows(q, &job, normalize_part);
}

static void normalize_grad_part(void *arg, int64_t i, int worker)
{
    const row_job *job = arg;
    hr_range r = rows_of(job, i);

    (void)worker;
    for (int64_t row = r.from; row < r.to; row++) {
        int64_t at = row * job->cols;
        const real *dy = job->a + at, *y = job->b + at;
        real inv = job->c[row], along = (real)hr_cpu_dot(y, dy, job->cols);

        if (inv >= (real)(1 / SHORTEST))
            inv = 0;
        for (int64_t c = 0; c < job->cols; c++) {
            real before = job->beta == 0 ? 0 : job->beta * job->to[at + c];

            job->to[at + c] = before + inv * (dy[c] - y[c] * along);
        }
    }
}

void hr_cpu_normalize_grad(hr_queue *q, const hr_array *dx, const hr_array *dy, const hr_array *y,
                           const hr_array *inv, double beta)
{
    row_job job = { .to = hr_cpu_out(q, dx, beta != 0),
                    .a = hr_cpu_in(q, dy),
                    .b = hr_cpu_in(q, y),
                    .c = hr_cpu_in(q, inv),
                    .rows = hr_rows_of(dx),
                    .cols = hr_cols(dx),
                    .beta = (real)beta };

    run_rows(q, &job, normalize_grad_part);
}

/* ---- dot products ---- */

static void dot_part(void *arg, int64_t i, int worker)
{
    const row_job *job = arg;
    hr_range r = rows_of(job, i);

    (void)worker;
    for (int64_t row = r.from; row < r.to; row++)
        job->to[row] =
            (real)hr_cpu_dot(job->a + row * job->cols, job->b + row * job->cols, job->cols);
}

void hr_cpu_row_dot(hr_queue *q, const hr_array *y, const hr_array *a, const hr_array *b)
{
    row_job job = { .to = hr_cpu_out(q, y, false),
                    .a = hr_cpu_in(q, a),
                    .b = hr_cpu_in(q, b),
                    .rows = hr_rows_of(a),
                    .cols = hr_cols(a) };

    run_rows(q, &job, dot_part);
}

/* tasks split the numbers, not the rows: there may be a single long row */
static void dot_grad_part(void *arg, int64_t i, int worker)
{
    const row_job *job = arg;
    hr_range r = hr_range_of(job->rows * job->cols, HR_PART, i);

    (void)worker;
    for (int64_t k = r.from; k < r.to;) {
        int64_t row = k / job->cols, end = (row + 1) * job->cols;
        real g = job->a[row], beta = job->beta;

        end = end < r.to ? end : r.to;
        if (beta == 0)
            for (; k < end; k++)
                job->to[k] = g * job->b[k];
        else
            for (; k < end; k++)
                job->to[k] = beta * job->to[k] + g * job->b[k];
    }
}

void hr_cpu_row_dot_grad(hr_queue *q, const hr_array *da, const hr_array *g, const hr_array *b,
                         double beta)
{
    row_job job = { .to = hr_cpu_out(q, da, beta != 0),
                    .a = hr_cpu_in(q, g),
                    .b = hr_cpu_in(q, b),
                    .rows = hr_rows_of(da),
                    .cols = hr_cols(da),
                    .beta = (real)beta };

    hr_cpu_run(q, hr_parts(job.rows * job.cols, HR_PART), dot_grad_part, &job);
    hr_cpu_end(q);
}

/* ---- selection: a row is one index of the outermost dimension ---- */

static int64_t row_length(const hr_array *x)
{
    return x->dim[0] ? hr_count(x) / x->dim[0] : 0;
}

void hr_cpu_gather(hr_queue *q, const hr_array *y, const hr_array *x, const hr_array *index)
{
    const int32_t *from = index->data;

    for (int64_t r = 0; r < y->dim[0]; r++) {
        hr_array to = hr_slice(y, r, 1), row = hr_slice(x, from[r], 1);

        hr_cpu_copy(q, &to, &row);
    }
}

typedef struct scatter_job {
    real *dx;
    const real *dy;
    const int32_t *index;
    int64_t rows, cols;
} scatter_job;

enum { SCATTER_COLS = 256 };

/* a task takes a span of columns of all rows: each sum has one writer and one order */
static void scatter_part(void *arg, int64_t i, int worker)
{
    const scatter_job *job = arg;
    hr_range col = hr_range_of(job->cols, SCATTER_COLS, i);

    (void)worker;
    for (int64_t r = 0; r < job->rows; r++)
        for (int64_t c = col.from; c < col.to; c++)
            job->dx[job->index[r] * job->cols + c] += job->dy[r * job->cols + c];
}

void hr_cpu_scatter_add(hr_queue *q, const hr_array *dx, const hr_array *dy, const hr_array *index)
{
    scatter_job job = { hr_cpu_out(q, dx, true), hr_cpu_in(q, dy), index->data, dy->dim[0],
                        row_length(dy) };

    hr_cpu_run(q, hr_parts(job.cols, SCATTER_COLS), scatter_part, &job);
    hr_cpu_end(q);
}

void hr_cpu_ring_write(hr_queue *q, const hr_array *ring, const hr_array *x, int64_t per_step,
                       int64_t first)
{
    int64_t rows = ring->dim[0], at = hr_cpu_state(q)->scalars->step * per_step + first;

    for (int64_t r = 0; r < x->dim[0];) {
        int64_t to = (at + r) % rows, left = x->dim[0] - r;
        int64_t count = rows - to < left ? rows - to : left;
        hr_array part = hr_slice(ring, to, count), from = hr_slice(x, r, count);

        hr_cpu_copy(q, &part, &from);
        r += count;
    }
}
