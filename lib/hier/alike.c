/* alike.c - a warning when clustering cannot separate many rows.
 *
 * Such rows are equal, or differ from the first one by less than f32 resolves.
 *
 * Equal rows are found by a hash of their bits. A row counts as near if |x - x_0| <= 2 eps |x_0|,
 * eps the spacing of f32 at 1: as much as rounding each number of a row can move it.
 */
#include "hier/alike.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"

enum { PART = 1024 }; /* rows handled at a time */

typedef struct alike {
    int64_t n, d;
    real *block, *first; /* [PART,d], [d] the first row */
    uint64_t *hash;      /* [n] */
    double limit;        /* largest |x - x_0|^2 of a near row */
    int64_t near;
} alike;

static uint64_t hash_of(const real *x, int64_t d)
{
    uint64_t hash = 0x9e3779b97f4a7c15u;

    for (int64_t t = 0; t < d; t++) {
        uint64_t bits = 0;

        memcpy(&bits, &x[t], sizeof x[t]);
        hash = (hash ^ bits) * 0xff51afd7ed558ccdu;
        hash ^= hash >> 32;
    }
    return hash;
}

static int compare(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return (x > y) - (x < y);
}

static void note_row(alike *a, const real *x, int64_t row)
{
    double square = 0, gap = 0;

    if (!row) {
        memcpy(a->first, x, (size_t)a->d * sizeof *x);
        for (int64_t t = 0; t < a->d; t++)
            square += (double)x[t] * (double)x[t];
        a->limit = 4 * (double)FLT_EPSILON * (double)FLT_EPSILON * square;
    }
    for (int64_t t = 0; t < a->d; t++) {
        double difference = (double)x[t] - (double)a->first[t];

        gap += difference * difference;
    }
    a->near += gap <= a->limit;
    a->hash[row] = hash_of(x, a->d);
}

static hirl_status read_rows(alike *a, hr_queue *queue, const hr_array *x)
{
    for (int64_t first = 0; first < a->n; first += PART) {
        int64_t rows = a->n - first < PART ? a->n - first : PART;
        hr_array part = hr_slice(x, first, rows);

        queue->be->download(queue, a->block, HR_REAL, &part);
        HR_TRY(queue->be->sync(queue));
        for (int64_t i = 0; i < rows; i++)
            note_row(a, a->block + i * a->d, first + i);
    }
    return HIRL_OK;
}

static void warn(hirl_context *context, const alike *a, int64_t leaves)
{
    int64_t different = 0, equal = 0;

    qsort(a->hash, (size_t)a->n, sizeof *a->hash, compare);
    for (int64_t i = 0, end; i < a->n; i = end) {
        for (end = i + 1; end < a->n && a->hash[end] == a->hash[i]; end++)
            ;
        different++;
        equal += end - i > 1 ? end - i : 0;
    }
    if (different < leaves)
        hr_log(
            context, HIRL_LOG_WARNING,
            "cluster: only %lld of %lld rows differ, fewer than the %lld leaves; equal rows share "
            "a leaf, and the other leaves stay empty",
            (long long)different, (long long)a->n, (long long)leaves);
    else if (2 * equal >= a->n && a->n > 1)
        hr_log(context, HIRL_LOG_WARNING,
               "cluster: %lld of %lld rows equal another row and cannot be told apart; equal rows "
               "share a leaf",
               (long long)equal, (long long)a->n);
    else if (2 * a->near >= a->n && a->n > 2)
        hr_log(context, HIRL_LOG_WARNING,
               "cluster: %lld of %lld rows cannot be told apart: they differ from the first row by "
               "less than f32 resolves, so their leaves follow rounding",
               (long long)a->near, (long long)a->n);
}

hirl_status hr_rows_warn_alike(hirl_context *context, hr_queue *queue, const hr_array *x,
                               int64_t leaves)
{
    alike a = { .n = x->dim[0], .d = hr_cols(x) };
    hirl_status status = HIRL_E_NOMEM;

    a.block = hr_alloc_array(PART, (size_t)a.d * sizeof *a.block);
    a.first = hr_alloc_array((size_t)a.d, sizeof *a.first);
    a.hash = hr_alloc_array((size_t)a.n, sizeof *a.hash);
    if (a.block && a.first && a.hash)
        status = read_rows(&a, queue, x);
    if (status >= 0)
        warn(context, &a, leaves);
    hr_free(a.block);
    hr_free(a.first);
    hr_free(a.hash);
    return status;
}
