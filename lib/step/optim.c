/* optim.c - optimisers over parameter groups: spans of a group, moments, numbers of updates.
 *
 * A kernel updates a span: neighbouring parameters of one group, as one flat array; the gaps
 * between parameters hold 0 and stay 0. Clipping, LARC and LARS need single parameters; the table
 * `parts` lists them, sorted by group, so that a group is a slice of the table.
 */
#include "step/optim.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"

enum { MOMENTS = 2 };
static const char NAME[] = "optimiser";

typedef struct span {
    int32_t group;
    int64_t first, end; /* in the flat array */
} span;

struct hr_optim {
    hr_optim_config config;
    hr_queue *queue;
    const hr_layout *layout;
    span *span;
    int32_t spans;
    int64_t part_end[HR_GROUPS + 1]; /* parts of group g are [part_end[g], part_end[g + 1]) */
    int64_t steps[HR_GROUPS];        /* updates of each group so far */
    hr_array moment[MOMENTS];        /* flat, as the layout: v of SGD; m and v of AdamW */
    hr_array parts;                  /* i64 [P, 2]: first number and count of each parameter */
    hr_array square[2];              /* f64 [P]: squared lengths of gradients; of parameters */
    hr_array factor;                 /* f64 [P]; [0] alone when all are clipped by one norm */
};

static const char *const prefix[][MOMENTS] = {
    [HR_OPTIM_SGD] = { "momentum." },
    [HR_OPTIM_LARC] = { "momentum." },
    [HR_OPTIM_ADAMW] = { "adam_m.", "adam_v." },
    [HR_OPTIM_LARS] = { "momentum." },
};

/* ---- making ---- */

static hirl_status make_spans(hr_optim *optim, const int8_t *group)
{
    const hr_layout *layout = optim->layout;
    span *last = NULL;

    optim->span = hr_alloc_array((size_t)layout->count + 1, sizeof *optim->span);
    if (!optim->span)
        return HIRL_E_NOMEM;
    for (int32_t s = 0; s < layout->count; s++) {
        const hr_slot *slot = &layout->slot[s];

        assert(group[s] < HR_GROUPS);
        if (group[s] < 0) {
            last = NULL;
            continue;
        }
        if (!last || last->group != group[s]) {
            last = &optim->span[optim->spans++];
            *last = (span){ .group = group[s], .first = slot->offset };
        }
        last->end = slot->offset + slot->count;
    }
    return HIRL_OK;
}

/* Writes the table of parts and the ends of the groups in it; returns the number of parts. */
static int64_t list_parts(int64_t *part, hr_optim *optim, const int8_t *group)
{
    const hr_layout *layout = optim->layout;
    int64_t n = 0;

    for (int g = 0; g < HR_GROUPS; g++) {
        for (int32_t s = 0; s < layout->count; s++)
            if (group[s] == g) {
                part[2 * n] = layout->slot[s].offset;
                part[2 * n++ + 1] = layout->slot[s].count;
            }
        optim->part_end[g + 1] = n;
    }
    return n;
}

static hirl_status make_parts(hr_optim *optim, const int8_t *group)
{
    hr_queue *q = optim->queue;
    int64_t *part = hr_alloc_array(2 * (size_t)optim->layout->count + 2, sizeof *part);
    int64_t n = part ? list_parts(part, optim, group) : 0, room = n ? n : 1;
    hirl_status status = part ? HIRL_OK : HIRL_E_NOMEM;

    optim->parts = hr_array_2(NULL, HR_I64, room, 2);
    optim->square[0] = optim->square[1] = optim->factor = hr_array_1(NULL, HR_F64, room);
    if (status >= 0)
        status = hr_array_take(&optim->parts, q, NAME);
    for (int i = 0; i < 2 && status >= 0; i++)
        status = hr_array_take(&optim->square[i], q, NAME);
    if (status >= 0)
        status = hr_array_take(&optim->factor, q, NAME);
    if (status >= 0) {
        q->be->upload(q, &optim->parts, part, HR_I64);
        status = q->be->sync(q);
    }
    hr_free(part);
    return status;
}

