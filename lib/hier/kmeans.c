/* kmeans.c - one flat k-means, one Lloyd iteration at a time (Lloyd 1982; HIRL sec. 4.1, Alg. 1).
 *
 *     J(c) = sum_i w_i min_j |x_i - c_j|^2        Euclidean distance, also for rows of unit length
 *
 * A redo is one pass of k-means. It starts from k different rows drawn at random; a warm start
 * makes a single redo, from given centroids. Each iteration labels every row with its nearest
 * centroid, which gives J, and moves each centroid to the weighted mean of its rows. The redo with
 * the smallest J in its last iteration wins; of equal ones, the earlier. A redo ends early when an
 * iteration changes no bit of any centroid and no cluster is empty: all later iterations would
 * repeat it.
 *
 * Empty clusters follow the rule of faiss. For each of them the others are visited in turn, and
 * cluster j is taken with probability (size_j - 1) / (rows - k), by one draw a visit. The empty
 * cluster gets the centroid of j, then the two centroids are moved apart by 1/1024 of each
 * coordinate, up and down in alternation, and each counts half of the size. If 64 rounds take no
 * cluster (all rows are equal), the centroid stays where it is.
 *
 * With more than kmeans_max_points rows a centroid, a random subset of k * kmeans_max_points rows
 * moves the centroids; labels are computed for all rows. With as many rows as centroids, the rows
 * are the centroids.
 *
 * Random choices are those of draws.c, keyed by level, redo and iteration. The result does not
 * depend on threads or interruptions: between two iterations the state is the centroids, the best
 * centroids so far, and a few numbers.
 *
 * points [n,d], of which [rows,d] move the centroids [k,d].
 */
#include "hier/kmeans.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "hier/draws.h"
#include "hier/rows.h"

enum { VISITS = 64 }; /* rounds through all clusters in search of one to split */
#define SHIFT (1.0 / 1024)

struct hr_kmeans {
    hr_queue *queue;
    hr_cluster_config config;
    int level;
    int64_t n, k, d;
    hr_kmeans_plan plan;
    hr_array points;     /* borrowed */
    hr_array subset;     /* rows of points that move the centroids; absent: all */
    hr_array row_weight; /* [rows]; absent: all 1 */
    hr_array centroid, sum, weight, label, distance; /* on the device */
    real *now, *best;                                /* [k,d] centroids of the redo, best so far */
    double *host_sum, *host_weight;                  /* [k,d], [k] */
    double *host_distance;                           /* [rows] */
    real *host_row_weight;                           /* [rows], or NULL */
    float *size;                                     /* [k] sizes in the rule for empty clusters */
    bool warm;
    /* the state, besides now and best */
    int64_t redo, iteration, empty, best_empty;
    double objective, best_objective;
};

/* ---- rows ---- */

static hirl_status take_subset(hr_kmeans *m, const float *weight)
{
    int32_t *row = hr_alloc_array((size_t)m->plan.rows, sizeof *row);
    hirl_status status = row ? HIRL_OK : HIRL_E_NOMEM;
    hr_draws draws;

    hr_draws_init(&draws, &m->config, HR_DRAW_SUBSET, m->level, 0, 0);
    if (status >= 0)
        status = hr_draws_rows(row, &draws, m->plan.rows, m->n);
    if (status >= 0)
        status = hr_rows_take(&m->subset, m->queue, HR_REAL, m->plan.rows, m->d);
    if (status >= 0)
        status = hr_rows_gather(m->queue, &m->subset, &m->points, row);
    for (int64_t i = 0; weight && status >= 0 && i < m->plan.rows; i++)
        m->host_row_weight[i] = (real)weight[row[i]];
    hr_free(row);
    return status;
}

static const hr_array *moving(const hr_kmeans *m)
{
    return m->subset.data ? &m->subset : &m->points;
}

/* ---- create, destroy ---- */

static hirl_status take_host(hr_kmeans *m, bool weighted)
{
    size_t k = (size_t)m->k, d = (size_t)m->d, rows = (size_t)m->plan.rows;

    m->now = hr_alloc_array(k * d, sizeof *m->now);
    m->best = hr_alloc_array(k * d, sizeof *m->best);
    m->host_sum = hr_alloc_array(k * d, sizeof *m->host_sum);
    m->host_weight = hr_alloc_array(k, sizeof *m->host_weight);
    m->host_distance = hr_alloc_array(rows, sizeof *m->host_distance);
    m->size = hr_alloc_array(k, sizeof *m->size);
    if (weighted)
        m->host_row_weight = hr_alloc_array(rows, sizeof *m->host_row_weight);
    if (!m->now || !m->best || !m->host_sum || !m->host_weight || !m->host_distance || !m->size ||
        (weighted && !m->host_row_weight))
        return HIRL_E_NOMEM;
    return HIRL_OK;
}

