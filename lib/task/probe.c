/* probe.c - the labelled task: a linear classifier on a frozen encoder (probe.h). */
#include "task/probe.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "step/task.h"

enum { WEIGHT, BIAS };
enum { DECAYED = WEIGHT, PLAIN = BIAS }; /* parameter groups */
enum { RESULT_LOSS, RESULT_HITS };
enum { BLOCK = 256 }; /* rows that hr_probe_count classifies at a time */

static const double WEIGHT_STD = 0.01; /* initial W: normal; initial b: 0 (MoCo: He et al. 2020) */

/* ---- making ---- */

static hirl_status network(void *state, hr_learner *learner)
{
    hr_probe *self = state;
    int64_t classes = self->config.classes;
    int32_t weight, bias;

    self->learner = learner;
    HR_TRY(hr_net_init(&self->net, &self->config.model, 0));
    weight = hr_layout_add(&self->head, "fc.weight", HR_FIRST_NORMAL, WEIGHT_STD, 2,
                           (int64_t[]){ classes, self->net.backbone_dim });
    bias = hr_layout_add(&self->head, "fc.bias", HR_FIRST_ZERO, 1, 1, &classes);
    if (weight < 0 || bias < 0)
        return weight < 0 ? weight : bias;
    learner->params = &self->head;
    learner->norms = &self->no_norms;
    return HIRL_OK;
}

static int8_t group_of(const void *state, int32_t slot)
{
    (void)state;
    return slot == WEIGHT ? DECAYED : PLAIN;
}

static hirl_status make(void *state, hr_learner *learner)
{
    hr_probe *self = state;
    const hr_probe_config *c = &self->config;
    int64_t image[4] = { c->learner.batch, c->size, c->size, 3 };
    int64_t from = self->net.is_vit ? hr_vit_grid(&self->net.vit) : 0;
    int64_t to = self->net.is_vit ? c->size / self->net.vit.shape.patch : 0;

    HR_TRY(hr_weights_create(&self->encoder, learner->queue, &self->net.params,
                             self->net.backbone_params, &self->net.norms, self->net.backbone_norms,
                             false, c->learner.bf16));
    HR_TRY(hr_inputs_stream(&learner->inputs, &self->image, learner->tape.type, 4, image));
    HR_TRY(hr_inputs_add(&learner->inputs, &self->label, HR_I32, 1, &c->learner.batch));
    if (from != to)
        HR_TRY(hr_inputs_add(&learner->inputs, &self->positions, HR_REAL, 2,
                             (int64_t[]){ 1 + to * to, 1 + from * from }));
    return HIRL_OK;
}

static void done(void *state, hr_learner *learner)
{
    hr_probe *self = state;

    (void)learner;
    if (self->encoder.queue)
        hr_weights_done(&self->encoder);
    hr_net_done(&self->net);
    hr_layout_done(&self->head);
    hr_free(self);
}

hirl_status hr_probe_create(hr_learner **learner, hr_probe **out, hirl_context *context,
                            const hr_weights *encoder, const hr_probe_config *config)
{
    hr_probe *self = hr_alloc(sizeof *self);

    if (!self)
        return HIRL_E_NOMEM;
    self->config = *config;
    HR_TRY(hr_learner_create(learner, context, &hr_task_probe, self, &config->learner));
    *out = self;
    if (!encoder)
        return HIRL_OK;
    hr_weights_copy(&self->encoder, encoder);
    hr_weights_refresh(&self->encoder);
    return (*learner)->queue->be->sync((*learner)->queue);
}

/* ---- a step ---- */

static hirl_status fill(void *state, hr_learner *learner, const hr_step_input *in, hr_stage *stage)
{
    hr_probe *self = state;
    hr_scalars *s = &learner->scalars;

    if (in->views != 1 || in->size[0] != self->config.size || !in->label)
        return hr_fail(HIRL_E_INVALID,
                       "probe: %d views, the first of %lld pixels, %s labels; expected one view of "
                       "%lld pixels, with labels",
                       (int)in->views, (long long)in->size[0], in->label ? "with" : "without",
                       (long long)self->config.size);
    memcpy(self->label.host, in->label, (size_t)in->n * sizeof *in->label);
    if (self->positions.host)
        hr_position_weights(self->positions.host, hr_vit_grid(&self->net.vit),
                            self->config.size / self->net.vit.shape.patch);
    hr_inputs_send(&learner->inputs, &self->image, in->view[0], HR_F32);
    for (int g = DECAYED; g <= PLAIN; g++) {
        s->rate[g] = in->rates.rate;
        s->decay[g] = g == DECAYED || self->config.decay_all ? in->rates.decay : 0;
        s->momentum[g] = self->config.momentum;
    }
    *stage = (hr_stage){ .gradient = 1u << DECAYED | 1u << PLAIN,
                         .updated = 1u << DECAYED | 1u << PLAIN };
    return HIRL_OK;
}

