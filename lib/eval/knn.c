/* knn.c - weighted k nearest neighbours (Wu et al. 2018; HIRL sec. 5.1; spec.md 4.1).
 *
 *   score(class) = sum over the K nearest neighbours of that class of exp(cosine / T)
 *
 * A query is right when the score of its class is the largest (top 1) or among the five largest
 * (top 5); equal scores rank by class index. Classes without a neighbour rank nowhere. A bank of
 * fewer than K rows answers with all of them. Queries go through in blocks.
 *
 * Rows without a label are left out first. bank [n,d], block of queries [b,d], their neighbours [b,K_max] in falling order.
 */
#include "eval/knn.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "hier/rows.h"

enum { BLOCK = 1024 };

#define FIELD(name) offsetof(hr_knn_config, name)
static const hr_key keys[] = {
    { "knn_k", HR_KEY_LIST, "10,20,100,200", 1, 100000, NULL, false, "neighbours",
      "numbers of neighbours to try, of which the best is reported as well", FIELD(knn_k) },
    { "knn_temperature", HR_KEY_REAL, "0.07", 1e-3, 1e3, NULL, false, "",
      "temperature of a neighbour's weight exp(cosine / temperature)", FIELD(knn_temperature) },
};
const hr_keys hr_knn_keys = { "eval", keys, sizeof keys / sizeof *keys };

typedef struct knn {
    hr_queue *queue;
    const hr_knn_config *config;
    int64_t d, k; /* k: the largest K, at most the rows of the bank */
    hr_array bank, query, index, score, skip;
    int32_t *bank_class; /* [bank rows], numbered from 0 */
    int32_t *names;      /* [classes] the label of each class, rising */
    int64_t classes;
    int32_t *neighbour; /* [BLOCK, k] of a block, on the host */
    real *cosine;
    double *sum; /* [classes], of one query; 0 between queries */
    int64_t right1[HR_KEY_LIST_MAX], right5[HR_KEY_LIST_MAX];
} knn;

/* rows that count, gathered: x [count, d], label [count] */
typedef struct counted {
    float *x;
    int32_t *label;
    int64_t n;
} counted;

static hirl_status copy_row(float *to, const float *from, int64_t d, int64_t row, const char *what)
{
    for (int64_t t = 0; t < d; t++) {
        if (!isfinite(from[t]))
            return hr_fail(HIRL_E_NONFINITE, "knn: %s row %lld is not finite (column %lld)", what,
                           (long long)row, (long long)t);
        to[t] = from[t];
    }
    return HIRL_OK;
}

static hirl_status keep_counted(counted *rows, const hr_labelled *from, int64_t d, const char *what)
{
    for (int64_t i = 0; i < from->n; i++)
        rows->n += from->label[i] >= 0;
    if (!rows->n)
        return hr_fail(HIRL_E_INVALID, "knn: none of %lld %s rows has a label", (long long)from->n,
                       what);
    rows->x = hr_alloc_array((size_t)rows->n, (size_t)d * sizeof *rows->x);
    rows->label = hr_alloc_array((size_t)rows->n, sizeof *rows->label);
    if (!rows->x || !rows->label)
        return HIRL_E_NOMEM;
    for (int64_t i = 0, at = 0; i < from->n; i++) {
        if (from->label[i] < 0)
            continue;
        HR_TRY(copy_row(rows->x + at * d, from->x + i * d, d, i, what));
        rows->label[at++] = from->label[i];
    }
    return HIRL_OK;
}

static void counted_done(counted *rows)
{
    hr_free(rows->x);
    hr_free(rows->label);
}

/* ---- classes ---- */

static int compare(const void *a, const void *b)
{
    int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;

    return (x > y) - (x < y);
}

/* number of a label among the bank's classes, -1: the bank has none of it */
static int32_t class_of(const knn *k, int32_t label)
{
    const int32_t *found = bsearch(&label, k->names, (size_t)k->classes, sizeof *found, compare);

    return found ? (int32_t)(found - k->names) : -1;
}

static hirl_status number_classes(knn *k, const counted *bank)
{
    k->names = hr_alloc_array((size_t)bank->n, sizeof *k->names);
    k->bank_class = hr_alloc_array((size_t)bank->n, sizeof *k->bank_class);
    if (!k->names || !k->bank_class)
        return HIRL_E_NOMEM;
    memcpy(k->names, bank->label, (size_t)bank->n * sizeof *k->names);
    qsort(k->names, (size_t)bank->n, sizeof *k->names, compare);
    for (int64_t i = 0; i < bank->n; i++)
        if (!i || k->names[i] != k->names[k->classes - 1])
            k->names[k->classes++] = k->names[i];
    for (int64_t i = 0; i < bank->n; i++)
        k->bank_class[i] = class_of(k, bank->label[i]);
    k->sum = hr_alloc_array((size_t)k->classes, sizeof *k->sum);
    return k->sum ? HIRL_OK : HIRL_E_NOMEM;
}

/* ---- memory ---- */

static hirl_status prepare(knn *k, const counted *bank, bool leave_one_out)
{
    size_t room;

    for (int32_t i = 0; i < k->config->knn_k.count; i++)
        k->k = k->config->knn_k.item[i] > k->k ? k->config->knn_k.item[i] : k->k;
    k->k = k->k < bank->n ? k->k : bank->n;
    room = (size_t)(BLOCK * k->k);
    HR_TRY(number_classes(k, bank));
    k->neighbour = hr_alloc_array(room, sizeof *k->neighbour);
    k->cosine = hr_alloc_array(room, sizeof *k->cosine);
    if (!k->neighbour || !k->cosine)
        return HIRL_E_NOMEM;
    HR_TRY(hr_rows_take(&k->index, k->queue, HR_I32, BLOCK, k->k));
    HR_TRY(hr_rows_take(&k->score, k->queue, HR_REAL, BLOCK, k->k));
    HR_TRY(hr_rows_take(&k->query, k->queue, HR_REAL, BLOCK, k->d));
    if (leave_one_out)
        HR_TRY(hr_rows_take(&k->skip, k->queue, HR_I32, BLOCK, 1));
    HR_TRY(hr_rows_take(&k->bank, k->queue, HR_REAL, bank->n, k->d));
    return HIRL_OK;
}

