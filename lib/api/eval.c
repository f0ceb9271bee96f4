/* eval.c - hirl/eval.h: weighted kNN. */
#include <hirl/eval.h>

#include <string.h>

#include "base/error.h"
#include "context.h"
#include "eval/knn.h"

static hirl_status check(const hirl_knn_report *report, const hr_labelled *bank,
                         const hr_labelled *query, int64_t d)
{
    if (!report || !bank->x || !bank->label || (query && !query->label))
        return hr_fail(HIRL_E_INVALID, "knn: report, bank, bank_label and query_label are needed");
    if (report->struct_size < sizeof(size_t) || report->struct_size > 1 << 20)
        return hr_fail(HIRL_E_INVALID, "knn: report->struct_size is %zu", report->struct_size);
    if (bank->n < 1 || d < 1 || (query ? query->n < 1 : bank->n < 2))
        return hr_fail(HIRL_E_INVALID, "knn: %lld bank rows, %lld queries, %lld columns cannot be",
                       (long long)bank->n, query ? (long long)query->n : (long long)bank->n,
                       (long long)d);
    if (bank->n > INT32_MAX || (query && query->n > INT32_MAX))
        return hr_fail(HIRL_E_LIMIT, "knn: more than %d rows", INT32_MAX);
    return HIRL_OK;
}

static hirl_status ask(hirl_knn_report *report, hirl_context *context, const hr_labelled *bank,
                       const hr_labelled *query, int64_t d, const hr_knn_config *config)
{
    hr_queue *queue = NULL;
    hirl_status status;
    hr_call call;

    HR_TRY(hr_context_enter(&call, context));
    status = hr_context_take_queue(&queue, context);
    if (status >= 0)
        status = hr_knn(report, queue, bank, query, d, config);
    hr_context_give_queue(queue);
    return hr_context_leave(&call, status);
}

hirl_status hirl_eval_knn(hirl_knn_report *report, hirl_context *context, const float *bank,
                          const int32_t *bank_label, int64_t bank_count, const float *query,
                          const int32_t *query_label, int64_t query_count, int64_t d,
                          const hirl_options *options)
{
    hr_labelled all = { bank, bank_label, bank_count }, asked = { query, query_label, query_count };
    hirl_knn_report full = { 0 };
    hr_knn_config config;

    if (!context)
        return hr_fail(HIRL_E_INVALID, "knn: no context");
    HR_TRY(check(report, &all, query ? &asked : NULL, d));
    HR_TRY(hr_options_read(&config, &hr_knn_keys, options));
    full.struct_size = report->struct_size;
    HR_TRY(ask(&full, context, &all, query ? &asked : NULL, d, &config));
    memcpy(report, &full, full.struct_size < sizeof full ? full.struct_size : sizeof full);
    return HIRL_OK;
}
