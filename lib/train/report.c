/* report.c - what a step tells: the report struct, a line of metrics.jsonl.
 *
 *   {"step":40,"epoch":3,"time":1785312000,"train_loss":..,"loss_img":..,"loss_spd":..,"lr":..,"wd":..,
 *    "grad_norm":..,"images_per_s":..,"data_wait":..,"mem_gb":..,"eta_s":..,
 *    teacher's, clustering's and health figures where there are any}
 *
 * time: of the clock on the wall when the line was written, seconds since 1970 (UTC); a run that was
 * resumed shows the pause. mem_gb: memory_gb of hirl_step_report. With images_per_s, data_wait and
 * eta_s, which a line of no timed step lacks, they are what differs between two runs of the same seed.
 */
#include <fcntl.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/error.h"
#include "base/memory.h"
#include "config/rates.h"
#include "train/trainer.h"

double hr_seconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static void fill_speed(hirl_step_report *r, const hirl_trainer *trainer)
{
    double seconds = hr_seconds() - trainer->started;
    int64_t steps = trainer->step - trainer->started_step;

    if (steps < 1 || seconds <= 0)
        return;
    r->images_per_s = (double)(steps * trainer->config.train.batch_size) / seconds;
    r->data_wait = trainer->waited / seconds;
    r->seconds_left = (double)(trainer->steps - trainer->step) * seconds / (double)steps;
}

/* of the last step */
static void fill_rates(hirl_step_report *r, const hirl_trainer *trainer)
{
    const hr_method *method = trainer->pretrain->method;
    int64_t step = trainer->step > 0 ? trainer->step - 1 : 0;
    hr_rates rates = hr_rates_at(&trainer->config.train, step, trainer->per_epoch);

    r->rate = rates.rate;
    r->weight_decay = rates.decay;
    r->teacher_momentum = method->teacher ? rates.ema : -1;
    r->teacher_temperature = method->distills ? rates.teacher_temperature : -1;
}

static int64_t empty_leaves(const hirl_tree *tree)
{
    int64_t empty = 0;

    for (int64_t i = 0; tree && i < tree->m[0]; i++)
        empty += tree->size[0][i] == 0;
    return empty;
}

void hr_trainer_report(hirl_step_report *out, const hirl_trainer *trainer,
                       const hr_step_result *result)
{
    hirl_step_report r = { 0 };
    size_t size = out->struct_size;

    r.struct_size = size;
    r.step = trainer->step;
    r.steps = trainer->steps;
    r.epoch = trainer->step ? (trainer->step - 1) / trainer->per_epoch : 0;
    r.epochs = trainer->config.train.epochs;
    r.images = trainer->step * trainer->config.train.batch_size;
    r.loss = result->loss;
    r.loss_image = result->loss_image;
    r.loss_spd = result->loss_spd;
    r.grad_norm = result->grad_norm;
    fill_rates(&r, trainer);
    r.teacher_entropy = result->teacher_entropy;
    r.usage_entropy = result->usage_entropy;
    fill_speed(&r, trainer);
    r.epoch_end = trainer->step > 0 && trainer->step % trainer->per_epoch == 0;
    r.health_std = trainer->health.std;
    r.health_rank = trainer->health.rank;
    r.churn = trainer->churn;
    r.empty_clusters = empty_leaves(trainer->tree);
    r.smallest_leaf = trainer->leaf_size[0];
    r.median_leaf = trainer->leaf_size[1];
    r.largest_leaf = trainer->leaf_size[2];
    r.memory_gb = 1e-9 * (double)hr_memory_peak();
    r.judgement = trainer->judgement;
    memcpy(out, &r, size < sizeof r ? size : sizeof r);
}

/* -1: the method has none */
static void set_if_any(json_t *o, const char *name, double value)
{
    if (o && value >= 0)
        json_object_set_new(o, name, json_real(value));
}

static json_t *line_of(const hirl_step_report *r)
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
    if (o && r->epoch_end) {
        json_object_set_new(o, "std", json_real(r->health_std));
        json_object_set_new(o, "rank", json_real(r->health_rank));
        json_object_set_new(o, "judgement", json_string(r->judgement));
    }
    return o;
}

hirl_status hr_trainer_metric(const hirl_trainer *trainer, const hirl_step_report *report)
{
    json_t *object;
    char *line;
    hirl_status status;

    if (!trainer->directory.path)
        return HIRL_OK;
    object = line_of(report);
    line = object ? json_dumps(object, JSON_COMPACT | JSON_REAL_PRECISION(9)) : NULL;
    status = line ? hr_directory_metric(&trainer->directory, line)
                  : hr_fail(HIRL_E_NOMEM, "out of memory: metrics");
    free(line);
    json_decref(object);
    return status;
}