static void done(knn *k)
{
    hr_array *array[] = { &k->bank, &k->query, &k->index, &k->score, &k->skip };
    void *host[] = { k->bank_class, k->names, k->neighbour, k->cosine, k->sum };

    for (size_t i = 0; i < sizeof array / sizeof *array; i++)
        hr_array_give(array[i], k->queue);
    for (size_t i = 0; i < sizeof host / sizeof *host; i++)
        hr_free(host[i]);
}

/* ---- neighbours of a block, and their votes ---- */

static void upload_skip(knn *k, int64_t first, int64_t rows)
{
    int32_t skip[BLOCK];
    hr_array to = hr_array_1(k->skip.data, HR_I32, rows);

    for (int64_t i = 0; i < rows; i++)
        skip[i] = (int32_t)(first + i);
    k->queue->be->upload(k->queue, &to, skip, HR_I32);
}

static hirl_status find(knn *k, const counted *query, int64_t first, int64_t rows)
{
    hr_queue *q = k->queue;
    hr_array x = hr_slice(&k->query, 0, rows), index = hr_slice(&k->index, 0, rows);
    hr_array score = hr_slice(&k->score, 0, rows), skip = hr_array_1(k->skip.data, HR_I32, rows);

    HR_TRY(hr_rows_upload(q, &x, query->x + first * k->d, true, first));
    if (skip.data)
        upload_skip(k, first, rows);
    q->be->top(q, &index, &score, &x, &k->bank, skip.data ? &skip : NULL);
    q->be->download(q, k->neighbour, HR_I32, &index);
    q->be->download(q, k->cosine, HR_REAL, &score);
    return q->be->sync(q);
}

/* rank of a class by its score, sum of exp((cosine - best cosine) / T), among those of the first `count` neighbours; -1: it has none */
static int64_t rank_of(knn *k, int32_t class, const int32_t *neighbour, const real *cosine,
                       int64_t count)
{
    int64_t before = 0;
    double own;

    for (int64_t i = 0; i < count && neighbour[i] >= 0; i++)
        k->sum[k->bank_class[neighbour[i]]] +=
            exp(((double)cosine[i] - (double)cosine[0]) / k->config->knn_temperature);
    own = class < 0 ? 0 : k->sum[class];
    for (int64_t i = 0; i < count && neighbour[i] >= 0; i++) {
        int32_t other = k->bank_class[neighbour[i]];

        before += k->sum[other] > own || (k->sum[other] == own && other < class);
        k->sum[other] = 0; /* counted once */
    }
    return own > 0 ? before : -1;
}

static void vote(knn *k, const counted *query, int64_t first, int64_t rows)
{
    for (int64_t i = 0; i < rows; i++) {
        int32_t class = class_of(k, query->label[first + i]);

        for (int32_t j = 0; j < k->config->knn_k.count; j++) {
            int64_t count = k->config->knn_k.item[j] < k->k ? k->config->knn_k.item[j] : k->k;
            int64_t rank = rank_of(k, class, k->neighbour + i * k->k, k->cosine + i * k->k, count);

            k->right1[j] += rank == 0;
            k->right5[j] += rank >= 0 && rank < 5;
        }
    }
}

static hirl_status ask_all(knn *k, const counted *query)
{
    for (int64_t first = 0; first < query->n; first += BLOCK) {
        int64_t rows = query->n - first < BLOCK ? query->n - first : BLOCK;

        HR_TRY(find(k, query, first, rows));
        vote(k, query, first, rows);
        HR_TRY(hr_progress(k->queue->context, "knn", first + rows, query->n));
    }
    return HIRL_OK;
}

static void report_on(hirl_knn_report *report, const knn *k, int64_t bank, int64_t queries)
{
    const hr_key_list *list = &k->config->knn_k;

    *report = (hirl_knn_report){ .struct_size = report->struct_size,
                                 .ks = list->count,
                                 .bank = bank,
                                 .queries = queries,
                                 .best_top1 = -1 };
    for (int32_t j = 0; j < list->count; j++) {
        report->k[j] = (int32_t)list->item[j];
        report->top1[j] = (double)k->right1[j] / (double)queries;
        report->top5[j] = (double)k->right5[j] / (double)queries;
        if (report->top1[j] > report->best_top1) {
            report->best_top1 = report->top1[j];
            report->best_k = report->k[j];
        }
    }
}

hirl_status hr_knn(hirl_knn_report *report, hr_queue *queue, const hr_labelled *bank,
                   const hr_labelled *query, int64_t d, const hr_knn_config *config)
{
    counted own = { 0 }, asked = { 0 };
    const counted *queries = query ? &asked : &own;
    knn k = { .queue = queue, .config = config, .d = d };
    hirl_status status = keep_counted(&own, bank, d, "bank");

    if (status >= 0 && query)
        status = keep_counted(&asked, query, d, "query");
    if (status >= 0)
        status = prepare(&k, &own, !query);
    if (status >= 0)
        status = hr_rows_upload(queue, &k.bank, own.x, true, 0);
    if (status >= 0)
        status = ask_all(&k, queries);
    if (status >= 0)
        report_on(report, &k, own.n, queries->n);
    done(&k);
    counted_done(&own);
    counted_done(&asked);
    return status;
}
