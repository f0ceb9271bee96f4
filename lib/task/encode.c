/* encode.c - what the networks make of the views of a batch: one pass a view, or one a size of views.
 *
 * Passes of their own (MoCo v2, SimSiam, MoCo v3): backbone, head and predictor see one view at a
 * time, and so do their batch norms. Joint (SwAV, DINO, iBOT): the backbone sees all views of one
 * size at once, heads all views. Rows of a joint batch are ordered part, view, image: batch norm
 * group g, a contiguous part of the rows, has all views of the images of part g.
 *
 *     n images, V views, G groups: row (g, v, i) = (g V + v) n / G + i
 */
#include "task/encode.h"

#include <string.h>

#include "base/error.h"

/* ---- parts of a batch ---- */

hr_micro hr_micro_of(const hr_learner_input *batch, int64_t index, int64_t count, bool commit)
{
    hr_micro m = { *batch, batch, 0, index, count, commit };
    int64_t n = batch->n / count;

    m.first = index * n;
    m.in.n = n;
    m.in.image += m.first;
    for (int v = 0; v < batch->views; v++)
        m.in.view[v] += m.first * batch->size[v] * batch->size[v] * 3;
    if (m.in.leaf)
        m.in.leaf += m.first;
    if (m.in.negative)
        m.in.negative += m.first * batch->negatives;
    return m;
}

hr_array hr_on_tape(hr_tape *t, const void *host, hr_dtype from, hr_dtype to, int rank,
                    const int64_t *dim)
{
    hr_array a = hr_tape_array(t, to, rank, dim);

    if (a.data)
        t->q->be->upload(t->q, &a, host, from);
    return a;
}

hr_pass hr_run_of(hr_learner *learner, const hr_weights *weights, const hr_micro *micro)
{
    return (hr_pass){ .tape = &learner->tape,
                      .weights = weights,
                      .groups = learner->config.bn_groups / micro->count,
                      .running_groups = learner->config.reference ? 1 : 0,
                      .commit = micro->commit,
                      .part = micro->index,
                      .parts = micro->count,
                      .sync = learner->method->sync };
}

/* ---- one view, one pass ---- */

hr_tensor *hr_encode_image(hr_tape *t, const hr_learner_input *in, int v)
{
    int64_t shape[4] = { in->n, in->size[v], in->size[v], 3 };
    hr_array a = hr_on_tape(t, in->view[v], HR_F32, t->type, 4, shape);

    return a.data ? hr_leaf(t, &a, NULL) : &t->dead;
}

/* stochastic depth of rows (g, view, image) of the student */
static const hr_vit_draw *draw_of(hr_learner *learner, const hr_learner_input *in, const int *view,
                                  int views, int64_t groups)
{
    hr_tape *t = &learner->tape;
    int64_t rows = in->n * views, part = in->n / groups;
    int64_t *image = hr_tape_take(t, (size_t)rows * sizeof *image);
    int32_t *seen = hr_tape_take(t, (size_t)rows * sizeof *seen);
    hr_vit_draw *draw = hr_tape_take(t, sizeof *draw);

    if (!image || !seen || !draw || !t->training)
        return NULL;
    for (int64_t r = 0; r < rows; r++) {
        image[r] = in->image[r / (part * views) * part + r % part];
        seen[r] = view[r / part % views];
    }
    *draw = (hr_vit_draw){ learner->config.seed, in->step, image, seen };
    return draw;
}

static void look_alone(hr_seen *seen, hr_learner *learner, const hr_micro *micro,
                       const hr_weights *weights, int v)
{
    hr_pass run = hr_run_of(learner, weights, micro);
    hr_net_extra extra = { 0 };
    hr_features f;

    if (learner->net.is_vit && weights == &learner->online)
        extra.draw = draw_of(learner, &micro->in, &v, 1, 1);
    f = hr_net_encode(&learner->net, &run, hr_encode_image(run.tape, &micro->in, v), &extra);
    seen->z0[v] = hr_net_head(&learner->net, &run, f.pooled);
    seen->out[v] = hr_net_out(&learner->net, &run, seen->z0[v]);
}

