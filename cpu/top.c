/* top.c - the K rows of a bank with the largest dot product with each query.
 *
 * x [n,d], bank [m,d], index and score [n,K], skip [n]. Products are those in f64 of the stored
 * numbers, and the lowest index wins ties. If the bank has fewer than K rows, the remaining entries
 * have index -1 and score -infinity.
 *
 * Each tile of ROWS queries is multiplied in `real` with blocks of COLS bank rows. A product is
 * wrong by at most gamma_d |x| max |bank row| (bound.h). A query keeps a heap of the K + SPARE best
 * candidates, the worst on top; a bank row enters if it beats the worst. Every row that can be
 * among the K largest is a candidate if the heap is not full, or if its worst is below the K-th by
 * more than two products can be wrong. If not, as when many rows are equal, all rows of the bank
 * become candidates. Then candidates are scored in f64.
 */
#include <math.h>

#include "cpu/blas.h"
#include "cpu/bound.h"
#include "cpu/cpu.h"
#include "cpu/dot.h"

enum { ROWS = 128, COLS = 1024, SPARE = 16, SHARE = 8 }; /* candidates: K + SPARE + K / SHARE */

typedef struct candidate {
    double score;
    int64_t row;
} candidate;

typedef struct top_job {
    hr_queue *q;
    int32_t *index;
    real *score;
    const real *x, *bank;
    const int32_t *skip;
    int64_t n, m, d, k, room; /* room: candidates of a query */
    double *length;           /* [m] of the bank rows */
    double longest;
} top_job;

/* whether candidate a is worse than b: a lower score, or the same score and a higher index */
static bool worse(const candidate *a, const candidate *b)
{
    return a->score < b->score || (a->score == b->score && a->row > b->row);
}

/* restores the heap of `count` candidates below place i: a parent is worse than its children */
static void sift(candidate *heap, int64_t count, int64_t i)
{
    for (;;) {
        int64_t child = 2 * i + 1;
        candidate kept = heap[i];

        if (child + 1 < count && worse(&heap[child + 1], &heap[child]))
            child++;
        if (child >= count || !worse(&heap[child], &heap[i]))
            return;
        heap[i] = heap[child];
        heap[child] = kept;
        i = child;
    }
}

static void clear(candidate *heap, int64_t count)
{
    for (int64_t i = 0; i < count; i++)
        heap[i] = (candidate){ -INFINITY, -1 };
}

static void enter(candidate *heap, int64_t count, double score, int64_t row)
{
    heap[0] = (candidate){ score, row };
    sift(heap, count, 0);
}

/* puts the `cols` bank rows from `first` on into the heap if they are better than its worst */
static void offer(candidate *heap, int64_t count, const real *product, int64_t cols, int64_t first,
                  int64_t skip)
{
    real worst = (real)heap[0].score;

    for (int64_t j = 0; j < cols; j++) {
        if (!(product[j] > worst) || first + j == skip)
            continue;
        enter(heap, count, (double)product[j], first + j);
        worst = (real)heap[0].score;
    }
}

/* sorts the heap into falling order */
static void sort(candidate *heap, int64_t count)
{
    for (int64_t last = count - 1; last > 0; last--) {
        candidate kept = heap[0];

        heap[0] = heap[last];
        heap[last] = kept;
        sift(heap, last, 0);
    }
}

/* ---- f64 ---- */

/* the K largest products of all bank rows; they replace the heap */
static void search_all(candidate *heap, const top_job *job, int64_t query)
{
    const real *x = job->x + query * job->d;
    int64_t skip = job->skip ? job->skip[query] : -1;

    clear(heap, job->k);
    for (int64_t j = 0; j < job->m; j++) {
        double score = j == skip ? -INFINITY : hr_cpu_dot(x, job->bank + j * job->d, job->d);

        if (score > heap[0].score)
            enter(heap, job->k, score, j);
    }
    sort(heap, job->k);
}

