/* score_queue.c - SwAV's key queue: embeddings of earlier steps that join a batch in Sinkhorn.
 *
 * The queue holds embeddings; their scores are computed with the current prototypes. From step
 * `start` on, n rows are stored in each step. The queue is used once it is full, that is if
 * (step - start) n >= length.
 */
#include "ssl/score_queue.h"

#include "ssl/ring.h"

hirl_status hr_score_queue_init(hr_score_queue *self, hr_queue *q, const hr_method_config *config,
                                const hr_method *method)
{
    self->start = config->queue_start;
    self->count = config->queue ? (int)config->globals : 0;
    for (int i = 0; i < self->count; i++)
        HR_TRY(hr_ring_init(&self->rows[i], q, config->queue / config->ranks, config->d, method));
    return q->be->sync(q);
}

void hr_score_queue_done(hr_score_queue *self, hr_queue *q)
{
    for (int i = 0; i < self->count; i++)
        hr_array_give(&self->rows[i], q);
}

uint32_t hr_score_queue_stage(const hr_score_queue *self, int64_t step, int64_t n)
{
    if (!self->count || step < self->start)
        return 0;
    return (step - self->start) * n < self->rows[0].dim[0] ? 1 : 3;
}

static const hr_array *of_view(const hr_score_queue *self, int view)
{
    return view < self->count ? &self->rows[view] : NULL;
}

hr_tensor *hr_score_queue_join(const hr_score_queue *self, hr_tape *t, hr_tensor *scores,
                               const hr_array *prototypes, int view, const hr_now *now)
{
    const hr_array *rows = of_view(self, view);
    hr_tensor *part[2] = { NULL, hr_detach(t, scores) };

    if (!rows || hr_score_queue_stage(self, now->step, now->n) != 3)
        return part[1];
    part[0] = hr_linear(t, hr_wrap(t, rows, NULL), hr_wrap(t, prototypes, NULL), NULL);
    return hr_concat(t, part, 2);
}

void hr_score_queue_put(const hr_score_queue *self, hr_tape *t, hr_tensor *z0, int view,
                        const hr_now *now)
{
    const hr_array *rows = of_view(self, view);
    hr_tensor *z;

    if (!rows || now->step < self->start)
        return;
    z = hr_normalize(t, hr_detach(t, z0));
    if (hr_tape_status(t) >= 0)
        hr_ring_put(rows, t, &z->x, now);
}

int hr_score_queue_fields(hr_score_queue *self, hr_field field[HR_METHOD_FIELDS])
{
    static const char *const name[HR_METHOD_VIEWS] = {
        "queue.0",  "queue.1",  "queue.2",  "queue.3",  "queue.4",  "queue.5",
        "queue.6",  "queue.7",  "queue.8",  "queue.9",  "queue.10", "queue.11",
        "queue.12", "queue.13", "queue.14", "queue.15",
    };

    _Static_assert(HR_METHOD_VIEWS == 16, "one name for each view");
    for (int i = 0; i < self->count; i++)
        field[i] = (hr_field){ name[i], &self->rows[i] };
    return self->count;
}
