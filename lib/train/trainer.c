/* trainer.c - a training run (HIRL Alg. 2): epochs, data, clustering, checkpoints around a learner.
 *
 *   for each epoch e:  if e >= T1: features of all images, their tree           (recluster.c, Alg. 1)
 *                      for each batch: L = L_img [+ w L_SPD if e >= T1]             (step.c, eq. 4)
 */
#include "train/trainer.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/file.h"
#include "data/colours.h"
#include "hier/paths.h"
#include "nn/model.h"
#include "ssl/mask.h"
#include "train/rates.h"

enum { HEALTH_IMAGES = 256, COLOUR_IMAGES = 1000 };

/* ---- making ---- */

static hirl_status resolve_colours(hirl_trainer *trainer)
{
    hr_model_config *c = &trainer->config.model;
    bool mean = !strcmp(c->mean_text, "auto"), std = !strcmp(c->std_text, "auto");
    double found_mean[3], found_std[3];

    if (!mean && !std)
        return HIRL_OK;
    HR_TRY(hr_dataset_colours(found_mean, found_std, trainer->dataset, COLOUR_IMAGES));
    if (mean) {
        memcpy(c->mean, found_mean, sizeof c->mean);
        snprintf(c->mean_text, sizeof c->mean_text, "%.17g,%.17g,%.17g", c->mean[0], c->mean[1],
                 c->mean[2]);
    }
    if (std) {
        memcpy(c->std, found_std, sizeof c->std);
        snprintf(c->std_text, sizeof c->std_text, "%.17g,%.17g,%.17g", c->std[0], c->std[1],
                 c->std[2]);
    }
    return HIRL_OK;
}

static hr_method_config method_config(const hirl_trainer *trainer)
{
    const hr_train_config *t = &trainer->config.train;

    return (hr_method_config){
        .globals = trainer->views.globals,
        .views = trainer->views.count,
        .temperature = t->temperature,
        .center_momentum = t->center_momentum,
        .sinkhorn_eps = t->sinkhorn_eps,
        .sinkhorn_iterations = t->sinkhorn_iterations,
        .mask_share = t->mask_share,
        .queue = t->queue,
        .queue_start = t->queue_start * trainer->per_epoch,
    };
}

/* constants of the optimisers: Kingma and Ba 2015, You et al. 2017 (spec.md 0.2, 1.5) */
static hr_optim_config optim_config(const hr_train_config *t)
{
    return (hr_optim_config){ .kind = (hr_optim_kind)t->optimizer,
                              .clip = (hr_clip_kind)t->clip,
                              .clip_limit = t->clip_grad,
                              .beta1 = 0.9,
                              .beta2 = 0.999,
                              .eps = 1e-8,
                              .trust = 0.001 };
}

static hr_learner_config learner_config(const hirl_trainer *trainer)
{
    const hr_train_config *t = &trainer->config.train;
    const hr_model_config *m = &trainer->config.model;

    return (hr_learner_config){
        .model = *m,
        .levels = trainer->config.levels,
        .batch = t->batch_size,
        .accumulate = t->accumulate,
        .bn_groups = t->bn_groups,
        .path_bn_groups = t->path_bn_groups,
        .joint = t->joint_views,
        .own_teacher = t->own_teacher,
        .reference = t->profile == HR_PROFILE_REFERENCE,
        .bf16 = t->precision == HR_PRECISION_BF16,
        .decay_all = t->decay_all,
        .path_decay_all = t->decay_all || !isnan(t->path_weight_decay),
        .momentum = t->momentum,
        .optim = optim_config(t),
        .method = method_config(trainer),
        .spd_eps = trainer->config.spd.spd_eps,
        .seed = (uint64_t)t->seed,
    };
}

hr_loader_config hr_trainer_loader_config(const hirl_trainer *trainer)
{
    const hr_train_config *t = &trainer->config.train;
    hr_loader_config config = {
        .batch = (int32_t)t->batch_size,
        .threads = (int32_t)t->loader_threads,
        .seed = (uint64_t)t->seed,
        .shuffled = true,
        .max_bad = t->max_bad,
        .views = trainer->views.count,
    };

    for (int v = 0; v < config.views; v++)
        config.view[v] = trainer->views.view[v];
    return config;
}

