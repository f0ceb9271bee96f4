/* number.cuh - reads and writes the activation types, f32 and bf16, as float. */
#ifndef HR_CUDA_NUMBER_H
#define HR_CUDA_NUMBER_H

#include <stdint.h>

#include "device.h"

typedef struct hr_bf16 {
    uint16_t bits;
} hr_bf16;

HR_DEVICE float hr_widen(float x)
{
    return x;
}

HR_DEVICE float hr_widen(hr_bf16 x)
{
    union {
        uint32_t bits;
        float value;
    } u = { (uint32_t)x.bits << 16 };

    return u.value;
}

HR_DEVICE void hr_narrow(float *to, float x)
{
    *to = x;
}

/* rounds to nearest, ties to even; a NaN stays a NaN; same bits as lib/base/half.h */
HR_DEVICE void hr_narrow(hr_bf16 *to, float x)
{
    union {
        float value;
        uint32_t bits;
    } u = { x };

    if ((u.bits & 0x7FFFFFFFu) > 0x7F800000u)
        to->bits = (uint16_t)(u.bits >> 16 | 0x40u);
    else
        to->bits = (uint16_t)((u.bits + 0x7FFFu + (u.bits >> 16 & 1u)) >> 16);
}

#endif
