/* encode.c - the encodings of a step (encoding.h): their plan, their inputs, and the passes. */
#include "task/encode.h"

#include <string.h>

#include "base/error.h"
#include "task/micro.h"
#include "task/patches.h"
#include "task/shuffle.h"

/* ---- plan ---- */

/* which: views of a network, as in hr_method.student */
static bool is_encoded(uint32_t which, int32_t view, int32_t globals)
{
    return which == HR_SEES_GLOBAL ? view < globals : which >> view & 1;
}

/* Groups the views into parts: by size, in the order of first appearance; if not joint, each view
 * is a part. */
static void split(hr_encoding *e, const int64_t *size)
{
    for (int i = 0; i < e->views; i++) {
        int k = e->joint ? 0 : e->parts;

        while (k < e->parts && e->part[k].size != size[e->view[i]])
            k++;
        if (k == e->parts)
            e->part[e->parts++] = (hr_resolution){ .size = size[e->view[i]] };
        e->part[k].view[e->part[k].views++] = e->view[i];
    }
}

/* Returns the position of b's views in a; -1: a does not hold them next to each other. */
static int position_among(const hr_resolution *a, const hr_resolution *b)
{
    for (int k = 0; k + b->views <= a->views; k++)
        if (!memcmp(a->view + k, b->view, (size_t)b->views * sizeof *b->view))
            return k;
    return -1;
}

/* Reads the images of another encoding, if they already lie in the order that this one needs; else
 * returns false. */
static bool share_images(hr_resolution *part, int64_t groups, const hr_encoding *other, int64_t n)
{
    for (int k = 0; k < other->parts; k++) {
        const hr_resolution *from = &other->part[k];
        int at = position_among(from, part);
        bool whole = part->views == from->views;

        if (at < 0 || !from->owner)
            continue;
        if (!(groups == 1 && other->groups == 1) && !(whole && groups == other->groups) &&
            !(whole && part->views == 1))
            continue;
        part->image = from->image;
        part->stride = from->stride;
        part->offset = at * n;
        return true;
    }
    return false;
}

static hirl_status add_positions(hr_pretrain *self, hr_resolution *part)
{
    const hr_vit *vit = &self->net.vit;
    int64_t from, to;

    if (!self->net.is_vit)
        return HIRL_OK;
    from = hr_vit_grid(vit);
    to = part->size / vit->shape.patch;
    if (from == to || to < 1)
        return HIRL_OK;
    return hr_inputs_add(&self->learner->inputs, &part->positions, HR_REAL, 2,
                         (int64_t[]){ 1 + to * to, 1 + from * from });
}

static hirl_status add_keep(hr_pretrain *self, hr_resolution *part)
{
    int64_t branches = self->net.is_vit ? hr_vit_branches(&self->net.vit) : 0;

    if (!branches)
        return HIRL_OK;
    return hr_inputs_add(&self->learner->inputs, &part->keep, HR_REAL, 2,
                         (int64_t[]){ self->config.learner.accumulate * branches,
                                      part->views * hr_micro_images(self) });
}

static hirl_status add_images(hr_pretrain *self, hr_encoding *e, hr_resolution *part,
                              const hr_encoding *const *earlier)
{
    int64_t n = hr_micro_images(self), batch = self->config.learner.batch;

    for (; *earlier; earlier++)
        if (share_images(part, e->groups, *earlier, n))
            return HIRL_OK;
    part->owner = true;
    part->stride = part->views * n;
    return hr_inputs_stream(&self->learner->inputs, &part->image, self->learner->tape.type, 4,
                            (int64_t[]){ part->views * batch, part->size, part->size, 3 });
}

/* Whether views of one size follow each other; false if the sizes of local views alternate. */
static bool is_in_order(const hr_encoding *e)
{
    int at = 0;

    for (int k = 0; k < e->parts; k++)
        for (int j = 0; j < e->part[k].views; j++)
            if (e->part[k].view[j] != e->view[at++])
                return false;
    return true;
}

static hirl_status add_indices(hr_pretrain *self, hr_encoding *e)
{
    hr_inputs *inputs = &self->learner->inputs;
    int64_t n = hr_micro_images(self), rows = e->views * n;

    if (!e->joint)
        return HIRL_OK;
    if (e->parts > 1 && (e->groups > 1 || !is_in_order(e)))
        HR_TRY(hr_inputs_add(inputs, &e->order, HR_I32, 1, &rows));
    for (int v = 0; v < e->views && e->groups > 1; v++)
        HR_TRY(hr_inputs_add(inputs, &e->of_view[v], HR_I32, 1, &n));
    return HIRL_OK;
}

/* earlier: encodings whose images may be shared; ends with NULL */
static hirl_status declare(hr_pretrain *self, hr_encoding *e, uint32_t which, bool joint,
                           const hr_encoding *const *earlier)
{
    *e = (hr_encoding){ .joint = joint, .groups = 1 };
    for (int32_t v = 0; v < self->config.views; v++)
        if (is_encoded(which, v, self->config.globals))
            e->view[e->views++] = v;
    if (joint && self->net.method_norms)
        e->groups = self->config.bn_groups / self->config.learner.accumulate;
    split(e, self->config.size);
    for (int k = 0; k < e->parts; k++) {
        HR_TRY(add_images(self, e, &e->part[k], earlier));
        HR_TRY(add_positions(self, &e->part[k]));
        if (e == &self->student)
            HR_TRY(add_keep(self, &e->part[k]));
    }
    return add_indices(self, e);
}

