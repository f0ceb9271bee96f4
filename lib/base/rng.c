/* rng.c - random numbers as a function of their purpose (Philox 4x32-10, Salmon et al. 2011). */
#include "base/rng.h"

#include <math.h>
#include <string.h>

enum { ROUNDS = 10 };

void hr_philox(uint32_t out[4], const uint32_t counter[4], const uint32_t key[2])
{
    uint32_t c0 = counter[0], c1 = counter[1], c2 = counter[2], c3 = counter[3];
    uint32_t k0 = key[0], k1 = key[1];

    for (int round = 0; round < ROUNDS; round++) {
        uint64_t a = (uint64_t)0xD2511F53u * c0;
        uint64_t b = (uint64_t)0xCD9E8D57u * c2;

        c0 = (uint32_t)(b >> 32) ^ c1 ^ k0;
        c1 = (uint32_t)b;
        c2 = (uint32_t)(a >> 32) ^ c3 ^ k1;
        c3 = (uint32_t)a;
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
    out[0] = c0;
    out[1] = c1;
    out[2] = c2;
    out[3] = c3;
}

void hr_rng_init(hr_rng *rng, uint64_t seed, hr_purpose purpose, uint32_t view, uint32_t epoch,
                 uint32_t image)
{
    memset(rng, 0, sizeof *rng);
    rng->key[0] = (uint32_t)seed;
    rng->key[1] = (uint32_t)(seed >> 32);
    rng->counter[1] = (uint32_t)purpose << 24 | (view & 0xFFFFFFu);
    rng->counter[2] = epoch;
    rng->counter[3] = image;
}

void hr_rng_seek(hr_rng *rng, uint32_t block)
{
    rng->counter[0] = block;
    rng->left = 0;
}

uint32_t hr_rng_u32(hr_rng *rng)
{
    if (!rng->left) {
        hr_philox(rng->block, rng->counter, rng->key);
        rng->counter[0]++;
        rng->left = 4;
    }
    return rng->block[4 - rng->left--];
}

double hr_rng_uniform(hr_rng *rng)
{
    return hr_rng_u32(rng) * 0x1p-32;
}

double hr_rng_range(hr_rng *rng, double low, double high)
{
    return low + hr_rng_uniform(rng) * (high - low);
}

uint32_t hr_rng_below(hr_rng *rng, uint32_t n)
{
    uint32_t reject = (uint32_t)(0u - n) % n; /* 2^32 mod n (Lemire 2019) */
    uint64_t product;

    do
        product = (uint64_t)hr_rng_u32(rng) * n;
    while ((uint32_t)product < reject);
    return (uint32_t)(product >> 32);
}

double hr_rng_normal(hr_rng *rng)
{
    double u = 1.0 - hr_rng_uniform(rng); /* (0, 1] */
    double v = hr_rng_uniform(rng);

    return sqrt(-2.0 * log(u)) * cos(2.0 * 3.14159265358979323846 * v);
}

void hr_rng_permutation(hr_rng *rng, int64_t *p, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        p[i] = i;
    for (int64_t i = 0; i + 1 < n; i++) {
        int64_t j = i + hr_rng_below(rng, (uint32_t)(n - i));
        int64_t swap = p[i];

        p[i] = p[j];
        p[j] = swap;
    }
}
