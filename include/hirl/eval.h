/** @file eval.h - evaluation of features by weighted k nearest neighbours (kNN). */
#ifndef HIRL_EVAL_H
#define HIRL_EVAL_H

#include <stddef.h>
#include <stdint.h>

#include "handles.h"
#include "status.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Limits of a kNN evaluation. HIRL_KNN_KS: the most numbers that the key knn_k takes. */
enum { HIRL_KNN_KS = 8 };

/** Score of a kNN evaluation. Entry i of k, top1 and top5 belongs to the i-th number of knn_k. */
typedef struct hirl_knn_score {
    /** bytes; set by the caller to sizeof(hirl_knn_score) */
    size_t struct_size;
    /** how many entries of k, top1 and top5 are used, 1 to 8 */
    int32_t ks;
    /** number of neighbours K */
    int32_t k[HIRL_KNN_KS];
    /** share of the queries whose class has the largest score, 0 to 1 */
    double top1[HIRL_KNN_KS];
    /** share of the queries whose class is among the five largest scores, 0 to 1 */
    double top5[HIRL_KNN_KS];
    /** the largest of top1, which the paper reports (HIRL sec. 5.1) */
    double best_top1;
    /** the K of best_top1 */
    int32_t best_k;
    /** numbers of rows that have a label, and so count */
    int64_t queries, bank;
} hirl_knn_score;

/**
 * Classifies each query by a weighted vote of its K nearest rows of the bank (Wu et al. 2018).
 *
 *     score(class) = sum over the K nearest rows of this class of exp(cosine / knn_temperature)
 *
 * Rows are L2-normalised first. The class with the largest score wins; the lowest class wins a tie.
 * A bank with fewer than K rows votes with all of them.
 *
 * @param[in,out] score        [1] struct, caller-owned, updated during the call; struct_size is set
 *                             before, the other fields are written on success
 * @param[in]     context      [1] handle, caller-owned, used during the call; its backend computes
 * @param[in]     bank         [bank_count, d] float32, caller-owned, read during the call
 * @param[in]     bank_label   [bank_count] int32, caller-owned, read during the call; class of each
 *                             row, from 0; below 0: the row does not count
 * @param[in]     bank_count   rows of the bank, 1 to 2^31 - 1
 * @param[in]     query        [query_count, d] float32, caller-owned, read during the call; NULL:
 *                             leave one out, each row of the bank is a query against all others
 * @param[in]     query_label  [query_count] int32, caller-owned, read during the call; as
 *                             bank_label; NULL: only together with query
 * @param[in]     query_count  rows of the queries, 1 to 2^31 - 1; ignored if query is NULL
 * @param[in]     d            columns of bank and query, from 1
 * @param[in]     options      [1] handle, caller-owned, read during the call; keys knn_k (up to 8
 *                             numbers, default 10,20,100,200) and knn_temperature (0.07); NULL:
 *                             defaults
 *
 * @retval HIRL_E_INVALID      a NULL, a size outside its range, or no row with a label
 * @retval HIRL_E_NONFINITE    a row that counts has a number that is not finite; the message names
 *                             it
 * @retval HIRL_E_LIMIT        more than 2^31 - 1 rows
 * @retval HIRL_E_UNSUPPORTED  the backend lacks operations, which the message names
 * @retval HIRL_E_CANCELED     stopped on request
 * @retval HIRL_E_NOMEM
 *
 * Threads: safe. Since 0.1.
 */
HIRL_API HIRL_NODISCARD hirl_status hirl_knn_evaluate(hirl_knn_score *score, hirl_context *context,
                                                      const float *bank, const int32_t *bank_label,
                                                      int64_t bank_count, const float *query,
                                                      const int32_t *query_label,
                                                      int64_t query_count, int64_t d,
                                                      const hirl_options *options);

#ifdef __cplusplus
}
#endif

#endif