hirl_status hr_encodings_declare(hr_pretrain *self)
{
    const hr_method *method = self->method;
    const hr_encoding *earlier[] = { NULL, NULL, NULL };
    bool joint = method->joint && (self->config.joint || method->patches);

    HR_TRY(declare(self, &self->student, method->student, joint, earlier));
    earlier[0] = &self->student;
    if (method->teacher)
        HR_TRY(declare(self, &self->teacher, method->teacher, joint, earlier));
    earlier[1] = &self->teacher;
    if (self->config.reassign)
        HR_TRY(declare(self, &self->nearest, 1u << 1, false, earlier));
    return method->patches ? hr_patches_declare(self) : HIRL_OK;
}

/* ---- inputs of a step ---- */

/* Sends the views of one size, ordered by micro-batch, group, view and image. */
static void send_images(hr_pretrain *self, const hr_encoding *e, const hr_resolution *part,
                        const hr_step_input *in)
{
    hr_inputs *inputs = &self->learner->inputs;
    int64_t n = hr_micro_images(self), rows = n / e->groups, pixels = part->size * part->size * 3;
    int64_t parts = in->n / rows, at = 0; /* micro-batches times groups */

    if (part->views == 1) {
        hr_inputs_send(inputs, &part->image, in->view[part->view[0]], HR_F32);
        return;
    }
    for (int64_t p = 0; p < parts; p++)
        for (int j = 0; j < part->views; j++, at += rows) {
            hr_array to = hr_slice(&part->image, at, rows);

            hr_inputs_send(inputs, &to, in->view[part->view[j]] + p * rows * pixels, HR_F32);
        }
}

/* Draws stochastic depth for every row. */
static void draw_keep(hr_pretrain *self, const hr_encoding *e, hr_resolution *part,
                      const hr_step_input *in)
{
    int64_t n = hr_micro_images(self), rows = part->views * n, group = n / e->groups;
    int64_t branches = hr_vit_branches(&self->net.vit);

    for (int64_t m = 0; m < self->config.learner.accumulate; m++)
        for (int64_t r = 0; r < rows; r++) {
            int64_t image = m * n + r / (group * part->views) * group + r % group;
            hr_vit_row row = { in->image[image], part->view[r / group % part->views] };

            hr_vit_draw_keep((real *)part->keep.host + m * branches * rows + r, rows,
                             &self->net.vit, row, self->config.learner.seed, in->step);
        }
}

/* Returns the index of row (g, view, 0) among the concatenated rows of all sizes. */
static int64_t place_of(const hr_encoding *e, int32_t view, int64_t g, int64_t n)
{
    int64_t group = n / e->groups, before = 0;

    for (int k = 0; k < e->parts; before += e->part[k].views * n, k++)
        for (int j = 0; j < e->part[k].views; j++)
            if (e->part[k].view[j] == view)
                return before + (g * e->part[k].views + j) * group;
    return 0;
}

/* Writes the indices of rows. They are the same in every step, but few enough to send again. */
static void fill_indices(const hr_encoding *e, int64_t n)
{
    int64_t group = n / e->groups, at = 0;
    int32_t *order = e->order.host;

    for (int64_t g = 0; g < e->groups && order; g++)
        for (int v = 0; v < e->views; v++)
            for (int64_t i = 0, from = place_of(e, e->view[v], g, n); i < group; i++)
                order[at++] = (int32_t)(from + i);
    for (int v = 0; v < e->views; v++) {
        int32_t *row = e->of_view[v].host;

        for (int64_t i = 0; i < n && row; i++)
            row[i] = (int32_t)((i / group * e->views + v) * group + i % group);
    }
}

static void fill(hr_pretrain *self, hr_encoding *e, const hr_step_input *in)
{
    for (int k = 0; k < e->parts; k++) {
        hr_resolution *part = &e->part[k];

        if (part->owner)
            send_images(self, e, part, in);
        if (part->keep.host)
            draw_keep(self, e, part, in);
        if (part->positions.host)
            hr_position_weights(part->positions.host, hr_vit_grid(&self->net.vit),
                                part->size / self->net.vit.shape.patch);
    }
    fill_indices(e, hr_micro_images(self));
}

static hirl_status check_views(const hr_pretrain *self, const hr_step_input *in)
{
    if (in->views != self->config.views || in->globals != self->config.globals)
        return hr_fail(
            HIRL_E_INVALID, "step: %d views, %d global; the learner expects %d views, %d global",
            (int)in->views, (int)in->globals, (int)self->config.views, (int)self->config.globals);
    for (int v = 0; v < in->views; v++)
        if (in->size[v] != self->config.size[v])
            return hr_fail(HIRL_E_INVALID,
                           "step: view %d has %lld pixels a side; the learner expects %lld", v,
                           (long long)in->size[v], (long long)self->config.size[v]);
    return HIRL_OK;
}

