/* checkpoint.c - saves and loads everything that a run needs to resume with bit-identical results.
 *
 * The step fixes the position of a run: batches, random draws, rates and the position in the key
 * queue follow from it. A checkpoint also has the learner's state, the tree in use, the state of a
 * clustering that is under way, and the list of unreadable images.
 */
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/key_text.h"
#include "base/safetensors.h"
#include "config/config_text.h"
#include "nn/model.h"
#include "step/state.h"
#include "step/task.h"
#include "task/paths.h"
#include "train/checkpoint.h"
#include "train/checkpoint_format.h"
#include "train/directory_files.h"
#include "train/feed.h"
#include "train/grove.h"
#include "train/journal.h"
#include "train/recluster.h"
#include "train/run.h"

/* NUMERICS rises when a run would get other bits than before from the same settings and data. 2: a
 * row of a product does not depend on the number of rows, and nearest centroids are exact. */
enum { NUMERICS = 2 };

/* For each way of comparing data sets (hr_told): a name for such a data set, what is compared, and
 * the word in checkpoints. */
static const struct {
    const char *images, *differs, *word;
} comparison[] = { [HR_TOLD_NOT] = { "", "", "none" },
                   [HR_TOLD_BY_NAMES] = { "images with names", "names", "names" },
                   [HR_TOLD_BY_PIXELS] = { "stored images without names", "pixels", "pixels" },
                   [HR_TOLD_BY_LABELS] = { "generated images", "labels", "labels" } };
enum { COMPARISONS = sizeof comparison / sizeof *comparison };

static hirl_status save_identity(hr_tensors *out, const hr_identity *identity,
                                 const hirl_dataset *dataset)
{
    if (dataset->parts)
        HR_TRY(hr_tensors_set_text(out, "images_split", dataset->split));
    HR_TRY(hr_tensors_set_text(out, "images_told_by", comparison[identity->told].word));
    return hr_tensors_set_int(out, "images_crc", identity->crc);
}

static const char metrics_lines[] =
    "metrics_lines"; /* in the directory of the run, if it has one */

static hirl_status save_texts(hr_tensors *out, const hirl_trainer *trainer)
{
    const hr_pretrain *pretrain = trainer->pretrain;

    HR_TRY(hr_checkpoint_mark(out));
    HR_TRY(hr_tensors_set_int(out, "numerics", NUMERICS));
    HR_TRY(hr_tensors_set_text(
        out, "evaluate", pretrain && pretrain->method->evaluate_teacher ? "teacher" : "online"));
    HR_TRY(hr_model_config_save(out, &trainer->config.model, trainer->config.levels));
    HR_TRY(hr_run_config_save(out, &trainer->config, &trainer->options));
    HR_TRY(hr_tensors_set_int(out, "step", trainer->progress.step));
    HR_TRY(hr_tensors_set_int(out, "images", trainer->dataset->count));
    HR_TRY(save_identity(out, &trainer->identity, trainer->dataset));
    HR_TRY(hr_tensors_set_int(out, "tree_epoch", trainer->grove.tree_epoch));
    HR_TRY(hr_tensors_set_int(out, "own_tree", trainer->grove.own_tree));
    HR_TRY(hr_tensors_set_int(out, "epoch_open", trainer->progress.epoch_open));
    HR_TRY(hr_tensors_set_int(out, "clustered", trainer->grove.clustered));
    if (hr_directory_writes(&trainer->directory))
        HR_TRY(hr_tensors_set_int(out, metrics_lines, hr_journal_lines(trainer)));
    return hr_tensors_set_text(out, "phase",
                               trainer->grove.making.maker || trainer->grove.making.kept
                                   ? "clustering"
                               : trainer->grove.making.extract ? "extracting"
                                                               : "training");
}

static hirl_status add_i32(hr_tensors *out, const char *name, const int32_t *data, int64_t n)
{
    return hr_tensors_add(out, name, HR_I32, 1, &n, data);
}

/* Copies the clustering state of the checkpoint that the run was resumed from: features are still
 * being extracted again, so that no tree maker exists yet. */
static hirl_status add_kept(hr_tensors *out, const hr_tensors *kept)
{
    for (int i = 0; i < kept->count; i++) {
        const hr_named *item = &kept->item[i];

        HR_TRY(hr_tensors_add(out, item->name, item->dtype, item->rank, item->dim, item->data));
    }
    for (int i = 0; i < kept->texts; i++)
        HR_TRY(hr_tensors_set_text(out, kept->text[i].key, kept->text[i].value));
    return HIRL_OK;
}

