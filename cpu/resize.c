/* resize.c - crop and resize by separable convolution with antialiasing (spec.md 2.1.2, 8.1).
 *
 *     scale = in / out, f = max(scale, 1), centre_x = (x + 1/2) scale
 *     w_x(t) = kernel((t - centre_x + 1/2) / f)   over the taps t inside the box, sum 1, 22 bits
 *     out(x) = (2^21 + sum_t w_x(t) in(t)) >> 22, clipped to 0..255
 *
 * Kernels: triangle (support 1), Keys' cubic with a = -1/2 (support 2). Along rows first, kept in 8
 * bits, then along columns; only source rows that the second pass reads are made.
 */
#include "cpu/image.h"

#include <math.h>
#include <string.h>

#include "cpu/clones.h"

enum {
    BITS = 22,
    HALF = 1 << (BITS - 1),
    BLOCK = 32, /* bytes of a row that are summed at once: rows are padded to it */
};

typedef uint8_t bytes8 __attribute__((vector_size(8)));
typedef int32_t lanes8 __attribute__((vector_size(32)));
typedef uint8_t bytes4 __attribute__((vector_size(4)));
typedef int32_t lanes4 __attribute__((vector_size(16)));

/* result i of an axis: weight[i * room + k] of source pixel first[i] + k, k < count[i] */
typedef struct taps {
    int32_t room;
    int32_t *first, *count, *weight;
} taps;

static double triangle(double x)
{
    x = fabs(x);
    return x < 1 ? 1 - x : 0;
}

static double cubic(double x)
{
    const double a = -0.5; /* Keys 1981 */

    x = fabs(x);
    if (x < 1)
        return ((a + 2) * x - (a + 3)) * x * x + 1;
    return x < 2 ? (((x - 5) * x + 8) * x - 4) * a : 0;
}

static int32_t tap_room(double count, double size, int32_t filter)
{
    double scale = count / size;

    return (int32_t)ceil(filter * (scale > 1 ? scale : 1)) * 2 + 1;
}

static int32_t quantise(double w)
{
    return (int32_t)(w * (1 << BITS) + (w < 0 ? -0.5 : 0.5));
}

/* the taps of result x of the axis, as weights of sum 1 in `exact` */
static void fill_taps(taps *t, int32_t i, const hr_resize_axis *axis, int32_t filter)
{
    double scale = (double)axis->count / axis->size;
    double f = scale > 1 ? scale : 1, inverse = 1 / f, support = filter * f;
    double centre = (axis->from + i + 0.5) * scale, sum = 0;
    int32_t low = (int32_t)(centre - support + 0.5), high = (int32_t)(centre + support + 0.5);
    int32_t *weight = t->weight + (int64_t)i * t->room;

    low = low > 0 ? low : 0;
    high = high < axis->count ? high : axis->count;
    for (int32_t k = low; k < high; k++) {
        double x = (k - centre + 0.5) * inverse;

        sum += filter == HR_BICUBIC ? cubic(x) : triangle(x);
    }
    for (int32_t k = low; k < high; k++) {
        double x = (k - centre + 0.5) * inverse;
        double w = filter == HR_BICUBIC ? cubic(x) : triangle(x);

        weight[k - low] = quantise(sum != 0 ? w / sum : w);
    }
    t->first[i] = axis->first + low;
    t->count[i] = high - low;
}

static char *make_taps(taps *t, const hr_resize_axis *axis, int32_t filter, char *work)
{
    t->room = tap_room(axis->count, axis->size, filter);
    t->first = (int32_t *)work;
    t->count = t->first + axis->wanted;
    t->weight = t->count + axis->wanted;
    for (int32_t i = 0; i < axis->wanted; i++)
        fill_taps(t, i, axis, filter);
    return work + (size_t)axis->wanted * (2 + (size_t)t->room) * sizeof(int32_t);
}

static int64_t padded(int64_t bytes)
{
    return (bytes + BLOCK - 1) / BLOCK * BLOCK;
}

