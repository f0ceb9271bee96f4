/* kmeans.h - one flat clustering, one Lloyd iteration at a time (spec.md 3.3). */
#ifndef HR_KMEANS_H
#define HR_KMEANS_H

#include "array.h"
#include "base/option.h"
#include "base/tensors.h"
#include "context.h"
#include "types.h"

typedef struct hr_cluster_config {
    hr_key_list prototypes;      /* M_1 .. M_L, strictly falling; count 0: auto */
    int64_t kmeans_iterations;   /* 20 */
    int64_t kmeans_redo;         /* 5 */
    int64_t kmeans_seed;         /* 0 */
    int64_t kmeans_between;      /* what the next level clusters: 0 raw centroids, 1 normalised ones */
    int64_t kmeans_max_points;   /* points a centroid above which a random subset is used: 1000 */
    int64_t normalize;           /* rows to unit length first */
    int64_t warm;                /* start from the previous prototypes when they fit */
} hr_cluster_config;
extern const hr_keys hr_cluster_keys;

typedef struct hr_kmeans hr_kmeans;

/* points [n,d] real on the queue's device, kept until destroy; weight host [n] or NULL; initial host
 * [k,d] real: warm start (one run, no redos), or NULL: random points. level names the draws. */
hirl_status hr_kmeans_create(hr_kmeans **kmeans, hr_queue *queue, const hr_array *points,
                             const float *weight, int64_t k, const hr_cluster_config *config, int level,
                             const real *initial);
void hr_kmeans_destroy(hr_kmeans *kmeans);
/* One iteration of one redo; *done when all are made and the best is in place. */
hirl_status hr_kmeans_step(bool *done, hr_kmeans *kmeans);
int64_t hr_kmeans_total(const hr_kmeans *kmeans); /* iterations in all, and made */
int64_t hr_kmeans_made(const hr_kmeans *kmeans);
/* after the last step: raw centroids of the best redo [k,d], label of every row [n], objective */
const real *hr_kmeans_centroids(const hr_kmeans *kmeans);
hirl_status hr_kmeans_labels(int32_t *label, hr_kmeans *kmeans);
double hr_kmeans_objective(const hr_kmeans *kmeans);
/* exact state between two steps: redo, iteration, centroids, best so far */
hirl_status hr_kmeans_save(hr_tensors *out, const hr_kmeans *kmeans, const char *prefix);
hirl_status hr_kmeans_load(hr_kmeans *kmeans, const hr_tensors *in, const char *prefix);

#endif