/* The result of the last step, doubles only: it is reported after a resume if the end of its epoch
 * is still to be done. */
static const int64_t one[] = { 1 };
static const int64_t last_shape[] = { offsetof(hr_step_result, top1) / sizeof(double) };

hirl_status hr_trainer_to_tensors(hr_tensors *out, const hirl_trainer *trainer)
{
    const hirl_dataset *data = trainer->dataset;

    HR_TRY(save_texts(out, trainer));
    HR_TRY(hr_learner_save(out, trainer->learner));
    if (data->unreadable)
        HR_TRY(hr_tensors_add(out, "unreadable", HR_U8, 1, &data->count, data->unreadable));
    if (trainer->grove.tree)
        HR_TRY(hr_tree_to_tensors(out, trainer->grove.tree, "tree."));
    if (trainer->grove.own_leaf)
        HR_TRY(add_i32(out, "own_leaf", trainer->grove.own_leaf, data->count));
    if (trainer->grove.making.maker)
        HR_TRY(hr_tree_maker_save(out, trainer->grove.making.maker, "maker."));
    else if (trainer->grove.making.kept)
        HR_TRY(add_kept(out, trainer->grove.making.kept));
    HR_TRY(hr_tensors_add(out, "churn", HR_F64, 1, one, &trainer->grove.churn));
    if (trainer->learner->task->labelled)
        HR_TRY(hr_tensors_add(out, "top1", HR_F64, 1, one, &trainer->progress.last.top1));
    return hr_tensors_add(out, "last", HR_F64, 1, last_shape, &trainer->progress.last);
}

hirl_status hr_trainer_save(hirl_trainer *trainer, const hr_to *to)
{
    hr_tensors state;
    hirl_status status;
    bool finite;

    HR_TRY(hr_learner_finite(&finite, trainer->learner));
    if (!finite)
        return hr_fail(HIRL_E_NONFINITE,
                       "a weight is not finite, so no checkpoint is written; try a lower lr");
    hr_journal_sync(trainer);
    hr_tensors_init(&state);
    status = hr_trainer_to_tensors(&state, trainer);
    if (status >= 0 && to)
        status = hr_tensors_put(&state, to);
    else if (status >= 0)
        status = hr_directory_save(&trainer->directory, &state, trainer->progress.step,
                                   trainer->config.train.keep);
    hr_tensors_done(&state);
    return status;
}

/* ---- load ---- */

/* A run that goes on with other arithmetic would be neither the old run nor a new one. The first
 * checkpoints have no entry. */
static hirl_status check_numerics(const hr_tensors *in)
{
    int64_t numerics = 1;

    if (hr_tensors_text(in, "numerics"))
        HR_TRY(hr_tensors_int(&numerics, in, "numerics"));
    if (numerics == NUMERICS)
        return HIRL_OK;
    return hr_fail(
        HIRL_E_VERSION,
        "checkpoint: numerics is %lld, this library computes with %d, so the run cannot "
        "continue with the same bits; finish it with the library that began it (env.json "
        "names it), or begin a new run",
        (long long)numerics, (int)NUMERICS);
}

/* Images of a callback cannot be compared, nor those of a checkpoint without the entry. */
static hirl_status check_identity(const hr_tensors *in, const hr_identity *here)
{
    const char *word = hr_tensors_text(in, "images_told_by");
    int64_t crc;
    int by = HR_TOLD_NOT;

    while (word && by < COMPARISONS && strcmp(comparison[by].word, word))
        by++;
    if (!word || by == COMPARISONS || by == HR_TOLD_NOT || here->told == HR_TOLD_NOT)
        return HIRL_OK;
    if (by != (int)here->told)
        return hr_fail(HIRL_E_INVALID, "the run has %s, but the data set has %s (the same number)",
                       comparison[by].images, comparison[here->told].images);
    HR_TRY(hr_tensors_int(&crc, in, "images_crc"));
    return crc == here->crc
               ? HIRL_OK
               : hr_fail(HIRL_E_INVALID,
                         "the data set has as many images as the run, but their %s differ",
                         comparison[by].differs);
}

