/* assign.c - paths of new rows in a tree: the nearest leaf, then its ancestors (HIRL sec. 4.1).
 *
 *   leaf(x)   = argmin_j |x - centroid_j|^2; x has unit length if the clustered rows had
 *   margin(x) = cosine to the most similar leaf prototype - cosine to the second one;
 *               cosine + 1 if the tree has a single leaf
 *
 * Rows are processed in blocks: x [b,d], centroids and prototypes [M_1,d], path [n,L].
 */
#include "hier/assign.h"

#include "base/alloc.h"
#include "base/error.h"
#include "hier/rows.h"

enum { BEST = 2 };

typedef struct assign {
    hr_queue *queue;
    const hirl_tree *tree;
    int64_t block;                            /* b, rows of a block */
    hr_array centroid, proto;                 /* [M_1,d] */
    hr_array x, label, distance, best, score; /* one block on the device */
    float *features;                          /* [b,d] as read */
    int32_t *leaf;                            /* [b] */
    real *cosine;                             /* [b,2] */
} assign;

static hirl_status prepare(assign *a, bool margin)
{
    const hirl_tree *tree = a->tree;
    hr_queue *q = a->queue;

    a->features = hr_alloc_array((size_t)a->block, (size_t)tree->d * sizeof *a->features);
    a->leaf = hr_alloc_array((size_t)a->block, sizeof *a->leaf);
    a->cosine = hr_alloc_array((size_t)a->block * BEST, sizeof *a->cosine);
    if (!a->features || !a->leaf || !a->cosine)
        return HIRL_E_NOMEM;
    HR_TRY(hr_rows_copy(&a->centroid, q, HR_REAL, tree->m[0], tree->d, tree->centroid[0], HR_F32));
    if (margin)
        HR_TRY(hr_rows_copy(&a->proto, q, HR_REAL, tree->m[0], tree->d, tree->proto[0], HR_F32));
    HR_TRY(hr_rows_take(&a->x, q, HR_REAL, a->block, tree->d));
    HR_TRY(hr_rows_take(&a->label, q, HR_I32, a->block, 1));
    HR_TRY(hr_rows_take(&a->distance, q, HR_F64, a->block, 1));
    HR_TRY(hr_rows_take(&a->best, q, HR_I32, a->block, BEST));
    return hr_rows_take(&a->score, q, HR_REAL, a->block, BEST);
}

static void done(assign *a)
{
    hr_array *array[] = { &a->centroid, &a->proto, &a->x,    &a->label,
                          &a->distance, &a->best,  &a->score };

    for (size_t i = 0; i < sizeof array / sizeof *array; i++)
        hr_array_give(array[i], a->queue);
    hr_free(a->features);
    hr_free(a->leaf);
    hr_free(a->cosine);
}

static hirl_status find_leaves(assign *a, int64_t first, int64_t rows)
{
    hr_queue *q = a->queue;
    hr_array x = hr_slice(&a->x, 0, rows), label = hr_array_1(a->label.data, HR_I32, rows);
    hr_array distance = hr_array_1(a->distance.data, HR_F64, rows);

    HR_TRY(hr_rows_upload(q, &x, a->features, a->tree->normalize, first));
    q->be->kmeans_assign(q, &label, &distance, &x, &a->centroid);
    q->be->download(q, a->leaf, HR_I32, &label);
    return q->be->sync(q);
}

/* the rows of the block are on the device already, of unit length if the tree normalises */
static hirl_status find_margins(assign *a, float *margin, int64_t first, int64_t rows)
{
    hr_queue *q = a->queue;
    hr_array x = hr_slice(&a->x, 0, rows), best = hr_slice(&a->best, 0, rows);
    hr_array score = hr_slice(&a->score, 0, rows);

    if (!a->tree->normalize)
        HR_TRY(hr_rows_upload(q, &x, a->features, true, first));
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
                           hr_row_source *source)
{
    assign a = { .queue = queue, .tree = tree, .block = hr_rows_span(source) };
    hirl_status status = prepare(&a, margin != NULL);

    for (int64_t first = 0; first < source->n && status >= 0; first += a.block) {
        int64_t rows = source->n - first < a.block ? source->n - first : a.block;

        status = hr_rows_read(source, a.features, first, rows);
        if (status >= 0)
            status = hr_rows_check(a.features, rows, tree->d, first, source->name);
        if (status >= 0)
            status = find_leaves(&a, first, rows);
        if (status >= 0 && margin)
            status = find_margins(&a, margin + first, first, rows);
        if (status >= 0)
            write_paths(path + first * tree->levels, &a, rows);
    }
    done(&a);
    return status;
}