static hirl_status make_loader(hirl_trainer *trainer)
{
    hr_train_config *t = &trainer->config.train;
    hr_loader_config config;

    HR_TRY(hr_run_views_of(&trainer->views, &trainer->config));
    config = hr_trainer_loader_config(trainer);
    config.replace_bad = t->on_bad_image == HR_BAD_REPLACE;
    HR_TRY(hr_loader_create(&trainer->loader, trainer->dataset, &config));
    trainer->per_epoch = hr_loader_steps(trainer->loader);
    trainer->steps = trainer->per_epoch * t->epochs;
    return hr_loader_seek(trainer->loader, 0, 0);
}

/* side of the grid of patches of an image */
static int64_t grid_of(const hirl_trainer *trainer)
{
    const hr_net *net = &trainer->learner->net;

    return trainer->config.model.image_size / net->vit.shape.patch;
}

static hirl_status make_masks(hirl_trainer *trainer)
{
    hr_learner *learner = trainer->learner;
    int64_t patches, batch = trainer->config.train.batch_size;

    if (!learner->method->patches)
        return HIRL_OK;
    patches = grid_of(trainer) * grid_of(trainer);
    learner->config.mask_most = (int64_t)floor(trainer->config.train.mask_high * (double)patches);
    if (learner->config.mask_most < 1)
        return hr_fail(HIRL_E_INVALID, "mask_ratio: %g of %lld patches is less than one",
                       trainer->config.train.mask_high, (long long)patches);
    trainer->mask = hr_alloc_array((size_t)(trainer->views.globals * batch * patches), 1);
    return trainer->mask ? HIRL_OK : HIRL_E_NOMEM;
}

/* the whole network of a model of the same method, else its backbone */
static int32_t params_from(const hr_net *net, const hirl_model *start, const hirl_trainer *trainer)
{
    if (start->config.method != trainer->config.model.method)
        return net->backbone_params;
    return start->weights.slots < net->method_params ? net->shared_params : net->method_params;
}

static hirl_status take_weights(hirl_trainer *trainer, const hirl_model *start)
{
    hr_learner *learner = trainer->learner;
    const hr_net *net = &learner->net;
    hr_tensors list;
    hirl_status status;
    int32_t params, norms;

    if (!start)
        return HIRL_OK;
    params = params_from(net, start, trainer);
    norms = params == net->backbone_params ? net->backbone_norms
            : params == net->shared_params ? net->shared_norms
                                           : net->method_norms;
    hr_tensors_init(&list);
    status = hr_model_to_tensors(&list, start);
    if (status >= 0)
        status =
            hr_layout_load(&learner->online.value, &net->params, params, learner->queue, &list, "");
    if (status >= 0)
        status =
            hr_layout_load(&learner->online.running, &net->norms, norms, learner->queue, &list, "");
    hr_tensors_done(&list);
    if (status < 0)
        return hr_fail_in(status, "start model");
    return hr_learner_settle(learner, true);
}

static hirl_status write_settings(hirl_trainer *trainer)
{
    char *text;
    hirl_status status;

    if (!trainer->directory.path)
        return HIRL_OK;
    HR_TRY(hr_run_config_text(&text, &trainer->config, &trainer->options));
    status = hr_directory_write(&trainer->directory, "config.yaml", text);
    hr_free(text);
    return status;
}

static hirl_status make_parts(hirl_trainer *trainer, const hirl_model *start)
{
    hr_train_config *t = &trainer->config.train;
    hr_learner_config config;

    HR_TRY(hr_run_config_read(&trainer->config, &trainer->options, trainer->dataset->count));
    if (t->loader_threads == HR_AUTO) {
        int threads = hr_pool_threads(hr_context_pool(trainer->context));

        t->loader_threads = threads > 1 ? threads / 2 : 1;
    }
    HR_TRY(resolve_colours(trainer));
    HR_TRY(make_loader(trainer));
    config = learner_config(trainer);
    HR_TRY(hr_learner_create(&trainer->learner, trainer->context, &config));
    HR_TRY(make_masks(trainer));
    trainer->leaf = hr_alloc_array((size_t)t->batch_size, sizeof *trainer->leaf);
    trainer->negative = hr_alloc_array((size_t)(t->batch_size * trainer->config.spd.negatives),
                                       sizeof *trainer->negative);
    if (!trainer->leaf || !trainer->negative)
        return HIRL_E_NOMEM;
    return take_weights(trainer, start);
}

