/* color.c - colour operations on 8-bit planes (spec.md 2.1.4, 2.1.5, 2.1.7).
 *
 *     gray L = (19595 R + 38470 G + 7471 B + 2^15) >> 16
 *     enhance: v <- D + f (v - D), product and sum rounded to binary32, truncated, clipped
 *     hue: HSV of 8 bits each, H <- (H + trunc(255 shift)) mod 256, and back
 *
 * With t = (max - middle) / (max - min) the angle in sixths is K + t or K - t: one division, one
 * rounded sum; so all of HSV is binary32, equal to the mixed precision of the specification for
 * all 2^24 colours (tested).
 */
#include "cpu/image.h"

#include <string.h>

#include "cpu/clones.h"

static inline int32_t gray_of(int32_t r, int32_t g, int32_t b)
{
    return (19595 * r + 38470 * g + 7471 * b + 32768) >> 16;
}

static inline uint8_t enhanced(int32_t v, int32_t d, float factor)
{
    float x = (float)d + factor * (float)(v - d);
    int32_t i = (int32_t)x;

    return (uint8_t)(i < 0 ? 0 : i > 255 ? 255 : i);
}

static int64_t pixels_of(const hr_image *image)
{
    return (int64_t)image->width * image->height;
}

HR_CLONES static void enhance(uint8_t *x, int64_t n, int32_t d, float factor)
{
    for (int64_t i = 0; i < n; i++)
        x[i] = enhanced(x[i], d, factor);
}

void hr_image_brightness(hr_image *image, float factor)
{
    for (int c = 0; c < 3; c++)
        enhance(image->plane[c], pixels_of(image), 0, factor);
}

HR_CLONES static uint32_t gray_sum(const uint8_t *r, const uint8_t *g, const uint8_t *b, int64_t n)
{
    uint32_t sum = 0;

    for (int64_t i = 0; i < n; i++)
        sum += (uint32_t)gray_of(r[i], g[i], b[i]);
    return sum;
}

static int32_t gray_mean(const hr_image *image)
{
    enum { PART = 1 << 20 }; /* 255 * PART fits 32 bits */
    int64_t n = pixels_of(image);
    uint64_t sum = 0;

    for (int64_t i = 0; i < n; i += PART)
        sum += gray_sum(image->plane[0] + i, image->plane[1] + i, image->plane[2] + i,
                        n - i < PART ? n - i : PART);
    return (int32_t)((double)sum / (double)n + 0.5);
}

void hr_image_contrast(hr_image *image, float factor)
{
    int32_t mean = gray_mean(image);

    for (int c = 0; c < 3; c++)
        enhance(image->plane[c], pixels_of(image), mean, factor);
}

HR_CLONES static void saturate(uint8_t *restrict r, uint8_t *restrict g, uint8_t *restrict b,
                               int64_t n, float factor)
{
    for (int64_t i = 0; i < n; i++) {
        int32_t d = gray_of(r[i], g[i], b[i]);

        r[i] = enhanced(r[i], d, factor);
        g[i] = enhanced(g[i], d, factor);
        b[i] = enhanced(b[i], d, factor);
    }
}

void hr_image_saturation(hr_image *image, float factor)
{
    saturate(image->plane[0], image->plane[1], image->plane[2], pixels_of(image), factor);
}

static inline int32_t max_of(int32_t a, int32_t b)
{
    return a > b ? a : b;
}

static inline int32_t min_of(int32_t a, int32_t b)
{
    return a < b ? a : b;
}

/* H of a colour whose channels lie in [low, low + c], c > 0 */
static inline int32_t hue_of(int32_t r, int32_t g, int32_t b, int32_t high, int32_t low, int32_t c)
{
    float t = (float)(2 * high + low - r - g - b) / (float)c;
    /* sixths: red 0 (g - b), green 2 (b - r), blue 4 (r - g): +-t around the nearest odd number */
    float k = r == high   ? (g == low ? -1.0f : 1.0f)
              : g == high ? (b == low ? 1.0f : 3.0f)
                          : (r == low ? 3.0f : 5.0f);
    bool up = r == high ? g == low : g == high ? b == low : r == low;
    float turn = (k + (up ? t : -t)) / 6.0f;

    return (int32_t)((turn < 0 ? turn + 1.0f : turn) * 255.0f);
}

static inline int32_t share_of(int32_t v, float x) /* round(v (1 - x)) */
{
    return (int32_t)((float)v * (1.0f - x) + 0.5f);
}

HR_CLONES static void turn(uint8_t *restrict r, uint8_t *restrict g, uint8_t *restrict b, int64_t n,
                           int32_t add)
{
    for (int64_t i = 0; i < n; i++) {
        int32_t ri = r[i], gi = g[i], bi = b[i];
        int32_t v = max_of(ri, max_of(gi, bi)), low = min_of(ri, min_of(gi, bi)), c = v - low;
        int32_t h = hue_of(ri, gi, bi, v, low, c > 0 ? c : 1);
        int32_t sixth, p, q, t;
        float s, f;

        h = ((c > 0 ? h : 0) + add) & 255;
        s = (float)(int32_t)((float)c / (float)(v > 0 ? v : 1) * 255.0f) / 255.0f;
        sixth = 6 * h / 255;
        f = (float)(6 * h - 255 * sixth) / 255.0f;
        p = share_of(v, s);
        q = share_of(v, s * f);
        t = share_of(v, s * (1.0f - f));
        sixth = sixth == 6 ? 0 : sixth;
        r[i] = (uint8_t)(sixth == 0 || sixth == 5 ? v : sixth == 1 ? q : sixth == 4 ? t : p);
        g[i] = (uint8_t)(sixth == 1 || sixth == 2 ? v : sixth == 0 ? t : sixth == 3 ? q : p);
        b[i] = (uint8_t)(sixth == 3 || sixth == 4 ? v : sixth == 2 ? t : sixth == 5 ? q : p);
    }
}

void hr_image_hue(hr_image *image, float shift)
{
    int32_t add = (int32_t)((double)shift * 255.0);

    turn(image->plane[0], image->plane[1], image->plane[2], pixels_of(image), add);
}

HR_CLONES static void make_gray(uint8_t *restrict r, const uint8_t *restrict g,
                                const uint8_t *restrict b, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        r[i] = (uint8_t)gray_of(r[i], g[i], b[i]);
}

void hr_image_gray(hr_image *image)
{
    int64_t n = pixels_of(image);

    make_gray(image->plane[0], image->plane[1], image->plane[2], n);
    memcpy(image->plane[1], image->plane[0], (size_t)n);
    memcpy(image->plane[2], image->plane[0], (size_t)n);
}

HR_CLONES static void invert_bright(uint8_t *x, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        x[i] = x[i] >= 128 ? (uint8_t)(255 - x[i]) : x[i];
}

void hr_image_solarize(hr_image *image)
{
    for (int c = 0; c < 3; c++)
        invert_bright(image->plane[c], pixels_of(image));
}
