/* learner.c - one training step: networks, loss of eq. 4, optimiser, average; without data or epochs.
 *
 *   L = L_img + w L_SPD                                                        (HIRL eq. 4)
 *   commit: SGD, running statistics, queue, teacher <- m teacher + (1 - m) online
 *
 * The average is taken at commit; a program that takes it at the start of the next step computes
 * the same losses.
 */
#include "train/learner.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/rng.h"
#include "host.h"
#include "tape/ops.h"

/* ---- making ---- */

static hirl_status take(hr_array *a, hr_queue *q, hr_dtype dtype, int64_t n)
{
    *a = hr_array_1(NULL, dtype, n);
    a->data = q->be->take(q, hr_bytes(a));
    if (!a->data)
        return q->be->sync(q) < 0 ? HIRL_E_NOMEM : hr_fail(HIRL_E_NOMEM, "out of memory: learner");
    q->be->fill(q, a, 0);
    return HIRL_OK;
}

static hirl_status make_networks(hr_learner *learner)
{
    const hr_learner_config *c = &learner->config;
    hr_net *net = &learner->net;
    hr_queue *q = learner->queue;

    HR_TRY(hr_net_init(net, &c->model, c->levels));
    HR_TRY(hr_weights_create(&learner->online, q, &net->params, net->params.count, &net->norms,
                             net->norms.count, true, c->bf16));
    HR_TRY(hr_weights_create(&learner->teacher, q, &net->params, net->method_params, &net->norms,
                             net->method_norms, false, c->bf16));
    HR_TRY(hr_weights_draw(&learner->online, c->seed));
    hr_weights_copy(&learner->teacher, &learner->online);
    return take(&learner->moment, q, HR_REAL, learner->online.value.dim[0]);
}