static hirl_status make(hr_optim *optim, const int8_t *group)
{
    int64_t total = optim->layout->total ? optim->layout->total : 1;

    HR_TRY(make_spans(optim, group));
    HR_TRY(make_parts(optim, group));
    for (int i = 0; i < MOMENTS && prefix[optim->config.kind][i]; i++) {
        optim->moment[i] = hr_array_1(NULL, HR_REAL, total);
        HR_TRY(hr_array_take(&optim->moment[i], optim->queue, NAME));
    }
    return optim->queue->be->sync(optim->queue);
}

hirl_status hr_optim_create(hr_optim **out, hr_queue *queue, const hr_layout *layout,
                            const int8_t *group, const hr_optim_config *config)
{
    hr_optim *optim = hr_alloc(sizeof *optim);
    hirl_status status;

    if (!optim)
        return HIRL_E_NOMEM;
    optim->config = *config;
    optim->queue = queue;
    optim->layout = layout;
    status = make(optim, group);
    if (status < 0) {
        hr_optim_destroy(optim);
        return status;
    }
    *out = optim;
    return HIRL_OK;
}

void hr_optim_destroy(hr_optim *optim)
{
    if (!optim)
        return;
    for (int i = 0; i < MOMENTS; i++)
        hr_array_give(&optim->moment[i], optim->queue);
    for (int i = 0; i < 2; i++)
        hr_array_give(&optim->square[i], optim->queue);
    hr_array_give(&optim->parts, optim->queue);
    hr_array_give(&optim->factor, optim->queue);
    hr_free(optim->span);
    hr_free(optim);
}

/* ---- a step ---- */

static bool has(uint32_t groups, int g)
{
    return groups >> g & 1;
}

static bool is_scaled_by_trust(const hr_optim_config *c, int g)
{
    return c->kind == HR_OPTIM_LARC || (c->kind == HR_OPTIM_LARS && !has(c->plain, g));
}

void hr_optim_scalars(hr_scalars *s, const hr_optim *optim, uint32_t groups)
{
    const hr_optim_config *c = &optim->config;

    for (int g = 0; g < HR_GROUPS; g++) {
        double t = (double)(optim->steps[g] + 1);

        if (!has(groups, g))
            continue;
        s->first[g] = optim->steps[g] == 0;
        s->unbias1[g] = 1 - pow(c->beta1, t);
        s->unbias2[g] = 1 - pow(c->beta2, t);
        if (is_scaled_by_trust(c, g)) {
            s->larc[g] = s->decay[g];
            s->decay[g] = 0;
        }
    }
}

/* Sets `slice` to the parts of group g; returns their number. */
static int64_t parts_of(hr_array *slice, const hr_array *of, const hr_optim *optim, int g)
{
    int64_t first = optim->part_end[g], count = optim->part_end[g + 1] - first;

    *slice = hr_slice(of, first, count);
    return count;
}

/* Computes the squared lengths of gradients (which = 0) or parameters (1) of group g. */
static void measure(hr_optim *optim, int which, const hr_array *x, int g)
{
    hr_array parts, square;

    if (parts_of(&parts, &optim->parts, optim, g) &&
        parts_of(&square, &optim->square[which], optim, g))
        optim->queue->be->part_square(optim->queue, &square, x, &parts);
}

/* Scales the gradients of group g by their factors, or by the one factor of all groups. */
static void scale(hr_optim *optim, const hr_array *grad, int g)
{
    hr_array parts, factor;

    if (!parts_of(&parts, &optim->parts, optim, g))
        return;
    parts_of(&factor, &optim->factor, optim, g);
    if (optim->config.clip == HR_CLIP_GLOBAL)
        factor = hr_slice(&optim->factor, 0, 1);
    optim->queue->be->part_scale(optim->queue, grad, &factor, &parts);
}

void hr_optim_clip(hr_optim *optim, hr_weights *w, uint32_t groups)
{
    const hr_optim_config *c = &optim->config;
    hr_queue *q = optim->queue;
    hr_array factor = c->clip == HR_CLIP_GLOBAL ? hr_slice(&optim->factor, 0, 1) : optim->factor;

    if (c->clip == HR_CLIP_NONE)
        return;
    q->be->fill(q, &optim->square[0], 0); /* groups without a gradient count as 0 */
    for (int g = 0; g < HR_GROUPS; g++)
        if (has(groups, g))
            measure(optim, 0, &w->grad, g);
    q->be->clip_factor(q, &factor, &optim->square[0], c->clip_limit);
    for (int g = 0; g < HR_GROUPS; g++)
        if (has(groups, g))
            scale(optim, &w->grad, g);
}

