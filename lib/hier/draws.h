/* draws.h - the random choices of k-means in each profile. */
#ifndef HR_DRAWS_H
#define HR_DRAWS_H

#include "base/mt19937.h"
#include "base/rng.h"
#include "hier/cluster_config.h"

/* Draws of the rows that move the centroids, of the first centroids of a redo, of the splits of an
 * iteration. */
enum { HR_DRAW_SUBSET, HR_DRAW_START, HR_DRAW_SPLIT };

typedef struct hr_draws {
    bool reference;
    hr_rng rng;         /* profile paper */
    hr_mt19937 twister; /* profile reference */
} hr_draws;

void hr_draws_init(hr_draws *draws, const hr_cluster_config *config, int what, int level,
                   int64_t redo, int64_t iteration);
/* row <- the first `count` numbers of a random permutation of 0 to n - 1 */
hirl_status hr_draws_rows(int32_t *row, hr_draws *draws, int64_t count, int64_t n);
float hr_draws_uniform(hr_draws *draws); /* in [0, 1] */

#endif