hirl_status hr_encodings_fill(hr_pretrain *self, const hr_step_input *in)
{
    HR_TRY(check_views(self, in));
    fill(self, &self->student, in);
    if (self->teacher.views)
        fill(self, &self->teacher, in);
    if (self->nearest.views)
        fill(self, &self->nearest, in);
    if (self->method->shuffle_teacher)
        HR_TRY(hr_shuffle_fill(self, in));
    return self->method->patches ? hr_patches_fill(self, in) : HIRL_OK;
}

/* ---- passes ---- */

hr_tensor *hr_encode_images(const hr_pretrain *self, const hr_resolution *part,
                            const hr_micro *micro)
{
    hr_array rows =
        hr_slice(&part->image, micro->index * part->stride + part->offset, part->views * micro->n);

    return hr_wrap(&self->learner->tape, &rows, NULL);
}

/* The slice of a cell that belongs to a micro-batch; if the cell is absent, data is NULL. */
static hr_array of_micro(const hr_cell *cell, const hr_micro *micro)
{
    int64_t rows = cell->device.data ? cell->device.dim[0] / micro->count : 0;

    return rows ? hr_slice(&cell->device, micro->index * rows, rows) : (hr_array){ 0 };
}

static hr_features encode_part(hr_pretrain *self, const hr_pass *pass, const hr_resolution *part,
                               const hr_micro *micro)
{
    hr_vit_input input = { .keep = of_micro(&part->keep, micro),
                           .kept = of_micro(&part->kept, micro),
                           .masked = of_micro(&part->masked, micro),
                           .positions = part->positions.device };

    return hr_net_encode(&self->net, pass, hr_encode_images(self, part, micro), &input);
}

/* Each view goes through the whole network on its own. */
static void encode_alone(hr_seen *seen, hr_pretrain *self, const hr_pass *pass,
                         const hr_encoding *e, const hr_micro *micro)
{
    for (int k = 0; k < e->parts; k++) {
        hr_features f = encode_part(self, pass, &e->part[k], micro);
        int32_t v = e->part[k].view[0];

        seen->z0[v] = hr_net_head(&self->net, pass, f.pooled);
        seen->out[v] = hr_net_out(&self->net, pass, seen->z0[v]);
    }
}

/* rows of the v-th encoded view */
static hr_tensor *rows_of_view(hr_tape *t, const hr_encoding *e, hr_tensor *all, int v, int64_t n)
{
    const hr_array *index = &e->of_view[v].device;

    return index->data ? hr_gather(t, all, index) : hr_rows(t, all, v * n, n);
}

/* The backbone gets all views of one size at once, the heads all views. */
static void encode_jointly(hr_seen *seen, hr_pretrain *self, const hr_pass *pass,
                           const hr_encoding *e, const hr_micro *micro)
{
    hr_tape *t = pass->tape;
    hr_features f[HR_METHOD_VIEWS];
    hr_tensor *pooled[HR_METHOD_VIEWS], *all, *z0, *out;

    for (int k = 0; k < e->parts; k++) {
        f[k] = encode_part(self, pass, &e->part[k], micro);
        pooled[k] = f[k].pooled;
    }
    all = e->parts > 1 ? hr_concat(t, pooled, e->parts) : pooled[0];
    if (e->order.device.data)
        all = hr_gather(t, all, &e->order.device);
    z0 = hr_net_head(&self->net, pass, all);
    out = hr_net_out(&self->net, pass, z0);
    for (int v = 0; v < e->views; v++) {
        seen->z0[e->view[v]] = rows_of_view(t, e, z0, v, micro->n);
        seen->out[e->view[v]] = out ? rows_of_view(t, e, out, v, micro->n) : NULL;
    }
    if (self->method->patches)
        hr_patches_encode(seen, self, pass, e, f[0].tokens, micro);
}

static void encode(hr_seen *seen, hr_pretrain *self, const hr_micro *micro,
                   const hr_weights *weights, const hr_encoding *e)
{
    hr_pass pass = hr_pass_of(self, weights, micro);

    if (e->joint)
        encode_jointly(seen, self, &pass, e, micro);
    else
        encode_alone(seen, self, &pass, e, micro);
    if (self->net.last >= 0 && self->net.last < weights->slots) /* a teacher may lack the layer */
        seen->rows = hr_weight(pass.tape, weights, self->net.last)->x;
}

void hr_encode_online(hr_seen *seen, hr_pretrain *self, const hr_micro *micro)
{
    encode(seen, self, micro, &self->learner->online, &self->student);
}

void hr_encode_teacher(hr_seen *seen, hr_pretrain *self, const hr_micro *micro,
                       const hr_array *keys)
{
    if (self->method->shuffle_teacher)
        hr_keys_of_micro(seen, self, micro, keys);
    else if (self->method->teacher)
        encode(seen, self, micro, &self->learner->teacher, &self->teacher);
}
