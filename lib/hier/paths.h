/* paths.h - negative paths of a step: leaves drawn for each image (spec.md 3.6). */
#ifndef HR_PATHS_H
#define HR_PATHS_H

#include "base/option.h"
#include "types.h"

typedef struct hr_spd_config {
    int64_t negatives;   /* paths an image */
    double spd_weight;   /* of the path loss in eq. 4: paper 1, reference 0.5 */
    double spd_eps;      /* inside the logarithms, 1e-6 */
    int64_t profile;     /* 0 paper: from the M_1 - 1 other leaves; 1 reference: from all, the positive masked */
} hr_spd_config;
extern const hr_keys hr_spd_keys;

/* negative [n,k]: for image id image[i] with positive leaf[i] (-1: all -1), keyed by (seed, step, image) */
void hr_paths_draw(int32_t *negative, int64_t n, int64_t k, const int32_t *leaf, const int64_t *image,
                   int64_t leaves, uint64_t seed, int64_t step, bool reference);

#endif
