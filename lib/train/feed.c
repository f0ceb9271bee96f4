/* feed.c - the inputs of training steps: batches, paths, masks, labels. */
#include "train/feed.h"

#include "base/alloc.h"
#include "base/error.h"
#include "config/rates.h"
#include "hier/paths.h"
#include "ssl/mask.h"
#include "train/grove.h"
#include "train/run.h"

/* ---- batches ---- */

hr_loader_config hr_feed_loader_config(const hirl_trainer *trainer)
{
    const hr_train_config *t = &trainer->config.train;
    hr_loader_config config = {
        .batch = (int32_t)(t->batch_size / hr_context_ranks(trainer->context)),
        .rank = hr_context_rank(trainer->context),
        .ranks = hr_context_ranks(trainer->context),
        .threads = (int32_t)t->loader_threads,
        .seed = (uint64_t)t->seed,
        .shuffled = true,
        .max_bad = t->max_bad,
        .labelled = trainer->config.label.task == HR_TASK_LINEAR,
        .label_level = (int32_t)trainer->config.label.label_level,
        .views = trainer->feed.views.count,
    };

    for (int v = 0; v < config.views; v++)
        config.view[v] = trainer->feed.views.view[v];
    return config;
}

hirl_status hr_feed_open(int64_t *per_epoch, hirl_trainer *trainer)
{
    const hr_train_config *t = &trainer->config.train;
    hr_loader_config config;

    HR_TRY(hr_run_views_of(&trainer->feed.views, &trainer->config));
    config = hr_feed_loader_config(trainer);
    config.on_bad = t->on_bad_image == HR_BAD_REPLACE ? HR_BAD_ROW_REPLACE : HR_BAD_ROW_FAIL;
    HR_TRY(hr_loader_create(&trainer->feed.loader, trainer->dataset, &config));
    *per_epoch = hr_loader_steps(trainer->feed.loader);
    return hr_loader_seek(trainer->feed.loader, 0, 0);
}

const hr_run_views *hr_feed_views(const hirl_trainer *trainer)
{
    return &trainer->feed.views;
}

hirl_status hr_feed_seek(hirl_trainer *trainer, int64_t step)
{
    int64_t per_epoch = trainer->progress.per_epoch;

    return hr_loader_seek(trainer->feed.loader, step / per_epoch, step % per_epoch);
}

hirl_status hr_feed_next(const hr_batch **batch, hirl_trainer *trainer)
{
    return hr_loader_next(batch, trainer->feed.loader);
}

/* ---- buffers ---- */

/* patches along one side of a masked view */
static int64_t grid_of(const hirl_trainer *trainer)
{
    return trainer->config.model.image_size / trainer->pretrain->net.vit.shape.patch;
}

static hirl_status make_masks(hirl_trainer *trainer)
{
    const hr_pretrain *pretrain = trainer->pretrain;
    int64_t patches, batch = trainer->config.train.batch_size;

    if (!pretrain->method->patches)
        return HIRL_OK;
    patches = grid_of(trainer) * grid_of(trainer);
    if (pretrain->config.mask_most < 1)
        return hr_fail(HIRL_E_INVALID, "mask_ratio: %g of %lld patches is less than one patch",
                       trainer->config.train.mask_high, (long long)patches);
    trainer->feed.mask = hr_alloc_array((size_t)(trainer->feed.views.globals * batch * patches), 1);
    return trainer->feed.mask ? HIRL_OK : HIRL_E_NOMEM;
}

static hirl_status make_paths(hirl_trainer *trainer)
{
    size_t n = (size_t)trainer->config.train.batch_size;
    size_t negatives = (size_t)trainer->config.spd.negatives;
    hr_feed *feed = &trainer->feed;

    feed->leaf = hr_alloc_array(n, sizeof *feed->leaf);
    feed->chosen = hr_alloc_array(n, sizeof *feed->chosen);
    feed->negative = hr_alloc_array(n * negatives, sizeof *feed->negative);
    return feed->leaf && feed->chosen && feed->negative ? HIRL_OK : HIRL_E_NOMEM;
}

hirl_status hr_feed_make(hirl_trainer *trainer)
{
    if (!trainer->pretrain)
        return HIRL_OK;
    HR_TRY(make_masks(trainer));
    return make_paths(trainer);
}

void hr_feed_close(hirl_trainer *trainer)
{
    hr_feed *feed = &trainer->feed;

    hr_loader_destroy(feed->loader);
    hr_free(feed->leaf);
    hr_free(feed->negative);
    hr_free(feed->chosen);
    hr_free(feed->mask);
    *feed = (hr_feed){ 0 };
}

/* ---- a step ---- */

/* Draws the masked patches of the global views (iBOT) from seed, step, image and view. */
static void draw_masks(hr_step_input *in, hirl_trainer *trainer)
{
    const hr_train_config *t = &trainer->config.train;
    hr_mask_config config = { .p = t->mask_share,
                              .ratio = (t->mask_low + t->mask_high) / 2,
                              .spread = (t->mask_high - t->mask_low) / 2,
                              .scattered = t->mask_shape == HR_MASK_RANDOM };
    int64_t side = grid_of(trainer), patches = side * side;

    for (int v = 0; v < in->globals; v++) {
        uint8_t *mask = trainer->feed.mask + v * in->n * patches;

        in->mask[v] = mask;
        for (int64_t i = 0; i < in->n; i++)
            hr_mask_draw(mask + i * patches, side, side, &config, (uint64_t)t->seed, in->step,
                         in->image[i], v);
    }
}

hr_step_input hr_feed_input(hirl_trainer *trainer, const hr_batch *batch, int64_t step)
{
    hr_step_input in = { .n = batch->n,
                         .globals = trainer->feed.views.globals,
                         .views = trainer->feed.views.count,
                         .image = batch->image,
                         .step = step };

    for (int v = 0; v < batch->views; v++) {
        in.view[v] = batch->view[v];
        in.size[v] = trainer->feed.views.view[v].size;
    }
    in.rates = hr_rates_at(&trainer->config.train, step, trainer->progress.per_epoch);
    if (trainer->feed.mask)
        draw_masks(&in, trainer);
    in.label = batch->label;
    return in;
}

void hr_feed_paths(hr_step_input *in, hirl_trainer *trainer, const int32_t *leaf,
                   const int64_t *image, int64_t step)
{
    const hr_spd_config *spd = &trainer->config.spd;
    hr_feed *feed = &trainer->feed;

    for (int64_t i = 0; i < in->n; i++)
        feed->leaf[i] = leaf[image[i]];
    hr_paths_draw(feed->negative, in->n, spd->negatives, in->chosen ? NULL : feed->leaf, image,
                  hr_grove_tree(trainer)->m[0], (uint64_t)trainer->config.train.seed, step,
                  hr_spd_draws_all(spd));
    in->leaf = feed->leaf;
    in->negative = feed->negative;
}

void hr_feed_train_paths(hr_step_input *in, hirl_trainer *trainer)
{
    in->chosen = hr_grove_reassigns(trainer) ? trainer->feed.chosen : NULL;
    hr_feed_paths(in, trainer, hr_grove_leaves(trainer), in->image, in->step);
}