/* Runs of images that are no files have only the key. */
static hirl_status check_exif(const hr_tensors *in, const hirl_dataset *dataset)
{
    const char *entry = hr_tensors_text(in, "model.exif");
    const char *key = hr_tensors_text(in, "config.exif");
    int32_t exif = entry ? !strcmp(entry, "1") : key && !strcmp(key, "1");

    if (dataset->exif >= 0 && dataset->exif != exif)
        return hr_fail(
            HIRL_E_INVALID,
            "exif=%d, but the run to be resumed has %d; give exif=%d, or start a new run",
            (int)dataset->exif, (int)exif, (int)exif);
    return HIRL_OK;
}

static hirl_status check_data(const hr_tensors *in, const hirl_trainer *trainer)
{
    const char *split = hr_tensors_text(in, "images_split"); /* NULL: no split */
    int64_t images;

    HR_TRY(hr_tensors_int(&images, in, "images"));
    if (images != trainer->dataset->count)
        return hr_fail(HIRL_E_INVALID, "the run has %lld images, but the data set has %lld",
                       (long long)images, (long long)trainer->dataset->count);
    if (split && trainer->dataset->parts && strcmp(split, trainer->dataset->split))
        return hr_fail(HIRL_E_INVALID, "the run has split %s, but the data set has split %s", split,
                       trainer->dataset->split);
    HR_TRY(check_exif(in, trainer->dataset));
    return check_identity(in, &trainer->identity);
}

/* Settings must be the same, except free ones. A saved `auto` is not compared: its value follows
 * from the others. */
static hirl_status check_setting(const hr_setting *setting, void *arg)
{
    char name[128];
    const char *kept;

    snprintf(name, sizeof name, "config.%s", setting->key->name);
    kept = hr_tensors_text(arg, name);
    if (!setting->free && kept && strcmp(kept, "auto") &&
        !hr_key_same(setting->key, kept, setting->value))
        return hr_fail(HIRL_E_INVALID, "%s is %s here, but %s in the checkpoint",
                       setting->key->name, setting->value, kept);
    return HIRL_OK;
}

static hirl_status load_tree(hirl_trainer *trainer, const hr_tensors *in)
{
    hirl_tree *tree = NULL;
    hirl_status status;

    if (!trainer->pretrain)
        return HIRL_OK;
    if (trainer->grove.tree_epoch < 0 && !trainer->grove.own_tree)
        return hr_pretrain_set_tree(trainer->pretrain, NULL);
    HR_TRY(hr_tree_from_tensors(&tree, trainer->context, in, "tree."));
    if (!trainer->grove.own_tree && tree->n != trainer->dataset->count)
        status = hr_fail(HIRL_E_FORMAT,
                         "checkpoint: the tree has %lld rows, expected %lld, one per image",
                         (long long)tree->n, (long long)trainer->dataset->count);
    else
        status = hr_pretrain_set_tree(trainer->pretrain, tree);
    if (status < 0) {
        hr_tree_drop(tree);
        return status;
    }
    trainer->grove.tree = tree;
    return trainer->grove.own_tree ? HIRL_OK : hr_tree_leaf_sizes(trainer->grove.leaf_size, tree);
}

static hirl_status load_own_leaves(hirl_trainer *trainer, const hr_tensors *in)
{
    const hr_named *found;

    if (!trainer->grove.own_tree && !hr_grove_reassigns(trainer)) {
        hr_free(trainer->grove.own_leaf);
        trainer->grove.own_leaf = NULL;
        return HIRL_OK;
    }
    HR_TRY(hr_tensors_need(&found, in, "own_leaf", HR_I32, 1, &trainer->dataset->count));
    if (!trainer->grove.own_leaf)
        trainer->grove.own_leaf =
            hr_alloc_array((size_t)trainer->dataset->count, sizeof *trainer->grove.own_leaf);
    if (!trainer->grove.own_leaf)
        return HIRL_E_NOMEM;
    for (int64_t i = 0; i < trainer->dataset->count; i++) {
        int32_t leaf = ((const int32_t *)found->data)[i];

        if (leaf < -1 || leaf >= trainer->grove.tree->m[0])
            return hr_fail(HIRL_E_FORMAT,
                           "checkpoint: leaf %d of image %lld, but the tree has %lld leaves",
                           (int)leaf, (long long)i, (long long)trainer->grove.tree->m[0]);
    }
    memcpy(trainer->grove.own_leaf, found->data, found->bytes);
    return HIRL_OK;
}

