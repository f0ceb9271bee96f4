/* param.c - named parameters of a network, all in one flat array. */
#include "nn/param.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/rng.h"

enum { SLOT_ALIGN = 16, FIRST_ROOM = 64 };

void hr_slot_name(char name[HR_SLOT_NAME], const char *prefix, const char *suffix)
{
    snprintf(name, HR_SLOT_NAME, "%.55s%.40s", prefix, suffix);
}

void hr_layout_done(hr_layout *layout)
{
    hr_free(layout->slot);
    *layout = (hr_layout){ 0 };
}

int32_t hr_layout_add(hr_layout *layout, const char *name, hr_first first, double fan, int32_t rank,
                      const int64_t *dim)
{
    hr_slot *slot;

    if (layout->count == layout->room) {
        size_t room = layout->room ? 2 * (size_t)layout->room : FIRST_ROOM;
        hr_slot *grown =
            hr_grow(layout->slot, (size_t)layout->count * sizeof *slot, room * sizeof *slot);

        if (!grown)
            return HIRL_E_NOMEM;
        layout->slot = grown;
        layout->room = (int32_t)room;
    }
    slot = &layout->slot[layout->count];
    memset(slot, 0, sizeof *slot);
    snprintf(slot->name, sizeof slot->name, "%s", name);
    slot->rank = rank;
    slot->first = first;
    slot->fan = fan;
    slot->count = 1;
    for (int i = 0; i < 4; i++)
        slot->dim[i] = i < rank ? dim[i] : 1;
    for (int i = 0; i < rank; i++)
        slot->count *= dim[i];
    slot->offset = layout->total;
    layout->total += (slot->count + SLOT_ALIGN - 1) / SLOT_ALIGN * SLOT_ALIGN;
    return layout->count++;
}

int64_t hr_layout_length(const hr_layout *layout, int32_t count)
{
    return count < layout->count ? layout->slot[count].offset : layout->total;
}

int64_t hr_layout_numbers(const hr_layout *layout, int32_t count)
{
    int64_t n = 0;

    for (int i = 0; i < count; i++)
        n += layout->slot[i].count;
    return n;
}

/* ---- weights ---- */

static hirl_status take_flat(hr_array *a, hr_queue *queue, hr_dtype dtype, int64_t n)
{
    *a = hr_array_1(NULL, dtype, n ? n : 1);
    return hr_array_take(a, queue, "parameters");
}

hirl_status hr_weights_create(hr_weights *w, hr_queue *queue, const hr_layout *layout,
                              int32_t slots, const hr_layout *norms, int32_t norm_slots,
                              bool with_grad, bool with_low)
{
    int64_t total = hr_layout_length(layout, slots);
    hirl_status status;

    *w = (hr_weights){ layout, norms, queue, .slots = slots, .norm_slots = norm_slots };
    status = take_flat(&w->value, queue, HR_REAL, total);
    if (status >= 0 && with_grad)
        status = take_flat(&w->grad, queue, HR_REAL, total);
    if (status >= 0 && with_low)
        status = take_flat(&w->low, queue, HR_BF16, total);
    if (status >= 0)
        status = take_flat(&w->running, queue, HR_REAL, hr_layout_length(norms, norm_slots));
    if (status >= 0) {
        w->norm_slot = hr_alloc_array((size_t)norm_slots + 1, sizeof *w->norm_slot);
        status = w->norm_slot ? HIRL_OK : HIRL_E_NOMEM;
    }
    if (status < 0)
        hr_weights_done(w);
    return status;
}

void hr_weights_done(hr_weights *w)
{
    hr_array *all[] = { &w->value, &w->grad, &w->low, &w->running };

    for (int i = 0; i < 4; i++)
        hr_array_give(all[i], w->queue);
    hr_free(w->norm_slot);
    *w = (hr_weights){ 0 };
}

/* index in memory, [O, k, k, I], of element i in file order, [O, I, k, k] */
static int64_t memory_place(const hr_slot *slot, int64_t i)
{
    int64_t area, inside, channel, place;

    if (slot->rank != 4)
        return i;
    area = slot->dim[1] * slot->dim[2];
    place = i % area;
    channel = i / area % slot->dim[3];
    inside = i / area / slot->dim[3];
    return (inside * area + place) * slot->dim[3] + channel;
}

/* Element i of the position table of MoCo v3 (Chen et al. 2021): 0 for the class token; the patch
 * in row r and column c has sin r w, cos r w, sin c w, cos c w, with w_k = 10000^(-k/q), k < q =
 * D/4. */