static hirl_status take_device(hr_kmeans *m)
{
    HR_TRY(hr_rows_take(&m->centroid, m->queue, HR_REAL, m->k, m->d));
    HR_TRY(hr_rows_take(&m->sum, m->queue, HR_F64, m->k, m->d));
    HR_TRY(hr_rows_take(&m->weight, m->queue, HR_F64, m->k, 1));
    HR_TRY(hr_rows_take(&m->label, m->queue, HR_I32, m->n, 1));
    return hr_rows_take(&m->distance, m->queue, HR_F64, m->n, 1);
}

static hirl_status prepare(hr_kmeans *m, const float *weight, const float *initial)
{
    HR_TRY(take_host(m, weight != NULL));
    HR_TRY(take_device(m));
    for (int64_t i = 0; initial && i < m->k * m->d; i++)
        m->now[i] = (real)initial[i];
    for (int64_t i = 0; weight && m->plan.rows == m->n && i < m->n; i++)
        m->host_row_weight[i] = (real)weight[i];
    if (m->plan.rows < m->n)
        HR_TRY(take_subset(m, weight));
    if (weight)
        HR_TRY(hr_rows_copy(&m->row_weight, m->queue, HR_REAL, m->plan.rows, 1, m->host_row_weight,
                            HR_REAL));
    return m->queue->be->sync(m->queue);
}

hr_kmeans_plan hr_kmeans_plan_of(int64_t n, int64_t k, const hr_cluster_config *config, bool warm)
{
    int64_t most = config->kmeans_max_points, rows = n / k >= most ? k * most : n;

    if (rows == k)
        return (hr_kmeans_plan){ rows, 1, 1 };
    return (hr_kmeans_plan){ rows, warm ? 1 : config->kmeans_redo, config->kmeans_iterations };
}

hirl_status hr_kmeans_create(hr_kmeans **out, hr_queue *queue, const hr_array *points,
                             const float *weight, int64_t k, const hr_cluster_config *config,
                             int level, const float *initial)
{
    int64_t n = points->dim[0];
    hr_kmeans *m;
    hirl_status status;

    if (k < 1 || n < k || n > INT32_MAX)
        return hr_fail(HIRL_E_INVALID, "k-means: %lld rows cannot make %lld clusters at level %d",
                       (long long)n, (long long)k, level + 1);
    m = hr_alloc(sizeof *m);
    if (!m)
        return HIRL_E_NOMEM;
    m->queue = queue;
    m->config = *config;
    m->level = level;
    m->n = n;
    m->k = k;
    m->d = hr_cols(points);
    m->plan = hr_kmeans_plan_of(n, k, config, initial != NULL);
    m->points = *points;
    m->warm = initial != NULL;
    status = prepare(m, weight, initial);
    if (status < 0) {
        hr_kmeans_destroy(m);
        return status;
    }
    *out = m;
    return HIRL_OK;
}

void hr_kmeans_destroy(hr_kmeans *m)
{
    hr_array *array[] = { &m->subset, &m->row_weight, &m->centroid, &m->sum,
                          &m->weight, &m->label,      &m->distance };
    void *host[] = { m->now,         m->best,          m->host_sum,
                     m->host_weight, m->host_distance, m->host_row_weight,
                     m->size };

    for (size_t i = 0; i < sizeof array / sizeof *array; i++)
        hr_array_give(array[i], m->queue);
    for (size_t i = 0; i < sizeof host / sizeof *host; i++)
        hr_free(host[i]);
    hr_free(m);
}

/* ---- one iteration ---- */

/* now <- k different rows; if there are only k rows, all of them in order */
static hirl_status start(hr_kmeans *m)
{
    hr_queue *q = m->queue;
    int32_t *row;
    hirl_status status;
    hr_draws draws;

    if (m->plan.rows == m->k) {
        q->be->download(q, m->now, HR_REAL, moving(m));
        return q->be->sync(q);
    }
    if (m->warm)
        return HIRL_OK;
    row = hr_alloc_array((size_t)m->k, sizeof *row);
    if (!row)
        return HIRL_E_NOMEM;
    hr_draws_init(&draws, &m->config, HR_DRAW_START, m->level, m->redo, 0);
    status = hr_draws_rows(row, &draws, m->k, m->plan.rows);
    if (status >= 0)
        status = hr_rows_gather(q, &m->centroid, moving(m), row);
    hr_free(row);
    HR_TRY(status);
    q->be->download(q, m->now, HR_REAL, &m->centroid);
    return q->be->sync(q);
}