/* ---- all views of one size in one pass ---- */

typedef struct pass {
    hr_learner *learner;
    const hr_micro *micro;
    const hr_weights *weights;
    hr_pass run;
    int view[HR_METHOD_VIEWS], views; /* all that are seen */
    int64_t groups;                   /* of the order of rows; 1 where no norm asks for it */
} pass;

typedef struct resolution {
    int64_t size;
    int view[HR_METHOD_VIEWS], views;
    hr_features f; /* rows (g, view of this size, i) */
} resolution;

/* resolutions in the order in which they first appear */
static int split_by_size(resolution *r, const pass *p)
{
    int count = 0;

    for (int i = 0; i < p->views; i++) {
        int64_t size = p->micro->in.size[p->view[i]];
        int k = 0;

        while (k < count && r[k].size != size)
            k++;
        if (k == count)
            r[count++] = (resolution){ .size = size };
        r[k].view[r[k].views++] = p->view[i];
    }
    return count;
}

/* images of one resolution, rows (g, view, i) */
static hr_tensor *images_on_tape(const pass *p, const resolution *r)
{
    hr_tape *t = p->run.tape;
    const hr_learner_input *in = &p->micro->in;
    int64_t part = in->n / p->groups, pixels = r->size * r->size * 3, row = 0;
    int64_t shape[4] = { r->views * in->n, r->size, r->size, 3 };
    hr_array all = hr_tape_array(t, t->type, 4, shape);

    if (!all.data)
        return &t->dead;
    for (int64_t g = 0; g < p->groups; g++)
        for (int j = 0; j < r->views; j++, row += part) {
            hr_array to = hr_slice(&all, row, part);

            t->q->be->upload(t->q, &to, in->view[r->view[j]] + g * part * pixels, HR_F32);
        }
    return hr_leaf(t, &all, NULL);
}

/* [views n, P] masks of one resolution; NULL: no view of it is masked */
static const uint8_t *masks_of(const pass *p, const resolution *r, int64_t patches)
{
    const hr_learner_input *in = &p->micro->in;
    size_t bytes = (size_t)(in->n * patches);
    uint8_t *all = NULL;

    for (int j = 0; j < r->views; j++) {
        const uint8_t *mask = p->micro->batch->mask[r->view[j]];

        if (!mask || p->weights != &p->learner->online)
            continue;
        if (!all) {
            all = hr_tape_take(p->run.tape, bytes * (size_t)r->views);
            if (!all)
                return NULL;
            memset(all, 0, bytes * (size_t)r->views);
        }
        memcpy(all + bytes * (size_t)j, mask + p->micro->first * patches, bytes);
    }
    return all;
}

static void look_at_size(const pass *p, resolution *r)
{
    hr_learner *learner = p->learner;
    hr_net_extra extra = { 0 };

    if (learner->net.is_vit && p->weights == &learner->online) {
        extra.draw = draw_of(learner, &p->micro->in, r->view, r->views, p->groups);
        if (learner->method->patches)
            extra.mask = masks_of(p, r, hr_net_patches(&learner->net, r->size));
    }
    r->f = hr_net_encode(&learner->net, &p->run, images_on_tape(p, r), &extra);
}

/* row of (g, view, i) among the rows of all resolutions, one after the other */
static int64_t place_of(const resolution *r, int count, const pass *p, int view, int64_t g)
{
    int64_t part = p->micro->in.n / p->groups, before = 0;

    for (int k = 0; k < count; before += r[k].views * p->micro->in.n, k++)
        for (int j = 0; j < r[k].views; j++)
            if (r[k].view[j] == view)
                return before + (g * r[k].views + j) * part;
    return 0;
}

/* views of one size stand together: not so when local sizes take turns */
static bool is_in_order(const resolution *r, int count, const pass *p)
{
    int at = 0;

    for (int k = 0; k < count; k++)
        for (int j = 0; j < r[k].views; j++)
            if (r[k].view[j] != p->view[at++])
                return false;
    return true;
}

