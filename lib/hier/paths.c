/* paths.c - negative paths of a step: leaves drawn for each image (HIRL sec. 4.2).
 *
 *   draw=others:  uniform among the M_1 - 1 leaves other than the positive one: u in
 *                 [0, M_1 - 1), leaf = u + (u >= positive)                 profile paper
 *   draw=all:     uniform among all M_1 leaves; a draw of the positive leaf gives -1, no negative
 *                                                                          profile reference
 *
 * Both draw with replacement. A leaf stands for its path. negative [n,k].
 */
#include "hier/paths.h"

#include <math.h>

#include "base/rng.h"

#define FIELD(name) offsetof(hr_spd_config, name)
static const hr_key keys[] = {
    { "negatives", HR_KEY_INT, "1000", 1, 1e6, NULL, false, "paths",
      "negative paths drawn for each image", FIELD(negatives) },
    { "draw", HR_KEY_CHOICE, "auto", 0, 0, "auto others all", false, "",
      "leaves that negative paths are drawn from; others: all but the image's own; all: every "
      "leaf, and a draw of the image's own is masked; auto: others in profile paper, all in "
      "profile reference",
      FIELD(draw) },
    { "spd_weight", HR_KEY_REAL, "auto", 0, 1e6, NULL, true, "",
      "weight of the path loss; auto: 1 in profile paper, 0.5 in profile reference",
      FIELD(spd_weight) },
    { "spd_eps", HR_KEY_REAL, "1e-6", 0, 0.1, NULL, false, "",
      "added inside the logarithms of the path loss", FIELD(spd_eps) },
    { "profile", HR_KEY_CHOICE, "paper", 0, 0, "paper reference", false, "",
      "paper: what the paper states; reference: what the authors' program does", FIELD(profile) },
};
const hr_keys hr_spd_keys = { "loss", keys, sizeof keys / sizeof *keys };

double hr_spd_weight(const hr_spd_config *config)
{
    if (!isnan(config->spd_weight))
        return config->spd_weight;
    return config->profile == HR_PROFILE_REFERENCE ? 0.5 : 1;
}

bool hr_spd_draws_all(const hr_spd_config *config)
{
    if (config->draw == HR_NEGATIVES_AUTO)
        return config->profile == HR_PROFILE_REFERENCE;
    return config->draw == HR_NEGATIVES_ALL;
}

static int32_t leaf_of(int32_t drawn, int32_t positive, bool all)
{
    if (all)
        return drawn == positive ? -1 : drawn;
    return drawn + (drawn >= positive);
}

void hr_paths_draw(int32_t *negative, int64_t n, int64_t k, const int32_t *leaf,
                   const int64_t *image, int64_t leaves, uint64_t seed, int64_t step, bool all)
{
    for (int64_t i = 0; i < n; i++) {
        bool none = (leaf && leaf[i] < 0) || leaves < 2;
        uint32_t from = (uint32_t)(all ? leaves : leaves - 1);
        hr_rng rng;

        hr_rng_init(&rng, seed, HR_RNG_NEGATIVE, 0, (uint32_t)step, (uint32_t)image[i]);
        for (int64_t j = 0; j < k; j++) {
            int32_t drawn = none ? -1 : (int32_t)hr_rng_below(&rng, from);

            negative[i * k + j] = none || !leaf ? drawn : leaf_of(drawn, leaf[i], all);
        }
    }
}
