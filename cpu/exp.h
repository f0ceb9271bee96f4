/* exp.h - e^x without a call or a branch, so that the compiler can vectorise loops that use it.
 *
 *   x = k ln 2 + r, |r| <= ln 2 / 2      e^x = 2^k (1 + r + r^2 q(r))
 *
 * In float, q is a minimax polynomial (relative error 3e-9). The result is within 2 units in the
 * last place, 0 for x < -87, and e^88 for x > 88. In double this is exp() of the C library. A NaN
 * stays a NaN.
 */
#ifndef HR_CPU_EXP_H
#define HR_CPU_EXP_H

#include <math.h>
#include <string.h>

#include "types.h"

#ifdef HR_REAL_DOUBLE

static inline real hr_cpu_exp(real x)
{
    return exp(x);
}

#else

static inline real hr_cpu_exp(real x)
{
    const float round = 0x1.8p23f; /* adding this puts the integer k into the low bits */
    float y = x > 88 ? 88 : x, shifted = y * 1.44269504f + round, k = shifted - round, r, q, power;
    uint32_t bits;

    r = y - k * 0.693359375f + k * 2.12194440e-4f;
    q = 0.0013814316f;
    q = q * r + 0.008368852f;
    q = q * r + 0.0416684f;
    q = q * r + 0.1666652f;
    q = q * r + 0.49999994f;
    memcpy(&bits, &shifted, sizeof bits);
    bits = (bits << 23) + 0x3F800000u;
    memcpy(&power, &bits, sizeof power);
    return x < -87 ? 0 : power * (1 + (r + r * r * q));
}

#endif

#endif
