/* gemm.c - matrix products, sums over rows, and linear combinations of arrays.
 *
 *   gemm      c[m,n] = alpha op(a) op(b) + beta c
 *   add_rows  y[r,c] += b[c]
 *   sum_rows  s[c] = beta s[c] + alpha sum_r x[r,c]
 *   axpby     y = alpha x + beta y
 *
 * A product a b or a b' is computed as a convolution with a window of 1 x 1: a row of c depends on
 * its row of a, on b and on their widths, never on the number of rows. Other products are cut into
 * a fixed grid of tiles, one BLAS call per tile, or are swept too where this is faster.
 */
#include "cpu/blas.h"
#include "cpu/clones.h"
#include "cpu/cpu.h"
#include "cpu/part.h"
#include "cpu/tile.h"

enum {
    AVX512_BYTES = 128, /* bytes of one row of a panel: two registers */
    TILE_ROWS = 128,    /* size of the largest tile */
    TILE_COLS = 1024,
    LEAST_ROWS = 32, /* size of the smallest tile */
    LEAST_COLS = 64,
    TILES = 16, /* with fewer, tiles are halved */
    SUM_COLS = 64,
    LEAST_PLACES = 128, /* with fewer, packing panels costs more than it saves */
};

/* ---- product ---- */

typedef struct gemm_job {
    real *c;
    hr_cpu_matrix a, b;
    int64_t m, n, k;
    int64_t tile_rows, tile_cols, tiles_across;
    double alpha, beta;
} gemm_job;

static hr_cpu_matrix part_of(hr_cpu_matrix x, int64_t row, int64_t col)
{
    x.data += x.trans == HR_T ? col * x.stride + row : row * x.stride + col;
    return x;
}

static void gemm_tile(void *arg, int64_t i, int worker)
{
    const gemm_job *job = arg;
    hr_range row = hr_range_of(job->m, job->tile_rows, i / job->tiles_across);
    hr_range col = hr_range_of(job->n, job->tile_cols, i % job->tiles_across);

    (void)worker;
    hr_cpu_blas_gemm(job->c + row.from * job->n + col.from, job->n, part_of(job->a, row.from, 0),
                     part_of(job->b, 0, col.from), row.to - row.from, col.to - col.from, job->k,
                     job->alpha, job->beta);
}

static hr_cpu_matrix matrix_in(hr_queue *q, const hr_array *x, hr_trans trans)
{
    return (hr_cpu_matrix){ hr_cpu_in(q, x), hr_cols(x), trans };
}

/* sets the grid, which depends only on sizes; returns the number of tiles */
static int64_t cut(gemm_job *job)
{
    job->tile_rows = TILE_ROWS;
    job->tile_cols = TILE_COLS;
    for (;;) {
        int64_t tiles = hr_parts(job->m, job->tile_rows) * hr_parts(job->n, job->tile_cols);

        if (tiles < TILES && job->tile_cols > LEAST_COLS)
            job->tile_cols /= 2;
        else if (tiles < TILES && job->tile_rows > LEAST_ROWS)
            job->tile_rows /= 2;
        else
            break;
    }
    job->tiles_across = hr_parts(job->n, job->tile_cols);
    return hr_parts(job->m, job->tile_rows) * job->tiles_across;
}

/* ---- product as a convolution: rows are places, columns are channels ---- */

/* Products whose rows are swept. A row of a b must not depend on the other rows: the features of an
 * image are the same in every batch. BLAS chooses kernels by the number of rows, so these products
 * are always swept, whose sums over k have one order for each k and n. The inner width of a' b is
 * the number of rows; there a sweep is only the faster choice: on processors for which OpenBLAS
 * 0.3.21 has no AVX-512 kernel, sweeps of AVX-512 tiles take half its time. The panels hold columns
 * of c or, for a' b, columns of a. */
static bool is_swept(const hr_array *c, int64_t k, hr_trans ta, hr_trans tb, double alpha,
                     double beta)
{
    int64_t m = hr_rows_of(c), n = hr_cols(c);

    if (alpha != 1 || (ta == HR_T && tb == HR_T) || (tb == HR_T && beta != 0))
        return false;
    if (ta == HR_N)
        return true;
    return m >= LEAST_ROWS && n >= LEAST_ROWS && k >= LEAST_PLACES &&
           hr_cpu_tile_for(m)->lanes * sizeof(real) == AVX512_BYTES;
}

/* [rows, cols] as a map of one image with `rows` places, and as the weights of `rows` outputs */
static hr_array as_map(const hr_array *x)
{
    return hr_array_4(x->data, x->dtype, 1, hr_rows_of(x), 1, hr_cols(x));
}

static hr_array as_weight(const hr_array *x)
{
    return hr_array_4(x->data, x->dtype, hr_rows_of(x), 1, 1, hr_cols(x));
}

