/* linear.c - a labelled run: a linear classifier on the frozen encoder of a model. */
#include "train/linear.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/file.h"
#include "base/safetensors.h"
#include "context.h"
#include "data/evaluation.h"
#include "nn/model.h"
#include "train/feed.h"
#include "train/pretrain_config.h"
#include "train/recluster.h"

/* ---- making ---- */

static hirl_status check_labels(const hirl_dataset *dataset, int64_t level)
{
    if (!dataset->levels)
        return hr_fail(
            HIRL_E_INVALID,
            "task=linear: the data set has no labels; put the images of each class into a "
            "folder, or give a file of labels");
    if (level >= dataset->levels)
        return hr_fail(HIRL_E_INVALID,
                       "label_level: %lld, but the data set has %d levels of labels",
                       (long long)level, (int)dataset->levels);
    if (dataset->classes[level] < 2)
        return hr_fail(HIRL_E_INVALID,
                       "task=linear: the data set has %d class, expected at least 2",
                       (int)dataset->classes[level]);
    for (int64_t i = 0; i < dataset->count; i++)
        if (hr_dataset_label(dataset, i, (int32_t)level) < 0)
            return hr_fail(HIRL_E_INVALID, "task=linear: image %lld (%s) has no label",
                           (long long)i, hr_dataset_name(dataset, i));
    return HIRL_OK;
}

/* start NULL: the run is resumed, and the encoder comes from its checkpoint. */
static hirl_status make(hirl_trainer *trainer, const hirl_model *start)
{
    const hr_train_config *t = &trainer->config.train;
    int64_t level = trainer->config.label.label_level;
    hr_probe_config config;

    HR_TRY(check_labels(trainer->dataset, level));
    if (!start && !trainer->directory.goes_on)
        return hr_fail(HIRL_E_INVALID,
                       "task=linear: no start model, expected the model whose encoder is probed");
    config = (hr_probe_config){
        .learner = hr_learner_config_of(t, hr_context_ranks(trainer->context)),
        .model = trainer->config.model,
        .size = hr_feed_views(trainer)->view[0].size,
        .classes = trainer->dataset->classes[level],
        .momentum = t->momentum,
        .decay_all = t->decay_all,
    };
    return hr_probe_create(&trainer->learner, &trainer->probe, trainer->context,
                           start ? &start->weights : NULL, &config);
}

/* Writes fc.weight [C,D] and fc.bias [C]. */
static hirl_status save(const hirl_trainer *trainer, const char *path)
{
    const hr_weights *w = &trainer->learner->online;
    hirl_status status;
    hr_tensors list;

    hr_tensors_init(&list);
    status = hr_layout_save(&list, w->layout, w->slots, &w->value, w->queue, "");
    if (status >= 0)
        status = hr_tensors_set_text(&list, "format", "hirl-classifier");
    if (status >= 0)
        status = hr_tensors_set_int(&list, "label_level", trainer->config.label.label_level);
    if (status >= 0)
        status = hr_tensors_save(&list, path);
    hr_tensors_done(&list);
    return status;
}

/* ---- evaluation ---- */

/* Class numbers must mean the same in both data sets: the same number of classes and, if both have
 * class names, the same names. */
static hirl_status check_classes(const hirl_dataset *trained, const hirl_dataset *held_out,
                                 int64_t level)
{
    char **a = trained->class_name[level], **b = held_out->class_name[level];

    if (level >= held_out->levels || held_out->classes[level] != trained->classes[level])
        return hr_fail(HIRL_E_INVALID,
                       "held-out data: %d classes at label_level=%lld, but the classifier has %d",
                       level < held_out->levels ? (int)held_out->classes[level] : 0,
                       (long long)level, (int)trained->classes[level]);
    for (int32_t c = 0; a && b && c < trained->classes[level]; c++)
        if (strcmp(a[c], b[c]))
            return hr_fail(HIRL_E_INVALID,
                           "held-out data: class %d is \"%.60s\", but \"%.60s\" in the classifier",
                           (int)c, b[c], a[c]);
    return HIRL_OK;
}

