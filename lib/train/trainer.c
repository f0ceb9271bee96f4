/* trainer.c - the steps of a run (HIRL Alg. 2): data, clustering and checkpoints around a learner.
 *
 *   for each epoch e:  if e >= T1: features of all images, their tree           (recluster.c, Alg. 1)
 *                      for each batch: L = L_img [+ w L_SPD if e >= T1]             (step.c, eq. 4)
 */
#include "train/trainer.h"

#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/file.h"
#include "config/rates.h"
#include "hier/paths.h"
#include "nn/model.h"
#include "ssl/mask.h"

enum { HEALTH_IMAGES = 256 };

bool hr_trainer_reassigns(const hirl_trainer *trainer)
{
    return trainer->config.train.iter_wise_assignment && trainer->tree && !trainer->own_tree;
}

/* positive and negative paths of a batch */
static void draw_paths(hr_step_input *in, hirl_trainer *trainer, int64_t step)
{
    const int32_t *leaf = trainer->own_leaf ? trainer->own_leaf : trainer->tree->leaf;
    const hr_spd_config *spd = &trainer->config.spd;

    for (int64_t i = 0; i < in->n; i++)
        trainer->leaf[i] = leaf[in->image[i]];
    in->chosen = hr_trainer_reassigns(trainer) ? trainer->chosen : NULL;
    hr_paths_draw(trainer->negative, in->n, spd->negatives, in->chosen ? NULL : trainer->leaf,
                  in->image, trainer->tree->m[0], (uint64_t)trainer->config.train.seed, step,
                  hr_spd_draws_all(spd));
    in->leaf = trainer->leaf;
    in->negative = trainer->negative;
}

/* which patches of the global views are hidden: by seed, step, image and view (iBOT) */
static void draw_masks(hr_step_input *in, hirl_trainer *trainer)
{
    const hr_train_config *t = &trainer->config.train;
    hr_mask_config config = { .p = t->mask_share,
                              .ratio = (t->mask_low + t->mask_high) / 2,
                              .spread = (t->mask_high - t->mask_low) / 2,
                              .scattered = t->mask_shape == HR_MASK_RANDOM };
    int64_t side = trainer->mask ? hr_trainer_grid(trainer) : 0, patches = side * side;

    for (int v = 0; v < in->globals && trainer->mask; v++) {
        uint8_t *mask = trainer->mask + v * in->n * patches;

        in->mask[v] = mask;
        for (int64_t i = 0; i < in->n; i++)
            hr_mask_draw(mask + i * patches, side, side, &config, (uint64_t)t->seed, in->step,
                         in->image[i], v);
    }
}

hr_step_input hr_trainer_input(hirl_trainer *trainer, const hr_batch *batch, int64_t step)
{
    hr_step_input in = { .n = batch->n,
                         .globals = trainer->views.globals,
                         .views = trainer->views.count,
                         .image = batch->image,
                         .step = step };

    for (int v = 0; v < batch->views; v++) {
        in.view[v] = batch->view[v];
        in.size[v] = trainer->views.view[v].size;
    }
    in.rates = hr_rates_at(&trainer->config.train, step, trainer->per_epoch);
    draw_masks(&in, trainer);
    return in;
}

static hirl_status measure_health(hirl_trainer *trainer, double loss)
{
    hr_learner *learner = trainer->learner;
    const hr_pretrain *pretrain = trainer->pretrain;
    hr_extract_config config = hr_trainer_extract_config(trainer);
    int64_t n = trainer->dataset->count < HEALTH_IMAGES ? trainer->dataset->count : HEALTH_IMAGES;
    int64_t d = pretrain->net.z_dim;
    hr_method_config m = hr_pretrain_numbers(pretrain);
    float *z = hr_alloc_array((size_t)((n + config.batch) * d), sizeof *z);
    double *work = hr_alloc_array((size_t)(d * d + d), sizeof *work);
    hr_extract *extract = NULL;
    hirl_status status;
    bool ended = false;

    config.batch = config.batch < n ? config.batch : (int32_t)n;
    config.sample = n;
    status = z && work ? HIRL_OK : HIRL_E_NOMEM;

    if (status >= 0)
        status = hr_extract_create(&extract, learner->queue, trainer->dataset, &pretrain->net,
                                   &learner->online, &config);
    while (status >= 0 && !ended)
        status = hr_extract_step(&ended, z, NULL, extract);
    if (status >= 0) {
        hr_health_measure(&trainer->health, z, n, d, work);
        trainer->judgement =
            hr_health_judge(&trainer->health, d, loss, pretrain->method->chance(&m), trainer->step);
    }
    hr_extract_destroy(extract);
    hr_free(work);
    hr_free(z);
    return status;
}