static void swept(hr_queue *q, const hr_array *c, const hr_array *a, const hr_array *b, hr_trans ta,
                  hr_trans tb, double beta)
{
    static const hr_geometry one = { 1, 1, 0 };
    hr_array to = ta == HR_T ? as_weight(c) : as_map(c), left = as_map(a);
    hr_array right = ta == HR_T ? as_map(b) : as_weight(b);
    hr_map map = { .raw = ta == HR_T ? right : left };

    if (ta == HR_T)
        hr_cpu_conv_dw(q, &to, &map, &left, one, beta);
    else if (tb == HR_T)
        hr_cpu_conv(q, &to, NULL, &map, &right, one);
    else
        hr_cpu_conv_dx(q, &to, &left, &right, one, beta);
}

void hr_cpu_gemm(hr_queue *q, const hr_array *c, const hr_array *a, const hr_array *b, hr_trans ta,
                 hr_trans tb, double alpha, double beta)
{
    gemm_job job = { .m = hr_rows_of(c),
                     .n = hr_cols(c),
                     .k = ta == HR_T ? hr_rows_of(a) : hr_cols(a),
                     .alpha = alpha,
                     .beta = beta };

    if (is_swept(c, job.k, ta, tb, alpha, beta)) {
        swept(q, c, a, b, ta, tb, beta);
        return;
    }
    job.a = matrix_in(q, a, ta);
    job.b = matrix_in(q, b, tb);
    job.c = hr_cpu_out(q, c, beta != 0);
    hr_cpu_blas_begin();
    hr_cpu_run(q, cut(&job), gemm_tile, &job);
    hr_cpu_blas_end();
    hr_cpu_end(q);
}

/* ---- rows ---- */

typedef struct rows_job {
    real *to;
    const real *from;
    int64_t rows, cols;
    double alpha, beta;
} rows_job;

static void add_rows_part(void *arg, int64_t i, int worker)
{
    const rows_job *job = arg;
    hr_range r = hr_range_of(job->rows, hr_part_rows(job->cols), i);

    (void)worker;
    for (int64_t row = r.from; row < r.to; row++)
        for (int64_t c = 0; c < job->cols; c++)
            job->to[row * job->cols + c] += job->from[c];
}

void hr_cpu_add_rows(hr_queue *q, const hr_array *y, const hr_array *b)
{
    rows_job job = { hr_cpu_out(q, y, true), hr_cpu_in(q, b), hr_rows_of(y), hr_cols(y), 1, 1 };

    hr_cpu_run(q, hr_parts(job.rows, hr_part_rows(job.cols)), add_rows_part, &job);
    hr_cpu_end(q);
}

/* sum [n] += sum over the rows of x [rows, n], four rows together; rows are `stride` apart */
HR_CLONES static void add_columns(double *restrict sum, const real *restrict x, int64_t rows,
                                  int64_t stride, int64_t n)
{
    int64_t row = 0;

    for (; row + 4 <= rows; row += 4, x += 4 * stride)
        for (int64_t c = 0; c < n; c++)
            sum[c] += ((double)x[c] + (double)x[c + stride]) +
                      ((double)x[c + 2 * stride] + (double)x[c + 3 * stride]);
    for (; row < rows; row++, x += stride)
        for (int64_t c = 0; c < n; c++)
            sum[c] += (double)x[c];
}

/* sums a span of columns over all rows, in order and in f64 */
static void sum_rows_part(void *arg, int64_t i, int worker)
{
    const rows_job *job = arg;
    hr_range col = hr_range_of(job->cols, SUM_COLS, i);
    double sum[SUM_COLS] = { 0 };

    (void)worker;
    add_columns(sum, job->from + col.from, job->rows, job->cols, col.to - col.from);
    for (int64_t c = col.from; c < col.to; c++) {
        double before = job->beta != 0 ? job->beta * (double)job->to[c] : 0;

        job->to[c] = (real)(before + job->alpha * sum[c - col.from]);
    }
}

void hr_cpu_sum_rows(hr_queue *q, const hr_array *s, const hr_array *x, double alpha, double beta)
{
    rows_job job = {
        hr_cpu_out(q, s, beta != 0), hr_cpu_in(q, x), hr_rows_of(x), hr_cols(x), alpha, beta
    };

    hr_cpu_run(q, hr_parts(job.cols, SUM_COLS), sum_rows_part, &job);
    hr_cpu_end(q);
}

/* ---- y = alpha x + beta y ---- */

typedef struct axpby_job {
    real *y;
    const real *x;
    int64_t n;
    real alpha, beta;
} axpby_job;

static void axpby_part(void *arg, int64_t i, int worker)
{
    const axpby_job *job = arg;
    hr_range r = hr_range_of(job->n, HR_PART, i);
    real alpha = job->alpha, beta = job->beta;

    (void)worker;
    if (beta == 0)
        for (int64_t k = r.from; k < r.to; k++)
            job->y[k] = alpha * job->x[k];
    else
        for (int64_t k = r.from; k < r.to; k++)
            job->y[k] = alpha * job->x[k] + beta * job->y[k];
}

void hr_cpu_axpby(hr_queue *q, const hr_array *y, const hr_array *x, double alpha, double beta)
{
    axpby_job job = { hr_cpu_out(q, y, beta != 0), hr_cpu_in(q, x), hr_count(y), (real)alpha,
                      (real)beta };

    hr_cpu_run(q, hr_parts(job.n, HR_PART), axpby_part, &job);
    hr_cpu_end(q);
}
