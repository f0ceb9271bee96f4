/* state.c - saving and loading everything that a step changes, as named tensors. */
#include "step/state.h"

#include "base/error.h"
#include "step/task.h"

hirl_status hr_learner_save_array(hr_tensors *out, const hr_learner *learner, const char *name,
                                  const hr_array *a)
{
    hr_queue *q = learner->queue;
    void *data;

    HR_TRY(hr_tensors_new(&data, out, name, a->dtype, a->rank, a->dim));
    q->be->download(q, data, a->dtype, a);
    return q->be->sync(q);
}

hirl_status hr_learner_load_array(hr_learner *learner, const hr_tensors *in, const char *name,
                                  const hr_array *a)
{
    const hr_named *found;

    HR_TRY(hr_tensors_need(&found, in, name, a->dtype, a->rank, a->dim));
    learner->queue->be->upload(learner->queue, a, found->data, a->dtype);
    return HIRL_OK;
}

static hirl_status save_weights(hr_tensors *out, const hr_weights *w, const char *prefix)
{
    if (!w->value.data)
        return HIRL_OK;
    HR_TRY(hr_layout_save(out, w->layout, w->slots, &w->value, w->queue, prefix));
    return hr_layout_save(out, w->norms, w->norm_slots, &w->running, w->queue, prefix);
}

static hirl_status load_weights(hr_weights *w, const hr_tensors *in, const char *prefix)
{
    if (!w->value.data)
        return HIRL_OK;
    HR_TRY(hr_layout_load(&w->value, w->layout, w->slots, w->queue, in, prefix));
    HR_TRY(hr_layout_load(&w->running, w->norms, w->norm_slots, w->queue, in, prefix));
    hr_weights_refresh(w);
    return HIRL_OK;
}

hirl_status hr_learner_finite(bool *finite, const hr_learner *learner)
{
    hr_queue *q = learner->queue;
    int32_t bad = 0;

    q->be->fill(q, &learner->results.bad.device, 0);
    q->be->finite(q, &learner->results.bad.device, &learner->online.value);
    q->be->download(q, &bad, HR_I32, &learner->results.bad.device);
    HR_TRY(q->be->sync(q));
    *finite = !bad;
    return HIRL_OK;
}

hirl_status hr_learner_save(hr_tensors *out, const hr_learner *learner)
{
    HR_TRY(save_weights(out, &learner->online, "online."));
    HR_TRY(save_weights(out, &learner->teacher, "teacher."));
    HR_TRY(hr_optim_save(out, learner->optim));
    return learner->task->save ? learner->task->save(out, learner->self, learner) : HIRL_OK;
}

hirl_status hr_learner_load(hr_learner *learner, const hr_tensors *in)
{
    HR_TRY(load_weights(&learner->online, in, "online."));
    HR_TRY(load_weights(&learner->teacher, in, "teacher."));
    HR_TRY(hr_optim_load(learner->optim, in));
    if (learner->task->load)
        HR_TRY(learner->task->load(learner->self, learner, in));
    return learner->queue->be->sync(learner->queue);
}
