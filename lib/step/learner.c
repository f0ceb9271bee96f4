/* learner.c - a learner: making it, freeing it, and setting its weights. */
#include "step/learner.h"

#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "context.h"
#include "step/task.h"

static hirl_status make_optim(hr_learner *learner)
{
    int32_t slots = learner->params->count;
    int8_t *group = hr_alloc_array((size_t)slots + 1, 1);
    hr_optim_config config = learner->config.optim;
    hirl_status status;

    if (!group)
        return HIRL_E_NOMEM;
    config.plain = learner->task->plain_groups;
    for (int32_t s = 0; s < slots; s++)
        group[s] = learner->task->group(learner->self, s);
    status = hr_optim_create(&learner->optim, learner->queue, learner->params, group, &config);
    hr_free(group);
    return status;
}

static hirl_status make(hr_learner *learner)
{
    const hr_learner_config *c = &learner->config;

    HR_TRY(hr_context_take_queue(&learner->queue, learner->context));
    hr_inputs_init(&learner->inputs, learner->queue);
    HR_TRY(hr_tape_init(&learner->tape, learner->queue, c->bf16 ? HR_BF16 : HR_REAL));
    HR_TRY(learner->task->network(learner->self, learner));
    HR_TRY(hr_weights_create(&learner->online, learner->queue, learner->params,
                             learner->params->count, learner->norms, learner->norms->count, true,
                             c->bf16));
    HR_TRY(hr_weights_draw(&learner->online, c->seed));
    HR_TRY(make_optim(learner));
    HR_TRY(hr_results_init(&learner->results, learner->queue));
    HR_TRY(learner->task->make(learner->self, learner));
    HR_TRY(hr_inputs_take(&learner->inputs));
    HR_TRY(hr_results_take(&learner->results));
    return hr_learner_restart(learner);
}

hirl_status hr_learner_create(hr_learner **out, hirl_context *context, const hr_task *task,
                              void *self, const hr_learner_config *config)
{
    hr_learner *learner = hr_alloc(sizeof *learner);
    hirl_status status;

    if (!learner) {
        task->done(self, NULL);
        return HIRL_E_NOMEM;
    }
    learner->config = *config;
    learner->context = context;
    learner->task = task;
    learner->self = self;
    hr_context_hold(context);
    status = make(learner);
    if (status < 0) {
        hr_learner_destroy(learner);
        return status;
    }
    *out = learner;
    return HIRL_OK;
}

void hr_learner_destroy(hr_learner *learner)
{
    if (!learner)
        return;
    hr_inputs_done(&learner->inputs);
    hr_results_done(&learner->results);
    hr_optim_destroy(learner->optim);
    if (learner->online.queue)
        hr_weights_done(&learner->online);
    if (learner->teacher.queue)
        hr_weights_done(&learner->teacher);
    learner->task->done(learner->self, learner);
    hr_tape_done(&learner->tape);
    hr_context_give_queue(learner->queue);
    hr_context_drop(learner->context);
    hr_free(learner);
}

hirl_status hr_learner_ready(const hr_learner *learner)
{
    return learner->task->ready ? learner->task->ready(learner->self) : HIRL_OK;
}

void hr_learner_refresh(hr_learner *learner)
{
    if (learner->task->commit)
        learner->task->commit(learner->self, learner);
    hr_weights_refresh(&learner->online);
    if (learner->teacher.value.data)
        hr_weights_refresh(&learner->teacher);
}

hirl_status hr_learner_restart(hr_learner *learner)
{
    hr_learner_refresh(learner);
    if (learner->teacher.value.data)
        hr_weights_copy(&learner->teacher, &learner->online);
    return learner->queue->be->sync(learner->queue);
}
