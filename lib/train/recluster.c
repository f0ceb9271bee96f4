/* recluster.c - the tree of an epoch: extracts and clusters the features of all images
 * (HIRL Algs. 1, 2).
 *
 * Both stages continue where they were interrupted: a canceled extraction keeps its rows, and a
 * checkpoint written during clustering has level, redo, iteration, centroids and the best result so
 * far. Features are not saved: after a resume they are extracted again from the same weights, with
 * bit-identical results.
 */
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "data/evaluation.h"
#include "hier/rows.h"
#include "task/paths.h"
#include "train/directory_files.h"
#include "train/journal.h"
#include "train/recluster.h"
#include "train/run.h"
#include "train/tree_images.h"

hr_extract_config hr_trainer_extract_config(const hirl_trainer *trainer)
{
    const hr_run_config *c = &trainer->config;
    hr_extract_config e = {
        .batch = (int32_t)c->train.eval_batch,
        .threads = (int32_t)c->train.loader_threads,
        .size = (int32_t)c->model.image_size,
        .filter = HR_FILTER_CLUSTER,
        .layer = HR_LAYER_Z0,
        .max_bad = c->train.max_bad,
        .bf16 = c->train.feature_precision == HR_FEATURES_RUN &&
                c->train.precision == HR_PRECISION_BF16,
    };

    for (int i = 0; i < 3; i++) {
        e.mean[i] = (float)c->model.mean[i];
        e.std[i] = (float)c->model.std[i];
    }
    return e;
}

const hr_weights *hr_trainer_clustered(const hirl_trainer *trainer)
{
    return trainer->config.train.cluster_network ? &trainer->learner->teacher
                                                 : &trainer->learner->online;
}

/* ---- features, as they are extracted, go to the device as unit rows ---- */

/* rows of an extraction as a source: batch by batch, in order (hier/rows.h) */
typedef struct extracted_rows {
    hr_row_source rows;
    hr_recluster *making;
    hirl_context *context;
} extracted_rows;

/* A batch that was canceled, that failed, or that did not reach the device is extracted again. */
static hirl_status read_batch(hr_row_source *source, float *out, int64_t first, int64_t rows)
{
    extracted_rows *self = (extracted_rows *)source;
    bool done;

    (void)rows;
    HR_TRY(hr_progress(self->context, "extract", first, source->n));
    HR_TRY(hr_extract_seek(self->making->extract, first));
    return hr_extract_next(&done, out, self->making->readable + first, self->making->extract);
}

static void drop_extraction(hr_recluster *r)
{
    hr_extract_destroy(r->extract);
    r->extract = NULL;
    r->placed = (hr_rows_placed){ 0 };
}

static hirl_status begin_extraction(hirl_trainer *trainer)
{
    hr_extract_config config = hr_trainer_extract_config(trainer);
    hr_learner *learner = trainer->learner;
    hr_recluster *r = &trainer->grove.making;
    int64_t n = trainer->dataset->count;

    drop_extraction(r); /* rows of a failed attempt */
    hr_free(r->readable);
    hr_array_give(&r->points, learner->queue);
    r->seconds = hr_seconds();
    r->readable = hr_alloc_array((size_t)n, 1);
    if (!r->readable)
        return HIRL_E_NOMEM;
    HR_TRY(hr_rows_take(&r->points, learner->queue, HR_REAL, n, trainer->pretrain->net.z_dim));
    return hr_extract_create(&r->extract, learner->queue, trainer->dataset, &trainer->pretrain->net,
                             hr_trainer_clustered(trainer), &config);
}

static hirl_status extract(hirl_trainer *trainer)
{
    hr_recluster *r = &trainer->grove.making;
    int64_t n = trainer->dataset->count;
    extracted_rows source = {
        .rows = { .n = n,
                  .d = trainer->pretrain->net.z_dim,
                  .block = hr_trainer_extract_config(trainer).batch,
                  .name = "image",
                  .read = read_batch },
        .making = r,
        .context = trainer->context,
    };

    if (!r->extract)
        HR_TRY(begin_extraction(trainer));
    HR_TRY(hr_rows_place(&r->placed, trainer->learner->queue, &r->points, &source.rows, true,
                         r->readable));
    return hr_progress(trainer->context, "extract", n, n);
}

