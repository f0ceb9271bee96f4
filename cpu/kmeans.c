/* kmeans.c - nearest centroids, the first half of a Lloyd iteration (the second: kmeans_sum.c).
 *
 *   label[i] = argmin_j |x_i - c_j|^2,  distance[i] = |x_i - c_label|^2
 *
 * in f64, from the stored rows and centroids; the lowest index wins ties. x [n,d]; c [k,d]; label,
 * distance [n].
 *
 * A first pass in `real` finds two smallest scores of each row,
 *
 *   score_ij = |b_j|^2 - 2 <a_i, b_j>,  a_i = x_i - m,  b_j = c_j - m,  m = mean of the centroids
 *
 * where m only makes the numbers small: rows that share a large part would cancel otherwise. A row
 * is certain if the second score is above the first by more than both can be wrong:
 *
 *   wrong_ij = gamma_{d+8} 2 |a_i| |b_j| + 8 u |b_j|^2 + (d + 8) 2^-52 (|a_i| + |b_j|)^2
 *
 * plus underflow (bound.h). gamma_{d+8} covers the sum of d products and the rounding of a, b and
 * the score; the last term is the error of the f64 distances. In a second pass, the distances of
 * every other row are computed in f64, for all centroids that are possible within these bounds.
 *
 * Each tile of ROWS rows is multiplied with blocks of COLS centroids. A row has W running minima,
 * each over every W-th centroid, which are merged at the end. Products are sweeps (tile.h), which
 * sum over d in the same order for every row. The tiles depend only on sizes.
 */
#include <math.h>
#include <string.h>

#include "cpu/bound.h"
#include "cpu/clones.h"
#include "cpu/cpu.h"
#include "cpu/dot.h"
#include "cpu/tile.h"

enum {
    ROWS = 192,
    COLS = 512,
    LANES = 32 / sizeof(real),
    VECTORS = 64 / sizeof(real) / (32 / sizeof(real)),
    W = LANES * VECTORS,
    MOVED = 8192, /* most columns for which rows are moved by m; wider rows stay where they are */
};

/* an index as wide as a real */
#ifdef HR_REAL_DOUBLE
typedef int64_t place;
#else
typedef int32_t place;
#endif
typedef real reals __attribute__((vector_size(32)));
typedef place places __attribute__((vector_size(32)));

/* the smallest scores of a row so far, one for each class of centroids modulo W, and the second
 * smallest of each class */
typedef struct nearest {
    real score[W], second[W];
    place index[W];
} nearest;

typedef struct assign_job {
    hr_queue *q;
    const hr_cpu_tile *tile;
    int32_t *label;
    double *distance;
    const real *x, *c;
    int64_t n, k, d, panel_count;
    real *mean;     /* m [d]; NULL: 0 */
    real *panels;   /* [panel_count, d, lanes]: -2 b, 0 after the last centroid */
    real *square;   /* [panel_count, lanes]: |b|^2, infinity after the last centroid */
    double *length; /* [panel_count, lanes]: |b| */
    double longest; /* the largest of them */
    int64_t y_at[ROWS];
} assign_job;

/* ---- bounds ---- */

/* how far a score can be from |b|^2 - 2 <a, b>, for lengths a and b; infinite if it can overflow */
static double wrong(const assign_job *job, double a, double b)
{
    double both = (a + b) * (a + b);

    if (!(4 * both <= HR_LARGEST))
        return (double)INFINITY;
    return hr_cpu_gamma(job->d + 8) * 2 * a * b + 8 * HR_BOUND_SLACK * HR_UNIT * b * b +
           (double)(job->d + 8) * DBL_EPSILON * both + hr_cpu_lost(job->d + 8, a, b);
}

/* ---- moved centroids, in panels ---- */

static void find_mean(assign_job *job, double *sum)
{
    memset(sum, 0, (size_t)job->d * sizeof *sum);
    for (int64_t j = 0; j < job->k; j++)
        hr_cpu_add_scaled(sum, 1, job->c + j * job->d, job->d);
    for (int64_t t = 0; t < job->d; t++)
        job->mean[t] = (real)(sum[t] / (double)job->k);
}

static void pack(void *arg, int64_t i, int worker)
{
    const assign_job *job = arg;
    int64_t lanes = job->tile->lanes;

    (void)worker;
    for (int64_t l = 0; l < lanes; l++) {
        int64_t at = i * lanes + l;
        real *panel = job->panels + i * lanes * job->d + l;
        const real *c = job->c + at * job->d;
        double square = 0;

        for (int64_t t = 0; t < job->d; t++) {
            real b = at < job->k ? c[t] - (job->mean ? job->mean[t] : 0) : 0;

            panel[t * lanes] = -2 * b;
            square += (double)b * (double)b;
        }
        job->square[at] = at < job->k ? (real)square : (real)INFINITY;
        job->length[at] = HR_BOUND_SLACK * sqrt(square);
    }
}

