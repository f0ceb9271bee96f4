/* knn.h - weighted k nearest neighbours (Wu et al. 2018; HIRL sec. 5.1). */
#ifndef HR_KNN_H
#define HR_KNN_H

#include "base/option.h"
#include "context.h"
#include "row_source.h"
#include "types.h"

#include <hirl/eval.h>

typedef struct hr_knn_config {
    hr_key_list knn_k;      /* 10, 20, 100, 200 */
    double knn_temperature; /* 0.07 */
} hr_knn_config;
extern const hr_keys hr_knn_keys;

/* rows of features with their labels; each row is read once, in order */
typedef struct hr_labelled {
    hr_row_source *rows;
    const int32_t *label; /* host [n], -1: the row is left out */
} hr_labelled;

/* Classifies the queries by the rows of the bank. query NULL: each bank row is classified by all
 * the others. */
hirl_status hr_knn(hirl_knn_score *score, hr_queue *queue, const hr_labelled *bank,
                   const hr_labelled *query, const hr_knn_config *config);

#endif
