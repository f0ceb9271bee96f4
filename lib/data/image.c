/* image.c - decodes JPEG and PNG to u8 RGB, and applies the orientation of photos. */
#include "data/image.h"

#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "data/exif.h"
#include "data/jpeg.h"
#include "data/png.h"

bool hr_is_image(const uint8_t *bytes, size_t count)
{
    return hr_is_jpeg(bytes, count) || hr_is_png(bytes, count);
}

static hirl_status check_bytes(const uint8_t *bytes, size_t count)
{
    if (!count)
        return hr_fail(HIRL_E_FORMAT, "the image file is empty");
    if (count > HR_IMAGE_BYTES)
        return hr_fail(HIRL_E_LIMIT, "an image file of %zu bytes; the limit is %d", count,
                       HR_IMAGE_BYTES);
    if (!hr_is_jpeg(bytes, count) && !hr_is_png(bytes, count))
        return hr_fail(HIRL_E_FORMAT, "the file is neither JPEG nor PNG: its first byte is 0x%02x",
                       bytes[0]);
    return HIRL_OK;
}

hirl_status hr_image_measure(int64_t *width, int64_t *height, const uint8_t *bytes, size_t count)
{
    HR_TRY(check_bytes(bytes, count));
    if (hr_is_jpeg(bytes, count))
        return hr_jpeg_measure(width, height, bytes, count);
    return hr_png_measure(width, height, bytes, count);
}

/* For each orientation, how to find the pixel (x, y) of the turned image in the stored one. Bit 0:
 * swap x and y; bit 1: count x from the right; bit 2: count y from below. */
static const uint8_t turn[9] = { 0, 0, 2, 6, 4, 1, 5, 7, 3 };

static hirl_status turn_image(hr_pixels *pixels, int orientation)
{
    int how = orientation >= 1 && orientation <= 8 ? turn[orientation] : 0;
    int64_t w = pixels->width, h = pixels->height;
    hr_pixels turned = { .most = pixels->most };

    if (!how)
        return HIRL_OK;
    HR_TRY(hr_pixels_size(&turned, how & 1 ? h : w, how & 1 ? w : h));
    for (int64_t y = 0; y < turned.height; y++)
        for (int64_t x = 0; x < turned.width; x++) {
            int64_t sx = how & 1 ? y : x, sy = how & 1 ? x : y;

            sx = how & 2 ? w - 1 - sx : sx;
            sy = how & 4 ? h - 1 - sy : sy;
            memcpy(turned.data + (y * turned.width + x) * 3, pixels->data + (sy * w + sx) * 3, 3);
        }
    hr_pixels_done(pixels);
    *pixels = turned;
    return HIRL_OK;
}

static int orientation_of(const uint8_t *bytes, size_t count)
{
    size_t size = 0;
    const uint8_t *block = hr_is_jpeg(bytes, count) ? hr_exif_of_jpeg(&size, bytes, count)
                                                    : hr_exif_of_png(&size, bytes, count);

    return block ? hr_exif_orientation(block, size) : 1;
}

hirl_status hr_image_decode(hr_pixels *pixels, const uint8_t *bytes, size_t count,
                            const hr_decoding *how)
{
    HR_TRY(check_bytes(bytes, count));
    pixels->most = how->max_pixels;
    if (hr_is_png(bytes, count))
        HR_TRY(hr_png_decode(pixels, bytes, count));
    else
        HR_TRY(hr_jpeg_decode(pixels, bytes, count));
    return how->exif ? turn_image(pixels, orientation_of(bytes, count)) : HIRL_OK;
}
