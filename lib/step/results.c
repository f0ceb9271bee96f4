/* results.c - the results of a step: everything that the host reads of it. */
#include "step/results.h"

#include "base/error.h"

static const char NAME[] = "results of a step";

hirl_status hr_results_init(hr_results *results, hr_queue *queue)
{
    const int64_t one = 1, numbers = HR_RESULT_NUMBERS;

    hr_bundle_init(&results->bundle, queue);
    HR_TRY(hr_bundle_add(&results->bundle, &results->bad, HR_I32, 1, &one));
    HR_TRY(hr_bundle_add(&results->bundle, &results->square, HR_F64, 1, &one));
    return hr_bundle_add(&results->bundle, &results->number, HR_F64, 1, &numbers);
}

hirl_status hr_results_take(hr_results *results)
{
    return hr_bundle_take(&results->bundle, NAME);
}

void hr_results_done(hr_results *results)
{
    hr_bundle_done(&results->bundle);
}

void hr_results_clear(hr_results *results)
{
    hr_queue *q = results->bundle.queue;

    q->be->fill(q, &results->bundle.device, 0);
}

void hr_results_add(hr_results *results, int i, const hr_array *x)
{
    hr_array sum = hr_slice(&results->number.device, i, 1);

    if (x)
        results->bundle.queue->be->tally(results->bundle.queue, &sum, x);
}

hirl_status hr_results_read(hr_results *results)
{
    hr_queue *q = results->bundle.queue;
    double *number = results->number.host;

    if (hr_queue_ranks(q) > 1)
        q->comm->all_reduce(q->comm, q, &results->number.device);
    hr_bundle_download(&results->bundle);
    HR_TRY(q->be->sync(q));
    for (int i = 0; i < HR_RESULT_NUMBERS; i++)
        number[i] /= hr_queue_ranks(q);
    return HIRL_OK;
}

double hr_result(const hr_results *results, int i)
{
    return ((const double *)results->number.host)[i];
}
