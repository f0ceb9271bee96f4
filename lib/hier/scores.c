/* scores.c - agreement of a tree with labels: purity, NMI, dendrogram purity (Heller and
 * Ghahramani 2005).
 *
 *   n_vk = rows of class k below node v,  s_v = sum_k n_vk,  N = rows that have both leaf and label
 *
 *   purity of a level = sum_v max_k n_vk / N
 *   NMI of a level    = I(V; K) / ((H(V) + H(K)) / 2), or 1 if both have a single value
 *   dendrogram purity = mean of n_vk / s_v over all pairs of rows of one class k, v being the
 *                       lowest common ancestor of the pair; 1 if there is no such pair
 *
 * The dendrogram purity is exact and takes time linear in N and the number of nodes. Let u be the
 * child of v above a row of class k (n_uk = 1 for the row itself). The row forms n_vk - n_uk pairs
 * that meet at v; each pair is counted by both of its rows, hence
 *
 *   sum over pairs = sum_rows sum_levels (n_vk - n_uk) / 2 * n_vk / s_v
 *
 * where v is the node of the row at the level. The last level is a root above all top nodes.
 */
#include "hier/scores.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"

/* the rows with leaf and label, and one level of the tree */
typedef struct score_rows {
    int64_t n, classes;
    int32_t *class;            /* [n] 0 to classes - 1 */
    int32_t *node;             /* [n] node of each row at the level */
    int64_t *class_count;      /* [classes] */
    int64_t *same;             /* [n] n_vk: rows of the same node and class */
    int64_t *same_below;       /* [n] n_uk: the same one level below */
    int64_t *begin;            /* [max(nodes, classes) + 1] for a counting sort */
    int32_t *by_class, *order; /* [n] rows sorted by class; by node, then class */
} score_rows;

static int compare(const void *a, const void *b)
{
    int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;

    return (x > y) - (x < y);
}

/* replaces the labels in rows->class by class numbers from 0, in rising order of the labels */
static hirl_status number_classes(score_rows *rows)
{
    int32_t *sorted = hr_alloc_array((size_t)rows->n, sizeof *sorted);
    size_t count;

    if (!sorted)
        return HIRL_E_NOMEM;
    memcpy(sorted, rows->class, (size_t)rows->n * sizeof *sorted);
    qsort(sorted, (size_t)rows->n, sizeof *sorted, compare);
    for (int64_t i = 0; i < rows->n; i++)
        if (!i || sorted[i] != sorted[rows->classes - 1])
            sorted[rows->classes++] = sorted[i];
    count = (size_t)rows->classes;
    for (int64_t i = 0; i < rows->n; i++) {
        int32_t *found = bsearch(&rows->class[i], sorted, count, sizeof *sorted, compare);

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
        return hr_fail(HIRL_E_INVALID, "scores: none of %lld rows has both a leaf and a label",
                       (long long)tree->n);
    HR_TRY(number_classes(rows));
    for (int64_t i = 0; i < rows->n; i++) {
        rows->class_count[rows->class[i]]++;
        rows->same[i] = 1;
    }
    return HIRL_OK;
}

/* order <- the rows of `from` (NULL: 0 to n - 1), sorted by key [n] in [0, keys); the sort is
 * stable */
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

/* sums over the nodes and classes of one level */
typedef struct level_sums {
    double majority;        /* sum_v max_k n_vk */
    double joint;           /* sum_vk n_vk log(n_vk N / (s_v n_k)) = N I */
    double entropy;         /* -sum_v s_v log(s_v / N) = N H(V) */
    double pairs_by_purity; /* sum over the pairs that meet at this level of n_vk / s_v */
    int64_t nodes;          /* nodes with a row */
} level_sums;

/* end of the rows in order[at, end) whose key equals that of the first */
static int64_t end_of_equal(const score_rows *rows, int64_t at, const int32_t *key, int64_t end)
{
    int64_t i = at;

    while (i < end && key[rows->order[i]] == key[rows->order[at]])
        i++;
    return i;
}

/* adds one node, whose rows are order[first, end), sorted by class */
static void sum_node(level_sums *sums, score_rows *rows, int64_t first, int64_t end)
{
    double n = (double)rows->n, size = (double)(end - first);
    int64_t most = 0;

    for (int64_t at = first, next; at < end; at = next) {
        int32_t class = rows->class[rows->order[at]];
        double same;

        next = end_of_equal(rows, at, rows->class, end);
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
        next = end_of_equal(rows, at, rows->node, rows->n);
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
    sum += sum_level(rows, 1).pairs_by_purity; /* the root above all top nodes */
    score->dendrogram_purity = pairs > 0 ? sum / pairs : 1;
}

hirl_status hr_tree_evaluate(hirl_tree_score *out, const hirl_tree *tree, const int32_t *label)
{
    hirl_tree_score score = { .struct_size = sizeof score, .levels = tree->levels };
    score_rows rows = { 0 };
    hirl_status status = rows_init(&rows, tree, label);

    if (status >= 0) {
        score_levels(&score, tree, &rows);
        *out = score;
    }
    rows_done(&rows);
    return status;
}