static double sine_cosine(const hr_slot *slot, int64_t i)
{
    int64_t quarter = slot->dim[2] / 4, token = i / slot->dim[2] - 1,
            part = i % slot->dim[2] / quarter;
    double side = floor(sqrt((double)(slot->dim[1] - 1)) + 0.5), row, angle;

    if (token < 0)
        return 0;
    row = floor((double)token / side);
    angle = pow(10000, -(double)(i % quarter) / (double)quarter);
    angle *= part < 2 ? row : (double)token - row * side;
    return part % 2 ? cos(angle) : sin(angle);
}

/* initial value of element i in file order */
static real first_value(const hr_slot *slot, int64_t i, hr_rng *rng)
{
    double limit;

    switch (slot->first) {
    case HR_FIRST_ZERO:
        break;
    case HR_FIRST_ONE:
        return 1;
    case HR_FIRST_KAIMING:
        return (real)(hr_rng_normal(rng) * sqrt(2 / slot->fan));
    case HR_FIRST_UNIFORM:
        limit = 1 / sqrt(slot->fan);
        return (real)hr_rng_range(rng, -limit, limit);
    case HR_FIRST_NORMAL:
        return (real)fmin(2, fmax(-2, hr_rng_normal(rng) * slot->fan));
    case HR_FIRST_RANGE:
        return (real)hr_rng_range(rng, -slot->fan, slot->fan);
    case HR_FIRST_SINCOS:
        return (real)sine_cosine(slot, i);
    }
    return 0;
}

static void draw_layout(real *host, const hr_layout *layout, int32_t count, uint64_t seed)
{
    for (int s = 0; s < count; s++) {
        const hr_slot *slot = &layout->slot[s];
        hr_rng rng;

        hr_rng_init(&rng, seed, HR_RNG_INIT, 0, 0, (uint32_t)s);
        for (int64_t i = 0; i < slot->count; i++)
            host[slot->offset + memory_place(slot, i)] = first_value(slot, i, &rng);
    }
}

static hirl_status draw_flat(const hr_array *flat_array, const hr_layout *layout, int32_t count,
                             hr_queue *queue, uint64_t seed)
{
    real *host = hr_alloc(hr_bytes(flat_array));

    if (!host)
        return HIRL_E_NOMEM;
    draw_layout(host, layout, count, seed);
    queue->be->upload(queue, flat_array, host, HR_REAL);
    hr_free(host);
    return queue->be->sync(queue);
}

hirl_status hr_weights_draw(hr_weights *w, uint64_t seed)
{
    HR_TRY(draw_flat(&w->value, w->layout, w->slots, w->queue, seed));
    HR_TRY(draw_flat(&w->running, w->norms, w->norm_slots, w->queue, seed));
    hr_weights_refresh(w);
    return HIRL_OK;
}

void hr_weights_copy(hr_weights *w, const hr_weights *from)
{
    hr_array *to[] = { &w->value, &w->running };
    const hr_array *of[] = { &from->value, &from->running };

    for (int i = 0; i < 2; i++) {
        int64_t n = to[i]->dim[0] < of[i]->dim[0] ? to[i]->dim[0] : of[i]->dim[0];
        hr_array a = hr_slice(to[i], 0, n), b = hr_slice(of[i], 0, n);

        w->queue->be->copy(w->queue, &a, &b);
    }
    hr_weights_refresh(w);
}

void hr_weights_refresh(hr_weights *w)
{
    if (w->low.data)
        w->queue->be->copy(w->queue, &w->low, &w->value);
}

static hr_array part(const hr_array *flat_array, const hr_slot *slot)
{
    hr_array a = hr_slice(flat_array, slot->offset, slot->count);

    a.rank = slot->rank;
    for (int i = 0; i < 4; i++)
        a.dim[i] = slot->dim[i];
    return a;
}

static hr_tensor *wrap_slot(hr_tape *t, const hr_array *value, const hr_weights *w,
                            const hr_slot *slot)
{
    hr_array x = part(value, slot), g = { 0 };
    hr_tensor *made;

    if (w->grad.data && t->recording)
        g = part(&w->grad, slot);
    made = hr_wrap(t, &x, &g);
    if (made != &t->dead)
        made->name = slot->name;
    return made;
}

hr_tensor *hr_weight_cast(hr_tape *t, const hr_weights *w, int32_t slot)
{
    return wrap_slot(t, t->type == HR_BF16 ? &w->low : &w->value, w, &w->layout->slot[slot]);
}

hr_tensor *hr_weight(hr_tape *t, const hr_weights *w, int32_t slot)
{
    return wrap_slot(t, &w->value, w, &w->layout->slot[slot]);
}

