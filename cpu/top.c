/* top.c - the K rows of a bank with the largest dot product with each query.
 *
 * x [n,d], bank [m,d], index and score [n,K], skip [n].
 *
 * Each tile of ROWS queries is multiplied with blocks of COLS bank rows. A query keeps a heap of
 * K candidates in its output row, the worst on top; a bank row enters if it beats the worst. Bank
 * rows come in rising order and a row of equal score does not enter, so the lowest index wins
 * ties. If the bank has fewer than K rows, the remaining entries have index -1 and score
 * -infinity.
 */
#include <math.h>

#include "cpu/blas.h"
#include "cpu/cpu.h"

enum { ROWS = 128, COLS = 1024 };

typedef struct top_job {
    hr_queue *q;
    int32_t *index;
    real *score;
    const real *x, *bank;
    const int32_t *skip;
    int64_t n, m, d, k;
} top_job;

/* whether candidate a is worse than b: a lower score, or the same score and a higher index */
static bool worse(const int32_t *index, const real *score, int64_t a, int64_t b)
{
    return score[a] < score[b] || (score[a] == score[b] && index[a] > index[b]);
}

/* restores the heap of `count` candidates below place i: a parent is worse than its children */
static void sift(int32_t *index, real *score, int64_t count, int64_t i)
{
    for (;;) {
        int64_t child = 2 * i + 1;
        int32_t kept_index = index[i];
        real kept_score = score[i];

        if (child + 1 < count && worse(index, score, child + 1, child))
            child++;
        if (child >= count || !worse(index, score, child, i))
            return;
        index[i] = index[child];
        score[i] = score[child];
        index[child] = kept_index;
        score[child] = kept_score;
        i = child;
    }
}

/* puts the `cols` bank rows from `first` on into the heap if they are better than its worst */
static void offer(int32_t *index, real *score, int64_t k, const real *product, int64_t cols,
                  int64_t first, int64_t skip)
{
    for (int64_t j = 0; j < cols; j++) {
        if (!(product[j] > score[0]) || first + j == skip)
            continue;
        score[0] = product[j];
        index[0] = (int32_t)(first + j);
        sift(index, score, k, 0);
    }
}

/* sorts the heap into falling order */
static void sort(int32_t *index, real *score, int64_t k)
{
    for (int64_t last = k - 1; last > 0; last--) {
        int32_t kept_index = index[0];
        real kept_score = score[0];

        index[0] = index[last];
        score[0] = score[last];
        index[last] = kept_index;
        score[last] = kept_score;
        sift(index, score, last, 0);
    }
}

static void top_tile(void *arg, int64_t tile, int worker)
{
    const top_job *job = arg;
    int64_t first = tile * ROWS, rows = job->n - first < ROWS ? job->n - first : ROWS;
    int32_t *index = job->index + first * job->k;
    real *score = job->score + first * job->k;
    real *product = hr_cpu_scratch(job->q, worker, (size_t)ROWS * COLS * sizeof *product);
    hr_cpu_matrix x = { job->x + first * job->d, job->d, HR_N };

    if (!product)
        return;
    for (int64_t i = 0; i < rows * job->k; i++) {
        index[i] = -1;
        score[i] = (real)-INFINITY;
    }
    for (int64_t j = 0; j < job->m; j += COLS) {
        int64_t cols = job->m - j < COLS ? job->m - j : COLS;
        hr_cpu_matrix bank = { job->bank + j * job->d, job->d, HR_T };

        hr_cpu_blas_gemm(product, COLS, x, bank, rows, cols, job->d, 1, 0);
        for (int64_t i = 0; i < rows; i++)
            offer(index + i * job->k, score + i * job->k, job->k, product + i * COLS, cols, j,
                  job->skip ? job->skip[first + i] : -1);
    }
    for (int64_t i = 0; i < rows; i++)
        sort(index + i * job->k, score + i * job->k, job->k);
}

void hr_cpu_top(hr_queue *q, const hr_array *index, const hr_array *score, const hr_array *x,
                const hr_array *bank, const hr_array *skip)
{
    top_job job = { .q = q,
                    .index = index->data,
                    .skip = skip ? skip->data : NULL,
                    .n = x->dim[0],
                    .m = bank->dim[0],
                    .d = hr_cols(x),
                    .k = hr_cols(index) };

    job.x = hr_cpu_in(q, x);
    job.bank = hr_cpu_in(q, bank);
    job.score = hr_cpu_out(q, score, false);
    if (hr_cpu_ok(q))
        hr_cpu_run(q, hr_parts(job.n, ROWS), top_tile, &job);
    hr_cpu_end(q);
}