static hirl_status save_model(hirl_trainer *trainer)
{
    char *path = hr_path_join(trainer->directory.path, "model.safetensors");
    hirl_model *model = NULL;
    hr_tensors list;
    hirl_status status = path ? hr_trainer_model(&model, trainer, "auto") : HIRL_E_NOMEM;

    hr_tensors_init(&list);
    if (status >= 0)
        status = hr_model_to_tensors(&list, model);
    if (status >= 0)
        status = hr_tensors_save(&list, path);
    hr_tensors_done(&list);
    hr_model_destroy(model);
    hr_free(path);
    return status;
}

/* The rest of an epoch whose last step is made: it may fail or be canceled, and is then done first in
 * the next call; a checkpoint says so too. */
static hirl_status end_epoch(hirl_trainer *trainer, bool *saved)
{
    const hr_train_config *t = &trainer->config.train;
    int64_t ended = trainer->step / trainer->per_epoch;
    bool last = trainer->step == trainer->steps;
    hirl_status status = HIRL_OK;

    trainer->epoch_open = false; /* for the checkpoint that is written here */
    /* first: the last checkpoint says that the run is done */
    if (last && hr_directory_writes(&trainer->directory))
        status = save_model(trainer);
    if (status >= 0 && trainer->directory.path &&
        (last || (t->save_every && ended % t->save_every == 0))) {
        status = hr_trainer_save(trainer, NULL);
        *saved = status >= 0;
    }
    trainer->epoch_open = status < 0;
    return status;
}

static bool needs_tree(const hirl_trainer *trainer, int64_t epoch)
{
    return trainer->config.levels && !trainer->own_tree &&
           epoch >= trainer->config.train.cluster_warmup_epoch && trainer->tree_epoch != epoch;
}

static hirl_status step_on(hr_step_result *result, hirl_trainer *trainer, const hr_batch *batch)
{
    hr_step_input in = hr_trainer_input(trainer, batch, trainer->step);

    if (trainer->tree)
        draw_paths(&in, trainer, trainer->step);
    HR_TRY(hr_learner_step(result, trainer->learner, &in));
    for (int64_t i = 0; i < in.n && in.chosen; i++)
        trainer->own_leaf[in.image[i]] = in.chosen[i];
    return HIRL_OK;
}

static hirl_status make_step(hr_step_result *result, hirl_trainer *trainer, int64_t epoch)
{
    const hr_batch *batch;
    hirl_status status;

    HR_TRY(hr_loader_next(&batch, trainer->loader));
    status = step_on(result, trainer, batch);
    if (status < 0) { /* the same batch again when the host calls again */
        hr_error failure;

        hr_error_keep(&failure, status);
        HR_TRY(hr_loader_seek(trainer->loader, epoch, trainer->step % trainer->per_epoch));
        return hr_error_raise(&failure);
    }
    trainer->waited += batch->waited;
    trainer->step++;
    return HIRL_OK;
}

/* everything before the step, and the step */
static hirl_status advance(hirl_trainer *trainer)
{
    int64_t epoch = trainer->step / trainer->per_epoch;

    HR_TRY(hr_learner_ready(trainer->learner)); /* not only after a long clustering */
    if (needs_tree(trainer, epoch))
        HR_TRY(hr_trainer_recluster(trainer));
    if (trainer->step % trainer->per_epoch == 0 || trainer->started <= 0) {
        trainer->started = hr_seconds();
        trainer->started_step = trainer->step;
        trainer->waited = 0;
    }
    HR_TRY(make_step(&trainer->last, trainer, epoch));
    trainer->epoch_open = trainer->step % trainer->per_epoch == 0;
    return HIRL_OK;
}

/* a line that cannot be written is told, not a failure: the step is made */
static void tell(hirl_trainer *trainer, const hirl_step_report *report)
{
    bool due = report->clustered || report->epoch_end ||
               trainer->step % trainer->config.train.log_every == 0;

    if (!due || trainer->told == trainer->step)
        return;
    trainer->told = trainer->step;
    if (hr_trainer_metric(trainer, report) < 0)
        hr_log(trainer->context, HIRL_LOG_WARNING, "metrics.jsonl: %s", hr_error_text());
}

hirl_status hr_trainer_step(hirl_step_report *out, hirl_trainer *trainer)
{
    hirl_step_report report = { .struct_size = sizeof report };
    bool saved = false;

    if (trainer->step == trainer->steps && !trainer->epoch_open)
        return HIRL_DONE;
    HR_TRY(hr_poll(trainer->context));
    if (!trainer->epoch_open)
        HR_TRY(advance(trainer));
    if (trainer->epoch_open)
        HR_TRY(measure_health(trainer, trainer->last.loss_image));
    hr_trainer_report(&report, trainer, &trainer->last);
    report.clustered = trainer->clustered;
    report.cluster_seconds = trainer->clustered ? trainer->last_cluster_seconds : 0;
    tell(trainer, &report);
    if (trainer->epoch_open)
        HR_TRY(end_epoch(trainer, &saved));
    report.saved = saved;
    trainer->clustered = false;
    if (out) {
        size_t size = out->struct_size;

        memcpy(out, &report, size < sizeof report ? size : sizeof report);
        out->struct_size = size;
    }
    return HIRL_OK;
}
