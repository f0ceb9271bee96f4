/* npy_values.c - numbers of a .npy file as f32: integers and floats of any width, in either byte
 * order. */
#include "data/npy_values.h"

#include <float.h>
#include <math.h>
#include <string.h>

/* the bytes of a number, the least significant first */
static uint64_t bits_of(const uint8_t *from, const hr_npy *npy)
{
    uint64_t bits = 0;

    for (int32_t i = 0; i < npy->size; i++)
        bits |= (uint64_t)from[npy->big ? npy->size - 1 - i : i] << 8 * i;
    return bits;
}

static int64_t signed_of(uint64_t bits, int32_t size)
{
    int shift = 64 - 8 * size;

    return (int64_t)(bits << shift) >> shift;
}

/* binary16: 1 sign, 5 exponent, 10 fraction bits */
static float widen_half(uint16_t h)
{
    uint32_t sign = (uint32_t)(h & 0x8000) << 16, exponent = h >> 10 & 31, fraction = h & 1023;
    uint32_t bits;
    float f;

    if (!exponent) { /* zero and subnormal numbers: fraction 2^-24 */
        f = (float)fraction * 0x1p-24f;
        return sign ? -f : f;
    }
    bits = sign | (exponent == 31 ? 255 : exponent + 112) << 23 | fraction << 13;
    memcpy(&f, &bits, sizeof f);
    return f;
}

static float single_of(uint32_t bits)
{
    float f;

    memcpy(&f, &bits, sizeof f);
    return f;
}

static double double_of(uint64_t bits)
{
    double wide;

    memcpy(&wide, &bits, sizeof wide);
    return wide;
}

int64_t hr_npy_to_floats(float *to, double *beyond, const uint8_t *from, int64_t n,
                         const hr_npy *npy)
{
    for (int64_t i = 0; i < n; i++, from += npy->size) {
        uint64_t bits = bits_of(from, npy);

        if (npy->bf16) {
            to[i] = single_of((uint32_t)bits << 16); /* the upper half of a binary32 */
        } else if (npy->kind == 'i') {
            to[i] = (float)signed_of(bits, npy->size);
        } else if (npy->kind != 'f') {
            to[i] = (float)bits;
        } else if (npy->size == 2) {
            to[i] = widen_half((uint16_t)bits);
        } else if (npy->size == 4) {
            to[i] = single_of((uint32_t)bits);
        } else {
            double wide = double_of(bits);

            to[i] = (float)wide;
            if (isinf(to[i]) && !isinf(wide)) {
                *beyond = wide;
                return i;
            }
        }
    }
    return n;
}

bool hr_npy_to_labels(int32_t *to, const uint8_t *from, int64_t n, const hr_npy *npy)
{
    for (int64_t i = 0; i < n; i++, from += npy->size) {
        uint64_t bits = bits_of(from, npy);
        int64_t value = npy->kind == 'i' ? signed_of(bits, npy->size) : (int64_t)bits;

        if (value < -1 || value > INT32_MAX)
            return false;
        to[i] = (int32_t)value;
    }
    return true;
}