/* ---- the first pass ---- */

/* Updates the minima of a row with one block of products -2 <a, b>. Lanes after the last centroid
 * get an infinite score. */
HR_CLONES static void scan(nearest *best, const real *product, const real *square, int64_t count,
                           int64_t first)
{
    reals low[VECTORS], second[VECTORS];
    places at[VECTORS], j[VECTORS];
    place order[W];

    for (int l = 0; l < W; l++)
        order[l] = (place)(first + l);
    memcpy(low, best->score, sizeof low);
    memcpy(second, best->second, sizeof second);
    memcpy(at, best->index, sizeof at);
    memcpy(j, order, sizeof j);
    for (int64_t i = 0; i < count; i += W)
        for (int v = 0; v < VECTORS; v++) {
            reals score, s;
            places less, higher, below;

            memcpy(&score, product + i + v * LANES, sizeof score);
            memcpy(&s, square + i + v * LANES, sizeof s);
            score += s;
            less = score < low[v];
            higher = (less & (places)low[v]) | (~less & (places)score);
            below = (reals)higher < second[v];
            second[v] = (reals)((below & higher) | (~below & (places)second[v]));
            low[v] = (reals)((less & (places)score) | (~less & (places)low[v]));
            at[v] = (less & j[v]) | (~less & at[v]);
            j[v] += W;
        }
    memcpy(best->score, low, sizeof low);
    memcpy(best->second, second, sizeof second);
    memcpy(best->index, at, sizeof at);
}

/* the smallest score of a row and its index, and the second smallest of all scores */
static int32_t merge(real *score, real *second, const nearest *best)
{
    int w = 0;

    for (int l = 1; l < W; l++)
        if (best->score[l] < best->score[w] ||
            (best->score[l] == best->score[w] && best->index[l] < best->index[w]))
            w = l;
    *score = best->score[w];
    *second = best->second[w];
    for (int l = 0; l < W; l++)
        if (l != w && best->score[l] < *second)
            *second = best->score[l];
    return (int32_t)best->index[w];
}

/* ---- tiles ---- */

/* one tile of rows */
typedef struct block {
    int64_t first, rows;
    const real *a;         /* [rows,d]: rows moved by m */
    double length[ROWS];   /* |a| */
    int64_t at[ROWS];      /* where the rows that are multiplied start in a */
    int64_t row[ROWS];     /* the uncertain rows */
    double possible[ROWS]; /* for each, no centroid whose score is surely above is the nearest */
    int64_t uncertain;
    real *product; /* [ROWS, COLS] */
    nearest *best; /* [ROWS] */
} block;

static size_t block_bytes(const assign_job *job)
{
    size_t moved = job->mean ? (size_t)(ROWS * job->d) * sizeof(real) : 0;

    return sizeof(block) + ROWS * (sizeof(nearest) + COLS * sizeof(real)) + moved;
}

static void open_block(block *b, const assign_job *job, int64_t tile)
{
    real *moved;

    b->first = tile * ROWS;
    b->rows = job->n - b->first < ROWS ? job->n - b->first : ROWS;
    b->uncertain = 0;
    b->best = (nearest *)(b + 1);
    b->product = (real *)(b->best + ROWS);
    moved = b->product + ROWS * COLS;
    b->a = job->mean ? moved : job->x + b->first * job->d;
    for (int64_t i = 0; i < b->rows; i++) {
        const real *x = job->x + (b->first + i) * job->d;
        double square = job->mean ? hr_cpu_move(moved + i * job->d, x, job->mean, job->d)
                                  : hr_cpu_dot(x, x, job->d);

        b->length[i] = HR_BOUND_SLACK * sqrt(square);
        b->at[i] = i * job->d;
    }
}

/* product [places, COLS] <- products of rows of the block with `panels` panels from p on */
static void multiply(const assign_job *job, block *b, int64_t rows, int64_t p, int64_t panels)
{
    int64_t lanes = job->tile->lanes;

    for (int64_t i = 0; i < panels; i++) {
        hr_cpu_sweep s = { .y = b->product + i * lanes,
                           .x = b->a,
                           .y_at = job->y_at,
                           .x_at = b->at,
                           .places = rows,
                           .rows = 1,
                           .run = job->d,
                           .width = lanes };

        hr_cpu_sweep_panel(job->tile, &s, job->panels + (p + i) * lanes * job->d);
    }
}

/* panels of the block of centroids that starts with panel p */
static int64_t panels_from(const assign_job *job, int64_t p)
{
    int64_t most = COLS / job->tile->lanes, left = job->panel_count - p;

    return left < most ? left : most;
}