static void announce(hirl_trainer *trainer)
{
    const hr_train_config *t = &trainer->config.train;
    hr_method_config m = hr_learner_numbers(trainer->learner);
    double chance = trainer->learner->method->chance(&m);
    const char *start = trainer->learner->method->start;
    char expected[128] = "";

    if (!isnan(chance))
        snprintf(expected, sizeof expected, "; chance level of the loss %.2f%s%s", chance,
                 start ? ", it " : "", start ? start : "");
    hr_log(trainer->context, HIRL_LOG_INFO,
           "%lld images, %lld steps an epoch, %lld epochs; lr %g (%g per 256 images)%s",
           (long long)trainer->dataset->count, (long long)trainer->per_epoch, (long long)t->epochs,
           t->lr, t->lr * 256 / (double)t->batch_size, expected);
    if (t->hirl && !trainer->config.levels)
        hr_log(trainer->context, HIRL_LOG_WARNING,
               "cluster_warmup_epoch=%lld is not below epochs=%lld: this run has no hierarchy",
               (long long)t->cluster_warmup_epoch, (long long)t->epochs);
    for (int l = 0; l < trainer->config.levels; l++)
        hr_log(trainer->context, HIRL_LOG_INFO, "level %d: %lld prototypes", l + 1,
               (long long)trainer->config.m[l]);
}

static hirl_status begin(hirl_trainer *trainer, const hirl_model *start, bool fresh)
{
    HR_TRY(make_parts(trainer, start));
    if (fresh)
        HR_TRY(hr_directory_clear(&trainer->directory));
    HR_TRY(write_settings(trainer));
    announce(trainer);
    return HIRL_OK;
}

static hirl_status resume(hirl_trainer *trainer, const hirl_options *given)
{
    hr_tensors state;
    hirl_status status;

    hr_tensors_init(&state);
    status = hr_directory_load(&state, &trainer->directory, trainer->context);
    if (status == HIRL_E_STATE)
        status = hr_fail(HIRL_E_STATE, "%s: no checkpoint is whole; overwrite=1 begins anew",
                         trainer->directory.path);
    if (status >= 0) {
        hr_options_done(&trainer->options);
        status = hr_run_config_resume(&trainer->options, &state, given);
    }
    if (status >= 0)
        status = begin(trainer, NULL, false);
    if (status >= 0)
        status = hr_trainer_from_tensors(trainer, &state);
    if (status >= 0)
        status = hr_directory_cut_metrics(&trainer->directory, trainer->step);
    if (status >= 0)
        hr_log(trainer->context, HIRL_LOG_INFO, "going on at step %lld of %lld",
               (long long)trainer->step, (long long)trainer->steps);
    hr_tensors_done(&state);
    return status;
}

static hirl_status create(hirl_trainer *trainer, const hirl_model *start,
                          const hirl_options *options)
{
    hr_train_config asked;

    HR_TRY(hr_options_read(&asked, &hr_train_keys, options));
    HR_TRY(hr_directory_open(&trainer->directory, asked.out, asked.resume, asked.overwrite));
    if (options)
        HR_TRY(hr_options_copy(&trainer->options, options));
    if (asked.resume && !trainer->directory.goes_on)
        hr_log(trainer->context, HIRL_LOG_INFO, "%s: no checkpoint yet, the run begins at step 0",
               asked.out);
    return trainer->directory.goes_on ? resume(trainer, options) : begin(trainer, start, true);
}

hirl_status hr_trainer_create(hirl_trainer **out, hirl_context *context, const hirl_model *start,
                              hirl_dataset *dataset, const hirl_options *options)
{
    hirl_trainer *trainer;
    hirl_status status;

    if (dataset->context != context)
        return hr_fail(HIRL_E_INVALID, "trainer: the data set belongs to another context");
    trainer = hr_alloc(sizeof *trainer);
    if (!trainer)
        return HIRL_E_NOMEM;
    hr_context_hold(context);
    hr_dataset_hold(dataset);
    trainer->context = context;
    trainer->dataset = dataset;
    trainer->directory.lock = -1;
    trainer->tree_epoch = -1;
    trainer->churn = -1;
    trainer->told = -1;
    trainer->last = (hr_learner_result){ .teacher_entropy = -1, .usage_entropy = -1 };
    trainer->judgement = "";
    status = create(trainer, start, options);
    if (status < 0) {
        hr_trainer_destroy(trainer);
        return status;
    }
    *out = trainer;
    return HIRL_OK;
}

void hr_trainer_destroy(hirl_trainer *trainer)
{
    if (!trainer)
        return;
    hr_recluster_drop(trainer);
    hr_loader_destroy(trainer->loader);
    hr_tree_drop(trainer->tree);
    hr_learner_destroy(trainer->learner);
    hr_directory_close(&trainer->directory);
    hr_options_done(&trainer->options);
    hr_free(trainer->own_leaf);
    hr_free(trainer->leaf);
    hr_free(trainer->negative);
    hr_free(trainer->mask);
    hr_dataset_drop(trainer->dataset);
    hr_context_drop(trainer->context);
    hr_free(trainer);
}