hr_array hr_running(const hr_weights *w, int32_t slot)
{
    return part(&w->running, &w->norms->slot[slot]);
}

/* ---- files ---- */

void hr_slot_shape(int64_t dim[4], const hr_slot *slot)
{
    memcpy(dim, slot->dim, sizeof slot->dim);
    if (slot->rank == 4) {
        dim[1] = slot->dim[3];
        dim[2] = slot->dim[1];
        dim[3] = slot->dim[2];
    }
}

hirl_status hr_layout_save(hr_tensors *out, const hr_layout *layout, int32_t count,
                           const hr_array *flat_array, hr_queue *queue, const char *prefix)
{
    real *host = hr_alloc(hr_bytes(flat_array));
    hirl_status status = host ? HIRL_OK : HIRL_E_NOMEM;

    if (host) {
        queue->be->download(queue, host, HR_REAL, flat_array);
        status = queue->be->sync(queue);
    }
    for (int s = 0; s < count && status >= 0; s++) {
        const hr_slot *slot = &layout->slot[s];
        char name[2 * HR_SLOT_NAME];
        int64_t dim[4];
        void *data;

        snprintf(name, sizeof name, "%s%s", prefix, slot->name);
        hr_slot_shape(dim, slot);
        status = hr_tensors_new(&data, out, name, HR_REAL, slot->rank, dim);
        for (int64_t i = 0; i < slot->count && status >= 0; i++)
            ((real *)data)[i] = host[slot->offset + memory_place(slot, i)];
    }
    hr_free(host);
    return status;
}

hirl_status hr_slot_read(float *data, const hr_slot *slot, const hr_array *flat_array,
                         hr_queue *queue)
{
    hr_array part = hr_slice(flat_array, slot->offset, slot->count);
    real *host = hr_alloc_array((size_t)slot->count, sizeof *host);
    hirl_status status;

    if (!host)
        return HIRL_E_NOMEM;
    queue->be->download(queue, host, HR_REAL, &part);
    status = queue->be->sync(queue);
    for (int64_t i = 0; i < slot->count && status >= 0; i++)
        data[i] = (float)host[memory_place(slot, i)];
    hr_free(host);
    return status;
}

hirl_status hr_slot_write(const hr_array *flat_array, const hr_slot *slot, hr_queue *queue,
                          const float *data)
{
    hr_array part = hr_slice(flat_array, slot->offset, slot->count);
    real *host = hr_alloc_array((size_t)slot->count, sizeof *host);
    hirl_status status;

    if (!host)
        return HIRL_E_NOMEM;
    for (int64_t i = 0; i < slot->count; i++)
        host[memory_place(slot, i)] = data[i];
    queue->be->upload(queue, &part, host, HR_REAL);
    status = queue->be->sync(queue);
    hr_free(host);
    return status;
}

/* finds the tensor of a slot in a file and checks its shape */
static hirl_status need(const hr_named **found, const hr_slot *slot, const hr_tensors *in,
                        const char *prefix)
{
    char name[2 * HR_SLOT_NAME];
    int64_t dim[4];

    snprintf(name, sizeof name, "%s%s", prefix, slot->name);
    hr_slot_shape(dim, slot);
    return hr_tensors_need(found, in, name, HR_REAL, slot->rank, dim);
}

hirl_status hr_layout_check(const hr_layout *layout, int32_t count, const hr_tensors *in,
                            const char *prefix)
{
    const hr_named *found;

    for (int s = 0; s < count; s++)
        HR_TRY(need(&found, &layout->slot[s], in, prefix));
    return HIRL_OK;
}

hirl_status hr_layout_load(const hr_array *flat_array, const hr_layout *layout, int32_t count,
                           hr_queue *queue, const hr_tensors *in, const char *prefix)
{
    real *host = hr_alloc(hr_bytes(flat_array));
    hirl_status status = host ? HIRL_OK : HIRL_E_NOMEM;

    if (host) {
        queue->be->download(queue, host, HR_REAL, flat_array);
        status = queue->be->sync(queue);
    }
    for (int s = 0; s < count && status >= 0; s++) {
        const hr_slot *slot = &layout->slot[s];
        const hr_named *found;

        status = need(&found, slot, in, prefix);
        for (int64_t i = 0; i < slot->count && status >= 0; i++)
            host[slot->offset + memory_place(slot, i)] = ((const real *)found->data)[i];
    }
    if (status >= 0) {
        queue->be->upload(queue, flat_array, host, HR_REAL);
        status = queue->be->sync(queue);
    }
    hr_free(host);
    return status;
}
