/* knn.c - weighted k nearest neighbours (Wu et al. 2018; HIRL sec. 5.1).
 *
 *   score(class) = sum over the neighbours of that class, among the K nearest, of exp(cosine / T)
 *
 * A query is correct at top 1 if its class has the largest score, at top 5 if it is among the five
 * largest; of equal scores the lower class ranks first. A class without a neighbour has no rank. A
 * bank of fewer than K rows gives all of them as neighbours.
 *
 * Rows without a label are left out. The bank [n,d] is on the device, the queries pass in blocks
 * [b,d]; the neighbours [b,K_max] of a block are sorted by falling cosine.
 */
#include "eval/knn.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "hier/rows.h"

enum { BLOCK = 1024 };

#define FIELD(name) offsetof(hr_knn_config, name)
static const hr_key keys[] = {
    { "knn_k", HR_KEY_LIST, "10,20,100,200", 1, 100000, NULL, false, "neighbours",
      "numbers K of nearest neighbours; each is evaluated, and the best one is reported too",
      FIELD(knn_k) },
    { "knn_temperature", HR_KEY_REAL, "0.07", 1e-3, 1e3, NULL, false, "",
      "temperature T of a neighbour's weight exp(cosine / T)", FIELD(knn_temperature) },
};
const hr_keys hr_knn_keys = { "eval", keys, sizeof keys / sizeof *keys };

/* the labelled rows of a bank or of queries, read block by block */
typedef struct side {
    hr_row_source *source;
    const int32_t *label_of; /* [n] of the source's rows */
    const char *name;        /* "bank", "query" */
    int64_t count;           /* labelled rows in all */
    int64_t span, at, end;   /* rows of `read`; next row to take; rows of the source read so far */
    float *read;             /* [span,d], the last rows before `end` */
    float *x;                /* [BLOCK,d], the labelled rows of the block */
    int64_t rows;            /* rows in the block */
    int32_t label[BLOCK];
} side;

typedef struct knn {
    hr_queue *queue;
    const hr_knn_config *config;
    int64_t d, k; /* k: the largest K, at most the rows of the bank */
    hr_array bank, query, index, score, skip;
    int32_t *bank_label, *bank_class; /* [bank rows]; classes are numbered from 0 */
    int32_t *names;                   /* [classes] the label of each class, rising */
    int64_t classes;
    int32_t *neighbour; /* [BLOCK,k] of a block, on the host */
    real *cosine;
    double *sum; /* [classes], of one query; 0 between queries */
    int64_t right1[HR_KEY_LIST_MAX], right5[HR_KEY_LIST_MAX];
} knn;

/* ---- labelled rows ---- */

static hirl_status side_init(side *s, const hr_labelled *from, const char *name)
{
    size_t d = (size_t)from->rows->d;

    s->source = from->rows;
    s->label_of = from->label;
    s->name = name;
    for (int64_t i = 0; i < s->source->n; i++)
        s->count += s->label_of[i] >= 0;
    if (!s->count)
        return hr_fail(HIRL_E_INVALID, "knn: none of %lld %s rows has a label",
                       (long long)s->source->n, name);
    s->span = hr_rows_span(s->source);
    s->read = hr_alloc_array((size_t)s->span, d * sizeof *s->read);
    s->x = hr_alloc_array(BLOCK, d * sizeof *s->x);
    return s->read && s->x ? HIRL_OK : HIRL_E_NOMEM;
}

static void side_done(side *s)
{
    hr_free(s->read);
    hr_free(s->x);
}

static hirl_status read_span(side *s)
{
    int64_t left = s->source->n - s->end, rows = left < s->span ? left : s->span;

    HR_TRY(hr_rows_read(s->source, s->read, s->end, rows));
    s->end += rows;
    return HIRL_OK;
}

/* the next labelled rows, BLOCK of them unless fewer remain */
static hirl_status next_block(side *s)
{
    int64_t d = s->source->d;
    char name[32];

    snprintf(name, sizeof name, "knn: %s row", s->name);
    s->rows = 0;
    for (; s->rows < BLOCK && s->at < s->source->n; s->at++) {
        const float *row;

        if (s->at == s->end)
            HR_TRY(read_span(s));
        if (s->label_of[s->at] < 0)
            continue;
        row = s->read + s->at % s->span * d;
        HR_TRY(hr_rows_check(row, 1, d, s->at, name));
        memcpy(s->x + s->rows * d, row, (size_t)d * sizeof *row);
        s->label[s->rows++] = s->label_of[s->at];
    }
    return HIRL_OK;
}

