/* paths.h - negative paths of a step: leaves drawn for each image (spec.md 3.6). */
#ifndef HR_PATHS_H
#define HR_PATHS_H

#include "base/option.h"
#include "types.h"

enum { HR_PROFILE_PAPER, HR_PROFILE_REFERENCE };
enum { HR_NEGATIVES_AUTO, HR_NEGATIVES_OTHERS, HR_NEGATIVES_ALL };

typedef struct hr_spd_config {
    int64_t negatives; /* paths an image */
    int64_t draw;      /* from which leaves: HR_NEGATIVES_*; auto: see hr_spd_draws_all */
    double spd_weight; /* of the path loss in eq. 4; NaN (auto): see hr_spd_weight */
    double spd_eps;    /* inside the logarithms, 1e-6 */
    int64_t profile;   /* HR_PROFILE_* */
} hr_spd_config;
extern const hr_keys hr_spd_keys;

/* added to the number of drawn negatives, the divisor of the second term of HIRL eq. 3 */
static inline double hr_spd_divisor_eps(bool reference)
{
    return reference ? 1e-6 : 0;
}

/* the weight in force: as given, else 1 in profile paper and 0.5 in profile reference (D1) */
double hr_spd_weight(const hr_spd_config *config);

/* negatives from all leaves, the positive masked: as given, else in profile reference (D3) */
bool hr_spd_draws_all(const hr_spd_config *config);

/* negative [n,k]: leaves for image id image[i] with positive leaf[i], keyed by (seed, step, image).
 * -1: not there (a row without leaf, a tree of one leaf, with `all` the positive itself) */
void hr_paths_draw(int32_t *negative, int64_t n, int64_t k, const int32_t *leaf,
                   const int64_t *image, int64_t leaves, uint64_t seed, int64_t step, bool all);

#endif
