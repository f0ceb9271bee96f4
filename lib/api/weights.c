/* weights.c - the weights of a model by name: functions of <hirl/weights.h>. */
#include <hirl/weights.h>

#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/record.h"
#include "context.h"
#include "nn/model.h"

/* a weight: a slot of one of the two flat arrays of a model */
typedef struct place {
    const hr_slot *slot;
    const hr_array *flat;
    bool running;
} place;

static place place_of(const hirl_model *model, int32_t index)
{
    const hr_weights *w = &model->weights;

    if (index < w->slots)
        return (place){ &w->layout->slot[index], &w->value, false };
    return (place){ &w->norms->slot[index - w->slots], &w->running, true };
}

int32_t hirl_model_weight_count(const hirl_model *model)
{
    return model ? model->weights.slots + model->weights.norm_slots : 0;
}

hirl_status hirl_model_describe_weight(hirl_weight_info *info, const hirl_model *model,
                                       int32_t index)
{
    hirl_weight_info i = { 0 };
    place p;

    HR_TRY(HR_RECORD_CHECK(info, "model_describe_weight: info", hirl_weight_info));
    if (!model || index < 0 || index >= hirl_model_weight_count(model))
        return hr_fail(HIRL_E_INVALID,
                       "model_describe_weight: model is NULL, or index %d is outside 0 to %d",
                       (int)index, (int)hirl_model_weight_count(model) - 1);
    p = place_of(model, index);
    i.name = p.slot->name;
    i.rank = p.slot->rank;
    hr_slot_shape(i.dim, p.slot);
    for (int32_t k = p.slot->rank; k < HIRL_WEIGHT_RANK; k++)
        i.dim[k] = 0;
    i.count = p.slot->count;
    i.running = p.running;
    hr_record_fill(info, &i, sizeof i);
    return HIRL_OK;
}

static hirl_status find(place *found, const hirl_model *model, const char *name, int64_t n)
{
    for (int32_t i = 0; i < hirl_model_weight_count(model); i++) {
        *found = place_of(model, i);
        if (strcmp(found->slot->name, name))
            continue;
        if (n == found->slot->count)
            return HIRL_OK;
        return hr_fail(HIRL_E_INVALID, "weight %s has %lld numbers, not %lld", name,
                       (long long)found->slot->count, (long long)n);
    }
    return hr_fail(HIRL_E_INVALID,
                   "the model has no weight %.100s; hirl_model_describe_weight() "
                   "gives the names",
                   name);
}

hirl_status hirl_model_weight(float *data, const hirl_model *model, const char *name, int64_t n)
{
    hr_queue *queue = NULL;
    hirl_status status;
    hr_call call;
    place p;

    if (!data || !model || !name)
        return hr_fail(HIRL_E_INVALID, "model_weight: data, model or name is NULL");
    HR_TRY(find(&p, model, name, n));
    HR_TRY(hr_context_enter(&call, model->context));
    status = hr_context_take_queue(&queue, model->context);
    if (status >= 0)
        status = hr_slot_read(data, p.slot, p.flat, queue);
    hr_context_give_queue(queue);
    return hr_context_leave(&call, status);
}

hirl_status hirl_model_set_weight(hirl_model *model, const char *name, const float *data, int64_t n)
{
    hirl_status status;
    hr_call call;
    place p;

    if (!data || !model || !name)
        return hr_fail(HIRL_E_INVALID, "model_set_weight: model, name or data is NULL");
    HR_TRY(find(&p, model, name, n));
    for (int64_t i = 0; i < n; i++)
        if (!isfinite(data[i]))
            return hr_fail(HIRL_E_NONFINITE, "weight %s: number %lld is not finite", name,
                           (long long)i);
    HR_TRY(hr_context_enter(&call, model->context));
    status = hr_slot_write(p.flat, p.slot, model->queue, data);
    return hr_context_leave(&call, status);
}
