/* learner.c - what a training step works on: networks, optimiser, the method's state, the tree's arrays.
 *
 * The step itself is step.c, its losses losses.c; what networks make of a batch is look.c.
 */
#include "step/learner.h"

#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "host.h"
#include "ssl/own.h"

/* ---- making ---- */

static bool is_frozen(const hr_model_config *c, const char *name)
{
    if (!hr_arch_is_vit(c->arch))
        return false;
    return (c->positions == 1 && !strcmp(name, "pos_embed")) ||
           (c->frozen_patch && !strncmp(name, "patch_embed.", strlen("patch_embed.")));
}

static int8_t group_of(const hr_learner *learner, int32_t slot)
{
    const hr_learner_config *c = &learner->config;
    const hr_net *net = &learner->net;
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

static hirl_status make_optim(hr_learner *learner)
{
    int32_t slots = learner->net.params.count;
    int8_t *group = hr_alloc_array((size_t)slots, 1);
    hr_optim_config config = learner->config.optim;
    hirl_status status;

    if (!group)
        return HIRL_E_NOMEM;
    config.plain =
        1u << HR_GROUP_PLAIN | 1u << HR_GROUP_PREDICTOR_PLAIN | 1u << HR_GROUP_PATH_PLAIN;
    for (int32_t s = 0; s < slots; s++)
        group[s] = group_of(learner, s);
    status = hr_optim_create(&learner->optim, learner->queue, &learner->net.params, group, &config);
    hr_free(group);
    return status;
}

/* what the method's loss reads must be there */
static hirl_status check_network(const hr_learner *learner)
{
    const hr_method *method = learner->method;
    const hr_net *net = &learner->net;

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
            "%s: head=\"%.60s\" has batch norms, which patches do not share; leave them out",
            method->name, learner->config.model.head);
    return HIRL_OK;
}

static hirl_status make_networks(hr_learner *learner)
{
    const hr_learner_config *c = &learner->config;
    hr_net *net = &learner->net;
    hr_queue *q = learner->queue;

    HR_TRY(hr_net_init(net, &c->model, c->levels));
    HR_TRY(check_network(learner));
    HR_TRY(hr_weights_create(&learner->online, q, &net->params, net->params.count, &net->norms,
                             net->norms.count, true, c->bf16));
    if (learner->method->teacher)
        HR_TRY(hr_weights_create(&learner->teacher, q, &net->params, net->shared_params,
                                 &net->norms, net->shared_norms, false, c->bf16));
    HR_TRY(hr_weights_draw(&learner->online, c->seed));
    learner->inverse = hr_array_1(NULL, HR_REAL, net->out_dim);
    if (net->last_kind == HR_LAST_PROTOTYPES)
        HR_TRY(hr_array_take(&learner->inverse, q, "learner"));
    HR_TRY(hr_learner_refresh(learner, true));
    return make_optim(learner);
}

hr_method_config hr_learner_numbers(const hr_learner *learner)
{
    const hr_learner_config *c = &learner->config;
    hr_method_config m = c->method;

    m.batch = c->batch;
    m.ranks = hr_context_ranks(learner->context);
    m.d = learner->net.z_dim;
    m.out = learner->net.out_dim;
    m.seed = c->seed;
    return m;
}

static hirl_status make_method(hr_learner *learner)
{
    hr_method_config numbers = hr_learner_numbers(learner);
    const hr_method *method = learner->method;

    if (!method->state_size)
        return HIRL_OK;
    learner->method_state = hr_alloc(method->state_size);
    if (!learner->method_state)
        return HIRL_E_NOMEM;
    return method->init(learner->method_state, learner->queue, &numbers);
}

hirl_status hr_learner_set_calls(hr_learner *learner, const hirl_method_calls *calls)
{
    if (!learner->method->declared)
        return hr_fail(HIRL_E_STATE, "set_method: the run has method=%s; take method=own",
                       learner->method->name);
    HR_TRY(hr_own_set(learner->method_state, calls));
    learner->kind.coupled = calls->coupled != 0;
    return HIRL_OK;
}

hirl_status hr_learner_ready(const hr_learner *learner)
{
    const hr_method *method = learner->method;

    return method->ready ? method->ready(learner->method_state) : HIRL_OK;
}

