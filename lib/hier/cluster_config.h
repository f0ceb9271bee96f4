/* cluster_config.h - the keys of clustering. */
#ifndef HR_CLUSTER_CONFIG_H
#define HR_CLUSTER_CONFIG_H

#include "base/option.h"
#include "types.h"

enum { HR_BETWEEN_AUTO, HR_BETWEEN_RAW, HR_BETWEEN_UNIT };

typedef struct hr_cluster_config {
    hr_key_list prototypes;    /* M_1 to M_L, strictly falling; count 0: auto */
    int64_t kmeans_iterations; /* 20 */
    int64_t kmeans_redo;       /* 5 */
    int64_t kmeans_seed;       /* 0 */
    int64_t kmeans_between;    /* HR_BETWEEN_*: centroids that the next level clusters */
    int64_t kmeans_max_points; /* 1000: points a centroid above which a subset moves them */
    int64_t warm;              /* 1: start from the previous tree's centroids if it has as many */
    int64_t normalize;         /* 1: scale rows to unit length first */
    /* 0 paper; 1 reference: draws of faiss, centroids of unit length between levels */
    int64_t profile;
} hr_cluster_config;

extern const hr_keys hr_cluster_keys;
/* whether the next level clusters centroids of unit length */
bool hr_kmeans_unit_between(const hr_cluster_config *config);

#endif
