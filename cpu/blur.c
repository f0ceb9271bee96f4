/* blur.c - Gaussian blur as three passes of an extended box blur along each axis (spec.md 2.1.6).
 *
 *     s2 = sigma^2 / 3, L = sqrt(12 s2 + 1), l = floor((L - 1) / 2)
 *     radius = l + (2l + 1)(l(l + 1) - 3 s2) / (6 (s2 - (l + 1)^2))      Gwosdek et al. 2011
 *     w = trunc(2^24 / (2 radius + 1)), e = trunc((2^24 - (2l + 1) w) / 2)
 *     out(x) = (w sum_{|d| <= l} in(x + d) + e (in(x - l - 1) + in(x + l + 1)) + 2^23) >> 24
 *
 * Edge pixels are repeated outwards; every pass rounds to 8 bits; all rows first, then all columns.
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

/* out[i] over n values; the taps are `step` apart, in[-(reach+1) step] to in[(reach+1) step] */
HR_CLONES static void pass(uint8_t *restrict out, const uint8_t *restrict in, int64_t n, box b)
{
    for (int64_t i = 0; i < n; i++) {
        uint32_t sum = 0;

        for (int32_t d = -b.reach; d <= b.reach; d++)
            sum += in[i + d];
        sum = sum * b.inner + (1u << 23) +
              b.outer * ((uint32_t)in[i - b.reach - 1] + in[i + b.reach + 1]);
        out[i] = (uint8_t)(sum >> 24);
    }
}

static void repeat_edges(uint8_t *row, int64_t n, int32_t margin)
{
    memset(row - margin, row[0], (size_t)margin);
    memset(row + n, row[n - 1], (size_t)margin);
}

static void blur_rows(uint8_t *plane, int64_t width, int64_t height, box b, uint8_t *work)
{
    int32_t margin = b.reach + 1;
    uint8_t *from = work + margin, *to = from + width + 2 * margin;

    for (int64_t y = 0; y < height; y++) {
        memcpy(from, plane + y * width, (size_t)width);
        for (int k = 0; k < PASSES; k++) {
            uint8_t *swap = from;

            repeat_edges(from, width, margin);
            pass(to, from, width, b);
            from = to;
            to = swap;
        }
        memcpy(plane + y * width, from, (size_t)width);
    }
}

/* row y of a pass along columns; sum [width] is work */
HR_CLONES static void pass_row(uint8_t *restrict out, const uint8_t *restrict in, int64_t width,
                               int64_t height, int64_t y, box b, uint32_t *restrict sum)
{
    int64_t up = y - b.reach - 1, down = y + b.reach + 1;
    const uint8_t *above = in + width * (up > 0 ? up : 0);
    const uint8_t *below = in + width * (down < height ? down : height - 1);

    memset(sum, 0, (size_t)width * sizeof *sum);
    for (int64_t d = up + 1; d < down; d++) {
        const uint8_t *row = in + width * (d < 0 ? 0 : d < height ? d : height - 1);

        for (int64_t x = 0; x < width; x++)
            sum[x] += row[x];
    }
    for (int64_t x = 0; x < width; x++)
        out[x] =
            (uint8_t)((sum[x] * b.inner + b.outer * ((uint32_t)above[x] + below[x]) + (1u << 23)) >>
                      24);
}

static void blur_columns(uint8_t *plane, int64_t width, int64_t height, box b, uint8_t *work)
{
    uint32_t *sum = (uint32_t *)work;
    uint8_t *from = plane, *to = work + (size_t)width * sizeof *sum;

    for (int k = 0; k < PASSES; k++) {
        uint8_t *swap = from;

        for (int64_t y = 0; y < height; y++)
            pass_row(to + y * width, from, width, height, y, b, sum);
        from = to;
        to = swap;
    }
    memcpy(plane, from, (size_t)(width * height));
}

size_t hr_image_blur_bytes(int32_t width, int32_t height, float sigma)
{
    size_t rows = 2 * ((size_t)width + 2 * ((size_t)make_box(sigma).reach + 1));
    size_t columns = (size_t)width * (sizeof(uint32_t) + (size_t)height);

    return rows > columns ? rows : columns;
}

void hr_image_blur(hr_image *image, float sigma, void *work)
{
    box b = make_box(sigma);

    for (int c = 0; c < 3; c++) {
        blur_rows(image->plane[c], image->width, image->height, b, work);
        blur_columns(image->plane[c], image->width, image->height, b, work);
    }
}
