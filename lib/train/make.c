/* make.c - makes a trainer from a start model or from the last checkpoint of its run. */
#include "train/make.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "config/config.h"
#include "config/config_text.h"
#include "config/idle.h"
#include "data/colours.h"
#include "data/keys.h"
#include "data/split.h"
#include "nn/model.h"
#include "ssl/method_table.h"
#include "step/task.h"
#include "train/checkpoint.h"
#include "train/directory.h"
#include "train/directory_files.h"
#include "train/environment.h"
#include "train/feed.h"
#include "train/grove.h"
#include "train/journal.h"
#include "train/linear.h"
#include "train/pretraining.h"
#include "train/recluster.h"
#include "train/result.h"
#include "train/run.h"
#include "train/trainer.h"

enum { COLOUR_IMAGES = 1000 };

/* Prints numbers with a decimal point in every locale. */
static void three_texts(char *text, size_t bytes, const double x[3])
{
    char number[3][64];

    for (int i = 0; i < 3; i++)
        hr_real_text(number[i], sizeof number[i], x[i]);
    snprintf(text, bytes, "%s,%s,%s", number[0], number[1], number[2]);
}

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
        three_texts(c->mean_text, sizeof c->mean_text, c->mean);
    }
    if (std) {
        memcpy(c->std, found_std, sizeof c->std);
        three_texts(c->std_text, sizeof c->std_text, c->std);
    }
    return HIRL_OK;
}

/* Records the split that split=auto found, so that folders which appear beside it later do not
 * matter when the run is resumed. */
