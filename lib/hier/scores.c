/* scores.c - agreement of a tree with labels: purity, NMI, dendrogram purity (Heller and
 * Ghahramani 2005).
 *
 *   n_vk = rows of class k below node v,  s_v = sum_k n_vk,  N rows that have leaf and label
 *
 *   purity of a level = sum_v max_k n_vk / N
 *   NMI of a level    = I(V; K) / ((H(V) + H(K)) / 2)         1 when both have a single value
 *   dendrogram purity = mean over pairs of rows of equal class k of n_vk / s_v,
 *                       v their lowest common ancestor
 *
 * Exact, over all pairs, in time linear in N and the number of nodes: a pair of class k meets at v or
 * below it in n_vk (n_vk - 1) / 2 ways, so summed over the rows of v and k and with n_0 = 1 for the
 * row itself, the pairs that meet at v are (n_vk - n_uk) / 2 for each row, u the child it comes from:
 *
 *   sum over pairs = sum_rows sum_levels (n_level - n_level below) / 2 * n_level / s_level
 *
 * A root above all top nodes is the last level. Without any pair of equal class it is 1.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "hier/tree.h"

/* rows that count, and the level at hand */
typedef struct score_rows {
    int64_t n, classes;
    int32_t *class;            /* [n] 0 to classes - 1 */
    int32_t *node;             /* [n] node of the level */
    int64_t *class_count;      /* [classes] */
    int64_t *same;             /* [n] rows of the row's node and class */
    int64_t *same_below;       /* [n] the same one level below */
    int64_t *begin;            /* [max(nodes, classes) + 1] of a counting sort */
    int32_t *by_class, *order; /* [n] */
} score_rows;

static int compare(const void *a, const void *b)
{
    int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;

    return (x > y) - (x < y);
}

/* classes numbered from 0 in rising order of their labels; label [n] of the rows that count */
static hirl_status number_classes(score_rows *rows)
{
    int32_t *sorted = hr_alloc_array((size_t)rows->n, sizeof *sorted);

    if (!sorted)
        return HIRL_E_NOMEM;
    memcpy(sorted, rows->class, (size_t)rows->n * sizeof *sorted);
    qsort(sorted, (size_t)rows->n, sizeof *sorted, compare);
    for (int64_t i = 0; i < rows->n; i++)
        if (!i || sorted[i] != sorted[rows->classes - 1])
            sorted[rows->classes++] = sorted[i];
    for (int64_t i = 0; i < rows->n; i++) {
        int32_t *found =
            bsearch(&rows->class[i], sorted, (size_t)rows -> classes, sizeof *sorted, compare);

        rows->class[i] = (int32_t)(found - sorted);
    }
    hr_free(sorted);
    return HIRL_OK;
}

static void rows_done(score_rows *rows)
{
    void *block[] = { rows->class,      rows->node,  rows->class_count, rows->same,
                      rows->same_below, rows->begin, rows->by_class,    rows->order };

    for (size_t i = 0; i < sizeof block / sizeof *block; i++)
        hr_free(block[i]);
}

static hirl_status rows_init(score_rows *rows, const hirl_tree *tree, const int32_t *label)
{
    size_t n = (size_t)tree->n, keys = (n > (size_t)tree->m[0] ? n : (size_t)tree->m[0]) + 1;

    rows->class = hr_alloc_array(n, sizeof *rows->class);
    rows->node = hr_alloc_array(n, sizeof *rows->node);
    rows->class_count = hr_alloc_array(n, sizeof *rows->class_count);
    rows->same = hr_alloc_array(n, sizeof *rows->same);
    rows->same_below = hr_alloc_array(n, sizeof *rows->same_below);
    rows->begin = hr_alloc_array(keys, sizeof *rows->begin);
    rows->by_class = hr_alloc_array(n, sizeof *rows->by_class);
    rows->order = hr_alloc_array(n, sizeof *rows->order);
    if (!rows->class || !rows->node || !rows->class_count || !rows->same || !rows->same_below ||
        !rows->begin || !rows->by_class || !rows->order)
        return HIRL_E_NOMEM;
    for (int64_t i = 0; i < tree->n; i++) {
        if (label[i] < 0 || tree->leaf[i] < 0)
            continue;
        rows->class[rows->n] = label[i];
        rows->node[rows->n++] = tree->leaf[i];
    }
    if (!rows->n)
        return hr_fail(HIRL_E_INVALID, "scores: none of %lld rows has a leaf and a label",
                       (long long)tree->n);
    HR_TRY(number_classes(rows));
    for (int64_t i = 0; i < rows->n; i++) {
        rows->class_count[rows->class[i]]++;
        rows->same[i] = 1;
    }
    return HIRL_OK;
}

