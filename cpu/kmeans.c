/* kmeans.c - the two halves of a Lloyd iteration: nearest centroids, and sums over clusters.
 *
 *   kmeans_assign  label[i] = argmin_j |x_i - c_j|^2,  |x - c|^2 = |x|^2 + (|c|^2 - 2 <x, c>)
 *   kmeans_sum     sum[j] = sum of w_i x_i, weight[j] = sum of w_i, over i with label j, rising
 *
 * x [n,d]; c, sum [k,d]; label, distance, w [n]; weight [k].
 *
 * Assignment: each tile of ROWS rows is multiplied with blocks of COLS centroids. A row has W
 * running minima, each over every W-th centroid, which are merged at the end. The lowest index
 * wins ties in both stages, so the result does not depend on the order. Products are sweeps
 * (tile.h), which sum over d in the same order for every row: equal rows get equal labels even if
 * two centroids are equally far. A BLAS product does not guarantee this: it can round differently
 * at its edges.
 *
 * Sums: rows are sorted by cluster (stable); one task adds all rows of some clusters over a span of
 * columns, in f64. Both grids depend only on sizes.
 */
#include <math.h>
#include <string.h>

#include "cpu/cpu.h"
#include "cpu/tile.h"

enum { ROWS = 256, COLS = 512, LANES = 16 / sizeof(real), VECTORS = 4, W = LANES * VECTORS };

/* an index as wide as a real */
#ifdef HR_REAL_DOUBLE
typedef int64_t place;
#else
typedef int32_t place;
#endif
typedef real reals __attribute__((vector_size(16)));
typedef place places __attribute__((vector_size(16)));

/* the smallest scores of a row so far, one for each class of centroids modulo W */
typedef struct nearest {
    real score[W];
    place index[W];
} nearest;

typedef struct assign_job {
    hr_queue *q;
    const hr_cpu_tile *tile;
    int32_t *label;
    real *distance;
    const real *x, *c;
    int64_t n, k, d, panel_count;
    real *panels; /* [panel_count, d, lanes]: -2 c, 0 after the last centroid */
    real *square; /* [panel_count, lanes]: |c|^2, infinity after the last centroid */
    int64_t x_at[ROWS], y_at[ROWS];
} assign_job;

/* |x|^2 in f64, summed in eight lanes */
static real square_of(const real *x, int64_t d)
{
    double lane[8] = { 0 }, sum = 0;
    int64_t i = 0;

    for (; i + 8 <= d; i += 8)
        for (int l = 0; l < 8; l++)
            lane[l] += (double)x[i + l] * (double)x[i + l];
    for (; i < d; i++)
        lane[i % 8] += (double)x[i] * (double)x[i];
    for (int l = 0; l < 8; l++)
        sum += lane[l];
    return (real)sum;
}

static void pack(void *arg, int64_t i, int worker)
{
    const assign_job *job = arg;
    int64_t lanes = job->tile->lanes;

    (void)worker;
    for (int64_t l = 0; l < lanes; l++) {
        real *panel = job->panels + i * lanes * job->d + l;
        const real *c = job->c + (i * lanes + l) * job->d;
        bool real_one = i * lanes + l < job->k;

        for (int64_t t = 0; t < job->d; t++)
            panel[t * lanes] = real_one ? -2 * c[t] : 0;
        job->square[i * lanes + l] = real_one ? square_of(c, job->d) : (real)INFINITY;
    }
}

/* Updates the minima of a row with one block of products -2 <x, c>. Lanes after the last centroid
 * get an infinite score. */
static void scan(nearest *best, const real *product, const real *square, int64_t count,
                 int64_t first)
{
    reals low[VECTORS];
    places at[VECTORS], j[VECTORS];
    place order[W];

    for (int l = 0; l < W; l++)
        order[l] = (place)(first + l);
    memcpy(low, best->score, sizeof low);
    memcpy(at, best->index, sizeof at);
    memcpy(j, order, sizeof j);
    for (int64_t i = 0; i < count; i += W)
        for (int v = 0; v < VECTORS; v++) {
            reals score, s;
            places less;

            memcpy(&score, product + i + v * LANES, sizeof score);
            memcpy(&s, square + i + v * LANES, sizeof s);
            score += s;
            less = score < low[v];
            low[v] = (reals)((less & (places)score) | (~less & (places)low[v]));
            at[v] = (less & j[v]) | (~less & at[v]);
            j[v] += W;
        }
    memcpy(best->score, low, sizeof low);
    memcpy(best->index, at, sizeof at);
}