/* features of all views, rows (g, v, i) */
static hr_tensor *features_of_all(const pass *p, const resolution *r, int count)
{
    hr_tape *t = p->run.tape;
    int64_t n = p->micro->in.n, part = n / p->groups, at = 0;
    hr_tensor *each[HR_METHOD_VIEWS] = { 0 }, *x;
    int32_t *index;

    for (int k = 0; k < count; k++)
        each[k] = r[k].f.pooled;
    x = count > 1 ? hr_concat(t, each, count) : each[0];
    if (count == 1 || (p->groups == 1 && is_in_order(r, count, p)))
        return x;
    index = hr_tape_take(t, (size_t)(n * p->views) * sizeof *index);
    if (!index)
        return &t->dead;
    for (int64_t g = 0; g < p->groups; g++)
        for (int v = 0; v < p->views; v++)
            for (int64_t i = 0, from = place_of(r, count, p, p->view[v], g); i < part; i++)
                index[at++] = (int32_t)(from + i);
    return hr_gather(t, x, index, at);
}

/* rows of view number v of all that are seen */
static hr_tensor *rows_of_view(const pass *p, hr_tensor *all, int v)
{
    hr_tape *t = p->run.tape;
    int64_t n = p->micro->in.n, part = n / p->groups;
    int32_t *index;

    if (p->groups == 1)
        return hr_rows(t, all, v * n, n);
    index = hr_tape_take(t, (size_t)n * sizeof *index);
    if (!index)
        return &t->dead;
    for (int64_t i = 0; i < n; i++)
        index[i] = (int32_t)((i / part * p->views + v) * part + i % part);
    return hr_gather(t, all, index, n);
}

/* ---- patches (iBOT) ---- */

static hr_tensor *patch_scores(const pass *p, hr_tensor *tokens)
{
    hr_tape *t = p->run.tape;
    hr_tensor *x = hr_convert(t, tokens, HR_REAL);

    return hr_net_out(&p->learner->net, &p->run, hr_net_head(&p->learner->net, &p->run, x));
}

static void teacher_patches(hr_seen *seen, const pass *p, const resolution *r)
{
    const hr_net *net = &p->learner->net;
    hr_tensor *tokens =
        hr_vit_patches(&p->run, r->f.tokens, r->views * p->micro->in.n); /* [views n P, D] */
    hr_tensor *scores = patch_scores(p, tokens);
    int64_t rows = p->micro->in.n * hr_net_patches(net, r->size);

    for (int j = 0; j < r->views; j++)
        seen->patches[r->view[j]] = hr_rows(p->run.tape, scores, j * rows, rows);
}

/* masked patches of a view: their rows among the teacher's patches and among the student's tokens, and
 * weights 1 / (n |mask|); the arrays come as 0: places that are left over have weight 0 */
static hirl_status list_masked(int32_t *place, int32_t *token, real *weight, const uint8_t *mask,
                               int64_t n, int64_t patches, int64_t room, int64_t first_row)
{
    int64_t at = 0;

    for (int64_t r = 0; r < n; r++) {
        int64_t masked = 0;

        for (int64_t i = 0; i < patches; i++)
            masked += mask[r * patches + i];
        if (at + masked > room)
            return hr_fail(HIRL_E_INVALID, "masks: more than %lld of %lld patches in %lld images",
                           (long long)room, (long long)patches, (long long)n);
        for (int64_t i = 0; i < patches; i++)
            if (mask[r * patches + i]) {
                place[at] = (int32_t)(r * patches + i);
                token[at] = (int32_t)((first_row + r) * (patches + 1) + 1 + i);
                weight[at++] = (real)1 / (real)(n * masked);
            }
    }
    return HIRL_OK;
}

