/* rng.h - random numbers as a function of their purpose (Philox 4x32-10, Salmon et al. 2011).
 *
 * key     = the seed of the run, 64 bits
 * counter = { block number, purpose << 24 | view, epoch or step, image or another index }
 *
 * Each block gives four 32-bit words in order. No generator is shared or saved: the same purpose,
 * view, epoch and image give the same draws on every machine, with any number of threads, and in a
 * resumed run.
 */
#ifndef HR_RNG_H
#define HR_RNG_H

#include "types.h"

typedef enum hr_purpose {
    HR_RNG_INIT = 1,  /* initial weights; image = position of the parameter */
    HR_RNG_ORDER,     /* order of the images in an epoch */
    HR_RNG_AUGMENT,   /* one view of one image */
    HR_RNG_SHUFFLE,   /* permutation of shuffled batch norm; epoch = step */
    HR_RNG_QUEUE,     /* initial rows of the key queue; image = row */
    HR_RNG_NEGATIVE,  /* negative paths of one image; epoch = step */
    HR_RNG_KMEANS,    /* k-means: initial centroids, splits, subset; view = level (hier/draws.c) */
    HR_RNG_GENERATED, /* generated images; view = part of the drawing */
    HR_RNG_EVAL,      /* splits and samples of evaluations */
    HR_RNG_TEST,
    HR_RNG_MASK, /* hidden patches of one view of one image */
    HR_RNG_DROP, /* stochastic depth of one view; epoch = step, counter block = transformer block */
} hr_purpose;

struct hr_rng {
    uint32_t key[2];
    uint32_t counter[4];
    uint32_t block[4];
    int left;
};

/* Computes one block of four words. The device kernels compute the same. */
void hr_philox(uint32_t out[4], const uint32_t counter[4], const uint32_t key[2]);

void hr_rng_init(hr_rng *rng, uint64_t seed, hr_purpose purpose, uint32_t view, uint32_t epoch,
                 uint32_t image);
/* The next draw is the first word of block `block`; 0 restores the state after hr_rng_init. */
void hr_rng_seek(hr_rng *rng, uint32_t block);
uint32_t hr_rng_u32(hr_rng *rng);
double hr_rng_uniform(hr_rng *rng);                        /* [0, 1), 32 bits */
double hr_rng_range(hr_rng *rng, double low, double high); /* low + uniform * (high - low) */
uint32_t hr_rng_below(hr_rng *rng, uint32_t n);            /* 0 to n-1 without bias, n >= 1 */
double hr_rng_normal(hr_rng *rng);                         /* Box-Muller, two uniforms per draw */
/* p = a permutation of 0..n-1, by Fisher-Yates from the front: swaps p[i], p[i + below(n - i)]. */
void hr_rng_permutation(hr_rng *rng, int64_t *p, int64_t n);

#endif