/* whether the sorted candidates hold all rows that can be among the K largest */
static bool has_all(const candidate *heap, const top_job *job, int64_t query)
{
    const real *x = job->x + query * job->d;
    double length = HR_BOUND_SLACK * sqrt(hr_cpu_dot(x, x, job->d));
    double wrong = hr_cpu_gamma(job->d) * length * job->longest +
                   hr_cpu_lost(job->d, length, job->longest) +
                   (double)job->d * DBL_EPSILON * length * job->longest;

    if (!(2 * length * job->longest <= HR_LARGEST))
        return false;
    return heap[job->room - 1].row < 0 ||
           heap[job->room - 1].score < heap[job->k - 1].score - 2 * HR_BOUND_SLACK * wrong;
}

/* scores the candidates of a query in f64 and writes the K largest */
static void finish(candidate *heap, const top_job *job, int64_t query)
{
    const real *x = job->x + query * job->d;
    int64_t count = job->room;

    sort(heap, count);
    if (!has_all(heap, job, query)) {
        search_all(heap, job, query);
    } else {
        while (count > job->k && heap[count - 1].row < 0)
            count--;
        for (int64_t i = 0; i < count && heap[i].row >= 0; i++)
            heap[i].score = hr_cpu_dot(x, job->bank + heap[i].row * job->d, job->d);
        for (int64_t i = count / 2; i-- > 0;)
            sift(heap, count, i);
        sort(heap, count);
    }
    for (int64_t i = 0; i < job->k; i++) {
        job->index[query * job->k + i] = (int32_t)heap[i].row;
        job->score[query * job->k + i] = (real)heap[i].score;
    }
}

/* ---- tiles ---- */

static void measure(void *arg, int64_t part, int worker)
{
    const top_job *job = arg;

    (void)worker;
    for (int64_t j = part * COLS; j < job->m && j < (part + 1) * COLS; j++) {
        const real *row = job->bank + j * job->d;

        job->length[j] = HR_BOUND_SLACK * sqrt(hr_cpu_dot(row, row, job->d));
    }
}

static void top_tile(void *arg, int64_t tile, int worker)
{
    const top_job *job = arg;
    int64_t first = tile * ROWS, rows = job->n - first < ROWS ? job->n - first : ROWS;
    size_t heaps = (size_t)(ROWS * job->room) * sizeof(candidate);
    candidate *heap = hr_cpu_scratch(job->q, worker, heaps + (size_t)ROWS * COLS * sizeof(real));
    hr_cpu_matrix x = { job->x + first * job->d, job->d, HR_N };
    real *product;

    if (!heap)
        return;
    product = (real *)(heap + ROWS * job->room);
    clear(heap, ROWS * job->room);
    for (int64_t j = 0; j < job->m; j += COLS) {
        int64_t cols = job->m - j < COLS ? job->m - j : COLS;
        hr_cpu_matrix bank = { job->bank + j * job->d, job->d, HR_T };

        hr_cpu_blas_gemm(product, COLS, x, bank, rows, cols, job->d, 1, 0);
        for (int64_t i = 0; i < rows; i++)
            offer(heap + i * job->room, job->room, product + i * COLS, cols, j,
                  job->skip ? job->skip[first + i] : -1);
    }
    for (int64_t i = 0; i < rows; i++)
        finish(heap + i * job->room, job, first + i);
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

    job.room = job.k + SPARE + job.k / SHARE;
    job.x = hr_cpu_in(q, x);
    job.bank = hr_cpu_in(q, bank);
    job.score = hr_cpu_out(q, score, false);
    job.length = hr_cpu_work(q, (size_t)job.m * sizeof *job.length);
    if (hr_cpu_ok(q)) {
        hr_cpu_run(q, hr_parts(job.m, COLS), measure, &job);
        for (int64_t j = 0; j < job.m; j++)
            job.longest = job.length[j] > job.longest ? job.length[j] : job.longest;
        hr_cpu_run(q, hr_parts(job.n, ROWS), top_tile, &job);
    }
    hr_cpu_end(q);
}
