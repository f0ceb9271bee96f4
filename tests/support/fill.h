/* fill.h - test data from the library's counter-based generator: the same on every machine. */
#ifndef HR_TEST_FILL_H
#define HR_TEST_FILL_H

#include "base/rng.h"

/* uniform in [low, high); each `which` gives different numbers */
static inline void hr_fill_uniform(real *x, int64_t n, uint32_t which, double low, double high)
{
    hr_rng rng;

    hr_rng_init(&rng, 1, HR_RNG_TEST, 0, 0, which);
    for (int64_t i = 0; i < n; i++)
        x[i] = (real)hr_rng_range(&rng, low, high);
}

/* standard normal */
static inline void hr_fill_normal(real *x, int64_t n, uint32_t which)
{
    hr_rng rng;

    hr_rng_init(&rng, 1, HR_RNG_TEST, 1, 0, which);
    for (int64_t i = 0; i < n; i++)
        x[i] = (real)hr_rng_normal(&rng);
}

#endif