static hirl_status extract(float *features, uint8_t *readable, hirl_trainer *trainer,
                           hirl_dataset *held_out)
{
    hr_extract_config config = hr_trainer_extract_config(trainer);
    hr_extract *extraction;
    hirl_status status;

    config.filter = HR_FILTER_EMBED;
    config.layer = HR_LAYER_BACKBONE;
    HR_TRY(hr_extract_create(&extraction, trainer->learner->queue, held_out, &trainer->probe->net,
                             &trainer->probe->encoder, &config));
    status = hr_extract_run(features, readable, extraction, "extract");
    hr_extract_destroy(extraction);
    return status;
}

/* Classes are numbered over all splits of a data set, so held-out images can be of classes that no
 * training image has: a classifier cannot know them. */
static hirl_status check_known(const hirl_trainer *trainer, const int32_t *label, int64_t n)
{
    int64_t level = trainer->config.label.label_level, unknown = 0, labelled = 0;
    uint8_t *known = hr_alloc_array((size_t)trainer->dataset->classes[level], 1);

    if (!known)
        return HIRL_E_NOMEM;
    for (int64_t i = 0; i < trainer->dataset->count; i++)
        known[hr_dataset_label(trainer->dataset, i, (int32_t)level)] = 1;
    for (int64_t i = 0; i < n; i++) {
        labelled += label[i] >= 0;
        unknown += label[i] >= 0 && !known[label[i]];
    }
    hr_free(known);
    if (unknown && unknown == labelled)
        return hr_fail(HIRL_E_INVALID,
                       "held-out data: none of its classes is among the training images");
    if (unknown)
        hr_log(trainer->context, HIRL_LOG_WARNING,
               "%lld of %lld held-out images are of classes that no training image has",
               (long long)unknown, (long long)labelled);
    return HIRL_OK;
}

static hirl_status count(hirl_trainer_score *score, hirl_trainer *trainer, hirl_dataset *held_out,
                         const float *features, int32_t *label)
{
    int64_t right, labelled = 0, n = held_out->count;

    for (int64_t i = 0; i < n; i++)
        labelled += label[i] >= 0;
    if (!labelled)
        return hr_fail(HIRL_E_INVALID, "held-out data: no readable image has a label");
    HR_TRY(check_known(trainer, label, n));
    HR_TRY(hr_probe_count(&right, trainer->probe, features, label, n));
    score->images = labelled;
    score->top1 = (double)right / (double)labelled;
    return HIRL_OK;
}

/* Computes top1 on held-out images in evaluation mode: centre crops, nothing random. */
static hirl_status evaluate(hirl_trainer_score *score, hirl_trainer *trainer,
                            hirl_dataset *held_out)
{
    int64_t n = held_out->count, level = trainer->config.label.label_level;
    int64_t d = trainer->probe->net.backbone_dim;
    hirl_trainer_score found = { .struct_size = sizeof found };
    uint8_t *readable;
    int32_t *label;
    float *features;
    hirl_status status;

    HR_TRY(check_classes(trainer->dataset, held_out, level));
    features = hr_alloc_array((size_t)(n * d), sizeof *features);
    readable = hr_alloc_array((size_t)n, 1);
    label = hr_alloc_array((size_t)n, sizeof *label);
    status = features && readable && label ? HIRL_OK : HIRL_E_NOMEM;
    if (status >= 0)
        status = extract(features, readable, trainer, held_out);
    for (int64_t i = 0; i < n && status >= 0; i++)
        label[i] = readable[i] ? hr_dataset_label(held_out, i, (int32_t)level) : -1;
    if (status >= 0)
        status = count(&found, trainer, held_out, features, label);
    if (status >= 0)
        *score = found;
    hr_free(label);
    hr_free(readable);
    hr_free(features);
    return status;
}

const hr_run_task hr_linear_run = {
    .make = make,
    .evaluate = evaluate,
    .save = save,
    .result = "classifier.safetensors",
    .model_fixed = true, /* the classifier sees images as the model does */
};
