/* mt19937.h - the 32-bit Mersenne Twister (Matsumoto and Nishimura 1998): draws of the authors'
 * program, for profile=reference only; everything else draws from rng.h. */
#ifndef HR_MT19937_H
#define HR_MT19937_H

#include "types.h"

enum { HR_MT19937_WORDS = 624 };

typedef struct hr_mt19937 {
    uint32_t state[HR_MT19937_WORDS];
    int used; /* words given of this state */
} hr_mt19937;

void hr_mt19937_init(hr_mt19937 *mt, uint32_t seed);
uint32_t hr_mt19937_u32(hr_mt19937 *mt);

#endif