/* ---- classes ---- */

static int compare(const void *a, const void *b)
{
    int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;

    return (x > y) - (x < y);
}

/* number of the class with this label, -1: the bank has no row of it */
static int32_t class_of(const knn *k, int32_t label)
{
    const int32_t *found = bsearch(&label, k->names, (size_t)k->classes, sizeof *found, compare);

    return found ? (int32_t)(found - k->names) : -1;
}

static hirl_status number_classes(knn *k, const side *bank)
{
    int64_t n = bank->count;

    k->bank_label = hr_alloc_array((size_t)n, sizeof *k->bank_label);
    k->bank_class = hr_alloc_array((size_t)n, sizeof *k->bank_class);
    k->names = hr_alloc_array((size_t)n, sizeof *k->names);
    if (!k->bank_label || !k->bank_class || !k->names)
        return HIRL_E_NOMEM;
    for (int64_t i = 0, at = 0; i < bank->source->n; i++)
        if (bank->label_of[i] >= 0)
            k->bank_label[at++] = bank->label_of[i];
    memcpy(k->names, k->bank_label, (size_t)n * sizeof *k->names);
    qsort(k->names, (size_t)n, sizeof *k->names, compare);
    for (int64_t i = 0; i < n; i++)
        if (!i || k->names[i] != k->names[k->classes - 1])
            k->names[k->classes++] = k->names[i];
    for (int64_t i = 0; i < n; i++)
        k->bank_class[i] = class_of(k, k->bank_label[i]);
    k->sum = hr_alloc_array((size_t)k->classes, sizeof *k->sum);
    return k->sum ? HIRL_OK : HIRL_E_NOMEM;
}

/* ---- memory ---- */

static hirl_status prepare(knn *k, const side *bank, bool leave_one_out)
{
    size_t room;

    for (int32_t i = 0; i < k->config->knn_k.count; i++)
        k->k = k->config->knn_k.item[i] > k->k ? k->config->knn_k.item[i] : k->k;
    k->k = k->k < bank->count ? k->k : bank->count;
    room = (size_t)(BLOCK * k->k);
    HR_TRY(number_classes(k, bank));
    k->neighbour = hr_alloc_array(room, sizeof *k->neighbour);
    k->cosine = hr_alloc_array(room, sizeof *k->cosine);
    if (!k->neighbour || !k->cosine)
        return HIRL_E_NOMEM;
    HR_TRY(hr_rows_take(&k->index, k->queue, HR_I32, BLOCK, k->k));
    HR_TRY(hr_rows_take(&k->score, k->queue, HR_REAL, BLOCK, k->k));
    if (leave_one_out)
        HR_TRY(hr_rows_take(&k->skip, k->queue, HR_I32, BLOCK, 1));
    else
        HR_TRY(hr_rows_take(&k->query, k->queue, HR_REAL, BLOCK, k->d));
    return hr_rows_take(&k->bank, k->queue, HR_REAL, bank->count, k->d);
}

static void done(knn *k)
{
    hr_array *array[] = { &k->bank, &k->query, &k->index, &k->score, &k->skip };
    void *host[] = { k->bank_label, k->bank_class, k->names, k->neighbour, k->cosine, k->sum };

    for (size_t i = 0; i < sizeof array / sizeof *array; i++)
        hr_array_give(array[i], k->queue);
    for (size_t i = 0; i < sizeof host / sizeof *host; i++)
        hr_free(host[i]);
}

static hirl_status upload_bank(knn *k, side *bank)
{
    for (int64_t first = 0; first < bank->count; first += bank->rows) {
        hr_array to;

        HR_TRY(next_block(bank));
        to = hr_slice(&k->bank, first, bank->rows);
        HR_TRY(hr_rows_upload(k->queue, &to, bank->x, true, first));
    }
    return HIRL_OK;
}

/* ---- neighbours of a block, and their votes ---- */

/* a row of the bank is not a neighbour of itself */
static void upload_skip(knn *k, int64_t first, int64_t rows)
{
    int32_t skip[BLOCK];
    hr_array to = hr_array_1(k->skip.data, HR_I32, rows);

    for (int64_t i = 0; i < rows; i++)
        skip[i] = (int32_t)(first + i);
    k->queue->be->upload(k->queue, &to, skip, HR_I32);
}

