/* blur.c - Gaussian blur, as Pillow computes it: three passes of an extended box blur per axis.
 *
 *     s2 = sigma^2 / 3, L = sqrt(12 s2 + 1), l = floor((L - 1) / 2)
 *     radius = l + (2l + 1)(l(l + 1) - 3 s2) / (6 (s2 - (l + 1)^2))    (Gwosdek et al. 2011)
 *     w = trunc(2^24 / (2 radius + 1)), e = trunc((2^24 - (2l + 1) w) / 2)
 *     out(x) = (w sum_{|d| <= l} in(x + d) + e (in(x - l - 1) + in(x + l + 1)) + 2^23) >> 24
 *
 * Edge pixels are repeated outwards. Every pass rounds to 8 bits. All passes along the rows come
 * first, then all passes along the columns.
 */
#include "cpu/image.h"

#include <math.h>
#include <string.h>

#include "cpu/clones.h"

enum { PASSES = 3 };

typedef struct box {
    int32_t reach;         /* l */
    uint32_t inner, outer; /* w, e */
} box;

float hr_image_blur_radius(float sigma)
{
    float s2 = sigma * sigma / PASSES;
    float length = (float)sqrt(12.0 * (double)s2 + 1.0);
    float l = (float)floor(((double)length - 1.0) / 2.0);
    float a = (2 * l + 1) * (l * (l + 1) - 3 * s2);

    a /= 6 * (s2 - (l + 1) * (l + 1));
    return l + a;
}

static box make_box(float sigma)
{
    const uint32_t one = 1u << 24;
    float radius = hr_image_blur_radius(sigma);
    box b;

    b.reach = (int32_t)radius;
    b.inner = (uint32_t)((float)one / (radius * 2 + 1));
    b.outer = (one - (uint32_t)(2 * b.reach + 1) * b.inner) / 2;
    return b;
}

/* out[i] for i < n; neighbours are `step` bytes apart */
static inline void pass_of(uint8_t *restrict out, const uint8_t *restrict in, int64_t n,
                           int64_t step, box b, int32_t reach)
{
    const uint8_t *before = in - (reach + 1) * step, *after = in + (reach + 1) * step;

    for (int64_t i = 0; i < n; i++) {
        uint32_t inner = 0, outer = (uint32_t)before[i] + after[i];

        for (int32_t d = -reach; d <= reach; d++)
            inner += in[i + d * step];
        out[i] = (uint8_t)((inner * b.inner + outer * b.outer + (1u << 23)) >> 24);
    }
}

/* A constant reach lets the compiler vectorise the loop; sigma <= 2 has reach 0 or 1. */
HR_CLONES static void pass(uint8_t *restrict out, const uint8_t *restrict in, int64_t n,
                           int64_t step, box b)
{
    if (b.reach == 0)
        pass_of(out, in, n, step, b, 0);
    else if (b.reach == 1)
        pass_of(out, in, n, step, b, 1);
    else
        pass_of(out, in, n, step, b, b.reach);
}

/* rows of `width` bytes, with `margin` bytes before and after each */
static void repeat_sides(uint8_t *rows, int64_t width, int64_t height, int64_t margin)
{
    for (int64_t y = 0; y < height; y++, rows += width + 2 * margin)
        for (int64_t i = 1; i <= margin; i++) {
            rows[-i] = rows[0];
            rows[width - 1 + i] = rows[width - 1];
        }
}

static void repeat_ends(uint8_t *rows, int64_t width, int64_t height, int64_t margin)
{
    for (int64_t i = 1; i <= margin; i++) {
        memcpy(rows - i * width, rows, (size_t)width);
        memcpy(rows + (height - 1 + i) * width, rows + (height - 1) * width, (size_t)width);
    }
}

static void swap(uint8_t **a, uint8_t **b)
{
    uint8_t *c = *a;

    *a = *b;
    *b = c;
}

/* Blurs along rows. A pass treats the padded plane as one long row: the results in the margins are
 * wrong, and repeat_sides overwrites them. */
static void blur_rows(uint8_t *plane, int64_t width, int64_t height, box b, uint8_t *from,
                      uint8_t *to)
{
    int64_t margin = b.reach + 1, stride = width + 2 * margin;

    for (int64_t y = 0; y < height; y++)
        memcpy(from + y * stride, plane + y * width, (size_t)width);
    for (int k = 0; k < PASSES; k++) {
        repeat_sides(from, width, height, margin);
        pass(to, from, (height - 1) * stride + width, 1, b);
        swap(&from, &to);
    }
    for (int64_t y = 0; y < height; y++)
        memcpy(plane + y * width, from + y * stride, (size_t)width);
}

static void blur_columns(uint8_t *plane, int64_t width, int64_t height, box b, uint8_t *from,
                         uint8_t *to)
{
    memcpy(from, plane, (size_t)(width * height));
    for (int k = 0; k < PASSES; k++) {
        repeat_ends(from, width, height, b.reach + 1);
        pass(k == PASSES - 1 ? plane : to, from, width * height, width, b);
        swap(&from, &to);
    }
}

/* bytes of a plane with margins on all sides */
static size_t padded(int64_t width, int64_t height, box b)
{
    int64_t margin = b.reach + 1;

    return (size_t)((width + 2 * margin) * (height + 2 * margin));
}

size_t hr_image_blur_bytes(int32_t width, int32_t height, float sigma)
{
    return 2 * padded(width, height, make_box(sigma));
}

void hr_image_blur(hr_image *image, float sigma, void *work)
{
    box b = make_box(sigma);
    int64_t width = image->width, height = image->height, margin = b.reach + 1;
    uint8_t *from = work, *to = from + padded(width, height, b);

    for (int c = 0; c < 3; c++) {
        blur_rows(image->plane[c], width, height, b, from + margin, to + margin);
        blur_columns(image->plane[c], width, height, b, from + margin * width, to + margin * width);
    }
}
