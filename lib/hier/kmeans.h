/* kmeans.h - one flat clustering, one Lloyd iteration at a time (spec.md 3.3). */
#ifndef HR_KMEANS_H
#define HR_KMEANS_H

#include "array.h"
#include "base/option.h"
#include "base/tensors.h"
#include "context.h"
#include "types.h"

enum { HR_BETWEEN_AUTO, HR_BETWEEN_RAW, HR_BETWEEN_UNIT };

typedef struct hr_cluster_config {
    hr_key_list prototypes;    /* M_1 .. M_L, strictly falling; count 0: auto */
    int64_t kmeans_iterations; /* 20 */
    int64_t kmeans_redo;       /* 5 */
    int64_t kmeans_seed;       /* 0 */
    int64_t kmeans_between;    /* what the next level clusters: HR_BETWEEN_*; auto: the profile's */
    int64_t kmeans_max_points; /* points a centroid above which a random subset is used: 1000 */
    int64_t warm;              /* start from the previous tree's centroids where they fit */
    int64_t normalize;         /* rows to unit length first */
    int64_t
        profile; /* 0 paper; 1 reference: draws of faiss, centroids of unit length between levels */
} hr_cluster_config;
extern const hr_keys hr_cluster_keys;
bool hr_kmeans_unit_between(const hr_cluster_config *config); /* what the next level clusters */

typedef struct hr_kmeans hr_kmeans;

/* rows that move the centroids, redos, and iterations of each, of a clustering */
typedef struct hr_kmeans_plan {
    int64_t rows, redos, iterations;
} hr_kmeans_plan;
hr_kmeans_plan hr_kmeans_plan_of(int64_t n, int64_t k, const hr_cluster_config *config, bool warm);

/* points [n,d] real on the queue's device, kept until destroy; weight host [n] or NULL; initial
 * host [k,d]: warm start (one run, no redos), or NULL: random points. level names the draws. */
hirl_status hr_kmeans_create(hr_kmeans **kmeans, hr_queue *queue, const hr_array *points,
                             const float *weight, int64_t k, const hr_cluster_config *config,
                             int level, const float *initial);
void hr_kmeans_destroy(hr_kmeans *kmeans);
/* One iteration of one redo; *done when all are made and the best is in place. */
hirl_status hr_kmeans_step(bool *done, hr_kmeans *kmeans);
int64_t hr_kmeans_total(const hr_kmeans *kmeans); /* iterations in all, and made or saved */
int64_t hr_kmeans_made(const hr_kmeans *kmeans);
/* after the last step: raw centroids of the best redo [k,d], nearest of them for every row [n],
 * its objective: sum of weighted squared distances in its last assignment */
const real *hr_kmeans_centroids(const hr_kmeans *kmeans);
hirl_status hr_kmeans_labels(int32_t *label, hr_kmeans *kmeans);
double hr_kmeans_objective(const hr_kmeans *kmeans);
/* clusters without a row in the last assignment: split where it was possible */
int64_t hr_kmeans_empty(const hr_kmeans *kmeans);
/* exact state between two steps: redo, iteration, centroids, best so far */
hirl_status hr_kmeans_save(hr_tensors *out, const hr_kmeans *kmeans, const char *prefix);
hirl_status hr_kmeans_load(hr_kmeans *kmeans, const hr_tensors *in, const char *prefix);

#endif