/* neighbours of the unit rows x [rows,d]; skip NULL, or [rows] the bank row that is left out */
static hirl_status find(knn *k, const hr_array *x, const hr_array *skip)
{
    hr_queue *q = k->queue;
    int64_t rows = x->dim[0];
    hr_array index = hr_slice(&k->index, 0, rows), score = hr_slice(&k->score, 0, rows);

    q->be->top(q, &index, &score, x, &k->bank, skip);
    q->be->download(q, k->neighbour, HR_I32, &index);
    q->be->download(q, k->cosine, HR_REAL, &score);
    return q->be->sync(q);
}

/* Rank of a class by its score among the classes of the first `count` neighbours; -1: none of them
 * is of this class. Scores are divided by the weight of the nearest neighbour. */
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
        k->sum[other] = 0; /* so that a class counts once */
    }
    return own > 0 ? before : -1;
}

/* counts the correct queries of a block */
static void vote(knn *k, const int32_t *label, int64_t rows)
{
    for (int64_t i = 0; i < rows; i++) {
        int32_t class = class_of(k, label[i]);

        for (int32_t j = 0; j < k->config->knn_k.count; j++) {
            int64_t count = k->config->knn_k.item[j] < k->k ? k->config->knn_k.item[j] : k->k;
            int64_t rank = rank_of(k, class, k->neighbour + i * k->k, k->cosine + i * k->k, count);

            k->right1[j] += rank == 0;
            k->right5[j] += rank >= 0 && rank < 5;
        }
    }
}

static hirl_status classify_queries(knn *k, side *query)
{
    for (int64_t first = 0; first < query->count; first += query->rows) {
        hr_array x;

        HR_TRY(next_block(query));
        x = hr_slice(&k->query, 0, query->rows);
        HR_TRY(hr_rows_upload(k->queue, &x, query->x, true, first));
        HR_TRY(find(k, &x, NULL));
        vote(k, query->label, query->rows);
        HR_TRY(hr_progress(k->queue->context, "knn", first + query->rows, query->count));
    }
    return HIRL_OK;
}

/* the queries are the rows of the bank, which are on the device already */
static hirl_status classify_bank(knn *k, int64_t n)
{
    for (int64_t first = 0; first < n; first += BLOCK) {
        int64_t rows = n - first < BLOCK ? n - first : BLOCK;
        hr_array x = hr_slice(&k->bank, first, rows);
        hr_array skip = hr_array_1(k->skip.data, HR_I32, rows);

        upload_skip(k, first, rows);
        HR_TRY(find(k, &x, &skip));
        vote(k, k->bank_label + first, rows);
        HR_TRY(hr_progress(k->queue->context, "knn", first + rows, n));
    }
    return HIRL_OK;
}

static void fill_score(hirl_knn_score *score, const knn *k, int64_t bank, int64_t queries)
{
    const hr_key_list *list = &k->config->knn_k;

    *score = (hirl_knn_score){ .struct_size = sizeof *score,
                               .ks = list->count,
                               .bank = bank,
                               .queries = queries,
                               .best_top1 = -1 };
    for (int32_t j = 0; j < list->count; j++) {
        score->k[j] = (int32_t)list->item[j];
        score->top1[j] = (double)k->right1[j] / (double)queries;
        score->top5[j] = (double)k->right5[j] / (double)queries;
        if (score->top1[j] > score->best_top1) {
            score->best_top1 = score->top1[j];
            score->best_k = score->k[j];
        }
    }
}

static hirl_status evaluate(knn *k, side *bank, side *query)
{
    HR_TRY(prepare(k, bank, !query));
    HR_TRY(upload_bank(k, bank));
    return query ? classify_queries(k, query) : classify_bank(k, bank->count);
}

hirl_status hr_knn(hirl_knn_score *score, hr_queue *queue, const hr_labelled *bank,
                   const hr_labelled *query, const hr_knn_config *config)
{
    knn k = { .queue = queue, .config = config, .d = bank->rows->d };
    side known = { 0 }, asked = { 0 };
    hirl_status status = side_init(&known, bank, "bank");

    if (status >= 0 && query)
        status = side_init(&asked, query, "query");
    if (status >= 0)
        status = evaluate(&k, &known, query ? &asked : NULL);
    if (status >= 0)
        fill_score(score, &k, known.count, query ? asked.count : known.count);
    done(&k);
    side_done(&known);
    side_done(&asked);
    return status;
}
