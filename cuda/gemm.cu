/* gemm.cu - c[m,n] = alpha op(a) op(b) + beta c, by 32 x 32 tiles in shared memory.
 *
 * A block of 256 threads computes one tile of c, four rows per thread, with sums in f32 in the
 * order of k. So a row of a b depends on its row of a and on the widths, never on the number of
 * rows: the features of an image are the same in every batch. A library product (cuBLAS, cuDNN)
 * that replaces this kernel must keep the rule. Heuristics of cuBLAS choose an algorithm by m, too:
 * fix one algorithm for each k and n, without split-k, and pad m to whole tiles. The CPU kernel is
 * in cpu/gemm.c.
 */
#include "cuda.h"
#include "device.h"
#include "number.cuh"

enum { TILE = 32, THREADS = 256, ROWS = TILE * TILE / THREADS };

typedef struct gemm_shape {
    int64_t m, n, k, lda, ldb, tiles; /* tiles: how many lie across c */
    int ta, tb;                       /* 1: transposed */
    float alpha, beta;
} gemm_shape;

/* op(x)[row, col]; 0 outside of [rows, cols], the shape of op(x) */
template <typename T>
HR_DEVICE float at(const T *x, int64_t row, int64_t col, int64_t rows, int64_t cols, int64_t ld,
                   int transposed)
{
    if (row >= rows || col >= cols)
        return 0;
    return hr_widen(transposed ? x[col * ld + row] : x[row * ld + col]);
}

template <typename C, typename A, typename B>
HR_KERNEL gemm(C *c, const A *a, const B *b, gemm_shape s)
{
    HR_SHARED float pa[TILE][TILE + 1], pb[TILE][TILE + 1];
    int64_t row = HR_BLOCK / s.tiles * TILE, col = HR_BLOCK % s.tiles * TILE;
    int x = HR_THREAD % TILE, y = HR_THREAD / TILE;
    float sum[ROWS] = { 0 };

    for (int64_t k = 0; k < s.k; k += TILE) {
        for (int r = 0; r < ROWS; r++) {
            int i = y + r * (THREADS / TILE);

            pa[i][x] = at(a, row + i, k + x, s.m, s.k, s.lda, s.ta);
            pb[i][x] = at(b, k + i, col + x, s.k, s.n, s.ldb, s.tb);
        }
        HR_BARRIER();
        for (int i = 0; i < TILE; i++)
            for (int r = 0; r < ROWS; r++)
                sum[r] += pa[y + r * (THREADS / TILE)][i] * pb[i][x];
        HR_BARRIER();
    }
    for (int r = 0; r < ROWS; r++) {
        int64_t i = row + y + r * (THREADS / TILE), j = col + x;

        if (i < s.m && j < s.n)
            hr_narrow(&c[i * s.n + j],
                      s.alpha * sum[r] + (s.beta != 0 ? s.beta * hr_widen(c[i * s.n + j]) : 0.0f));
    }
}

template <typename C, typename A>
static void with_b(hr_queue *q, C *c, const A *a, const hr_array *b, gemm_shape s)
{
    int64_t grid = s.tiles * ((s.m + TILE - 1) / TILE);

    if (b->dtype == HR_BF16)
        HR_LAUNCH(q, gemm, grid, THREADS, c, a, (const hr_bf16 *)b->data, s);
    else
        HR_LAUNCH(q, gemm, grid, THREADS, c, a, (const float *)b->data, s);
}

template <typename C>
static void with_a(hr_queue *q, C *c, const hr_array *a, const hr_array *b, gemm_shape s)
{
    if (a->dtype == HR_BF16)
        with_b(q, c, (const hr_bf16 *)a->data, b, s);
    else
        with_b(q, c, (const float *)a->data, b, s);
}

void hr_cuda_gemm(hr_queue *q, const hr_array *c, const hr_array *a, const hr_array *b, hr_trans ta,
                  hr_trans tb, double alpha, double beta)
{
    gemm_shape s;

    s.m = hr_rows_of(c);
    s.n = hr_cols(c);
    s.k = ta == HR_N ? hr_cols(a) : hr_rows_of(a);
    s.lda = hr_cols(a);
    s.ldb = hr_cols(b);
    s.tiles = (s.n + TILE - 1) / TILE;
    s.ta = ta == HR_T;
    s.tb = tb == HR_T;
    s.alpha = (float)alpha;
    s.beta = (float)beta;
    if (!s.m || !s.n)
        return;
    if (c->dtype == HR_BF16)
        with_a(q, (hr_bf16 *)c->data, a, b, s);
    else
        with_a(q, (float *)c->data, a, b, s);
}
