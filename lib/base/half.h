/* half.h - conversion between float and bf16, its upper 16 bits; rounds to nearest even. */
#ifndef HR_HALF_H
#define HR_HALF_H

#include <stdint.h>
#include <string.h>

static inline float hr_bf16_widen(uint16_t h)
{
    uint32_t bits = (uint32_t)h << 16;
    float f;

    memcpy(&f, &bits, sizeof f);
    return f;
}

static inline uint16_t hr_bf16_narrow(float f)
{
    uint32_t bits;

    memcpy(&bits, &f, sizeof bits);
    if ((bits & 0x7FFFFFFFu) > 0x7F800000u)
        return (uint16_t)(bits >> 16 | 0x40u); /* a set mantissa bit keeps a NaN a NaN */
    return (uint16_t)((bits + 0x7FFFu + (bits >> 16 & 1u)) >> 16);
}

#endif
