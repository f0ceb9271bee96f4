/* decisions.c - the inputs of a pretraining step besides images: ids, leaves, shares, scalars. */
#include "task/decisions.h"

#include <string.h>

#include "base/error.h"
#include "task/encode.h"

static hirl_status add_rows(hr_pretrain *self, hr_cell *cell, hr_dtype dtype)
{
    return hr_inputs_add(&self->learner->inputs, cell, dtype, 1, &self->config.learner.batch);
}

static hirl_status declare_paths(hr_pretrain *self)
{
    const hr_pretrain_config *c = &self->config;
    hr_queue *q = self->learner->queue;
    int64_t shape[2] = { c->learner.batch, c->negatives };

    HR_TRY(add_rows(self, &self->decided.positive, HR_I32));
    HR_TRY(hr_inputs_add(&self->learner->inputs, &self->decided.negative, HR_I32, 2, shape));
    HR_TRY(hr_inputs_add(&self->learner->inputs, &self->decided.share, HR_REAL, 1,
                         &c->learner.accumulate));
    if (!c->reassign)
        return HIRL_OK;
    self->chosen = hr_array_2(NULL, HR_I32, c->learner.batch, 1);
    self->score = hr_array_2(NULL, HR_REAL, c->learner.batch, 1);
    HR_TRY(hr_array_take(&self->chosen, q, "leaves"));
    HR_TRY(hr_array_take(&self->score, q, "leaves"));
    return hr_bundle_add(&self->learner->results.bundle, &self->leaf, HR_I32, 1, &c->learner.batch);
}

hirl_status hr_decisions_declare(hr_pretrain *self)
{
    hr_decisions *d = &self->decided;
    const int64_t one = 1;

    HR_TRY(add_rows(self, &d->image, HR_I64));
    HR_TRY(add_rows(self, &d->row, HR_I32));
    HR_TRY(hr_inputs_add(&self->learner->inputs, &d->temperature, HR_F64, 1, &one));
    if (self->method->shuffle_teacher) {
        HR_TRY(add_rows(self, &d->shuffled, HR_I32));
        HR_TRY(add_rows(self, &d->back, HR_I32));
    }
    return self->config.levels ? declare_paths(self) : HIRL_OK;
}

/* ---- a step ---- */

/* number of images that have a leaf */
static int64_t with_leaf(const int32_t *leaf, int64_t n)
{
    int64_t count = 0;

    for (int64_t i = 0; i < n; i++)
        count += leaf[i] >= 0;
    return count;
}

/* Counts the images of the step that have a leaf, over all ranks. If there are none, the step has
 * no path loss, and the heads h_l do not change: neither running statistics nor decay nor
 * momentum. */
static hirl_status count_leaves(hr_pretrain *self, const hr_step_input *in)
{
    int32_t count = 0;

    if (in->leaf && self->paths.tree)
        count = (int32_t)with_leaf(in->leaf, in->n);
    if (in->leaf)
        HR_TRY(hr_inputs_sum_over_ranks(&self->learner->inputs, &count,
                                        &self->learner->results.bad.device));
    self->leaves = count;
    return HIRL_OK;
}

static void fill_paths(hr_pretrain *self, const hr_step_input *in)
{
    hr_decisions *d = &self->decided;
    int64_t micros = self->config.learner.accumulate, n = in->n / micros;
    int32_t ranks = hr_queue_ranks(self->learner->queue);
    real *share = d->share.host;

    memcpy(d->positive.host, in->leaf, (size_t)in->n * sizeof *in->leaf);
    memcpy(d->negative.host, in->negative,
           (size_t)(in->n * self->config.negatives) * sizeof *in->negative);
    for (int64_t m = 0; m < micros; m++)
        share[m] = (real)((double)with_leaf(in->leaf + m * n, n) * ranks / self->leaves);
}

static void fill_rows(hr_pretrain *self, const hr_step_input *in)
{
    hr_decisions *d = &self->decided;
    int32_t *row = d->row.host, first = hr_queue_rank(self->learner->queue) * (int32_t)in->n;

    memcpy(d->image.host, in->image, (size_t)in->n * sizeof *in->image);
    for (int32_t i = 0; i < in->n; i++)
        row[i] = first + i;
    *(double *)d->temperature.host = in->rates.teacher_temperature;
}

static hr_stage stage_of(const hr_pretrain *self, const hr_step_input *in)
{
    hr_stage stage = { .gradient = 1u << HR_GROUP_METHOD | 1u << HR_GROUP_PLAIN |
                                   1u << HR_GROUP_PREDICTOR | 1u << HR_GROUP_PREDICTOR_PLAIN |
                                   1u << HR_GROUP_LAST };

    if (self->leaves) {
        stage.name |= HR_STAGE_PATHS;
        stage.gradient |= 1u << HR_GROUP_PATH | 1u << HR_GROUP_PATH_PLAIN;
    }
    if (self->reassigns)
        stage.name |= HR_STAGE_REASSIGN;
    if (self->method->stage)
        stage.name |=
            (uint16_t)(self->method->stage(self->method_state, in->step, in->n) * HR_STAGE_METHOD);
    if (self->method->declared) /* the application's loss is called on the host */
        stage.host_points = self->method->coupled ? 1 : (int32_t)self->config.learner.accumulate;
    stage.arrays = self->paths.arrays;
    stage.updated = stage.gradient;
    if (in->rates.freeze_last) {
        stage.name |= HR_STAGE_FROZEN;
        stage.updated &= (uint8_t) ~(1u << HR_GROUP_LAST);
    }
    return stage;
}

static void set_scalars(hr_pretrain *self, const hr_step_input *in)
{
    hr_scalars *s = &self->learner->scalars;

    for (int g = 0; g <= HR_GROUP_PATH_PLAIN; g++) {
        s->rate[g] = in->rates.rate;
        s->decay[g] = g < HR_GROUP_PATH ? in->rates.decay : in->rates.path_decay;
        s->momentum[g] = self->config.momentum;
    }
    s->rate[HR_GROUP_PREDICTOR] = s->rate[HR_GROUP_PREDICTOR_PLAIN] = in->rates.predictor_rate;
    s->decay[HR_GROUP_PLAIN] = s->decay[HR_GROUP_PREDICTOR_PLAIN] = 0;
    s->decay[HR_GROUP_PATH_PLAIN] = 0;
    s->ema = in->rates.ema;
}

hirl_status hr_decisions_fill(void *state, hr_learner *learner, const hr_step_input *in,
                              hr_stage *stage)
{
    hr_pretrain *self = state;

    (void)learner;
    self->input = in;
    HR_TRY(count_leaves(self, in));
    self->reassigns = self->leaves && in->chosen && self->config.reassign;
    fill_rows(self, in);
    if (self->leaves)
        fill_paths(self, in);
    set_scalars(self, in);
    *stage = stage_of(self, in);
    return hr_encodings_fill(self, in);
}