static hirl_status record_split(hirl_trainer *trainer)
{
    const hr_option *given = hr_options_find(&trainer->options, "split");
    const char *split = hr_dataset_split_key(trainer->dataset);

    if (!split || (given && strcmp(given->value, "auto") != 0))
        return HIRL_OK;
    for (int i = 0; i < hr_data_keys.count; i++)
        if (!strcmp(hr_data_keys.key[i].name, "split"))
            return hr_options_put(&trainer->options, &hr_data_keys.key[i], split, HR_FROM_CALLER);
    return HIRL_OK;
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

/* by HR_TASK_ of config/run_config.h */
static const hr_run_task *const tasks[] = {
    [HR_TASK_PRETRAIN] = &hr_pretraining_run,
    [HR_TASK_LINEAR] = &hr_linear_run,
};

/* Each rank computes an equal part of every batch. Trees, and the key queues of SwAV, are
 * not shared between ranks in this version. */
static hirl_status check_ranks(const hirl_trainer *trainer)
{
    const hr_train_config *t = &trainer->config.train;
    const hr_method *method = hr_method_find(trainer->config.model.method);
    int64_t ranks = hr_context_ranks(trainer->context);
    int64_t groups = method->sync ? ranks : t->bn_groups;

    if (ranks == 1)
        return HIRL_OK;
    if (t->hirl || (method->queue == HR_QUEUE_ROWS && t->queue))
        return hr_fail(HIRL_E_UNSUPPORTED,
                       "hirl=%lld queue=%lld: a hierarchy or SwAV's key queue needs one rank, "
                       "but there are %lld",
                       (long long)t->hirl, (long long)t->queue, (long long)ranks);
    if (t->batch_size % (ranks * t->accumulate) || groups % (ranks * t->accumulate))
        return hr_fail(HIRL_E_INVALID,
                       "batch_size=%lld, bn_groups=%lld: expected multiples of %lld ranks times "
                       "%lld micro-batches",
                       (long long)t->batch_size, (long long)t->bn_groups, (long long)ranks,
                       (long long)t->accumulate);
    return HIRL_OK;
}

static hirl_status make_parts(hirl_trainer *trainer, const hirl_model *start)
{
    hr_train_config *t = &trainer->config.train;
    int64_t per_epoch;

    HR_TRY(hr_run_config_read(&trainer->config, &trainer->options, trainer->dataset->count));
    trainer->task = tasks[trainer->config.label.task];
    if (trainer->task->model_fixed && start) {
        int64_t seed = trainer->config.model.seed; /* kept: a resumed run knows no other */

        trainer->config.model = start->config;
        trainer->config.model.seed = seed;
    }
    HR_TRY(check_ranks(trainer));
    trainer->config.model.exif = trainer->dataset->exif;
    if (t->loader_threads == HR_AUTO)
        t->loader_threads = hr_pool_half(hr_context_pool(trainer->context));
    HR_TRY(hr_dataset_identify(&trainer->identity, trainer->dataset));
    HR_TRY(resolve_colours(trainer));
    HR_TRY(hr_feed_open(&per_epoch, trainer));
    hr_trainer_set_steps(trainer, per_epoch);
    HR_TRY(trainer->task->make(trainer, start));
    return hr_feed_make(trainer);
}

/* Prints "; chance level of the loss 9.21, expected first loss between 0.51 and 9.60", or nothing
 * if unknown. The second part is for new weights only. */
static void expected_loss(char *text, size_t bytes, const hirl_trainer *trainer, bool fresh)
{
    const hr_learner *learner = trainer->learner;
    const hr_method *method;
    hr_method_config m;
    double chance = learner->task->chance(learner->self), first[2];
    int length;

    text[0] = 0;
    if (isnan(chance))
        return;
    length = snprintf(text, bytes, "; chance level of the loss %.2f", chance);
    method = trainer->pretrain ? trainer->pretrain->method : NULL;
    if (!fresh || !method || !method->first)
        return;
    m = hr_pretrain_numbers(trainer->pretrain);
    method->first(first, &m);
    if (first[1] - first[0] < 0.005)
        snprintf(text + length, bytes - (size_t)length, ", expected first loss near %.2f",
                 first[1]);
    else
        snprintf(text + length, bytes - (size_t)length,
                 ", expected first loss between %.2f and %.2f", first[0], first[1]);
}

static void announce(hirl_trainer *trainer, bool fresh)
{
    const hr_train_config *t = &trainer->config.train;
    char expected[128];

    expected_loss(expected, sizeof expected, trainer, fresh);
    hr_log(trainer->context, HIRL_LOG_INFO,
           "%lld images, %lld steps per epoch with batch_size=%lld, %lld epochs; "
           "lr %g (%g per 256 images)%s",
           (long long)trainer->dataset->count, (long long)trainer->progress.per_epoch,
           (long long)t->batch_size, (long long)t->epochs, t->lr,
           t->lr * 256 / (double)t->batch_size, expected);
    if (*trainer->config.fitted)
        hr_log(trainer->context, HIRL_LOG_INFO, "fitted to %lld images and %lld epochs: %s",
               (long long)trainer->dataset->count, (long long)t->epochs, trainer->config.fitted);
    if (t->hirl && !trainer->config.levels)
        hr_log(trainer->context, HIRL_LOG_WARNING,
               "cluster_warmup_epoch=%lld is not below epochs=%lld, so this run has no hierarchy",
               (long long)t->cluster_warmup_epoch, (long long)t->epochs);
    for (int l = 0; l < trainer->config.levels; l++)
        hr_log(trainer->context, HIRL_LOG_INFO, "level %d: %lld prototypes", l + 1,
               (long long)trainer->config.m[l]);
}

static hirl_status begin(hirl_trainer *trainer, const hirl_model *start, bool fresh)
{
    HR_TRY(make_parts(trainer, start));
    if (fresh) {
        HR_TRY(hr_directory_clear(&trainer->directory));
        HR_TRY(record_split(trainer));
        HR_TRY(write_settings(trainer));
        HR_TRY(hr_trainer_environment(trainer));
    }
    announce(trainer, fresh && !start);
    if (fresh && trainer->pretrain)
        hr_idle_keys(trainer->context, &trainer->config, trainer->pretrain->method,
                     &trainer->options);
    return HIRL_OK;
}

static hirl_status resume(hirl_trainer *trainer, const hirl_options *given)
{
    hr_tensors state;
    hirl_status status;

    hr_tensors_init(&state);
    status = hr_directory_load(&state, &trainer->directory, trainer->context);
    if (status == HIRL_E_STATE) {
        hr_error why;

        hr_error_keep(&why, status);
        status = hr_fail(HIRL_E_STATE, "%s; %s", why.text,
                         trainer->directory.has_settings ? "overwrite=1 starts a new run"
                                                         : "choose another out= for a new run");
    }
    if (status >= 0) {
        hr_options_done(&trainer->options);
        status = hr_run_config_resume(&trainer->options, &state, given);
    }
    if (status >= 0)
        status = begin(trainer, NULL, false);
    if (status >= 0)
        status = hr_trainer_from_tensors(trainer, &state);
    if (status >= 0)
        status = hr_result_restore(trainer);
    if (status >= 0)
        status = write_settings(trainer); /* last, so that a refused resume changes no file */
    if (status >= 0)
        status = hr_trainer_environment(trainer);
    if (status >= 0)
        hr_log(trainer->context, HIRL_LOG_INFO, "resuming at step %lld of %lld",
               (long long)trainer->progress.step, (long long)trainer->progress.steps);
    hr_tensors_done(&state);
    return status;
}

static hirl_status create(hirl_trainer *trainer, const hirl_model *start,
                          const hirl_options *options)
{
    hr_train_config train;

    HR_TRY(hr_options_read(&train, &hr_train_keys, options));
    if (train.resume && train.overwrite)
        return hr_fail(HIRL_E_INVALID, "resume=1 and overwrite=1: one resumes the run, the other "
                                       "replaces it; give one of them");
    HR_TRY(hr_directory_open(&trainer->directory, train.out, train.resume, train.overwrite,
                             hr_context_rank(trainer->context)));
    if (options)
        HR_TRY(hr_options_copy(&trainer->options, options));
    if (train.resume && !trainer->directory.goes_on)
        hr_log(trainer->context, HIRL_LOG_INFO, "%s: %s", train.out,
               trainer->directory.has_settings ? "no checkpoint yet; the run starts at step 0"
                                               : "no run to resume; a new one starts");
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
    hr_grove_init(trainer);
    hr_journal_init(trainer);
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
    hr_journal_set(trainer, NULL, (hr_user){ 0 });
    hr_feed_close(trainer);
    hr_grove_clear(trainer);
    hr_learner_destroy(trainer->learner);
    hr_directory_close(&trainer->directory);
    hr_options_done(&trainer->options);
    hr_dataset_drop(trainer->dataset);
    hr_context_drop(trainer->context);
    hr_free(trainer);
}