static hirl_status make(hr_learner *learner)
{
    const hr_learner_config *c = &learner->config;

    HR_TRY(hr_context_take_queue(&learner->queue, learner->context));
    learner->kind = hr_method_of(c->model.method, c->own_teacher);
    learner->method = &learner->kind;
    HR_TRY(hr_tape_init(&learner->tape, learner->queue, c->bf16 ? HR_BF16 : HR_REAL));
    HR_TRY(make_networks(learner));
    learner->bad = hr_array_1(NULL, HR_I32, 1);
    learner->square = hr_array_1(NULL, HR_F64, 1);
    HR_TRY(hr_array_take(&learner->bad, learner->queue, "learner"));
    HR_TRY(hr_array_take(&learner->square, learner->queue, "learner"));
    HR_TRY(make_method(learner));
    return learner->queue->be->sync(learner->queue);
}

hirl_status hr_learner_create(hr_learner **out, hirl_context *context,
                              const hr_learner_config *config)
{
    hr_learner *learner = hr_alloc(sizeof *learner);
    hirl_status status;

    if (!learner)
        return HIRL_E_NOMEM;
    learner->config = *config;
    learner->context = context;
    hr_context_hold(context);
    status = make(learner);
    if (status < 0) {
        hr_learner_destroy(learner);
        return status;
    }
    *out = learner;
    return HIRL_OK;
}

static void drop_tree(hr_learner_paths *paths, hr_queue *q)
{
    for (int l = 0; l < HR_LEVELS; l++)
        hr_array_give(&paths->proto[l], q);
    hr_array_give(&paths->path, q);
    hr_tree_drop(paths->tree);
    paths->tree = NULL;
}

void hr_learner_destroy(hr_learner *learner)
{
    if (!learner)
        return;
    if (learner->queue) {
        drop_tree(&learner->paths, learner->queue);
        hr_array_give(&learner->bad, learner->queue);
        hr_array_give(&learner->square, learner->queue);
        hr_array_give(&learner->inverse, learner->queue);
        if (learner->method_state)
            learner->method->done(learner->method_state, learner->queue);
        hr_optim_destroy(learner->optim);
        if (learner->online.queue)
            hr_weights_done(&learner->online);
        if (learner->teacher.queue)
            hr_weights_done(&learner->teacher);
        hr_tape_done(&learner->tape);
    }
    hr_net_done(&learner->net);
    hr_free(learner->method_state);
    hr_context_give_queue(learner->queue);
    hr_context_drop(learner->context);
    hr_free(learner);
}

hirl_status hr_learner_refresh(hr_learner *learner, bool teacher_follows)
{
    hr_queue *q = learner->queue;

    if (learner->inverse.data) {
        const hr_slot *s = &learner->net.params.slot[learner->net.last];
        hr_array rows = hr_slice(&learner->online.value, s->offset, s->count);

        rows = hr_array_2(rows.data, rows.dtype, s->dim[0], s->dim[1]);
        q->be->normalize(q, &rows, &learner->inverse, &rows);
    }
    hr_weights_refresh(&learner->online);
    if (learner->teacher.value.data && teacher_follows)
        hr_weights_copy(&learner->teacher, &learner->online);
    else if (learner->teacher.value.data)
        hr_weights_refresh(&learner->teacher);
    return q->be->sync(q);
}

/* ---- the tree's arrays ---- */

static hirl_status upload_tree(hr_learner_paths *to, hr_queue *q, const hirl_tree *tree)
{
    int32_t *path = hr_alloc_array((size_t)(tree->m[0] * tree->levels), sizeof *path);
    hirl_status status = path ? HIRL_OK : HIRL_E_NOMEM;

    for (int l = 0; l < tree->levels && status >= 0; l++) {
        to->proto[l] = hr_array_2(NULL, HR_REAL, tree->m[l], tree->d);
        status = hr_array_take(&to->proto[l], q, "tree");
        if (status >= 0)
            q->be->upload(q, &to->proto[l], tree->proto[l], HR_F32);
    }
    to->path = hr_array_2(NULL, HR_I32, tree->m[0], tree->levels);
    if (status >= 0)
        status = hr_array_take(&to->path, q, "tree");
    if (status >= 0) {
        hr_tree_paths(path, tree);
        q->be->upload(q, &to->path, path, HR_I32);
        status = q->be->sync(q);
    }
    hr_free(path);
    return status;
}