/* labels of the moving rows for `now`; distances and sums by cluster on the host */
static hirl_status assign_and_sum(hr_kmeans *m)
{
    hr_queue *q = m->queue;
    hr_array label = m->label, distance = m->distance;

    label.dim[0] = distance.dim[0] = m->plan.rows;
    q->be->upload(q, &m->centroid, m->now, HR_REAL);
    q->be->kmeans_assign(q, &label, &distance, moving(m), &m->centroid);
    q->be->kmeans_sum(q, &m->sum, &m->weight, moving(m), &label,
                      m->row_weight.data ? &m->row_weight : NULL);
    q->be->download(q, m->host_distance, HR_F64, &distance);
    q->be->download(q, m->host_sum, HR_F64, &m->sum);
    q->be->download(q, m->host_weight, HR_F64, &m->weight);
    return q->be->sync(q);
}

/* the objective J */
static hirl_status measure(hr_kmeans *m)
{
    m->objective = 0;
    for (int64_t i = 0; i < m->plan.rows; i++)
        m->objective +=
            (m->host_row_weight ? (double)m->host_row_weight[i] : 1) * m->host_distance[i];
    if (!isfinite(m->objective))
        return hr_fail(HIRL_E_NONFINITE,
                       "k-means: squared distances overflow at level %d; scale the features down",
                       m->level + 1);
    return HIRL_OK;
}

/* now <- means of the clusters; whether any value changed */
static bool move(hr_kmeans *m)
{
    bool moved = false;

    for (int64_t j = 0; j < m->k; j++)
        for (int64_t t = 0; t < m->d && m->host_weight[j] > 0; t++) {
            real *c = &m->now[j * m->d + t];
            real mean = (real)(m->host_sum[j * m->d + t] / m->host_weight[j]);

            moved |= mean != *c;
            *c = mean;
        }
    return moved;
}

/* splits cluster j, and gives one half to cluster `empty` */
static void split(hr_kmeans *m, int64_t empty, int64_t j)
{
    real *taken = m->now + j * m->d, *made = m->now + empty * m->d;

    for (int64_t t = 0; t < m->d; t++) {
        real c = taken[t];
        real up = c * (real)(1 + SHIFT), down = c * (real)(1 - SHIFT);

        made[t] = t % 2 ? down : up;
        taken[t] = t % 2 ? up : down;
    }
    m->size[j] /= 2;
    m->size[empty] = m->size[j];
}

static void fill_empty(hr_kmeans *m, int64_t empty, hr_draws *draws)
{
    double spare = (double)(m->plan.rows - m->k);

    for (int64_t visit = 0; visit < VISITS * m->k; visit++) {
        int64_t j = visit % m->k;

        if (hr_draws_uniform(draws) < (float)(((double)m->size[j] - 1) / spare)) {
            split(m, empty, j);
            return;
        }
    }
}

/* Counts and fills empty clusters. A size is the weight of the cluster's rows, scaled to a mean
 * weight of 1. */
static void fill_empties(hr_kmeans *m)
{
    double total = 0;
    hr_draws draws;

    for (int64_t j = 0; j < m->k; j++)
        total += m->host_weight[j];
    for (int64_t j = 0; j < m->k; j++)
        m->size[j] = (float)(m->host_weight[j] * ((double)m->plan.rows / total));
    hr_draws_init(&draws, &m->config, HR_DRAW_SPLIT, m->level, m->redo, m->iteration);
    m->empty = 0;
    for (int64_t j = 0; j < m->k; j++) {
        if (m->host_weight[j] > 0)
            continue;
        m->empty++;
        if (m->plan.rows > m->k)
            fill_empty(m, j, &draws);
    }
}

static void end_redo(hr_kmeans *m)
{
    if (!m->redo || m->objective < m->best_objective) {
        memcpy(m->best, m->now, (size_t)(m->k * m->d) * sizeof *m->best);
        m->best_objective = m->objective;
        m->best_empty = m->empty;
    }
    m->redo++;
    m->iteration = 0;
}

