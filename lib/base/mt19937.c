/* mt19937.c - the 32-bit Mersenne Twister (Matsumoto and Nishimura 1998).
 *
 *   seeding   x_0 = seed,  x_i = 1812433253 (x_{i-1} ^ (x_{i-1} >> 30)) + i      (mod 2^32)
 *   twist     y = (x_i & 2^31) | (x_{i+1} & (2^31 - 1))
 *             x_{i+624} = x_{i+397} ^ (y >> 1) ^ (y odd ? 0x9908B0DF : 0)
 */
#include "base/mt19937.h"

enum { WORDS = HR_MT19937_WORDS, AHEAD = 397 };

void hr_mt19937_init(hr_mt19937 *mt, uint32_t seed)
{
    mt->state[0] = seed;
    for (int i = 1; i < WORDS; i++) {
        uint32_t before = mt->state[i - 1];

        mt->state[i] = 1812433253u * (before ^ (before >> 30)) + (uint32_t)i;
    }
    mt->used = WORDS;
}

static void twist(uint32_t *x)
{
    for (int i = 0; i < WORDS; i++) {
        uint32_t y = (x[i] & 0x80000000u) | (x[(i + 1) % WORDS] & 0x7FFFFFFFu);

        x[i] = x[(i + AHEAD) % WORDS] ^ (y >> 1) ^ (y & 1 ? 0x9908B0DFu : 0);
    }
}

uint32_t hr_mt19937_u32(hr_mt19937 *mt)
{
    uint32_t y;

    if (mt->used == WORDS) {
        twist(mt->state);
        mt->used = 0;
    }
    y = mt->state[mt->used++];
    y ^= y >> 11;
    y ^= (y << 7) & 0x9D2C5680u;
    y ^= (y << 15) & 0xEFC60000u;
    return y ^ (y >> 18);
}
