/* journal.c - reports of a run: hirl_step_report, metrics.jsonl, and the clock for rates.
 *
 *   {"step":40,"epoch":3,"time":1785312000,"train_loss":..,"loss_img":..,"loss_spd":..,"lr":..,
 *    "wd":..,"grad_norm":..,"mem_gb":..,"images_per_s":..,"data_wait":..,"eta_s":..,
 *    figures of teacher, clustering and health, if there are any}
 *
 * time: seconds since 1970 (UTC) when the line was written, so the pause before a resume is
 * visible. mem_gb: memory_gb of hirl_step_report. images_per_s, data_wait and eta_s are left out if
 * no step was timed. Two runs of the same seed differ only in these five and in cluster_s.
 */
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/error.h"
#include "base/halt.h"
#include "base/memory.h"
#include "config/rates.h"
#include "context.h"
#include "train/directory_metrics.h"
#include "train/grove.h"
#include "train/journal.h"
#include "train/run.h"

double hr_seconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

void hr_journal_init(hirl_trainer *trainer)
{
    trainer->journal.reported = -1;
    trainer->journal.judgement[0] = 0;
}

hirl_status hr_journal_resume(hirl_trainer *trainer, int64_t expected)
{
    hr_journal *journal = &trainer->journal;
    int64_t step = trainer->progress.step, last;

    HR_TRY(hr_directory_cut_metrics(&journal->lines, &last, &trainer->directory, step));
    journal->started = 0;
    journal->started_step = step;
    journal->reported = last == step ? step : -1; /* the end of its epoch may still be to be done */
    if (journal->lines < expected)
        hr_log(trainer->context, HIRL_LOG_WARNING,
               "metrics.jsonl has lost lines: up to step %lld it had %lld, and %lld are left, the "
               "last one of step %lld",
               (long long)step, (long long)expected, (long long)journal->lines,
               (long long)(last < 0 ? 0 : last));
    return HIRL_OK;
}

int64_t hr_journal_lines(const hirl_trainer *trainer)
{
    return trainer->journal.lines;
}

void hr_journal_sync(const hirl_trainer *trainer)
{
    if (hr_directory_sync_metrics(&trainer->directory) < 0)
        hr_log(trainer->context, HIRL_LOG_WARNING, "metrics.jsonl: %s", hr_error_text());
}

void hr_journal_start(hirl_trainer *trainer)
{
    trainer->journal.started = hr_seconds();
    trainer->journal.started_step = trainer->progress.step;
    trainer->journal.waited = 0;
}

bool hr_journal_started(const hirl_trainer *trainer)
{
    return trainer->journal.started > 0;
}

void hr_journal_waited(hirl_trainer *trainer, double seconds)
{
    trainer->journal.waited += seconds;
}

void hr_journal_health(hirl_trainer *trainer, const hr_health *health, const char *judgement)
{
    trainer->journal.health = *health;
    snprintf(trainer->journal.judgement, HR_HEALTH_TEXT, "%s", judgement);
}

void hr_journal_set(hirl_trainer *trainer, hirl_report_fn *report, hr_user user)
{
    hr_user before = trainer->journal.report_user;

    trainer->journal.report = report;
    trainer->journal.report_user = user;
    hr_user_release(before);
}

hirl_status hr_journal_call(const hirl_trainer *trainer, const hirl_step_report *report)
{
    const hr_journal *journal = &trainer->journal;
    int32_t answer = journal->report ? journal->report(report, journal->report_user.data) : 0;

    if (answer < 0)
        return hr_fail_callback(answer, "report");
    return answer > 0 ? hr_halt_fail() : HIRL_OK;
}

const char *hr_journal_judgement(const hirl_trainer *trainer)
{
    return trainer->journal.judgement;
}

static void fill_speed(hirl_step_report *r, const hirl_trainer *trainer)
{
    double seconds = hr_seconds() - trainer->journal.started;
    int64_t steps = trainer->progress.step - trainer->journal.started_step;

    if (steps < 1 || seconds <= 0)
        return;
    r->images_per_s = (double)(steps * trainer->config.train.batch_size) / seconds;
    r->data_wait = trainer->journal.waited / seconds;
    r->seconds_left =
        (double)(trainer->progress.steps - trainer->progress.step) * seconds / (double)steps;
}

/* the rates of the last step */
static void fill_rates(hirl_step_report *r, const hirl_trainer *trainer)
{
    const hr_method *method = trainer->pretrain ? trainer->pretrain->method : NULL;
    int64_t step = trainer->progress.step > 0 ? trainer->progress.step - 1 : 0;
    hr_rates rates = hr_rates_at(&trainer->config.train, step, trainer->progress.per_epoch);

    r->rate = rates.rate;
    r->weight_decay = rates.decay;
    r->teacher_momentum = method && method->teacher ? rates.ema : -1;
    r->teacher_temperature = method && method->distills ? rates.teacher_temperature : -1;
}