/* [n,D] real, without gradient */
static hr_tensor *features_of(hr_probe *self, int64_t first, int64_t n)
{
    hr_tape *t = &self->learner->tape;
    hr_pass pass = { .tape = t, .weights = &self->encoder, .groups = 1, .running_groups = 1 };
    hr_vit_input input = { .positions = self->positions.device };
    hr_array rows = hr_slice(&self->image, first, n);
    bool training = t->training, recording = t->recording;
    hr_tensor *f;

    t->training = t->recording = false;
    f = hr_net_encode(&self->net, &pass, hr_wrap(t, &rows, NULL), &input).pooled;
    t->training = training;
    t->recording = recording;
    return f;
}

static hr_tensor *scores_of(hr_probe *self, hr_tensor *features)
{
    hr_tape *t = &self->learner->tape;
    const hr_weights *w = &self->learner->online;

    return hr_linear(t, features, hr_weight(t, w, WEIGHT), hr_weight(t, w, BIAS));
}

static hirl_status compute_micro(hr_probe *self, int64_t first, int64_t n)
{
    hr_tape *t = &self->learner->tape;
    hr_results *results = &self->learner->results;
    hr_array label = hr_slice(&self->label.device, first, n);
    hr_array hits = hr_slice(&results->number.device, RESULT_HITS, 1);
    hr_tensor *z = scores_of(self, features_of(self, first, n)); /* [n,C] */
    hr_tensor *loss =
        hr_scale(t, hr_cross_entropy(t, z, &label), 1.0 / (double)self->config.learner.accumulate);

    HR_TRY(t->recording ? hr_tape_backward(t, loss) : hr_tape_status(t));
    hr_results_add(results, RESULT_LOSS, &loss->x);
    t->q->be->hits(t->q, &hits, &z->x, &label);
    return HIRL_OK;
}

static hirl_status compute(void *state, hr_learner *learner, const hr_step_input *in)
{
    hr_probe *self = state;
    int64_t n = in->n / learner->config.accumulate;

    for (int64_t first = 0; first < in->n; first += n) {
        hr_tape_next(&learner->tape);
        HR_TRY(compute_micro(self, first, n));
    }
    return HIRL_OK;
}

static double chance(const void *state)
{
    return log((double)((const hr_probe *)state)->config.classes);
}

static void report(hr_step_result *result, void *state, const hr_learner *learner,
                   const hr_step_input *in)
{
    (void)state;
    result->loss = hr_result(&learner->results, RESULT_LOSS);
    result->top1 = hr_result(&learner->results, RESULT_HITS) / (double)in->n;
}

/* ---- evaluation ---- */

hirl_status hr_probe_count(int64_t *right, hr_probe *self, const float *features,
                           const int32_t *label, int64_t n)
{
    hr_learner *learner = self->learner;
    hr_tape *t = &learner->tape;
    hr_queue *q = learner->queue;
    int64_t d = self->net.backbone_dim;
    double hits = 0;

    hr_tape_reset(t);
    t->training = t->recording = false;
    hr_results_clear(&learner->results);
    for (int64_t first = 0; first < n; first += BLOCK) {
        int64_t rows = n - first < BLOCK ? n - first : BLOCK;
        hr_array x, classes, count = hr_slice(&learner->results.number.device, RESULT_HITS, 1);
        hr_tensor *z;

        hr_tape_next(t);
        x = hr_tape_array(t, HR_REAL, 2, (int64_t[]){ rows, d });
        classes = hr_tape_array_1(t, HR_I32, rows);
        HR_TRY(hr_tape_status(t));
        q->be->upload(q, &x, features + first * d, HR_F32);
        q->be->upload(q, &classes, label + first, HR_I32);
        z = scores_of(self, hr_wrap(t, &x, NULL));
        HR_TRY(hr_tape_status(t));
        q->be->hits(q, &count, &z->x, &classes);
    }
    HR_TRY(hr_results_read(&learner->results));
    hits = hr_result(&learner->results, RESULT_HITS);
    hr_tape_reset(t);
    *right = (int64_t)hits;
    return HIRL_OK;
}

/* ---- checkpoints hold the encoder too, so that they need no other file ---- */

static hirl_status save(hr_tensors *out, const void *state, const hr_learner *learner)
{
    const hr_weights *w = &((const hr_probe *)state)->encoder;

    HR_TRY(hr_layout_save(out, w->layout, w->slots, &w->value, learner->queue, "encoder."));
    return hr_layout_save(out, w->norms, w->norm_slots, &w->running, learner->queue, "encoder.");
}

static hirl_status load(void *state, hr_learner *learner, const hr_tensors *in)
{
    hr_weights *w = &((hr_probe *)state)->encoder;

    HR_TRY(hr_layout_load(&w->value, w->layout, w->slots, learner->queue, in, "encoder."));
    HR_TRY(hr_layout_load(&w->running, w->norms, w->norm_slots, learner->queue, in, "encoder."));
    hr_weights_refresh(w);
    return HIRL_OK;
}

const hr_task hr_task_probe = {
    .name = "linear",
    .labelled = true,
    .network = network,
    .group = group_of,
    .plain_groups = 1u << PLAIN,
    .make = make,
    .done = done,
    .fill = fill,
    .compute = compute,
    .chance = chance,
    .report = report,
    .save = save,
    .load = load,
};
