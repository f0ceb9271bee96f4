/** @file eval.h - evaluations: weighted kNN as in the paper. */
#ifndef HIRL_EVAL_H
#define HIRL_EVAL_H

#include <stddef.h>
#include <stdint.h>

#include "handles.h"
#include "status.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Result of a kNN evaluation. */
typedef struct hirl_knn_report {
    size_t struct_size;  /**< set by the caller */
    int32_t ks;          /**< how many K were tried */
    int32_t k[8];
    double top1[8];      /**< share of queries, 0 to 1, for each K */
    double top5[8];
    double best_top1;    /**< the largest of top1: what the paper prints */
    int32_t best_k;
    int64_t queries, bank;
} hirl_knn_report;

/**
 * Weighted k nearest neighbours (Wu et al. 2018): rows are L2-normalised, a neighbour's weight is
 * exp(cosine / temperature), the class with the largest sum wins, the lowest index on ties. A bank of fewer
 * than K rows answers with all of them.
 *
 * @param bank         [bank_count, d]  f32
 * @param bank_label   [bank_count]     >= 0; -1: the row does not count
 * @param query        [query_count, d]; NULL: every bank row asks all others (leave one out)
 * @param query_label  [query_count]     -1: the row does not count
 * @param bank_count   rows of the bank
 * @param query_count  rows of the queries
 * @param d            columns of both
 * @param options      keys knn_k (10,20,100,200), knn_temperature (0.07); NULL: defaults
 * @retval HIRL_E_INVALID    sizes or labels that cannot be
 * @retval HIRL_E_NONFINITE  a row that is not finite, named
 * @retval HIRL_E_LIMIT      more rows or labels than 32 bits can count
 * @retval HIRL_E_UNSUPPORTED  the backend lacks operations, named
 * @retval HIRL_E_CANCELED, HIRL_E_NOMEM
 * Threads: one call per context at a time. Since 0.1.
 */
HIRL_API HIRL_NODISCARD hirl_status hirl_eval_knn(hirl_knn_report *report, hirl_context *context,
                                                  const float *bank, const int32_t *bank_label,
                                                  int64_t bank_count, const float *query,
                                                  const int32_t *query_label, int64_t query_count, int64_t d,
                                                  const hirl_options *options);

#ifdef __cplusplus
}
#endif

#endif