/* ---- one step ---- */

bool hr_trainer_reassigns(const hirl_trainer *trainer)
{
    return trainer->config.train.iter_wise_assignment && trainer->tree && !trainer->own_tree;
}

/* positive and negative paths of a batch */
static hirl_status draw_paths(hr_learner_input *in, hirl_trainer *trainer, int64_t step)
{
    const int32_t *leaf = trainer->own_leaf ? trainer->own_leaf : trainer->tree->leaf;
    const hr_spd_config *spd = &trainer->config.spd;

    for (int64_t i = 0; i < in->n; i++)
        trainer->leaf[i] = leaf[in->image[i]];
    if (hr_trainer_reassigns(trainer)) {
        HR_TRY(hr_learner_assign(trainer->leaf, trainer->learner, in));
        in->assigned = true;
    }
    hr_paths_draw(trainer->negative, in->n, spd->negatives, trainer->leaf, in->image,
                  trainer->tree->m[0], (uint64_t)trainer->config.train.seed, step,
                  spd->profile == HR_PROFILE_REFERENCE);
    in->leaf = trainer->leaf;
    in->negative = trainer->negative;
    in->negatives = spd->negatives;
    in->spd_weight = spd->spd_weight;
    return HIRL_OK;
}

/* which patches of the global views are hidden: by seed, step, image and view (iBOT) */
static void draw_masks(hr_learner_input *in, hirl_trainer *trainer)
{
    const hr_train_config *t = &trainer->config.train;
    hr_mask_config config = { .p = t->mask_share,
                              .ratio = (t->mask_low + t->mask_high) / 2,
                              .spread = (t->mask_high - t->mask_low) / 2 };
    int64_t side = trainer->mask ? grid_of(trainer) : 0, patches = side * side;

    for (int v = 0; v < in->globals && trainer->mask; v++) {
        uint8_t *mask = trainer->mask + v * in->n * patches;

        in->mask[v] = mask;
        for (int64_t i = 0; i < in->n; i++)
            hr_mask_draw(mask + i * patches, side, side, &config, (uint64_t)t->seed, in->step,
                         in->image[i], v);
    }
}

