/* draws.h - the random choices of k-means, of each profile (spec.md 3.3, 8.8). */
#ifndef HR_DRAWS_H
#define HR_DRAWS_H

#include "base/mt19937.h"
#include "base/rng.h"
#include "hier/kmeans.h"

/* what is drawn: rows that move the centroids, first centroids of a redo, splits of an iteration */
enum { HR_DRAW_SUBSET, HR_DRAW_START, HR_DRAW_SPLIT };

typedef struct hr_draws {
    bool reference;
    hr_rng rng;
    hr_mt19937 twister; /* of profile reference */
} hr_draws;

void hr_draws_init(hr_draws *draws, const hr_cluster_config *config, int what, int level,
                   int64_t redo, int64_t iteration);
/* the first `count` of a random order of n rows */
hirl_status hr_draws_rows(int32_t *row, hr_draws *draws, int64_t count, int64_t n);
float hr_draws_uniform(hr_draws *draws); /* 0 to 1 */

#endif
