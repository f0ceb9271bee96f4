/* pretrain.c - the pretraining task: its networks, its parameter groups, its state. */
#include "task/pretrain.h"
#include "ssl/method_table.h"

#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "ssl/own.h"
#include "step/state.h"
#include "step/task.h"
#include "task/coupled.h"
#include "task/decisions.h"
#include "task/encode.h"
#include "task/losses.h"
#include "task/paths.h"
#include "task/reassign.h"

/* ---- parameter groups ---- */

static bool is_frozen(const hr_model_config *c, const char *name)
{
    if (!hr_arch_is_vit(c->arch))
        return false;
    return (c->positions == 1 && !strcmp(name, "pos_embed")) ||
           (c->frozen_patch && !strncmp(name, "patch_embed.", strlen("patch_embed.")));
}

static int8_t group_of(const void *state, int32_t slot)
{
    const hr_pretrain *self = state;
    const hr_pretrain_config *c = &self->config;
    const hr_net *net = &self->net;
    const hr_slot *s = &net->params.slot[slot];
    bool is_path = slot >= net->method_params;
    bool plain = hr_optim_plain(s) && !(is_path ? c->path_decay_all : c->decay_all);

    if (is_frozen(&c->model, s->name))
        return -1;
    if (is_path)
        return plain ? HR_GROUP_PATH_PLAIN : HR_GROUP_PATH;
    if (slot == net->last)
        return HR_GROUP_LAST;
    if (slot >= net->shared_params && net->has_predictor)
        return plain ? HR_GROUP_PREDICTOR_PLAIN : HR_GROUP_PREDICTOR;
    return plain ? HR_GROUP_PLAIN : HR_GROUP_METHOD;
}

/* ---- making ---- */

/* Checks that the network has every part that the method's loss reads. */
static hirl_status check_network(const hr_pretrain *self)
{
    const hr_method *method = self->method;
    const hr_net *net = &self->net;

    if (method->predictor && !net->has_predictor)
        return hr_fail(HIRL_E_INVALID, "%s needs a predictor: predictor=\"mlp hidden z bn\"",
                       method->name);
    if (method->last && net->last_kind != method->last)
        return hr_fail(HIRL_E_INVALID, "%s needs last=%s", method->name,
                       method->last == HR_LAST_PROTOTYPES ? "prototypes" : "weight_norm");
    if (method->patches && (!net->is_vit || net->mask_token < 0))
        return hr_fail(HIRL_E_INVALID, "%s needs a vision transformer and mask_token=1",
                       method->name);
    if (method->patches && net->method_norms)
        return hr_fail(
            HIRL_E_INVALID,
            "%s: head=\"%.60s\" has batch norm, which cannot be used with patches; remove it",
            method->name, self->config.model.head);
    return HIRL_OK;
}

static hirl_status network(void *state, hr_learner *learner)
{
    hr_pretrain *self = state;

    self->learner = learner;
    HR_TRY(hr_net_init(&self->net, &self->config.model, self->config.levels));
    HR_TRY(check_network(self));
    learner->params = &self->net.params;
    learner->norms = &self->net.norms;
    return HIRL_OK;
}

hr_method_config hr_pretrain_numbers(const hr_pretrain *self)
{
    const hr_pretrain_config *c = &self->config;
    hr_method_config m = c->method;

    m.batch = c->learner.batch;
    m.ranks = hr_queue_ranks(self->learner->queue);
    m.d = self->net.z_dim;
    m.out = self->net.out_dim;
    m.seed = c->learner.seed;
    return m;
}

static hirl_status make_method(hr_pretrain *self)
{
    hr_method_config numbers = hr_pretrain_numbers(self);

    if (!self->method->state_size)
        return HIRL_OK;
    self->method_state = hr_alloc(self->method->state_size);
    if (!self->method_state)
        return HIRL_E_NOMEM;
    return self->method->init(self->method_state, self->learner->queue, &numbers);
}

static hirl_status make(void *state, hr_learner *learner)
{
    hr_pretrain *self = state;
    const hr_net *net = &self->net;

    if (self->method->teacher)
        HR_TRY(hr_weights_create(&learner->teacher, learner->queue, &net->params,
                                 net->shared_params, &net->norms, net->shared_norms, false,
                                 self->config.learner.bf16));
    self->inverse = hr_array_1(NULL, HR_REAL, net->out_dim);
    if (net->last_kind == HR_LAST_PROTOTYPES)
        HR_TRY(hr_array_take(&self->inverse, learner->queue, "learner"));
    HR_TRY(make_method(self));
    HR_TRY(hr_decisions_declare(self));
    return hr_encodings_declare(self);
}

static void done(void *state, hr_learner *learner)
{
    hr_pretrain *self = state;
    hr_queue *q = learner ? learner->queue : NULL;

    if (q) {
        hr_pretrain_set_tree(self, NULL);
        hr_array_give(&self->inverse, q);
        hr_array_give(&self->chosen, q);
        hr_array_give(&self->score, q);
        if (self->method_state)
            self->method->done(self->method_state, q);
    }
    hr_net_done(&self->net);
    hr_free(self->method_state);
    hr_free(self);
}