static hirl_status copy_maker_state(hirl_trainer *trainer, const hr_tensors *in)
{
    static const char prefix[] = "maker.";
    hr_recluster *r = &trainer->grove.making;

    r->kept = hr_alloc(sizeof *r->kept);
    if (!r->kept)
        return HIRL_E_NOMEM;
    hr_tensors_init(r->kept);
    for (int i = 0; i < in->count; i++) {
        const hr_named *item = &in->item[i];
        void *data;

        if (strncmp(item->name, prefix, sizeof prefix - 1))
            continue;
        HR_TRY(hr_tensors_new(&data, r->kept, item->name, item->dtype, item->rank, item->dim));
        memcpy(data, item->data, item->bytes);
    }
    for (int i = 0; i < in->texts; i++)
        if (!strncmp(in->text[i].key, prefix, sizeof prefix - 1))
            HR_TRY(hr_tensors_set_text(r->kept, in->text[i].key, in->text[i].value));
    return HIRL_OK;
}

static hirl_status load_position(hirl_trainer *trainer, const hr_tensors *in)
{
    const hr_named *last, *churn;
    int64_t own, open, clustered;

    HR_TRY(hr_tensors_int(&trainer->progress.step, in, "step"));
    HR_TRY(hr_tensors_int(&trainer->grove.tree_epoch, in, "tree_epoch"));
    HR_TRY(hr_tensors_int(&own, in, "own_tree"));
    HR_TRY(hr_tensors_int(&open, in, "epoch_open"));
    HR_TRY(hr_tensors_int(&clustered, in, "clustered"));
    HR_TRY(hr_tensors_need(&churn, in, "churn", HR_F64, 1, one));
    trainer->grove.own_tree = own != 0;
    trainer->progress.epoch_open = open != 0;
    trainer->grove.clustered = clustered != 0;
    memcpy(&trainer->grove.churn, churn->data, sizeof trainer->grove.churn);
    HR_TRY(hr_tensors_need(&last, in, "last", HR_F64, 1, last_shape));
    memcpy(&trainer->progress.last, last->data, last->bytes);
    if (trainer->learner->task->labelled) {
        HR_TRY(hr_tensors_need(&last, in, "top1", HR_F64, 1, one));
        memcpy(&trainer->progress.last.top1, last->data, sizeof(double));
    }
    if (trainer->progress.step < 0 || trainer->progress.step > trainer->progress.steps)
        return hr_fail(HIRL_E_FORMAT, "checkpoint: step is %lld, expected 0 to %lld",
                       (long long)trainer->progress.step, (long long)trainer->progress.steps);
    return HIRL_OK;
}

static hirl_status load_unreadable(hirl_trainer *trainer, const hr_tensors *in)
{
    hirl_dataset *data = trainer->dataset;
    const hr_named *unreadable;

    if (!hr_tensors_find(in, "unreadable"))
        return HIRL_OK;
    HR_TRY(hr_tensors_need(&unreadable, in, "unreadable", HR_U8, 1, &data->count));
    for (int64_t i = 0; i < data->count; i++) {
        uint8_t mark = ((const uint8_t *)unreadable->data)[i];

        if (mark > 1)
            return hr_fail(HIRL_E_FORMAT,
                           "checkpoint: unreadable is %d for image %lld, expected 0 or 1",
                           (int)mark, (long long)i);
    }
    hr_dataset_mark_all(data, unreadable->data);
    return HIRL_OK;
}

hirl_status hr_trainer_from_tensors(hirl_trainer *trainer, const hr_tensors *in)
{
    const char *phase = hr_tensors_text(in, "phase");
    int64_t lines = -1;

    HR_TRY(hr_checkpoint_check(in));
    HR_TRY(check_numerics(in));
    HR_TRY(check_data(in, trainer));
    HR_TRY(hr_run_config_each(&trainer->config, &trainer->options, check_setting, (void *)in));
    trainer->half_loaded = true;
    hr_recluster_drop(trainer);
    hr_tree_drop(trainer->grove.tree);
    trainer->grove.tree = NULL;
    HR_TRY(load_position(trainer, in));
    HR_TRY(hr_learner_load(trainer->learner, in));
    HR_TRY(load_tree(trainer, in));
    HR_TRY(load_own_leaves(trainer, in));
    HR_TRY(load_unreadable(trainer, in));
    if (phase && !strcmp(phase, "clustering"))
        HR_TRY(copy_maker_state(trainer, in));
    if (trainer->directory.goes_on && hr_tensors_text(in, metrics_lines))
        HR_TRY(hr_tensors_int(&lines, in, metrics_lines));
    HR_TRY(hr_feed_seek(trainer, trainer->progress.step));
    HR_TRY(hr_journal_resume(trainer, lines));
    trainer->half_loaded = false;
    return HIRL_OK;
}
