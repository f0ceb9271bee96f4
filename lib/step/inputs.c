/* inputs.c - the inputs of a step: everything that the host decides for it. */
#include "step/inputs.h"

#include <string.h>

#include "base/error.h"

static const char NAME[] = "inputs of a step";

void hr_inputs_init(hr_inputs *inputs, hr_queue *queue)
{
    *inputs = (hr_inputs){ .queue = queue };
    hr_bundle_init(&inputs->bundle, queue);
}

void hr_inputs_done(hr_inputs *inputs)
{
    for (int32_t i = 0; i < inputs->streams; i++)
        hr_array_give(inputs->stream[i], inputs->queue);
    hr_bundle_done(&inputs->bundle);
    *inputs = (hr_inputs){ 0 };
}

hirl_status hr_inputs_add(hr_inputs *inputs, hr_cell *cell, hr_dtype dtype, int rank,
                          const int64_t *dim)
{
    return hr_bundle_add(&inputs->bundle, cell, dtype, rank, dim);
}

hirl_status hr_inputs_stream(hr_inputs *inputs, hr_array *array, hr_dtype dtype, int rank,
                             const int64_t *dim)
{
    if (inputs->streams == HR_INPUT_STREAMS)
        return hr_fail(HIRL_E_LIMIT, "a step needs more arrays of images than the limit of %d",
                       HR_INPUT_STREAMS);
    *array = (hr_array){ NULL, dtype, rank, { 1, 1, 1, 1 } };
    memcpy(array->dim, dim, (size_t)rank * sizeof *dim);
    HR_TRY(hr_array_take(array, inputs->queue, NAME));
    inputs->stream[inputs->streams++] = array;
    return HIRL_OK;
}

hirl_status hr_inputs_take(hr_inputs *inputs)
{
    return hr_bundle_take(&inputs->bundle, NAME);
}

void hr_inputs_send(hr_inputs *inputs, const hr_array *rows, const void *source, hr_dtype type)
{
    inputs->queue->be->upload(inputs->queue, rows, source, type);
}

void hr_inputs_place(hr_inputs *inputs, const hr_scalars *scalars)
{
    hr_bundle_upload(&inputs->bundle);
    inputs->queue->be->scalars(inputs->queue, scalars);
}

hirl_status hr_inputs_sum_over_ranks(hr_inputs *inputs, int32_t *count, const hr_array *work)
{
    hr_queue *q = inputs->queue;

    if (hr_queue_ranks(q) == 1)
        return HIRL_OK;
    q->be->upload(q, work, count, HR_I32);
    q->comm->all_reduce(q->comm, q, work);
    q->be->download(q, count, HR_I32, work);
    return q->be->sync(q);
}