/* the labels of certain rows, and a list of the others */
static void label_certain(const assign_job *job, block *b)
{
    for (int64_t i = 0; i < b->rows; i++) {
        double a = b->length[i], bound = wrong(job, a, job->longest);
        real score, second;
        int32_t j = merge(&score, &second, &b->best[i]);

        job->label[b->first + i] = j;
        if ((double)second > (double)score + 2 * HR_BOUND_SLACK * bound)
            continue;
        b->at[b->uncertain] = i * job->d;
        b->possible[b->uncertain] = (double)score + wrong(job, a, job->length[j]);
        b->row[b->uncertain++] = i;
    }
}

static void first_pass(const assign_job *job, block *b)
{
    int64_t lanes = job->tile->lanes;

    for (int64_t i = 0; i < b->rows; i++)
        for (int l = 0; l < W; l++) {
            b->best[i].score[l] = b->best[i].second[l] = (real)INFINITY;
            b->best[i].index[l] = 0;
        }
    for (int64_t p = 0; p < job->panel_count; p += COLS / lanes) {
        int64_t panels = panels_from(job, p);

        multiply(job, b, b->rows, p, panels);
        for (int64_t i = 0; i < b->rows; i++)
            scan(&b->best[i], b->product + i * COLS, job->square + p * lanes, panels * lanes,
                 p * lanes);
    }
    label_certain(job, b);
}

/* ---- the second pass: uncertain rows ---- */

/* compares row `u` of the uncertain ones with `count` centroids from `first` on */
static void rescore(const assign_job *job, const block *b, int64_t u, double *least, int64_t first,
                    int64_t count)
{
    const real *product = b->product + u * COLS;
    int64_t row = b->first + b->row[u];
    double a = b->length[b->row[u]];

    for (int64_t j = first; j < first + count && j < job->k; j++) {
        double score = (double)(product[j - first] + job->square[j]), distance;

        if (score - wrong(job, a, job->length[j]) > b->possible[u])
            continue;
        distance = hr_cpu_gap(job->x + row * job->d, job->c + j * job->d, job->d);
        if (distance < *least) {
            *least = distance;
            job->label[row] = (int32_t)j;
        }
    }
}

static void second_pass(const assign_job *job, block *b)
{
    int64_t lanes = job->tile->lanes;
    double least[ROWS];

    for (int64_t u = 0; u < b->uncertain; u++) {
        least[u] = (double)INFINITY;
        job->label[b->first + b->row[u]] = 0;
    }
    for (int64_t p = 0; b->uncertain && p < job->panel_count; p += COLS / lanes) {
        int64_t panels = panels_from(job, p);

        multiply(job, b, b->uncertain, p, panels);
        for (int64_t u = 0; u < b->uncertain; u++)
            rescore(job, b, u, &least[u], p * lanes, panels * lanes);
    }
}

static void assign_tile(void *arg, int64_t tile, int worker)
{
    const assign_job *job = arg;
    block *b = hr_cpu_scratch(job->q, worker, block_bytes(job));

    if (!b)
        return;
    open_block(b, job, tile);
    first_pass(job, b);
    second_pass(job, b);
    for (int64_t i = b->first; i < b->first + b->rows; i++)
        job->distance[i] = hr_cpu_gap(job->x + i * job->d, job->c + job->label[i] * job->d, job->d);
}

void hr_cpu_kmeans_assign(hr_queue *q, const hr_array *label, const hr_array *distance,
                          const hr_array *x, const hr_array *c)
{
    assign_job job = { .q = q,
                       .tile = hr_cpu_tile_for(c->dim[0]),
                       .label = label->data,
                       .distance = distance->data,
                       .n = x->dim[0],
                       .k = c->dim[0],
                       .d = hr_cols(x) };
    int64_t lanes = job.tile->lanes, unit = lanes > W ? lanes : W, padded;
    double *sum = NULL;

    job.panel_count = hr_parts(job.k, unit) * unit / lanes;
    padded = job.panel_count * lanes;
    job.panels = hr_cpu_work(q, (size_t)(padded * job.d) * sizeof(real));
    job.square = hr_cpu_work(q, (size_t)padded * sizeof(real));
    job.length = hr_cpu_work(q, (size_t)padded * sizeof(double));
    if (job.d <= MOVED) {
        job.mean = hr_cpu_work(q, (size_t)job.d * sizeof(real));
        sum = hr_cpu_work(q, (size_t)job.d * sizeof *sum);
    }
    job.x = hr_cpu_in(q, x);
    job.c = hr_cpu_in(q, c);
    for (int64_t i = 0; i < ROWS; i++)
        job.y_at[i] = i * COLS;
    if (hr_cpu_ok(q)) {
        if (job.mean)
            find_mean(&job, sum);
        hr_cpu_run(q, job.panel_count, pack, &job);
        for (int64_t j = 0; j < job.k; j++)
            job.longest = job.length[j] > job.longest ? job.length[j] : job.longest;
        hr_cpu_run(q, hr_parts(job.n, ROWS), assign_tile, &job);
    }
    hr_cpu_end(q);
}