static void student_patches(hr_seen *seen, const pass *p, const resolution *r, hr_now *now)
{
    hr_tape *t = p->run.tape;
    int64_t n = p->micro->in.n, patches = hr_net_patches(&p->learner->net, r->size);
    int64_t room = n * p->learner->config.mask_most;

    now->masked = room;
    for (int j = 0; j < r->views && r->view[j] < p->micro->in.globals; j++) {
        int v = r->view[j];
        const uint8_t *mask = p->micro->batch->mask[v];
        int32_t *place = hr_tape_take(t, (size_t)room * sizeof *place);
        int32_t *token = hr_tape_take(t, (size_t)room * sizeof *token);
        real *weight = hr_tape_take(t, (size_t)room * sizeof *weight);

        hirl_status status;

        if (!place || !token || !weight)
            return;
        memset(place, 0, (size_t)room * sizeof *place);
        memset(token, 0, (size_t)room * sizeof *token);
        memset(weight, 0, (size_t)room * sizeof *weight);
        status = mask ? list_masked(place, token, weight, mask + p->micro->first * patches, n,
                                    patches, room, j * n)
                      : HIRL_OK;
        if (status < 0) {
            hr_tape_pass(t, status);
            return;
        }
        now->place[v] = place;
        now->weight[v] = hr_on_tape(t, weight, HR_REAL, HR_REAL, 1, &room);
        seen->patches[v] = patch_scores(p, hr_gather(t, r->f.tokens, token, room));
    }
}

/* ---- networks ---- */

static void look_jointly(hr_seen *seen, const pass *p, hr_now *now)
{
    const hr_method *method = p->learner->method;
    resolution r[HR_METHOD_VIEWS];
    int count = split_by_size(r, p);
    hr_tensor *z0, *out;

    for (int k = 0; k < count; k++)
        look_at_size(p, &r[k]);
    z0 = hr_net_head(&p->learner->net, &p->run, features_of_all(p, r, count));
    out = hr_net_out(&p->learner->net, &p->run, z0);
    for (int v = 0; v < p->views; v++) {
        seen->z0[p->view[v]] = rows_of_view(p, z0, v);
        seen->out[p->view[v]] = out ? rows_of_view(p, out, v) : NULL;
    }
    if (method->patches && now)
        student_patches(seen, p, &r[0], now);
    else if (method->patches)
        teacher_patches(seen, p, &r[0]);
}

static pass pass_of(hr_learner *learner, const hr_micro *micro, const hr_weights *weights,
                    uint32_t sees)
{
    pass p = { learner, micro, weights, hr_run_of(learner, weights, micro), { 0 }, 0, 1 };

    for (int v = 0; v < micro->in.views; v++)
        if (sees == HR_SEES_GLOBAL ? v < micro->in.globals : sees >> v & 1)
            p.view[p.views++] = v;
    if (learner->net.method_norms)
        p.groups = p.run.groups;
    return p;
}

static void look(hr_seen *seen, hr_learner *learner, const hr_micro *micro,
                 const hr_weights *weights, uint32_t sees, hr_now *now)
{
    pass p = pass_of(learner, micro, weights, sees);

    if (learner->method->joint && (learner->config.joint || learner->method->patches))
        look_jointly(seen, &p, now);
    else
        for (int v = 0; v < p.views; v++)
            look_alone(seen, learner, micro, weights, p.view[v]);
    if (learner->net.last >= 0 && learner->net.last < weights->slots) /* not own_teacher */
        seen->rows = hr_weight(&learner->tape, weights, learner->net.last)->x;
}

void hr_encode_online(hr_seen *seen, hr_learner *learner, const hr_micro *micro, hr_now *now)
{
    look(seen, learner, micro, &learner->online, learner->method->student, now);
}

void hr_encode_teacher(hr_seen *seen, hr_learner *learner, const hr_micro *micro,
                       const hr_array *keys)
{
    const hr_method *method = learner->method;

    if (method->shuffle_teacher)
        hr_encode_at_keys(seen, learner, micro, keys);
    else if (method->teacher)
        look(seen, learner, micro, &learner->teacher, method->teacher, NULL);
}
