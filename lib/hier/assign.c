/* assign.c - paths of new rows in a tree: nearest leaf, then its parents (spec.md 3.3).
 *
 *   leaf(x)   = argmin_j |x - centroid_j|^2, x of unit length if the clustered rows were
 *   margin(x) = cosine to the most similar leaf prototype - cosine to the second; 1 + cosine when
 *               there is one leaf only
 *
 * Rows go through in blocks. x [b,d], centroid and prototypes [M_1,d], path [n,L].
 */
#include "hier/assign.h"

#include "base/alloc.h"
#include "base/error.h"
#include "hier/rows.h"

enum { BLOCK = 1024, BEST = 2 };

typedef struct assign {
    hr_queue *queue;
    const hirl_tree *tree;
    hr_array centroid, proto;                 /* [M_1,d] */
    hr_array x, label, distance, best, score; /* of a block */
    int32_t *leaf;                            /* [BLOCK] */
    real *cosine;                             /* [BLOCK, 2] */
} assign;

static hirl_status prepare(assign *a, bool margin)
{
    const hirl_tree *tree = a->tree;
    hr_queue *q = a->queue;

    a->leaf = hr_alloc_array(BLOCK, sizeof *a->leaf);
    a->cosine = hr_alloc_array((size_t)BLOCK * BEST, sizeof *a->cosine);
    if (!a->leaf || !a->cosine)
        return HIRL_E_NOMEM;
    HR_TRY(hr_rows_copy(&a->centroid, q, HR_REAL, tree->m[0], tree->d, tree->centroid[0], HR_F32));
    if (margin)
        HR_TRY(hr_rows_copy(&a->proto, q, HR_REAL, tree->m[0], tree->d, tree->proto[0], HR_F32));
    HR_TRY(hr_rows_take(&a->x, q, HR_REAL, BLOCK, tree->d));
    HR_TRY(hr_rows_take(&a->label, q, HR_I32, BLOCK, 1));
    HR_TRY(hr_rows_take(&a->distance, q, HR_REAL, BLOCK, 1));
    HR_TRY(hr_rows_take(&a->best, q, HR_I32, BLOCK, BEST));
    return hr_rows_take(&a->score, q, HR_REAL, BLOCK, BEST);
}

static void done(assign *a)
{
    hr_array *array[] = { &a->centroid, &a->proto, &a->x,    &a->label,
                          &a->distance, &a->best,  &a->score };

    for (size_t i = 0; i < sizeof array / sizeof *array; i++)
        hr_array_give(array[i], a->queue);
    hr_free(a->leaf);
    hr_free(a->cosine);
}

/* leaf of a block */
static hirl_status find_leaves(assign *a, const float *features, int64_t first, int64_t rows)
{
    hr_queue *q = a->queue;
    hr_array x = hr_slice(&a->x, 0, rows), label = hr_array_1(a->label.data, HR_I32, rows);
    hr_array distance = hr_array_1(a->distance.data, HR_REAL, rows);

    HR_TRY(hr_rows_upload(q, &x, features, a->tree->normalize, first));
    q->be->kmeans_assign(q, &label, &distance, &x, &a->centroid);
    q->be->download(q, a->leaf, HR_I32, &label);
    return q->be->sync(q);
}

static hirl_status find_margins(assign *a, float *margin, const float *features, int64_t first,
                                int64_t rows)
{
    hr_queue *q = a->queue;
    hr_array x = hr_slice(&a->x, 0, rows), best = hr_slice(&a->best, 0, rows);
    hr_array score = hr_slice(&a->score, 0, rows);

    HR_TRY(hr_rows_upload(q, &x, features, true, first));
    q->be->top(q, &best, &score, &x, &a->proto, NULL);
    q->be->download(q, a->cosine, HR_REAL, &score);
    HR_TRY(q->be->sync(q));
    for (int64_t i = 0; i < rows; i++) {
        real second = a->tree->m[0] > 1 ? a->cosine[i * BEST + 1] : -1;

        margin[i] = (float)(a->cosine[i * BEST] - second);
    }
    return HIRL_OK;
}

static void write_paths(int32_t *path, const assign *a, int64_t rows)
{
    const hirl_tree *tree = a->tree;

    for (int64_t i = 0; i < rows; i++) {
        int32_t node = a->leaf[i];

        for (int32_t l = 0; l < tree->levels; l++) {
            path[i * tree->levels + l] = node;
            node = tree->parent[l] ? tree->parent[l][node] : node;
        }
    }
}

hirl_status hr_tree_assign(int32_t *path, float *margin, const hirl_tree *tree, hr_queue *queue,
                           const float *features, int64_t n)
{
    assign a = { .queue = queue, .tree = tree };
    hirl_status status = prepare(&a, margin != NULL);

    for (int64_t first = 0; first < n && status >= 0; first += BLOCK) {
        int64_t rows = n - first < BLOCK ? n - first : BLOCK;
        const float *block = features + first * tree->d;

        status = find_leaves(&a, block, first, rows);
        if (status >= 0 && margin)
            status = find_margins(&a, margin + first, block, first, rows);
        if (status >= 0)
            write_paths(path + first * tree->levels, &a, rows);
    }
    done(&a);
    return status;
}