/* merges the W minima of a row; |x - c|^2 is set to 0 if rounding makes it negative; a NaN stays */
static void merge(int32_t *label, real *distance, const nearest *best, real square)
{
    int w = 0;

    for (int l = 1; l < W; l++)
        if (best->score[l] < best->score[w] ||
            (best->score[l] == best->score[w] && best->index[l] < best->index[w]))
            w = l;
    *label = (int32_t)best->index[w];
    *distance = best->score[w] + square;
    if (*distance < 0)
        *distance = 0;
}

static void assign_tile(void *arg, int64_t tile, int worker)
{
    const assign_job *job = arg;
    int64_t first = tile * ROWS, rows = job->n - first < ROWS ? job->n - first : ROWS;
    int64_t lanes = job->tile->lanes;
    nearest *best = hr_cpu_scratch(job->q, worker, ROWS * (sizeof *best + COLS * sizeof(real)));
    real *product;

    if (!best)
        return;
    product = (real *)(best + ROWS); /* [ROWS, COLS] */
    for (int64_t i = 0; i < rows; i++)
        for (int l = 0; l < W; l++) {
            best[i].score[l] = (real)INFINITY;
            best[i].index[l] = 0;
        }
    for (int64_t p = 0; p < job->panel_count; p += COLS / lanes) {
        int64_t panels = job->panel_count - p < COLS / lanes ? job->panel_count - p : COLS / lanes;

        for (int64_t i = 0; i < panels; i++) {
            hr_cpu_sweep s = { .y = product + i * lanes,
                               .x = job->x + first * job->d,
                               .y_at = job->y_at,
                               .x_at = job->x_at,
                               .places = rows,
                               .rows = 1,
                               .run = job->d,
                               .width = lanes };

            hr_cpu_sweep_panel(job->tile, &s, job->panels + (p + i) * lanes * job->d);
        }
        for (int64_t i = 0; i < rows; i++)
            scan(&best[i], product + i * COLS, job->square + p * lanes, panels * lanes, p * lanes);
    }
    for (int64_t i = 0; i < rows; i++)
        merge(job->label + first + i, job->distance + first + i, &best[i],
              square_of(job->x + (first + i) * job->d, job->d));
}

void hr_cpu_kmeans_assign(hr_queue *q, const hr_array *label, const hr_array *distance,
                          const hr_array *x, const hr_array *c)
{
    assign_job job = { .q = q,
                       .tile = hr_cpu_tile_for(c->dim[0]),
                       .label = label->data,
                       .n = x->dim[0],
                       .k = c->dim[0],
                       .d = hr_cols(x) };
    int64_t lanes = job.tile->lanes, unit = lanes > W ? lanes : W;

    job.panel_count = hr_parts(job.k, unit) * unit / lanes;
    job.panels = hr_cpu_work(q, (size_t)(job.panel_count * lanes * job.d) * sizeof(real));
    job.square = hr_cpu_work(q, (size_t)(job.panel_count * lanes) * sizeof(real));
    job.x = hr_cpu_in(q, x);
    job.c = hr_cpu_in(q, c);
    job.distance = hr_cpu_out(q, distance, false);
    for (int64_t i = 0; i < ROWS; i++) {
        job.x_at[i] = i * job.d;
        job.y_at[i] = i * COLS;
    }
    if (hr_cpu_ok(q)) {
        hr_cpu_run(q, job.panel_count, pack, &job);
        hr_cpu_run(q, hr_parts(job.n, ROWS), assign_tile, &job);
    }
    hr_cpu_end(q);
}

/* ---- sums ---- */

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
        double w = weight_of(job, job->row[i]);

        for (int64_t t = from; t < to; t++)
            sum[t] += w * (double)x[t];
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