/* one row of 3 * n bytes; reads one byte past a pixel and writes one past the row */
HR_CLONES static void squeeze_row(uint8_t *out, const uint8_t *row, const taps *t, int32_t n)
{
    for (int32_t i = 0; i < n; i++) {
        const uint8_t *in = row + 3 * (int64_t)t->first[i];
        const int32_t *weight = t->weight + (int64_t)i * t->room;
        lanes4 sum = { HALF, HALF, HALF, HALF };

        for (int32_t k = 0; k < t->count[i]; k++) {
            bytes4 pixel;

            memcpy(&pixel, in + 3 * k, sizeof pixel);
            sum += weight[k] * __builtin_convertvector(pixel, lanes4);
        }
        sum >>= BITS;
        for (int c = 0; c < 3; c++)
            out[3 * i + c] = (uint8_t)(sum[c] < 0 ? 0 : sum[c] > 255 ? 255 : sum[c]);
    }
}

/* out[j] = sum_k weight[k] in[k * stride + j], j < n rounded up to whole blocks */
HR_CLONES static void blend_rows(uint8_t *out, const uint8_t *in, int64_t stride,
                                 const int32_t *weight, int32_t count, int64_t n)
{
    for (int64_t j = 0; j < n; j += BLOCK) {
        lanes8 sum[BLOCK / 8];

        for (int b = 0; b < BLOCK / 8; b++)
            sum[b] = (lanes8){ 0 } + HALF;
        for (int32_t k = 0; k < count; k++)
            for (int b = 0; b < BLOCK / 8; b++) {
                bytes8 x;

                memcpy(&x, in + k * stride + j + 8 * b, sizeof x);
                sum[b] += weight[k] * __builtin_convertvector(x, lanes8);
            }
        for (int b = 0; b < BLOCK / 8; b++)
            for (int c = 0; c < 8; c++) {
                int32_t v = sum[b][c] >> BITS;

                out[j + 8 * b + c] = (uint8_t)(v < 0 ? 0 : v > 255 ? 255 : v);
            }
    }
}

HR_CLONES static void split_row(uint8_t *restrict r, uint8_t *restrict g, uint8_t *restrict b,
                                const uint8_t *restrict row, int32_t n)
{
    for (int32_t i = 0; i < n; i++) {
        r[i] = row[3 * i];
        g[i] = row[3 * i + 1];
        b[i] = row[3 * i + 2];
    }
}

size_t hr_image_resize_bytes(int64_t width, int64_t height, int32_t wanted, int32_t filter)
{
    size_t x = (size_t)tap_room((double)width, wanted, filter);
    size_t y = (size_t)tap_room((double)height, wanted, filter);

    return (size_t)wanted * (x + y + 4) * sizeof(int32_t) + (size_t)padded(3 * width + 1) +
           (size_t)(height + 1) * (size_t)padded(3 * (int64_t)wanted + 1);
}

void hr_image_resize(hr_image *image, const uint8_t *source, int64_t width, int64_t height,
                     const hr_resize_axis *x, const hr_resize_axis *y, int32_t filter, void *work)
{
    taps across, down;
    char *at = make_taps(&down, y, filter, make_taps(&across, x, filter, work));
    uint8_t *last = (uint8_t *)at, *mixed = last + padded(3 * width + 1);
    int64_t stride = padded(3 * (int64_t)x->wanted + 1);
    uint8_t *rows = mixed + stride;
    int32_t low = down.first[0], high = 0;

    for (int32_t i = 0; i < y->wanted; i++)
        if (down.first[i] + down.count[i] > high)
            high = down.first[i] + down.count[i];
    for (int32_t i = low; i < high; i++) {
        const uint8_t *row = source + 3 * width * i;

        if (i == height - 1) /* squeeze_row reads a byte past its last pixel */
            row = memcpy(last, row, (size_t)(3 * width));
        squeeze_row(rows + stride * (i - low), row, &across, x->wanted);
    }
    for (int32_t i = 0; i < y->wanted; i++) {
        int64_t at_pixel = (int64_t)i * x->wanted;

        blend_rows(mixed, rows + stride * (down.first[i] - low), stride,
                   down.weight + (int64_t)i * down.room, down.count[i], 3 * (int64_t)x->wanted);
        split_row(image->plane[0] + at_pixel, image->plane[1] + at_pixel,
                  image->plane[2] + at_pixel, mixed, x->wanted);
    }
    image->width = x->wanted;
    image->height = y->wanted;
}
