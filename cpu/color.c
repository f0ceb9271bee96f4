/* color.c - colour operations on 8-bit planes, as Pillow and torchvision compute them.
 *
 *     gray L = (19595 R + 38470 G + 7471 B + 2^15) >> 16
 *     brightness, contrast, saturation: v <- D + f (v - D), where D is 0, the mean of L, or the
 *         pixel's L; product and sum are each rounded to binary32, the result truncated and clipped
 *     hue: HSV of 8 bits each, H <- (H + trunc(255 shift)) mod 256, and back to RGB
 *
 * With t = (max - middle) / (max - min), the hue angle in sixths of a turn is K + t or K - t for an
 * integer K: one division and one rounded sum. On the way back, a channel is
 * V - round(V S m / 255^2) with an integer m (channel_of). So binary32 is enough for HSV: in both
 * directions and for all 2^24 colours the results equal Pillow's, which uses binary64 in parts.
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

/* H of a colour with maximum v and minimum low. The angle in sixths of a turn has three terms: 0, 2
 * or 4 for the largest channel, -+1 for the smallest, +-t for the middle one. */
static inline int32_t hue_of(int32_t r, int32_t g, int32_t b, int32_t v, int32_t low)
{
    int32_t c = max_of(v - low, 1);
    int32_t sixths = r == v ? 0 : g == v ? 2 : 4;
    int32_t follower = r == v ? g : g == v ? b : r;
    int32_t sign = follower == low ? 1 : -1;
    float t = (float)(2 * v + low - r - g - b) / (float)c;
    float turns = ((float)(sixths - sign) + (float)sign * t) / 6.0f;

    turns = turns < 0 ? turns + 1.0f : turns;
    return v > low ? (int32_t)(turns * 255.0f) : 0;
}

/* v - round(v s m / 255^2), where m is 0 in the two sixths around the channel's own colour, 255 in
 * the two opposite sixths, and linear between. `at` is 6 H + 255 n, with n such that the channel's
 * own colour lies at five sixths of a turn. */
static inline int32_t channel_of(int32_t v, int32_t s, int32_t at)
{
    int32_t k = at >= 6 * 255 ? at - 6 * 255 : at;
    int32_t m = min_of(max_of(min_of(k, 4 * 255 - k), 0), 255);

    return v - (int32_t)((float)(v * s * m) * (1 / 65025.0f) + 0.5f);
}

HR_CLONES static void turn(uint8_t *restrict r, uint8_t *restrict g, uint8_t *restrict b, int64_t n,
                           int32_t add)
{
    for (int64_t i = 0; i < n; i++) {
        int32_t ri = r[i], gi = g[i], bi = b[i];
        int32_t v = max_of(ri, max_of(gi, bi)), low = min_of(ri, min_of(gi, bi));
        int32_t s = (int32_t)((float)(v - low) / (float)max_of(v, 1) * 255.0f);
        int32_t angle = 6 * ((hue_of(ri, gi, bi, v, low) + add) & 255);

        r[i] = (uint8_t)channel_of(v, s, angle >= 255 ? angle - 255 : angle + 5 * 255);
        g[i] = (uint8_t)channel_of(v, s, angle + 3 * 255);
        b[i] = (uint8_t)channel_of(v, s, angle + 1 * 255);
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
