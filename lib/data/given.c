/* given.c - images that the application describes by hirl_image, and data sets of them. */
#include "data/given.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/halt.h"
#include "base/record.h"
#include "base/user.h"

/* ---- what is described ---- */

static int64_t bytes_of(int32_t type)
{
    static const int64_t bytes[] = { 1, 2, 4 };

    return bytes[type];
}

/* Replaces strides of 0 by those of packed pixels. */
static void fill_strides(hirl_image *image)
{
    int64_t bytes = bytes_of(image->type);

    image->channel_bytes = image->channel_bytes ? image->channel_bytes : bytes;
    image->pixel_bytes = image->pixel_bytes ? image->pixel_bytes : bytes * image->channels;
    image->row_bytes = image->row_bytes ? image->row_bytes : bytes * image->channels * image->width;
}

static hirl_status check(const hirl_image *image)
{
    int64_t bytes, end;

    if (image->encoded)
        return image->encoded_bytes ? HIRL_OK : hr_fail(HIRL_E_INVALID, "encoded_bytes is 0");
    if (!image->pixels)
        return hr_fail(HIRL_E_INVALID, "neither encoded bytes nor pixels are given");
    if (image->channels != 1 && image->channels != 3 && image->channels != 4)
        return hr_fail(HIRL_E_INVALID, "%d channels; 1, 3 or 4 are expected", (int)image->channels);
    if (image->type < HIRL_PIXELS_U8 || image->type > HIRL_PIXELS_F32)
        return hr_fail(HIRL_E_INVALID, "type %d; 0 (uint8), 1 (uint16) or 2 (float32) is expected",
                       (int)image->type);
    HR_TRY(hr_pixels_check(image->width, image->height, 0));
    bytes = bytes_of(image->type);
    if ((uintptr_t)image->pixels % (uintptr_t)bytes || image->row_bytes % bytes ||
        image->pixel_bytes % bytes || image->channel_bytes % bytes)
        return hr_fail(HIRL_E_INVALID, "its numbers are not aligned to their %lld bytes",
                       (long long)bytes);
    if (__builtin_mul_overflow(image->row_bytes, image->height, &end) ||
        __builtin_mul_overflow(image->pixel_bytes, image->width, &end) ||
        __builtin_mul_overflow(image->channel_bytes, image->channels, &end))
        return hr_fail(HIRL_E_INVALID, "a distance is beyond 64 bits");
    return HIRL_OK;
}

hirl_status hr_given_complete(hirl_image *whole)
{
    hirl_status status = check(whole);

    if (status >= 0 && !whole->encoded)
        fill_strides(whole);
    return status == HIRL_E_FORMAT ? HIRL_E_INVALID : status;
}

hirl_status hr_given_take(hirl_image *whole, const hirl_image *image, int64_t first, int64_t n)
{
    if (image->struct_size % _Alignof(hirl_image))
        return hr_fail(HIRL_E_INVALID, "image: struct_size is %zu; set it to sizeof(hirl_image)",
                       image->struct_size);
    for (int64_t i = 0; i < n; i++) {
        const char *one = (const char *)image + (size_t)(first + i) * image->struct_size;
        hirl_status status;
        char what[40];

        whole[i] = (hirl_image){ 0 };
        snprintf(what, sizeof what, "image %lld", (long long)(first + i));
        HR_TRY(HR_RECORD_READ(&whole[i], (const hirl_image *)(const void *)one, what, hirl_image));
        if (whole[i].struct_size != image->struct_size)
            return hr_fail(HIRL_E_INVALID, "%s has struct_size %zu, image 0 has %zu", what,
                           whole[i].struct_size, image->struct_size);
        status = hr_given_complete(&whole[i]);
        if (status < 0)
            return hr_fail_in(status, what);
    }
    return HIRL_OK;
}

bool hr_given_is_plain(const hirl_image *image)
{
    return !image->encoded && image->type == HIRL_PIXELS_U8 && image->channels == 3 &&
           image->channel_bytes == 1 && image->pixel_bytes == 3 &&
           image->row_bytes == 3 * image->width;
}

/* ---- conversion ---- */

/* One number as a byte; -1: NaN. */
static int byte_of(const char *number, int32_t type)
{
    float x;

    if (type == HIRL_PIXELS_U8)
        return *(const uint8_t *)number;
    if (type == HIRL_PIXELS_U16)
        return *(const uint16_t *)(const void *)number >> 8;
    x = *(const float *)(const void *)number;
    if (isnan(x))
        return -1;
    x = x > 0 ? (x < 1 ? x : 1) : 0;
    return (int)(x * 255 + 0.5F);
}

static hirl_status convert_row(uint8_t *to, const char *from, const hirl_image *image)
{
    int64_t other = image->channels == 1 ? 0 : image->channel_bytes;

    for (int64_t x = 0; x < image->width; x++, from += image->pixel_bytes)
        for (int c = 0; c < 3; c++) {
            int byte = byte_of(from + c * other, image->type);

            if (byte < 0)
                return hr_fail(HIRL_E_FORMAT, "pixel %lld of a row is NaN", (long long)x);
            *to++ = (uint8_t)byte;
        }
    return HIRL_OK;
}

hirl_status hr_given_read(hr_pixels *pixels, const hirl_image *image, const hr_decoding *how)
{
    const char *row = image->pixels;

    if (image->encoded)
        return hr_image_decode(pixels, image->encoded, image->encoded_bytes, how);
    if (hr_given_is_plain(image))
        return hr_pixels_copy(pixels, image->pixels, image->width, image->height, 3);
    HR_TRY(hr_pixels_size(pixels, image->width, image->height));
    for (int64_t y = 0; y < image->height; y++, row += image->row_bytes) {
        HR_TRY(hr_halt_check());
        HR_TRY(convert_row(pixels->data + 3 * y * image->width, row, image));
    }
    return HIRL_OK;
}

/* ---- a data set ---- */

typedef struct given {
    hirl_image *image;
    int64_t count;
    bool owned; /* the application's images are released at the end */
    hr_decoding how;
} given;

static hirl_status read(hr_pixels *pixels, void *state, int64_t index)
{
    const given *images = state;

    return hr_given_read(pixels, &images->image[index], &images->how);
}

static void close(void *state)
{
    given *images = state;

    for (int64_t i = 0; i < images->count && images->owned; i++)
        hr_user_release((hr_user){ images->image[i].token, images->image[i].release });
    hr_free(images->image);
    hr_free(images);
}

static void measure(hirl_dataset *dataset, const hirl_image *image, int64_t count)
{
    hr_dataset_set_size(dataset, image->width, image->height);
    for (int64_t i = 0; i < count; i++) {
        if (image[i].encoded) {
            hr_dataset_set_size(dataset, 0, 0); /* unknown */
            return;
        }
        hr_dataset_widen_size(dataset, image[i].width, image[i].height);
    }
}

hirl_status hr_given_open(hirl_dataset *dataset, hirl_image *image, int64_t count,
                          const hr_data_config *config)
{
    given *state = hr_alloc(sizeof *state);

    if (!state)
        return HIRL_E_NOMEM;
    *state = (given){ image, count, false, { config->exif != 0, config->max_pixels } };
    dataset->source = (hr_source){ state, read, NULL, close, HR_TOLD_BY_PIXELS };
    dataset->count = count;
    dataset->exif = config->exif != 0;
    measure(dataset, image, count);
    return HIRL_OK;
}

void hr_given_own(hirl_dataset *dataset)
{
    ((given *)dataset->source.state)->owned = true;
}