hirl_status hr_pretrain_create(hr_learner **learner, hr_pretrain **out, hirl_context *context,
                               const hr_pretrain_config *config)
{
    hr_pretrain *self = hr_alloc(sizeof *self);

    if (!self)
        return HIRL_E_NOMEM;
    self->config = *config;
    self->kind = hr_method_of(config->model.method, config->own_teacher);
    self->method = &self->kind;
    HR_TRY(hr_learner_create(learner, context, &hr_task_pretrain, self, &config->learner));
    *out = self;
    return HIRL_OK;
}

hirl_status hr_pretrain_set_calls(hr_pretrain *self, const hirl_method_calls *calls)
{
    if (!self->method->declared)
        return hr_fail(HIRL_E_STATE, "set_method: the run has method=%s; it needs method=own",
                       self->method->name);
    HR_TRY(hr_own_set(self->method_state, calls));
    self->kind.coupled = calls->coupled != 0;
    return HIRL_OK;
}

/* ---- a step ---- */

static hirl_status ready(const void *state)
{
    const hr_pretrain *self = state;

    return self->method->ready ? self->method->ready(self->method_state) : HIRL_OK;
}

static hirl_status compute(void *state, hr_learner *learner, const hr_step_input *in)
{
    hr_pretrain *self = state;

    (void)in;
    if (self->reassigns)
        HR_TRY(hr_reassign(self));
    return self->method->coupled && learner->config.accumulate > 1 ? hr_losses_coupled(self)
                                                                   : hr_losses_separate(self);
}

static hirl_status before_commit(void *state, int64_t step)
{
    hr_pretrain *self = state;

    return self->method->commit ? self->method->commit(self->method_state, step) : HIRL_OK;
}

/* SwAV: scales prototypes to unit length. */
static void commit(void *state, hr_learner *learner)
{
    hr_pretrain *self = state;
    const hr_slot *s = &self->net.params.slot[self->net.last < 0 ? 0 : self->net.last];
    hr_array rows;

    if (!self->inverse.data)
        return;
    rows = hr_slice(&learner->online.value, s->offset, s->count);
    rows = hr_array_2(rows.data, rows.dtype, s->dim[0], s->dim[1]);
    learner->queue->be->normalize(learner->queue, &rows, &self->inverse, &rows);
}

static double chance(const void *state)
{
    const hr_pretrain *self = state;
    hr_method_config m = hr_pretrain_numbers(self);

    return self->method->chance(&m);
}

static void report(hr_step_result *result, void *state, const hr_learner *learner,
                   const hr_step_input *in)
{
    const hr_pretrain *self = state;
    const hr_results *r = &learner->results;

    result->loss_image = hr_result(r, HR_RESULT_IMAGE);
    result->loss_spd = hr_result(r, HR_RESULT_SPD);
    result->loss = result->loss_image + self->config.spd_weight * result->loss_spd;
    if (self->targets) {
        result->teacher_entropy = hr_result(r, HR_RESULT_ROWS);
        result->usage_entropy = hr_result(r, HR_RESULT_USAGE);
    }
    if (in->chosen && in->leaf)
        memcpy(in->chosen, self->reassigns ? (const int32_t *)self->leaf.host : in->leaf,
               (size_t)in->n * sizeof *in->chosen);
}

/* ---- state ---- */

static int fields_of(const hr_pretrain *self, hr_field field[HR_METHOD_FIELDS])
{
    return self->method->fields ? self->method->fields(self->method_state, field) : 0;
}

static hirl_status save(hr_tensors *out, const void *state, const hr_learner *learner)
{
    const hr_pretrain *self = state;
    hr_field field[HR_METHOD_FIELDS];
    int count = fields_of(self, field);

    for (int i = 0; i < count; i++)
        HR_TRY(hr_learner_save_array(out, learner, field[i].name, field[i].array));
    return self->method->save ? self->method->save(self->method_state, out) : HIRL_OK;
}

static hirl_status load(void *state, hr_learner *learner, const hr_tensors *in)
{
    hr_pretrain *self = state;
    hr_field field[HR_METHOD_FIELDS];
    int count = fields_of(self, field);

    for (int i = 0; i < count; i++)
        HR_TRY(hr_learner_load_array(learner, in, field[i].name, field[i].array));
    HR_TRY(learner->queue->be->sync(learner->queue));
    return self->method->load ? self->method->load(self->method_state, in) : HIRL_OK;
}

const hr_task hr_task_pretrain = {
    .name = "pretrain",
    .network = network,
    .group = group_of,
    .plain_groups =
        1u << HR_GROUP_PLAIN | 1u << HR_GROUP_PREDICTOR_PLAIN | 1u << HR_GROUP_PATH_PLAIN,
    .make = make,
    .done = done,
    .ready = ready,
    .fill = hr_decisions_fill,
    .compute = compute,
    .before_commit = before_commit,
    .chance = chance,
    .commit = commit,
    .report = report,
    .save = save,
    .load = load,
};