hirl_status hr_learner_set_tree(hr_learner *learner, hirl_tree *tree)
{
    hr_learner_paths fresh = { 0 };
    hirl_status status;

    if (!tree) {
        drop_tree(&learner->paths, learner->queue);
        return HIRL_OK;
    }
    if (tree->levels != learner->net.levels || tree->d != learner->net.z_dim)
        return hr_fail(HIRL_E_INVALID,
                       "tree: %d levels of %lld columns; the model has %d heads h_l of %lld",
                       (int)tree->levels, (long long)tree->d, (int)learner->net.levels,
                       (long long)learner->net.z_dim);
    status = upload_tree(&fresh, learner->queue, tree);
    if (status < 0) {
        drop_tree(&fresh, learner->queue);
        return status;
    }
    hr_tree_hold(tree);
    fresh.tree = tree;
    drop_tree(&learner->paths, learner->queue);
    learner->paths = fresh;
    return HIRL_OK;
}

/* ---- state ---- */

static hirl_status save_field(hr_tensors *out, hr_queue *q, const char *name, const hr_array *a)
{
    void *data;

    HR_TRY(hr_tensors_new(&data, out, name, a->dtype, a->rank, a->dim));
    q->be->download(q, data, a->dtype, a);
    return q->be->sync(q);
}

static int fields_of(const hr_learner *learner, hr_field field[HR_METHOD_FIELDS])
{
    return learner->method->fields ? learner->method->fields(learner->method_state, field) : 0;
}

hirl_status hr_learner_save(hr_tensors *out, const hr_learner *learner)
{
    const hr_weights *online = &learner->online, *teacher = &learner->teacher;
    hr_field field[HR_METHOD_FIELDS];
    hr_queue *q = learner->queue;
    int count = fields_of(learner, field);

    HR_TRY(hr_layout_save(out, online->layout, online->slots, &online->value, q, "online."));
    HR_TRY(hr_layout_save(out, online->norms, online->norm_slots, &online->running, q, "online."));
    if (teacher->value.data) {
        HR_TRY(
            hr_layout_save(out, teacher->layout, teacher->slots, &teacher->value, q, "teacher."));
        HR_TRY(hr_layout_save(out, teacher->norms, teacher->norm_slots, &teacher->running, q,
                              "teacher."));
    }
    HR_TRY(hr_optim_save(out, learner->optim));
    for (int i = 0; i < count; i++)
        HR_TRY(save_field(out, q, field[i].name, field[i].array));
    return learner->method->save ? learner->method->save(learner->method_state, out) : HIRL_OK;
}

hirl_status hr_learner_load(hr_learner *learner, const hr_tensors *in)
{
    hr_weights *online = &learner->online, *teacher = &learner->teacher;
    hr_field field[HR_METHOD_FIELDS];
    hr_queue *q = learner->queue;
    int count = fields_of(learner, field);

    HR_TRY(hr_layout_load(&online->value, online->layout, online->slots, q, in, "online."));
    HR_TRY(hr_layout_load(&online->running, online->norms, online->norm_slots, q, in, "online."));
    if (teacher->value.data) {
        HR_TRY(hr_layout_load(&teacher->value, teacher->layout, teacher->slots, q, in, "teacher."));
        HR_TRY(hr_layout_load(&teacher->running, teacher->norms, teacher->norm_slots, q, in,
                              "teacher."));
    }
    HR_TRY(hr_optim_load(learner->optim, in));
    for (int i = 0; i < count; i++) {
        const hr_array *a = field[i].array;
        const hr_named *found;

        HR_TRY(hr_tensors_need(&found, in, field[i].name, a->dtype, a->rank, a->dim));
        q->be->upload(q, a, found->data, a->dtype);
    }
    hr_weights_refresh(online);
    if (teacher->value.data)
        hr_weights_refresh(teacher);
    HR_TRY(q->be->sync(q));
    return learner->method->load ? learner->method->load(learner->method_state, in) : HIRL_OK;
}