static void scale_by_trust(hr_optim *optim, hr_weights *w, int g)
{
    hr_array parts, of_grad, of_p;

    if (!parts_of(&parts, &optim->parts, optim, g))
        return;
    parts_of(&of_grad, &optim->square[0], optim, g);
    parts_of(&of_p, &optim->square[1], optim, g);
    measure(optim, 0, &w->grad, g);
    measure(optim, 1, &w->value, g);
    optim->queue->be->larc(optim->queue, &w->grad, &w->value, &of_grad, &of_p, &parts, g,
                           optim->config.trust, optim->config.eps);
}

void hr_optim_trust(hr_optim *optim, hr_weights *w, uint32_t groups)
{
    for (int g = 0; g < HR_GROUPS; g++)
        if (has(groups, g) && is_scaled_by_trust(&optim->config, g))
            scale_by_trust(optim, w, g);
}

static void update(hr_optim *optim, hr_weights *w, const span *s)
{
    const hr_optim_config *c = &optim->config;
    hr_queue *q = optim->queue;
    int64_t count = s->end - s->first;
    hr_array p = hr_slice(&w->value, s->first, count), g = hr_slice(&w->grad, s->first, count);
    hr_array m = hr_slice(&optim->moment[0], s->first, count), v;

    if (c->kind == HR_OPTIM_ADAMW) {
        v = hr_slice(&optim->moment[1], s->first, count);
        q->be->adamw(q, &p, &m, &v, &g, s->group, c->beta1, c->beta2, c->eps);
    } else {
        q->be->sgd(q, &p, &m, &g, s->group);
    }
}

void hr_optim_step(hr_optim *optim, hr_weights *w, uint32_t groups)
{
    for (int32_t i = 0; i < optim->spans; i++)
        if (has(groups, optim->span[i].group))
            update(optim, w, &optim->span[i]);
    for (int g = 0; g < HR_GROUPS; g++)
        optim->steps[g] += has(groups, g);
}

/* ---- state ---- */

static const int64_t steps_shape[] = { HR_GROUPS };

hirl_status hr_optim_save(hr_tensors *out, const hr_optim *optim)
{
    const char *const *name = prefix[optim->config.kind];
    const hr_layout *layout = optim->layout;
    void *steps;

    for (int i = 0; i < MOMENTS && name[i]; i++)
        HR_TRY(
            hr_layout_save(out, layout, layout->count, &optim->moment[i], optim->queue, name[i]));
    HR_TRY(hr_tensors_new(&steps, out, "optim.steps", HR_I64, 1, steps_shape));
    memcpy(steps, optim->steps, sizeof optim->steps);
    return HIRL_OK;
}

/* Checkpoints of version 0.1 may lack the numbers of updates. SGD only distinguishes 0 from
 * others. */
static hirl_status load_steps(hr_optim *optim, const hr_tensors *in)
{
    const hr_named *found;

    if (optim->config.kind != HR_OPTIM_ADAMW && !hr_tensors_find(in, "optim.steps")) {
        for (int g = 0; g < HR_GROUPS; g++)
            optim->steps[g] = 1;
        return HIRL_OK;
    }
    HR_TRY(hr_tensors_need(&found, in, "optim.steps", HR_I64, 1, steps_shape));
    memcpy(optim->steps, found->data, sizeof optim->steps);
    return HIRL_OK;
}

hirl_status hr_optim_load(hr_optim *optim, const hr_tensors *in)
{
    const char *const *name = prefix[optim->config.kind];
    const hr_layout *layout = optim->layout;

    for (int i = 0; i < MOMENTS && name[i]; i++)
        HR_TRY(hr_layout_load(&optim->moment[i], layout, layout->count, optim->queue, in, name[i]));
    return load_steps(optim, in);
}

/* ---- weight decay ---- */

bool hr_optim_plain(const hr_slot *slot)
{
    static const char suffix[] = "bias";
    size_t length = strlen(slot->name), tail = sizeof suffix - 1;

    return slot->rank <= 1 || (length >= tail && !strcmp(slot->name + length - tail, suffix));
}