static hirl_status make(hr_learner *learner)
{
    const hr_learner_config *c = &learner->config;
    hr_method_config method = {
        .batch = c->batch,
        .ranks = c->comm ? c->comm->ranks : 1,
        .d = c->model.z_dim,
        .temperature = c->temperature,
        .queue = c->queue,
        .seed = c->seed,
    };

    HR_TRY(hr_backend_complete(hr_context_backend(learner->context)));
    HR_TRY(hr_context_take_queue(&learner->queue, learner->context));
    learner->queue->comm = c->comm;
    HR_TRY(hr_tape_init(&learner->tape, learner->queue, c->bf16 ? HR_BF16 : HR_REAL));
    HR_TRY(make_networks(learner));
    HR_TRY(take(&learner->bad, learner->queue, HR_I32, 1));
    HR_TRY(take(&learner->square, learner->queue, HR_F64, 1));
    learner->method = hr_method_find(c->model.method);
    learner->method_state = hr_alloc(learner->method->state_size);
    if (!learner->method_state)
        return HIRL_E_NOMEM;
    HR_TRY(learner->method->init(learner->method_state, learner->queue, &method));
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

static void give(hr_learner *learner, hr_array *a)
{
    if (a->data)
        learner->queue->be->give(learner->queue, a->data);
    *a = (hr_array){ 0 };
}

static void drop_tree(hr_learner *learner)
{
    for (int l = 0; l < HR_LEVELS; l++)
        give(learner, &learner->proto[l]);
    give(learner, &learner->path);
    hr_tree_drop(learner->tree);
    learner->tree = NULL;
}

void hr_learner_destroy(hr_learner *learner)
{
    if (!learner)
        return;
    if (learner->queue) {
        drop_tree(learner);
        give(learner, &learner->moment);
        give(learner, &learner->bad);
        give(learner, &learner->square);
        if (learner->method_state)
            learner->method->done(learner->method_state, learner->queue);
        hr_weights_done(&learner->online);
        hr_weights_done(&learner->teacher);
        hr_tape_done(&learner->tape);
        learner->queue->comm = NULL;
    }
    hr_net_done(&learner->net);
    hr_free(learner->method_state);
    hr_context_give_queue(learner->queue);
    hr_context_drop(learner->context);
    hr_free(learner);
}

/* ---- the tree's arrays ---- */

static hirl_status upload_tree(hr_learner *learner, const hirl_tree *tree)
{
    hr_queue *q = learner->queue;
    int32_t *path = hr_alloc_array((size_t)(tree->m[0] * tree->levels), sizeof *path);
    hirl_status status = path ? hr_tree_paths(path, tree) : HIRL_E_NOMEM;

    for (int l = 0; l < tree->levels && status >= 0; l++) {
        status = take(&learner->proto[l], q, HR_REAL, tree->m[l] * tree->d);
        learner->proto[l] = hr_array_2(learner->proto[l].data, HR_REAL, tree->m[l], tree->d);
        if (status >= 0)
            q->be->upload(q, &learner->proto[l], tree->proto[l], HR_F32);
    }
    if (status >= 0)
        status = take(&learner->path, q, HR_I32, tree->m[0] * tree->levels);
    if (status >= 0) {
        learner->path = hr_array_2(learner->path.data, HR_I32, tree->m[0], tree->levels);
        q->be->upload(q, &learner->path, path, HR_I32);
        status = q->be->sync(q);
    }
    hr_free(path);
    return status;
}

hirl_status hr_learner_set_tree(hr_learner *learner, hirl_tree *tree)
{
    hirl_status status;

    if (!tree) {
        drop_tree(learner);
        return HIRL_OK;
    }
    if (tree->levels != learner->net.levels || tree->d != learner->net.z_dim)
        return hr_fail(HIRL_E_INVALID,
                       "tree: %d levels of %lld columns; the model has %d heads h_l of %lld",
                       (int)tree->levels, (long long)tree->d, (int)learner->net.levels,
                       (long long)learner->net.z_dim);
    drop_tree(learner);
    status = upload_tree(learner, tree);
    if (status < 0) {
        drop_tree(learner);
        return status;
    }
    hr_tree_hold(tree);
    learner->tree = tree;
    return HIRL_OK;
}

/* ---- forward ---- */

/* host array -> device array on the tape */
static hr_array on_tape(hr_tape *t, const void *host, hr_dtype from, hr_dtype to, int rank,
                        const int64_t *dim)
{
    hr_array a = hr_tape_array(t, to, rank, dim);

    if (a.data)
        t->q->be->upload(t->q, &a, host, from);
    return a;
}

static hr_array image_on_tape(hr_tape *t, const hr_learner_input *in, int v)
{
    int64_t shape[4] = { in->n, in->size[v], in->size[v], 3 };

    return on_tape(t, in->view[v], HR_F32, t->run, 4, shape);
}

/* rows [N, ...] of all ranks: [R N, ...]; with one rank the array itself */
static hr_array of_all_ranks(hr_tape *t, const hr_array *mine)
{
    hr_comm *comm = t->q->comm;
    int64_t shape[4];
    hr_array all;

    if (!comm || comm->ranks == 1)
        return *mine;
    memcpy(shape, mine->dim, sizeof shape);
    shape[0] *= comm->ranks;
    all = hr_tape_array(t, mine->dtype, mine->rank, shape);
    if (all.data)
        comm->all_gather(comm, t->q, &all, mine);
    return all;
}

/* Shuffle BN (spec.md 8.6): the permutation of step s over the images of all ranks; shuffled row r is
 * image to[r], image i is shuffled row back[i]; each rank keeps its own part of both. */
static hirl_status draw_shuffle(const int32_t **to, const int32_t **back, hr_learner *learner,
                                const hr_learner_input *in)
{
    hr_comm *comm = learner->queue->comm;
    int64_t rank = comm ? comm->rank : 0, n = in->n * (comm ? comm->ranks : 1);
    int64_t *p = hr_tape_take(&learner->tape, (size_t)n * sizeof *p);
    int32_t *index = hr_tape_take(&learner->tape, 2 * (size_t)n * sizeof *index);
    hr_rng rng;

    if (!p || !index)
        return HIRL_E_NOMEM;
    hr_rng_init(&rng, learner->config.seed, HR_RNG_SHUFFLE, 0, (uint32_t)in->step, 0);
    hr_rng_permutation(&rng, p, n);
    for (int64_t r = 0; r < n; r++) {
        index[r] = (int32_t)p[r];
        index[n + p[r]] = (int32_t)r;
    }
    *to = index + rank * in->n;
    *back = index + n + rank * in->n;
    return HIRL_OK;
}

static hr_tensor *permuted(hr_tape *t, const hr_array *x, const int32_t *index, int64_t n)
{
    hr_array all = of_all_ranks(t, x);
    hr_array rows =
        hr_array_2(all.data, all.dtype, all.dim[0], all.dim[0] ? hr_count(&all) / all.dim[0] : 0);
    hr_tensor *y;

    if (!all.data)
        return &t->dead;
    y = hr_gather(t, hr_leaf(t, &rows, NULL), index, n);
    y->x.rank = x->rank;
    memcpy(y->x.dim, x->dim, sizeof y->x.dim);
    return y;
}

static hr_tensor *teacher_view(hr_learner *learner, const hr_learner_input *in, int v, bool commit)
{
    hr_tape *t = &learner->tape;
    hr_run run = { t, &learner->teacher, learner->config.bn_groups,
                   learner->config.reference ? 1 : 0, commit };
    hr_array image = image_on_tape(t, in, v);
    const int32_t *to, *back;
    hr_tensor *z;

    if (!image.data)
        return &t->dead;
    if (!learner->method->shuffle_teacher)
        return hr_detach(t, hr_net_z0(&learner->net, &run, hr_leaf(t, &image, NULL)));
    if (draw_shuffle(&to, &back, learner, in) < 0)
        return &t->dead;
    z = hr_net_z0(&learner->net, &run, permuted(t, &image, to, in->n));
    return hr_tape_status(t) < 0 ? &t->dead : permuted(t, &z->x, back, in->n);
}

static hr_tensor *path_loss(hr_learner *learner, const hr_learner_input *in, const hr_run *run,
                            hr_tensor *z0)
{
    hr_tape *t = &learner->tape;
    hr_tensor *u[HR_LEVELS];
    hr_spd_paths *paths = hr_tape_take(t, sizeof *paths);
    int64_t shape[2] = { in->n, in->negatives };

    if (!paths)
        return &t->dead;
    *paths =
        (hr_spd_paths){ .levels = learner->tree->levels,
                        .path = learner->path,
                        .eps = learner->config.spd_eps,
                        .divisor_eps = learner->config.reference ? 1e-6 : 0 }; /* spec.md 3.7 */
    memcpy(paths->proto, learner->proto, sizeof paths->proto);
    paths->positive = on_tape(t, in->leaf, HR_I32, HR_I32, 1, shape);
    paths->negative = on_tape(t, in->negative, HR_I32, HR_I32, 2, shape);
    for (int l = 0; l < paths->levels; l++)
        u[l] = hr_normalize(t, hr_net_path(&learner->net, run, l, z0));
    return hr_spd(t, u, paths);
}

typedef struct losses {
    hr_tensor *total, *image, *spd; /* spd NULL in stage 1 */
} losses;

/* L_img + w L_SPD: HIRL eq. 4 */
static losses joint_loss(hr_learner *learner, const hr_learner_input *in, bool commit)
{
    const hr_method *method = learner->method;
    hr_tape *t = &learner->tape;
    hr_run run = { t, &learner->online, learner->config.bn_groups,
                   learner->config.reference ? 1 : 0, commit };
    hr_outputs out = { .image = on_tape(t, in->image, HR_I64, HR_I64, 1, &in->n) };
    losses l = { 0 };

    for (int v = 0; v < method->views; v++) {
        if (method->student >> v & 1) {
            hr_array image = image_on_tape(t, in, v);

            out.student[v] = hr_net_z0(&learner->net, &run, hr_leaf(t, &image, NULL));
        }
        if (method->teacher >> v & 1)
            out.teacher[v] = teacher_view(learner, in, v, commit);
    }
    l.image = method->loss(learner->method_state, t, &out);
    l.total = l.image;
    if (in->leaf && learner->tree) {
        l.spd = path_loss(learner, in, &run, out.student[0]);
        l.total = hr_add(t, l.image, hr_scale(t, l.spd, in->spd_weight));
    }
    return l;
}

/* ---- step ---- */

static void set_scalars(hr_learner *learner, const hr_learner_input *in)
{
    const hr_learner_config *c = &learner->config;
    int64_t ranks = c->comm ? c->comm->ranks : 1;
    hr_scalars *s = &learner->scalars;

    memset(s, 0, sizeof *s);
    for (int g = 0; g <= HR_GROUP_PATH; g++) {
        s->rate[g] = in->rate;
        s->decay[g] = c->weight_decay;
        s->momentum[g] = c->momentum;
    }
    s->ema = c->ema;
    s->spd_weight = in->spd_weight;
    s->queue_at = in->step * c->batch * ranks % c->queue;
    s->step = in->step;
    learner->queue->be->scalars(learner->queue, s);
}

/* gradients of all ranks averaged; finite and norm looked at */
static hirl_status finish_gradients(hr_learner *learner, bool *bad, double *norm)
{
    hr_queue *q = learner->queue;
    hr_array *grad = &learner->online.grad;
    int32_t flag = 0;
    double square = 0;

    if (q->comm && q->comm->ranks > 1) {
        q->comm->all_reduce(q->comm, q, grad);
        q->be->axpby(q, grad, grad, 1.0 / q->comm->ranks, 0);
    }
    q->be->fill(q, &learner->bad, 0);
    q->be->finite(q, &learner->bad, grad);
    q->be->square_sum(q, &learner->square, grad);
    q->be->download(q, &flag, HR_I32, &learner->bad);
    q->be->download(q, &square, HR_F64, &learner->square);
    HR_TRY(q->be->sync(q));
    *bad = flag != 0;
    *norm = sqrt(square);
    return HIRL_OK;
}

static hirl_status read_losses(hr_learner_result *result, hr_learner *learner, const losses *l)
{
    hr_queue *q = learner->queue;
    hr_comm *comm = q->comm;
    hr_tensor *all[] = { l->total, l->image, l->spd };
    double *to[] = { &result->loss, &result->loss_image, &result->loss_spd };

    for (int i = 0; i < 3; i++) {
        *to[i] = 0;
        if (!all[i])
            continue;
        if (comm && comm->ranks > 1) {
            comm->all_reduce(comm, q, &all[i]->x);
            q->be->axpby(q, &all[i]->x, &all[i]->x, 1.0 / comm->ranks, 0);
        }
        q->be->download(q, to[i], HR_F64, &all[i]->x);
    }
    return q->be->sync(q);
}

static hirl_status compute(hr_learner_result *result, hr_learner *learner,
                           const hr_learner_input *in, bool *bad)
{
    hr_tape *t = &learner->tape;
    hr_array *grad = &learner->online.grad;
    losses l;

    hr_tape_reset(t);
    t->training = t->recording = true;
    learner->queue->be->fill(learner->queue, grad, 0);
    set_scalars(learner, in);
    l = joint_loss(learner, in, true);
    HR_TRY(hr_tape_backward(t, l.total));
    HR_TRY(finish_gradients(learner, bad, &result->grad_norm));
    HR_TRY(read_losses(result, learner, &l));
    if (!isfinite(result->loss))
        *bad = true;
    return HIRL_OK;
}

static void update_group(hr_learner *learner, int group, int64_t first, int64_t count)
{
    hr_queue *q = learner->queue;
    hr_array p = hr_slice(&learner->online.value, first, count);
    hr_array v = hr_slice(&learner->moment, first, count);
    hr_array g = hr_slice(&learner->online.grad, first, count);

    if (count)
        q->be->sgd(q, &p, &v, &g, group);
}

static void commit(hr_learner *learner, bool stage_two)
{
    hr_queue *q = learner->queue;
    int64_t method = learner->net.method_total, total = learner->online.value.dim[0];
    hr_array trained = hr_slice(&learner->online.value, 0, learner->teacher.value.dim[0]);

    update_group(learner, HR_GROUP_METHOD, 0, method);
    if (stage_two)
        update_group(learner, HR_GROUP_PATH, method, total - method);
    hr_tape_commit(&learner->tape);
    q->be->ema(q, &learner->teacher.value, &trained);
    hr_weights_refresh(&learner->online);
    hr_weights_refresh(&learner->teacher);
}

/* the same step with a look at every tensor: names the first that is not finite */
static hirl_status name_the_fault(hr_learner *learner, const hr_learner_input *in)
{
    hr_learner_result ignored;
    hirl_status status;
    bool bad;

    learner->tape.check = true;
    status = compute(&ignored, learner, in, &bad);
    learner->tape.check = false;
    hr_tape_reset(&learner->tape);
    if (status < 0) {
        char step[32];

        snprintf(step, sizeof step, "step %lld", (long long)in->step);
        return hr_fail_in(status, step);
    }
    return hr_fail(HIRL_E_NONFINITE, "step %lld: the loss or a gradient is not finite",
                   (long long)in->step);
}

hirl_status hr_learner_step(hr_learner_result *result, hr_learner *learner,
                            const hr_learner_input *in)
{
    hirl_status status;
    bool bad = false;

    status = compute(result, learner, in, &bad);
    if (status >= 0 && bad)
        status = name_the_fault(learner, in);
    if (status >= 0) {
        commit(learner, in->leaf && learner->tree);
        status = learner->queue->be->sync(learner->queue);
    }
    hr_tape_reset(&learner->tape);
    return status;
}

hirl_status hr_learner_evaluate(hr_learner_result *result, hr_learner *learner,
                                const hr_learner_input *in)
{
    hr_tape *t = &learner->tape;
    hirl_status status;
    losses l;

    hr_tape_reset(t);
    t->training = true;
    t->recording = false;
    set_scalars(learner, in);
    l = joint_loss(learner, in, false);
    status = hr_tape_status(t);
    result->grad_norm = 0;
    if (status >= 0)
        status = read_losses(result, learner, &l);
    hr_tape_reset(t);
    return status;
}

/* ---- state ---- */

static hirl_status save_field(hr_tensors *out, hr_queue *q, const char *name, const hr_array *a)
{
    void *data;

    HR_TRY(hr_tensors_new(&data, out, name, a->dtype, a->rank, a->dim));
    q->be->download(q, data, a->dtype, a);
    return q->be->sync(q);
}

hirl_status hr_learner_save(hr_tensors *out, const hr_learner *learner)
{
    const hr_weights *online = &learner->online, *teacher = &learner->teacher;
    hr_field field[HR_METHOD_FIELDS];
    hr_queue *q = learner->queue;
    int count = learner->method->fields(learner->method_state, field);

    HR_TRY(hr_layout_save(out, online->layout, online->slots, &online->value, q, "online."));
    HR_TRY(hr_layout_save(out, online->norms, online->norm_slots, &online->running, q, "online."));
    HR_TRY(hr_layout_save(out, teacher->layout, teacher->slots, &teacher->value, q, "teacher."));
    HR_TRY(
        hr_layout_save(out, teacher->norms, teacher->norm_slots, &teacher->running, q, "teacher."));
    HR_TRY(hr_layout_save(out, online->layout, online->slots, &learner->moment, q, "momentum."));
    for (int i = 0; i < count; i++)
        HR_TRY(save_field(out, q, field[i].name, field[i].array));
    return HIRL_OK;
}

hirl_status hr_learner_load(hr_learner *learner, const hr_tensors *in)
{
    hr_weights *online = &learner->online, *teacher = &learner->teacher;
    hr_field field[HR_METHOD_FIELDS];
    hr_queue *q = learner->queue;
    int count = learner->method->fields(learner->method_state, field);

    HR_TRY(hr_layout_load(&online->value, online->layout, online->slots, q, in, "online."));
    HR_TRY(hr_layout_load(&online->running, online->norms, online->norm_slots, q, in, "online."));
    HR_TRY(hr_layout_load(&teacher->value, teacher->layout, teacher->slots, q, in, "teacher."));
    HR_TRY(
        hr_layout_load(&teacher->running, teacher->norms, teacher->norm_slots, q, in, "teacher."));
    HR_TRY(hr_layout_load(&learner->moment, online->layout, online->slots, q, in, "momentum."));
    for (int i = 0; i < count; i++) {
        const hr_array *a = field[i].array;
        const hr_named *found;

        HR_TRY(hr_tensors_need(&found, in, field[i].name, a->dtype, a->rank, a->dim));
        q->be->upload(q, a, found->data, a->dtype);
    }
    hr_weights_refresh(online);
    hr_weights_refresh(teacher);
    return q->be->sync(q);
}
