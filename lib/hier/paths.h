/* paths.h - negative paths of a step: leaves drawn for each image. */
#ifndef HR_PATHS_H
#define HR_PATHS_H

#include "base/option.h"
#include "types.h"

enum { HR_PROFILE_PAPER, HR_PROFILE_REFERENCE };
enum { HR_NEGATIVES_AUTO, HR_NEGATIVES_OTHERS, HR_NEGATIVES_ALL };

typedef struct hr_spd_config {
    int64_t negatives; /* negative paths of an image */
    int64_t draw;      /* HR_NEGATIVES_*: leaves they are drawn from; auto: hr_spd_draws_all */
    double spd_weight; /* weight of the path loss in eq. 4; NaN (auto): hr_spd_weight */
    double spd_eps;    /* 1e-6, added inside the logarithms */
    int64_t profile;   /* HR_PROFILE_* */
} hr_spd_config;
extern const hr_keys hr_spd_keys;

/* added to the number of drawn negatives, the divisor of the second term of HIRL eq. 3 */
static inline double hr_spd_divisor_eps(bool reference)
{
    return reference ? 1e-6 : 0;
}

/* The given weight, else 1 in profile paper and 0.5 in profile reference: the authors' program
 * takes the mean of the two terms of the path loss, the paper their sum. */
double hr_spd_weight(const hr_spd_config *config);

/* Whether negatives are drawn from all leaves and the positive one is masked: as given, else in
 * profile reference only. The paper draws from the leaves that are not positive. */
bool hr_spd_draws_all(const hr_spd_config *config);

/* negative [n,k] <- k leaves for each image id image[i] with the positive leaf[i], keyed by (seed,
 * step, image id). -1: no negative, because the image has no leaf, the tree has a single leaf, or
 * (with `all`) the draw was the positive leaf.
 * With leaf NULL the numbers stay as drawn, for positives that the step chooses (kernel
 * path_leaves). */
void hr_paths_draw(int32_t *negative, int64_t n, int64_t k, const int32_t *leaf,
                   const int64_t *image, int64_t leaves, uint64_t seed, int64_t step, bool all);

#endif
