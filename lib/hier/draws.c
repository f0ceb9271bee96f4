/* draws.c - the random choices of k-means in each profile (HIRL sec. 4.1).
 *
 *   paper:      the counter generator with purpose HR_RNG_KMEANS and view = level;
 *                 first rows  epoch = redo, image = 0
 *                 subset      epoch = SUBSET
 *                 splits      epoch = redo, image = 1 + iteration
 *   reference:  the draws of faiss in the authors' program, by a 32-bit Mersenne Twister with seeds
 *                 first rows  seed + level + 1 + redo * 15486557
 *                 subset      seed + level
 *                 splits      1234, again in each iteration
 *               permutation: for i = 0 to n-2 swap p[i] and p[i + u mod (n - i)]
 *               uniform number: (float)u / 2^32
 */
#include "hier/draws.h"

#include "base/alloc.h"

#define SUBSET 0xFFFFFFFFu
enum { REDO_STRIDE = 15486557, SPLIT_SEED = 1234 };

void hr_draws_init(hr_draws *draws, const hr_cluster_config *config, int what, int level,
                   int64_t redo, int64_t iteration)
{
    uint64_t seed = (uint64_t)config->kmeans_seed;

    draws->reference = config->profile == 1;
    if (!draws->reference) {
        hr_rng_init(&draws->rng, seed, HR_RNG_KMEANS, (uint32_t)level,
                    what == HR_DRAW_SUBSET ? SUBSET : (uint32_t)redo,
                    what == HR_DRAW_SPLIT ? (uint32_t)(1 + iteration) : 0);
        return;
    }
    seed += (uint64_t)level;
    if (what == HR_DRAW_START)
        seed += 1 + (uint64_t)redo * REDO_STRIDE;
    hr_mt19937_init(&draws->twister, what == HR_DRAW_SPLIT ? SPLIT_SEED : (uint32_t)seed);
}

static void permute(int64_t *p, hr_mt19937 *twister, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        p[i] = i;
    for (int64_t i = 0; i + 1 < n; i++) {
        int64_t j = i + hr_mt19937_u32(twister) % (n - i);
        int64_t swap = p[i];

        p[i] = p[j];
        p[j] = swap;
    }
}

hirl_status hr_draws_rows(int32_t *row, hr_draws *draws, int64_t count, int64_t n)
{
    int64_t *order = hr_alloc_array((size_t)n, sizeof *order);

    if (!order)
        return HIRL_E_NOMEM;
    if (draws->reference)
        permute(order, &draws->twister, n);
    else
        hr_rng_permutation(&draws->rng, order, n);
    for (int64_t i = 0; i < count; i++)
        row[i] = (int32_t)order[i];
    hr_free(order);
    return HIRL_OK;
}

float hr_draws_uniform(hr_draws *draws)
{
    if (draws->reference)
        return (float)hr_mt19937_u32(&draws->twister) * 0x1p-32f;
    return (float)hr_rng_uniform(&draws->rng);
}
