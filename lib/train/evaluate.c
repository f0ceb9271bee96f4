/* evaluate.c - the joint loss (HIRL eq. 4) on held-out images; the run is left unchanged. */
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "hier/assign.h"
#include "hier/paths.h"
#include "hier/rows.h"
#include "step/step.h"
#include "train/evaluate.h"
#include "train/feed.h"
#include "train/grove.h"
#include "train/recluster.h"
#include "train/run.h"

/* Held-out images have no leaf in the tree. Their features are assigned to the nearest
 * prototypes. */
static hirl_status leaves_of(int32_t *leaf, hirl_trainer *trainer, hirl_dataset *held_out)
{
    hr_extract_config config = hr_trainer_extract_config(trainer);
    hr_learner *learner = trainer->learner;
    const hr_pretrain *pretrain = trainer->pretrain;
    int64_t n = held_out->count, d = pretrain->net.z_dim, levels = hr_grove_tree(trainer)->levels;
    float *features = hr_alloc_array((size_t)(n * d), sizeof *features);
    int32_t *path = hr_alloc_array((size_t)(n * levels), sizeof *path);
    hr_rows_array rows = hr_rows_of_array(features, n, d);
    hr_extract *extract = NULL;
    hirl_status status = features && path ? HIRL_OK : HIRL_E_NOMEM;

    if (status >= 0)
        status = hr_extract_create(&extract, learner->queue, held_out, &pretrain->net,
                                   hr_trainer_clustered(trainer), &config);
    if (status >= 0)
        status = hr_extract_run(features, NULL, extract, "extract");
    if (status >= 0)
        status = hr_tree_assign(path, NULL, hr_grove_tree(trainer), learner->queue, &rows.rows);
    for (int64_t i = 0; i < n && status >= 0; i++)
        leaf[i] = path[i * levels];
    hr_extract_destroy(extract);
    hr_free(path);
    hr_free(features);
    return status;
}

static hirl_status make_loader(hr_loader **loader, hirl_trainer *trainer, hirl_dataset *held_out)
{
    hr_loader_config config = hr_feed_loader_config(trainer);

    config.on_bad = HR_BAD_ROW_REPLACE;
    HR_TRY(hr_loader_create(loader, held_out, &config));
    return hr_loader_seek(*loader, 0, 0);
}

/* The ids of held-out images are below -1, so that they match no image whose key is in the key
 * queue. */
static hirl_status one_batch(hr_step_result *result, hirl_trainer *trainer, hr_loader *loader,
                             const int32_t *leaf, int64_t *id, int64_t step)
{
    hr_step_input in;
    const hr_batch *batch;

    HR_TRY(hr_loader_next(&batch, loader));
    in = hr_feed_input(trainer, batch, trainer->progress.step); /* rates of the current step */
    in.image = id;
    for (int64_t i = 0; i < in.n; i++)
        id[i] = -2 - batch->image[i];
    if (leaf)
        hr_feed_paths(&in, trainer, leaf, batch->image, step);
    return hr_learner_evaluate(result, trainer->learner, &in);
}

static hirl_status average(hr_step_result *mean, hirl_trainer *trainer, hr_loader *loader,
                           const int32_t *leaf, int64_t *id)
{
    int64_t steps = hr_loader_steps(loader);

    *mean = HR_NO_RESULT;
    for (int64_t s = 0; s < steps; s++) {
        hr_step_result r;

        HR_TRY(one_batch(&r, trainer, loader, leaf, id, s));
        mean->loss += r.loss / (double)steps;
        mean->loss_image += r.loss_image / (double)steps;
        mean->loss_spd += r.loss_spd / (double)steps;
        HR_TRY(hr_progress(trainer->context, "evaluate", s + 1, steps));
    }
    return HIRL_OK;
}

hirl_status hr_joint_loss_evaluate(hirl_trainer_score *score, hirl_trainer *trainer,
                                   hirl_dataset *held_out)
{
    hr_step_result mean = { 0 };
    int32_t *leaf = NULL;
    int64_t *id = NULL;
    hr_loader *loader = NULL;
    hirl_status status = HIRL_OK;

    if (held_out->count < trainer->config.train.batch_size)
        return hr_fail(HIRL_E_INVALID,
                       "held-out data: %lld images, expected at least one batch of %lld",
                       (long long)held_out->count, (long long)trainer->config.train.batch_size);
    if (hr_grove_tree(trainer)) {
        leaf = hr_alloc_array((size_t)held_out->count, sizeof *leaf);
        status = leaf ? leaves_of(leaf, trainer, held_out) : HIRL_E_NOMEM;
    }
    if (status >= 0)
        status = make_loader(&loader, trainer, held_out);
    if (status >= 0) {
        id = hr_alloc_array((size_t)trainer->config.train.batch_size, sizeof *id);
        status = id ? average(&mean, trainer, loader, leaf, id) : HIRL_E_NOMEM;
    }
    if (status >= 0)
        *score = (hirl_trainer_score){ .struct_size = sizeof *score,
                                       .images = hr_loader_steps(loader) *
                                                 trainer->config.train.batch_size,
                                       .loss = mean.loss,
                                       .loss_image = mean.loss_image,
                                       .loss_spd = mean.loss_spd,
                                       .top1 = -1 };
    hr_loader_destroy(loader);
    hr_free(id);
    hr_free(leaf);
    return status;
}