void hr_trainer_report(hirl_step_report *out, const hirl_trainer *trainer,
                       const hr_step_result *result)
{
    hirl_step_report r = { .struct_size = sizeof r };

    r.step = trainer->progress.step;
    r.steps = trainer->progress.steps;
    r.epoch =
        trainer->progress.step ? (trainer->progress.step - 1) / trainer->progress.per_epoch : 0;
    r.epochs = trainer->config.train.epochs;
    r.images = trainer->progress.step * trainer->config.train.batch_size;
    r.loss = result->loss;
    r.loss_image = result->loss_image;
    r.loss_spd = result->loss_spd;
    r.grad_norm = result->grad_norm;
    fill_rates(&r, trainer);
    r.teacher_entropy = result->teacher_entropy;
    r.usage_entropy = result->usage_entropy;
    fill_speed(&r, trainer);
    r.epoch_end =
        trainer->progress.step > 0 && trainer->progress.step % trainer->progress.per_epoch == 0;
    r.health_std = trainer->journal.health.std;
    r.health_rank = trainer->journal.health.rank;
    hr_grove_report(&r, trainer);
    r.memory_gb = 1e-9 * (double)hr_memory_peak();
    r.top1 = result->top1;
    *out = r;
}

/* A negative value means that the run has no such figure. */
static void set_if_any(json_t *o, const char *name, double value)
{
    if (o && value >= 0)
        json_object_set_new(o, name, json_real(value));
}

static json_t *line_of(const hirl_step_report *r, const char *judgement)
{
    json_t *o =
        json_pack("{sI sI sI sf sf sf sf sf sf sf}", "step", (json_int_t)r->step, "epoch",
                  (json_int_t)r->epoch, "time", (json_int_t)time(NULL), "train_loss", r->loss,
                  "loss_img", r->loss_image, "loss_spd", r->loss_spd, "lr", r->rate, "wd",
                  r->weight_decay, "grad_norm", r->grad_norm, "mem_gb", r->memory_gb);

    if (r->images_per_s > 0) {
        set_if_any(o, "images_per_s", r->images_per_s);
        set_if_any(o, "data_wait", r->data_wait);
        set_if_any(o, "eta_s", r->seconds_left);
    }
    set_if_any(o, "teacher_momentum", r->teacher_momentum);
    set_if_any(o, "teacher_temperature", r->teacher_temperature);
    set_if_any(o, "teacher_entropy", r->teacher_entropy);
    set_if_any(o, "usage_entropy", r->usage_entropy);
    set_if_any(o, "top1", r->top1);
    if (o && r->clustered)
        json_object_set_new(o, "cluster_s", json_real(r->cluster_seconds));
    if (o && r->clustered && r->churn >= 0)
        json_object_set_new(o, "churn", json_real(r->churn));
    if (o && r->clustered)
        json_object_set_new(o, "empty_clusters", json_integer((json_int_t)r->empty_clusters));
    if (o && r->clustered)
        json_object_set_new(o, "leaf_images",
                            json_pack("{sI sI sI}", "smallest", (json_int_t)r->smallest_leaf,
                                      "median", (json_int_t)r->median_leaf, "largest",
                                      (json_int_t)r->largest_leaf));
    if (o && r->epoch_end && r->top1 < 0) { /* not measured in a labelled run */
        json_object_set_new(o, "std", json_real(r->health_std));
        json_object_set_new(o, "rank", json_real(r->health_rank));
        json_object_set_new(o, "judgement", json_string(judgement));
    }
    return o;
}

static hirl_status write_line(const hirl_trainer *trainer, const hirl_step_report *report)
{
    json_t *object;
    char *line;
    hirl_status status;

    if (!trainer->directory.path)
        return HIRL_OK;
    object = line_of(report, trainer->journal.judgement);
    line = object ? json_dumps(object, JSON_COMPACT | JSON_REAL_PRECISION(9)) : NULL;
    status = line ? hr_directory_metric(&trainer->directory, line)
                  : hr_fail(HIRL_E_NOMEM, "out of memory: metrics");
    free(line);
    json_decref(object);
    return status;
}

void hr_journal_write(hirl_trainer *trainer, const hirl_step_report *report)
{
    bool due = report->clustered || report->epoch_end ||
               trainer->progress.step % trainer->config.train.log_every == 0;

    if (!due || trainer->journal.reported == trainer->progress.step)
        return;
    trainer->journal.reported = trainer->progress.step;
    if (write_line(trainer, report) < 0)
        hr_log(trainer->context, HIRL_LOG_WARNING, "metrics.jsonl: %s", hr_error_text());
    else
        trainer->journal.lines++;
}