/* order <- the rows of `from` (NULL: 0 to n - 1), stable by key [n] in [0, keys) */
static void sort_by(score_rows *rows, int32_t *order, const int32_t *from, const int32_t *key,
                    int64_t keys)
{
    memset(rows->begin, 0, (size_t)(keys + 1) * sizeof *rows->begin);
    for (int64_t i = 0; i < rows->n; i++)
        rows->begin[key[i] + 1]++;
    for (int64_t j = 0; j < keys; j++)
        rows->begin[j + 1] += rows->begin[j];
    for (int64_t i = 0; i < rows->n; i++) {
        int32_t row = from ? from[i] : (int32_t)i;

        order[rows->begin[key[row]]++] = row;
    }
}

/* what the runs of rows of equal node and class add up to on one level */
typedef struct level_sums {
    double majority; /* sum_v max_k n_vk */
    double joint;    /* sum_vk n_vk log(n_vk N / (s_v n_k)) = N I */
    double entropy;  /* -sum_v s_v log(s_v / N) = N H(V) */
    double pairs_by_purity;
    int64_t nodes; /* with a row */
} level_sums;

static int64_t run_end(const score_rows *rows, int64_t at, const int32_t *key, int64_t end)
{
    int64_t i = at;

    while (i < end && key[rows->order[i]] == key[rows->order[at]])
        i++;
    return i;
}

/* the rows order[first, end) of one node, sorted by class */
static void sum_node(level_sums *sums, score_rows *rows, int64_t first, int64_t end)
{
    double n = (double)rows->n, size = (double)(end - first);
    int64_t most = 0;

    for (int64_t at = first, next; at < end; at = next) {
        int32_t class = rows->class[rows->order[at]];
        double same;

        next = run_end(rows, at, rows->class, end);
        same = (double)(next - at);
        most = next - at > most ? next - at : most;
        sums->joint += same * log(same * n / (size * (double)rows->class_count[class]));
        for (int64_t i = at; i < next; i++) {
            int32_t row = rows->order[i];

            rows->same_below[row] = rows->same[row];
            rows->same[row] = next - at;
            sums->pairs_by_purity += (same - (double)rows->same_below[row]) / 2 * (same / size);
        }
    }
    sums->majority += (double)most;
    sums->entropy -= size * log(size / n);
    sums->nodes++;
}

static level_sums sum_level(score_rows *rows, int64_t nodes)
{
    level_sums sums = { 0 };

    sort_by(rows, rows->order, rows->by_class, rows->node, nodes);
    for (int64_t at = 0, next; at < rows->n; at = next) {
        next = run_end(rows, at, rows->node, rows->n);
        sum_node(&sums, rows, at, next);
    }
    return sums;
}

static double class_entropy(const score_rows *rows)
{
    double sum = 0, n = (double)rows->n;

    for (int64_t k = 0; k < rows->classes; k++)
        sum -= (double)rows->class_count[k] * log((double)rows->class_count[k] / n);
    return sum;
}

static double nmi(const level_sums *sums, const score_rows *rows)
{
    if (sums->nodes == 1 && rows->classes == 1)
        return 1;
    return fmax(0, sums->joint) / ((sums->entropy + class_entropy(rows)) / 2);
}

static double pairs_of(const score_rows *rows)
{
    double pairs = 0;

    for (int64_t k = 0; k < rows->classes; k++)
        pairs += (double)rows->class_count[k] * ((double)rows->class_count[k] - 1) / 2;
    return pairs;
}

static void score_levels(hirl_tree_score *score, const hirl_tree *tree, score_rows *rows)
{
    double sum = 0, pairs = pairs_of(rows);

    sort_by(rows, rows->by_class, NULL, rows->class, rows->classes);
    for (int32_t l = 0; l < tree->levels; l++) {
        level_sums sums = sum_level(rows, tree->m[l]);

        score->purity[l] = sums.majority / (double)rows->n;
        score->nmi[l] = nmi(&sums, rows);
        sum += sums.pairs_by_purity;
        for (int64_t i = 0; i < rows->n; i++)
            rows->node[i] = l + 1 < tree->levels ? tree->parent[l][rows->node[i]] : 0;
    }
    sum += sum_level(rows, 1).pairs_by_purity; /* the root above all */
    score->dendrogram_purity = pairs > 0 ? sum / pairs : 1;
}

hirl_status hr_tree_evaluate(hirl_tree_score *out, const hirl_tree *tree, const int32_t *label)
{
    hirl_tree_score score = { .struct_size = out->struct_size, .levels = tree->levels };
    score_rows rows = { 0 };
    hirl_status status = rows_init(&rows, tree, label);

    if (status >= 0) {
        score_levels(&score, tree, &rows);
        *out = score;
    }
    rows_done(&rows);
    return status;
}
