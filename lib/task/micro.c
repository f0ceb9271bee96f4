/* micro.c - a micro-batch of a step, and the pass of a network over it. */
#include "task/micro.h"

int64_t hr_micro_images(const hr_pretrain *self)
{
    return self->config.learner.batch / self->config.learner.accumulate;
}

hr_micro hr_micro_of(const hr_pretrain *self, int64_t index, int64_t count, bool update)
{
    int64_t n = self->config.learner.batch / count;

    return (
        hr_micro){ .index = index, .count = count, .n = n, .first = index * n, .update = update };
}

hr_pass hr_pass_of(hr_pretrain *self, const hr_weights *weights, const hr_micro *micro)
{
    return (hr_pass){ .tape = &self->learner->tape,
                      .weights = weights,
                      .groups = self->config.bn_groups / micro->count,
                      .running_groups = self->config.reference ? 1 : 0,
                      .commit = micro->update,
                      .part = micro->index,
                      .parts = micro->count,
                      .sync = self->method->sync };
}
