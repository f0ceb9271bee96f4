/* mt19937.h - the 32-bit Mersenne Twister (Matsumoto and Nishimura 1998).
 *
 * Only profile=reference uses it, to reproduce the draws of the HIRL authors' program. Everything
 * else draws from rng.h.
 */
#ifndef HR_MT19937_H
#define HR_MT19937_H

#include "types.h"

enum { HR_MT19937_WORDS = 624 };

typedef struct hr_mt19937 {
    uint32_t state[HR_MT19937_WORDS];
    int used; /* words of this state that were returned already */
} hr_mt19937;

void hr_mt19937_init(hr_mt19937 *mt, uint32_t seed);
uint32_t hr_mt19937_u32(hr_mt19937 *mt);

#endif
