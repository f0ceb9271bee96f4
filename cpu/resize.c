/* resize.c - crop and resize as Pillow does: separable convolution with antialiasing.
 *
 *     scale = in / out, f = max(scale, 1), centre_x = (x + 1/2) scale
 *     w_x(t) = kernel((t - centre_x + 1/2) / f)    for taps t inside the box; scaled to sum 1, then
 *                                                  rounded to 22 fractional bits
 *     out(x) = (2^21 + sum_t w_x(t) in(t)) >> 22, clipped to 0..255
 *
 * Kernels: triangle (support 1), Keys' cubic with a = -1/2 (support 2). The first pass runs along
 * rows and stores 8 bits, only for the source rows that the second pass, along columns, reads.
 */
#include "cpu/image.h"

#include <math.h>
#include <string.h>

#include "cpu/clones.h"

enum {
    BITS = 22,
    HALF = 1 << (BITS - 1),
    BLOCK = 32, /* bytes summed at a time; rows are padded to a multiple of it */
    ROWS = 8,   /* rows squeezed at a time: one pixel of each, 4 bytes wide, makes a block */
};

typedef uint32_t words __attribute__((vector_size(BLOCK)));
typedef int32_t lanes __attribute__((vector_size(BLOCK)));

/* result i of an axis: weight[i * room + k] times source pixel first[i] + k, over k < count[i] */
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

/* the taps of result i of the axis */
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

static void *make_taps(taps *t, const hr_resize_axis *axis, int32_t filter, void *work)
{
    t->room = tap_room(axis->count, axis->size, filter);
    t->first = work;
    t->count = t->first + axis->wanted;
    t->weight = t->count + axis->wanted;
    for (int32_t i = 0; i < axis->wanted; i++)
        fill_taps(t, i, axis, filter);
    return t->weight + (size_t)axis->wanted * (size_t)t->room;
}

static int64_t padded(int64_t bytes)
{
    return (bytes + BLOCK - 1) / BLOCK * BLOCK;
}

/* sum >> BITS, within 0..255 */
static inline void clip(words *sum)
{
    lanes v = (lanes)*sum >> BITS, above = v > 255;

    v &= ~(v < 0);
    *sum = (words)((v & ~above) | (above & 255));
}

/* out[j] = sum_k weight[k] in[k * stride + j] for j in one block. A 32-bit word holds four bytes,
 * which are summed in four registers: no widening or packing across vector lanes. */
static inline void blend(uint8_t *out, const uint8_t *in, int64_t stride, const int32_t *weight,
                         int32_t count)
{
    words sum[4] = { 0 }, x;

    for (int b = 0; b < 4; b++)
        sum[b] += HALF;
    for (int32_t k = 0; k < count; k++) {
        memcpy(&x, in + k * stride, sizeof x);
        for (int b = 0; b < 4; b++)
            sum[b] += (uint32_t)weight[k] * (x >> 8 * b & 255);
    }
    for (int b = 0; b < 4; b++)
        clip(&sum[b]);
    x = sum[0] | sum[1] << 8 | sum[2] << 16 | sum[3] << 24;
    memcpy(out, &x, sizeof x);
}

HR_CLONES static void blend_rows(uint8_t *out, const uint8_t *in, int64_t stride,
                                 const int32_t *weight, int32_t count, int64_t n)
{
    for (int64_t j = 0; j < n; j += BLOCK)
        blend(out + j, in + j, stride, weight, count);
}

/* ROWS rows together: the pixels of one column form a block, so each tap reads one block */
HR_CLONES static void squeeze_rows(uint8_t *out, int64_t stride, const uint8_t *const row[ROWS],
                                   const taps *t, int32_t n, uint8_t *columns)
{
    int64_t low = t->first[0], high = t->first[n - 1] + t->count[n - 1];

    for (int64_t x = low; x < high; x++) {
        uint8_t column[BLOCK];

        for (int r = 0; r < ROWS; r++)
            memcpy(column + 4 * r, row[r] + 3 * x, 4);
        memcpy(columns + BLOCK * (x - low), column, BLOCK);
    }
    for (int64_t i = 0; i < n; i++) {
        uint8_t pixel[BLOCK];

        blend(pixel, columns + BLOCK * (t->first[i] - low), BLOCK, t->weight + i * t->room,
              t->count[i]);
        for (int r = 0; r < ROWS; r++)
            memcpy(out + r * stride + 3 * i, pixel + 4 * r, 4);
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

/* the parts of the work memory after the taps */
typedef struct parts {
    uint8_t *columns; /* [width, BLOCK] pixels of ROWS rows */
    uint8_t *last;    /* copy of the last source row, with one more byte */
    uint8_t *mixed;   /* one row of the result, interleaved */
    uint8_t *rows;    /* [height + ROWS - 1, stride] squeezed rows, written ROWS at a time */
    int64_t stride;
} parts;

static int64_t stride_of(int64_t wanted)
{
    return padded(3 * wanted + 1);
}

size_t hr_image_resize_bytes(int64_t width, int64_t height, int32_t wanted, int32_t filter)
{
    size_t x = (size_t)tap_room((double)width, wanted, filter);
    size_t y = (size_t)tap_room((double)height, wanted, filter);

    return (size_t)wanted * (x + y + 4) * sizeof(int32_t) + (size_t)(BLOCK * width) +
           (size_t)padded(3 * width + 1) + (size_t)((height + ROWS) * stride_of(wanted));
}

static void cut(parts *p, void *work, int64_t width, int32_t wanted)
{
    p->stride = stride_of(wanted);
    p->columns = work;
    p->last = p->columns + BLOCK * width;
    p->mixed = p->last + padded(3 * width + 1);
    p->rows = p->mixed + p->stride;
}

/* source rows [low, high) squeezed into p->rows */
static void squeeze(const parts *p, const uint8_t *source, int64_t width, int64_t height,
                    int32_t low, int32_t high, const taps *across, int32_t wanted)
{
    /* 4 bytes are read for each pixel, one more than it has: the last row is read from a copy */
    memcpy(p->last, source + 3 * width * (height - 1), (size_t)(3 * width));
    for (int32_t y = low; y < high; y += ROWS) {
        const uint8_t *row[ROWS];

        for (int32_t r = 0; r < ROWS; r++) {
            int32_t at = y + r < high ? y + r : high - 1;

            row[r] = at == height - 1 ? p->last : source + 3 * width * at;
        }
        squeeze_rows(p->rows + p->stride * (y - low), p->stride, row, across, wanted, p->columns);
    }
}

void hr_image_resize(hr_image *image, const uint8_t *source, int64_t width, int64_t height,
                     const hr_resize_axis *x, const hr_resize_axis *y, int32_t filter, void *work)
{
    taps across, down;
    parts p;
    int32_t low, high;

    work = make_taps(&across, x, filter, work);
    work = make_taps(&down, y, filter, work);
    cut(&p, work, width, x->wanted);
    low = down.first[0];
    high = down.first[y->wanted - 1] + down.count[y->wanted - 1];
    squeeze(&p, source, width, height, low, high, &across, x->wanted);

    for (int32_t i = 0; i < y->wanted; i++) {
        int64_t at = (int64_t)i * x->wanted;

        blend_rows(p.mixed, p.rows + p.stride * (down.first[i] - low), p.stride,
                   down.weight + (int64_t)i * down.room, down.count[i], 3 * (int64_t)x->wanted);
        split_row(image->plane[0] + at, image->plane[1] + at, image->plane[2] + at, p.mixed,
                  x->wanted);
    }
    image->width = x->wanted;
    image->height = y->wanted;
}