hr_learner_input hr_trainer_input(hirl_trainer *trainer, const hr_batch *batch, int64_t step)
{
    hr_learner_input in = { .n = batch->n,
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
    hr_extract_config config = hr_trainer_extract_config(trainer);
    int64_t n = trainer->dataset->count < HEALTH_IMAGES ? trainer->dataset->count : HEALTH_IMAGES;
    int64_t d = learner->net.z_dim;
    hr_method_config m = hr_learner_numbers(learner);
    float *z = hr_alloc_array((size_t)((n + config.batch) * d), sizeof *z);
    double *work = hr_alloc_array((size_t)(d * d + d), sizeof *work);
    hr_extract *extract = NULL;
    hirl_status status;
    bool ended = false;

    config.batch = config.batch < n ? config.batch : (int32_t)n;
    config.sample = n;
    status = z && work ? HIRL_OK : HIRL_E_NOMEM;

    if (status >= 0)
        status = hr_extract_create(&extract, learner->queue, trainer->dataset, &learner->net,
                                   &learner->online, &config);
    while (status >= 0 && !ended)
        status = hr_extract_step(&ended, z, NULL, extract);
    if (status >= 0) {
        hr_health_measure(&trainer->health, z, n, d, work);
        trainer->judgement =
            hr_health_judge(&trainer->health, d, loss, learner->method->chance(&m));
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

    trainer->epoch_open = false;         /* for the checkpoint that is written here */
    if (last && trainer->directory.path) /* first: the last checkpoint says that the run is done */
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

static hirl_status step_on(hr_learner_result *result, hirl_trainer *trainer, const hr_batch *batch)
{
    hr_learner_input in = hr_trainer_input(trainer, batch, trainer->step);

    if (trainer->tree)
        HR_TRY(draw_paths(&in, trainer, trainer->step));
    HR_TRY(hr_learner_step(result, trainer->learner, &in));
    for (int64_t i = 0; i < in.n && in.assigned; i++)
        trainer->own_leaf[in.image[i]] = in.leaf[i];
    return HIRL_OK;
}

static hirl_status make_step(hr_learner_result *result, hirl_trainer *trainer, int64_t epoch)
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
static hirl_status advance(bool *clustered, hirl_trainer *trainer)
{
    int64_t epoch = trainer->step / trainer->per_epoch;

    HR_TRY(hr_learner_ready(trainer->learner)); /* not only after a long clustering */
    if (needs_tree(trainer, epoch)) {
        HR_TRY(hr_trainer_recluster(trainer));
        *clustered = true;
    }
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
    bool clustered = false, saved = false;

    if (trainer->step == trainer->steps && !trainer->epoch_open)
        return HIRL_DONE;
    HR_TRY(hr_poll(trainer->context));
    if (!trainer->epoch_open)
        HR_TRY(advance(&clustered, trainer));
    if (trainer->epoch_open)
        HR_TRY(measure_health(trainer, trainer->last.loss_image));
    hr_trainer_report(&report, trainer, &trainer->last);
    report.clustered = clustered;
    report.cluster_seconds = clustered ? trainer->last_cluster_seconds : 0;
    tell(trainer, &report);
    if (trainer->epoch_open)
        HR_TRY(end_epoch(trainer, &saved));
    report.saved = saved;
    if (out) {
        size_t size = out->struct_size;

        memcpy(out, &report, size < sizeof report ? size : sizeof report);
        out->struct_size = size;
    }
    return HIRL_OK;
}

/* ---- what a host reads and gives ---- */

hirl_status hr_trainer_model(hirl_model **out, const hirl_trainer *trainer, const char *network)
{
    const hr_learner *learner = trainer->learner;
    bool automatic = !strcmp(network, "auto");
    bool teacher = automatic ? learner->method->evaluate_teacher : !strcmp(network, "teacher");
    const hr_weights *from = teacher ? &learner->teacher : &learner->online;
    hirl_model *model;
    hirl_status status;

    if (!automatic && !teacher && strcmp(network, "online"))
        return hr_fail(HIRL_E_INVALID, "network: \"%s\" is none of auto, online, teacher", network);
    if (teacher && !learner->method->teacher)
        return hr_fail(HIRL_E_INVALID, "network=teacher: %s has none; take online",
                       learner->method->name);
    HR_TRY(hr_model_alloc(&model, trainer->context, &trainer->config.model,
                          teacher ? 0 : learner->net.levels, teacher ? "teacher" : "online"));
    hr_weights_copy(&model->weights, from);
    status = model->queue->be->sync(model->queue);
    if (status < 0) {
        hr_model_destroy(model);
        return status;
    }
    *out = model;
    return HIRL_OK;
}

static hirl_status check_leaves(const hirl_tree *tree, const int32_t *leaf, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        if (leaf[i] < -1 || leaf[i] >= tree->m[0])
            return hr_fail(HIRL_E_INVALID, "leaf of image %lld is %d; the tree has %lld leaves",
                           (long long)i, (int)leaf[i], (long long)tree->m[0]);
    return HIRL_OK;
}

static hirl_status forget_tree(hirl_trainer *trainer)
{
    hr_tree_drop(trainer->tree);
    hr_free(trainer->own_leaf);
    trainer->tree = NULL;
    trainer->own_leaf = NULL;
    trainer->own_tree = false;
    trainer->tree_epoch = -1;
    return hr_learner_set_tree(trainer->learner, NULL);
}

hirl_status hr_trainer_set_tree(hirl_trainer *trainer, const hirl_tree *tree, const int32_t *leaf)
{
    int64_t n = trainer->dataset->count;
    hirl_status status;
    int32_t *copy;

    if (!tree)
        return forget_tree(trainer);
    HR_TRY(check_leaves(tree, leaf, n));
    copy = hr_alloc_array((size_t)n, sizeof *copy);
    if (!copy)
        return HIRL_E_NOMEM;
    memcpy(copy, leaf, (size_t)n * sizeof *copy);
    status = hr_learner_set_tree(trainer->learner, (hirl_tree *)tree);
    if (status < 0) {
        hr_free(copy);
        if (!trainer->learner->tree)
            (void)forget_tree(trainer);
        return status;
    }
    hr_recluster_drop(trainer);
    hr_free(trainer->own_leaf);
    hr_tree_drop(trainer->tree);
    hr_tree_hold((hirl_tree *)tree);
    trainer->tree = (hirl_tree *)tree;
    trainer->own_leaf = copy;
    trainer->own_tree = true;
    return HIRL_OK;
}