hirl_status hr_kmeans_step(bool *done, hr_kmeans *m)
{
    bool moved;

    *done = m->redo == m->plan.redos;
    if (*done)
        return HIRL_OK;
    if (!m->iteration)
        HR_TRY(start(m));
    HR_TRY(assign_and_sum(m));
    HR_TRY(measure(m));
    moved = m->plan.rows > m->k && move(m);
    fill_empties(m);
    m->iteration++;
    if ((!moved && !m->empty) || m->iteration == m->plan.iterations)
        end_redo(m);
    *done = m->redo == m->plan.redos;
    return HIRL_OK;
}

/* ---- results ---- */

int64_t hr_kmeans_total(const hr_kmeans *m)
{
    return m->plan.redos * m->plan.iterations;
}

int64_t hr_kmeans_made(const hr_kmeans *m)
{
    return m->redo * m->plan.iterations + m->iteration;
}

const real *hr_kmeans_centroids(const hr_kmeans *m)
{
    return m->best;
}

double hr_kmeans_objective(const hr_kmeans *m)
{
    return m->best_objective;
}

int64_t hr_kmeans_empty(const hr_kmeans *m)
{
    return m->best_empty;
}

hirl_status hr_kmeans_labels(int32_t *label, hr_kmeans *m)
{
    hr_queue *q = m->queue;

    q->be->upload(q, &m->centroid, m->best, HR_REAL);
    q->be->kmeans_assign(q, &m->label, &m->distance, &m->points, &m->centroid);
    q->be->download(q, label, HR_I32, &m->label);
    return q->be->sync(q);
}

/* ---- state ---- */

static const char *name_of(char *text, size_t bytes, const char *prefix, const char *what)
{
    snprintf(text, bytes, "%s%s", prefix, what);
    return text;
}

hirl_status hr_kmeans_save(hr_tensors *out, const hr_kmeans *m, const char *prefix)
{
    const int64_t four = 4, two = 2, shape[] = { m->k, m->d };
    char name[HR_TENSORS_NAME];
    void *numbers, *objective;

    HR_TRY(hr_tensors_new(&numbers, out, name_of(name, sizeof name, prefix, "position"), HR_I64, 1,
                          &four));
    memcpy(numbers, (int64_t[]){ m->redo, m->iteration, m->empty, m->best_empty }, 32);
    HR_TRY(hr_tensors_new(&objective, out, name_of(name, sizeof name, prefix, "objective"), HR_F64,
                          1, &two));
    memcpy(objective, (double[]){ m->objective, m->best_objective }, 16);
    HR_TRY(
        hr_tensors_add(out, name_of(name, sizeof name, prefix, "now"), HR_REAL, 2, shape, m->now));
    return hr_tensors_add(out, name_of(name, sizeof name, prefix, "best"), HR_REAL, 2, shape,
                          m->best);
}

hirl_status hr_kmeans_load(hr_kmeans *m, const hr_tensors *in, const char *prefix)
{
    const int64_t four = 4, two = 2, shape[] = { m->k, m->d };
    const hr_named *numbers, *objective, *now, *best;
    char name[HR_TENSORS_NAME];
    int64_t at[4];

    HR_TRY(hr_tensors_need(&numbers, in, name_of(name, sizeof name, prefix, "position"), HR_I64, 1,
                           &four));
    HR_TRY(hr_tensors_need(&objective, in, name_of(name, sizeof name, prefix, "objective"), HR_F64,
                           1, &two));
    HR_TRY(hr_tensors_need(&now, in, name_of(name, sizeof name, prefix, "now"), HR_REAL, 2, shape));
    HR_TRY(
        hr_tensors_need(&best, in, name_of(name, sizeof name, prefix, "best"), HR_REAL, 2, shape));
    memcpy(at, numbers->data, sizeof at);
    if (at[0] < 0 || at[0] > m->plan.redos || at[1] < 0 || at[1] >= m->plan.iterations)
        return hr_fail(
            HIRL_E_FORMAT,
            "k-means: the saved state has redo %lld and iteration %lld, outside %lld redos of %lld "
            "iterations",
            (long long)at[0], (long long)at[1], (long long)m->plan.redos,
            (long long)m->plan.iterations);
    m->redo = at[0];
    m->iteration = at[1];
    m->empty = at[2];
    m->best_empty = at[3];
    m->objective = ((const double *)objective->data)[0];
    m->best_objective = ((const double *)objective->data)[1];
    memcpy(m->now, now->data, now->bytes);
    memcpy(m->best, best->data, best->bytes);
    return HIRL_OK;
}
