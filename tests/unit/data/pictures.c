/* pictures.c - test images from the counter-based generator. */
#include "pictures.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <zlib.h>

#include "base/alloc.h"
#include "base/rng.h"

enum { VIEW = 9 };

static void noise(uint8_t *out, int64_t width, int64_t height)
{
    hr_rng rng;

    hr_rng_init(&rng, 1, HR_RNG_TEST, VIEW, 0, 0);
    for (int64_t i = 0; i < 3 * width * height; i++)
        out[i] = (uint8_t)(hr_rng_u32(&rng) >> 24);
}

static void flat(uint8_t *out, int64_t width, int64_t height)
{
    for (int64_t i = 0; i < width * height; i++)
        memcpy(out + 3 * i, (uint8_t[3]){ 37, 150, 211 }, 3);
}

/* blocks of 8 x 8 pixels whose channels are 0 or 255 */
static void saturated(uint8_t *out, int64_t width, int64_t height)
{
    int64_t across = width / 8 + 1, down = height / 8 + 1;
    uint32_t *bits = hr_alloc_array((size_t)(across * down), sizeof *bits);
    hr_rng rng;

    hr_rng_init(&rng, 1, HR_RNG_TEST, VIEW, 0, 1);
    for (int64_t i = 0; i < across * down; i++)
        bits[i] = hr_rng_u32(&rng);
    for (int64_t i = 0; i < 3 * width * height; i++) {
        int64_t x = i / 3 % width, y = i / 3 / width;

        out[i] = (uint8_t)((bits[y / 8 * across + x / 8] >> i % 3 & 1) * 255);
    }
    hr_free(bits);
}

/* Smooth values: random at the corners of cells, bilinear between them in integers. */
static void lattice(int32_t *sum, int32_t share, int64_t width, int64_t height, int64_t cell)
{
    int64_t across = width / cell + 2, down = height / cell + 2;
    int32_t *v = hr_alloc_array((size_t)(3 * across * down), sizeof *v);
    hr_rng rng;

    hr_rng_init(&rng, 1, HR_RNG_TEST, VIEW, 1, (uint32_t)cell);
    for (int64_t i = 0; i < 3 * across * down; i++)
        v[i] = (int32_t)(hr_rng_u32(&rng) >> 24);
    for (int64_t i = 0; i < 3 * width * height; i++) {
        int64_t x = i / 3 % width, y = i / 3 / width, fx = x % cell, fy = y % cell;
        const int32_t *a = v + 3 * (y / cell * across + x / cell) + i % 3, *b = a + 3 * across;
        int64_t top = a[0] * (cell - fx) + a[3] * fx, low = b[0] * (cell - fx) + b[3] * fx;

        sum[i] += share * (int32_t)((top * (cell - fy) + low * fy) / (cell * cell));
    }
    hr_free(v);
}

static void photo(uint8_t *out, int64_t width, int64_t height)
{
    int64_t n = 3 * width * height;
    int32_t *sum = hr_alloc_array((size_t)n, sizeof *sum);

    lattice(sum, 4, width, height, 32);
    lattice(sum, 2, width, height, 8);
    lattice(sum, 1, width, height, 2);
    for (int64_t i = 0; i < n; i++) {
        int32_t v = (3 * (sum[i - i % 3] / 7) + 2 * (sum[i] / 7)) / 5 * 2 - 128;

        out[i] = (uint8_t)(v < 0 ? 0 : v > 255 ? 255 : v);
    }
    hr_free(sum);
}

static void colours(uint8_t *out, int64_t width, int64_t height)
{
    for (int64_t i = 0; i < width * height; i++)
        memcpy(out + 3 * i, (uint8_t[3]){ (uint8_t)(i >> 16), (uint8_t)(i >> 8), (uint8_t)i }, 3);
}

uint8_t *hr_picture(const char *kind, int64_t width, int64_t height)
{
    static const struct {
        const char *kind;
        void (*draw)(uint8_t *, int64_t, int64_t);
    } known[] = { { "photo", photo },
                  { "noise", noise },
                  { "flat", flat },
                  { "saturated", saturated },
                  { "colours", colours } };

    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (!strcmp(kind, known[i].kind)) {
            uint8_t *out = hr_alloc((size_t)(3 * width * height));

            known[i].draw(out, width, height);
            return out;
        }
    return NULL;
}

int hr_print_read(hr_print *print, FILE *file)
{
    int read = fscanf(file, "%x", &print->crc);

    for (int i = 0; i < 8; i++)
        read += fscanf(file, "%d", &print->at[i]);
    return read == 9;
}

const char *hr_print_differs(const hr_print *print, const uint8_t *data, int64_t n)
{
    static char text[256];
    int length = 0;

    if (crc32(0, data, (uInt)n) == print->crc)
        return NULL;
    for (int i = 0; i < 8; i++)
        length += snprintf(text + length, sizeof text - (size_t)length, " %d/%d", data[n * i / 8],
                           print->at[i]);
    return text;
}

FILE *hr_reference_open(void)
{
    const char *folder = getenv("HIRL_TEST_DATA");
    char path[4096];

    snprintf(path, sizeof path, "%s/augment.txt", folder ? folder : "tests/golden");
    return fopen(path, "r");
}