static hirl_status begin_clustering(hirl_trainer *trainer)
{
    hr_recluster *r = &trainer->grove.making;
    hr_tree_input in = { .n = trainer->dataset->count, .usable = r->readable };
    const hr_halt *obeyed;
    hirl_status status;

    in.features = hr_slice(&r->points, 0, r->placed.kept);
    in.previous = trainer->config.cluster.warm ? trainer->grove.tree : NULL;
    HR_TRY(hr_tree_maker_create(&r->maker, trainer->context, trainer->learner->queue, &in,
                                &trainer->config.cluster));
    if (!r->kept)
        return HIRL_OK;
    obeyed = hr_halt_obey(NULL); /* a stop must not lose what the checkpoint has */
    status = hr_tree_maker_load(r->maker, r->kept, "maker.");
    (void)hr_halt_obey(obeyed);
    hr_tensors_done(r->kept);
    hr_free(r->kept);
    r->kept = NULL;
    if (status < 0) {
        hr_tree_maker_destroy(r->maker);
        r->maker = NULL;
    }
    return status;
}

void hr_recluster_drop(hirl_trainer *trainer)
{
    hr_recluster *r = &trainer->grove.making;
    hr_queue *q = trainer->learner ? trainer->learner->queue : NULL;

    drop_extraction(r);
    hr_tree_maker_destroy(r->maker);
    hr_array_give(&r->points, q);
    hr_free(r->readable);
    if (r->kept) {
        hr_tensors_done(r->kept);
        hr_free(r->kept);
    }
    *r = (hr_recluster){ 0 };
}

/* The share of images whose leaf changed. Leaves are numbered arbitrarily, so the share is small
 * only if the clustering was warm-started from the previous tree. */
static double measure_churn(const hirl_tree *before, const hirl_tree *after)
{
    int64_t moved = 0;

    if (!before || before->n != after->n || !after->n)
        return -1;
    for (int64_t i = 0; i < after->n; i++)
        moved += before->leaf[i] != after->leaf[i];
    return (double)moved / (double)after->n;
}

/* Whatever can fail comes first, so that after a failure the old tree is still in use. */
static hirl_status take_over(hirl_trainer *trainer, hirl_tree *tree)
{
    int64_t epoch = trainer->progress.step / trainer->progress.per_epoch, size[3];

    HR_TRY(hr_tree_leaf_sizes(size, tree));
    if (trainer->directory.path)
        HR_TRY(hr_tree_set_images(tree, trainer->dataset));
    HR_TRY(hr_directory_tree(&trainer->directory, tree, epoch));
    if (trainer->config.train.iter_wise_assignment && !trainer->grove.own_leaf) {
        trainer->grove.own_leaf = hr_alloc_array((size_t)tree->n, sizeof *trainer->grove.own_leaf);
        if (!trainer->grove.own_leaf)
            return HIRL_E_NOMEM;
    }
    HR_TRY(hr_pretrain_set_tree(trainer->pretrain, tree));
    if (trainer->grove.own_leaf)
        memcpy(trainer->grove.own_leaf, tree->leaf, (size_t)tree->n * sizeof *tree->leaf);
    trainer->grove.churn = measure_churn(trainer->grove.tree, tree);
    memcpy(trainer->grove.leaf_size, size, sizeof size);
    hr_tree_drop(trainer->grove.tree);
    hr_tree_hold(tree);
    trainer->grove.tree = tree;
    trainer->grove.tree_epoch = epoch;
    trainer->grove.clustered = true;
    return HIRL_OK;
}

static hirl_status cluster(hirl_trainer *trainer)
{
    hr_tree_maker *maker = trainer->grove.making.maker;
    bool done = false;

    while (!done) {
        HR_TRY(hr_tree_maker_step(&done, maker));
        HR_TRY(hr_progress(trainer->context, "cluster", hr_tree_maker_made(maker),
                           hr_tree_maker_total(maker)));
    }
    return HIRL_OK;
}

hirl_status hr_trainer_recluster(hirl_trainer *trainer)
{
    hr_recluster *r = &trainer->grove.making;
    const hr_halt *obeyed;
    hirl_tree *tree;
    hirl_status status;

    if (!r->maker) {
        HR_TRY(extract(trainer));
        HR_TRY(begin_clustering(trainer));
        drop_extraction(r);
    }
    HR_TRY(cluster(trainer));
    HR_TRY(hr_tree_maker_finish(&tree, r->maker));
    obeyed = hr_halt_obey(NULL); /* a tree is in use as a whole or not at all */
    status = take_over(trainer, tree);
    (void)hr_halt_obey(obeyed);
    hr_tree_drop(tree);
    HR_TRY(status);
    trainer->grove.seconds = hr_seconds() - r->seconds;
    hr_recluster_drop(trainer);
    return HIRL_OK;
}
