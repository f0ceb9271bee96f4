/* eval.c - functions of <hirl/eval.h>: weighted kNN. */
#include <hirl/eval.h>

#include <string.h>

#include "base/error.h"
#include "base/record.h"
#include "context.h"
#include "eval/knn.h"
#include "hier/rows.h"

static hirl_status check(const hirl_knn_score *score, const hr_labelled *bank,
                         const hr_labelled *query, const float *x)
{
    int64_t n = bank->rows->n, d = bank->rows->d, queries = query ? query->rows->n : n;

    HR_TRY(HR_RECORD_CHECK(score, "knn: score", hirl_knn_score));
    if (!x || !bank->label || (query && !query->label))
        return hr_fail(HIRL_E_INVALID, "knn: bank, bank_label or query_label is NULL");
    if (n < 1 || d < 1 || (query ? queries < 1 : n < 2))
        return hr_fail(HIRL_E_INVALID,
                       "knn: %lld bank rows, %lld queries, %lld columns; at least 1 of each is "
                       "expected, and 2 bank rows without queries",
                       (long long)n, (long long)queries, (long long)d);
    if (n > INT32_MAX || queries > INT32_MAX)
        return hr_fail(HIRL_E_LIMIT,
                       "knn: %lld bank rows, %lld queries; at most %d of each are expected",
                       (long long)n, (long long)queries, INT32_MAX);
    return HIRL_OK;
}

static hirl_status evaluate(hirl_knn_score *score, hirl_context *context, const hr_labelled *bank,
                            const hr_labelled *query, const hr_knn_config *config)
{
    hr_queue *queue = NULL;
    hirl_status status;
    hr_call call;

    HR_TRY(hr_context_enter(&call, context));
    status = hr_context_take_queue(&queue, context);
    if (status >= 0)
        status = hr_knn(score, queue, bank, query, config);
    hr_context_give_queue(queue);
    return hr_context_leave(&call, status);
}

hirl_status hirl_knn_evaluate(hirl_knn_score *score, hirl_context *context, const float *bank,
                              const int32_t *bank_label, int64_t bank_count, const float *query,
                              const int32_t *query_label, int64_t query_count, int64_t d,
                              const hirl_options *options)
{
    hr_rows_array known = hr_rows_of_array(bank, bank_count, d);
    hr_rows_array asked = hr_rows_of_array(query, query_count, d);
    hr_labelled banks = { &known.rows, bank_label }, queries = { &asked.rows, query_label };
    hirl_knn_score full = { .struct_size = sizeof full };
    hr_knn_config config;

    if (!context)
        return hr_fail(HIRL_E_INVALID, "knn: context is NULL");
    HR_TRY(check(score, &banks, query ? &queries : NULL, bank));
    HR_TRY(hr_options_read(&config, &hr_knn_keys, options));
    HR_TRY(evaluate(&full, context, &banks, query ? &queries : NULL, &config));
    hr_record_fill(score, &full, sizeof full);
    return HIRL_OK;
}
