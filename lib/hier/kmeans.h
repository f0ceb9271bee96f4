/* kmeans.h - one flat k-means clustering, one Lloyd iteration at a time. */
#ifndef HR_KMEANS_H
#define HR_KMEANS_H

#include "array.h"
#include "base/tensors.h"
#include "context.h"
#include "hier/cluster_config.h"
#include "types.h"

typedef struct hr_kmeans hr_kmeans;

/* rows that move the centroids, redos, and iterations of each redo */
typedef struct hr_kmeans_plan {
    int64_t rows, redos, iterations;
} hr_kmeans_plan;
hr_kmeans_plan hr_kmeans_plan_of(int64_t n, int64_t k, const hr_cluster_config *config, bool warm);

/* points [n,d] real on the queue's device are borrowed until destroy. weight host [n], NULL: all 1.
 * initial host [k,d] for a warm start of a single redo, NULL: random points. level keys the
 * draws. */
hirl_status hr_kmeans_create(hr_kmeans **kmeans, hr_queue *queue, const hr_array *points,
                             const float *weight, int64_t k, const hr_cluster_config *config,
                             int level, const float *initial);
void hr_kmeans_destroy(hr_kmeans *kmeans);
/* makes one iteration of one redo; *done: it was the last one of all redos */
hirl_status hr_kmeans_step(bool *done, hr_kmeans *kmeans);
/* iterations of all redos, and those of them that are made or skipped by an early end */
int64_t hr_kmeans_total(const hr_kmeans *kmeans);
int64_t hr_kmeans_made(const hr_kmeans *kmeans);
/* After the last iteration, of the best redo: raw centroids [k,d]; the nearest of them for every
 * row, label [n]; the objective J of its last assignment. */
const real *hr_kmeans_centroids(const hr_kmeans *kmeans);
hirl_status hr_kmeans_labels(int32_t *label, hr_kmeans *kmeans);
double hr_kmeans_objective(const hr_kmeans *kmeans);
/* clusters that were empty in that assignment, filled by a split or not */
int64_t hr_kmeans_empty(const hr_kmeans *kmeans);
/* The exact state between two iterations. load needs a k-means created from the same points. */
hirl_status hr_kmeans_save(hr_tensors *out, const hr_kmeans *kmeans, const char *prefix);
hirl_status hr_kmeans_load(hr_kmeans *kmeans, const hr_tensors *in, const char *prefix);

#endif
