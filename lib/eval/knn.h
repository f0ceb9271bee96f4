/* knn.h - weighted k nearest neighbours (Wu et al. 2018; HIRL sec. 5.1; spec.md 4.1). */
#ifndef HR_KNN_H
#define HR_KNN_H

#include "base/option.h"
#include "context.h"
#include "types.h"

#include <hirl/eval.h>

typedef struct hr_knn_config {
    hr_key_list knn_k;      /* 10, 20, 100, 200 */
    double knn_temperature; /* 0.07 */
} hr_knn_config;
extern const hr_keys hr_knn_keys;

/* labelled rows on the host */
typedef struct hr_labelled {
    const float *x;       /* [n, d] */
    const int32_t *label; /* [n], -1: the row does not count */
    int64_t n;
} hr_labelled;

/* query NULL: every bank row asks all others */
hirl_status hr_knn(hirl_knn_report *report, hr_queue *queue, const hr_labelled *bank,
                   const hr_labelled *query, int64_t d, const hr_knn_config *config);

#endif
