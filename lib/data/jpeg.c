/* jpeg.c - decodes JPEG to u8 RGB with the TurboJPEG functions of libjpeg-turbo.
 *
 * These functions never jump or exit. The accurate DCT and fancy upsampling give the same pixels as
 * Pillow. CMYK and YCCK hold Adobe's inverted inks and are converted to RGB as by Pillow: with the
 * inks c and k (not inverted),  k' = 255 - k,  r = k' - round(c k' / 255). A warning of the decoder
 * (a truncated or corrupt file) counts as a failure.
 */
#include "data/jpeg.h"

#include <turbojpeg.h>

#include "base/alloc.h"
#include "base/error.h"

enum { FLAGS = TJFLAG_ACCURATEDCT | TJFLAG_LIMITSCANS };

bool hr_is_jpeg(const uint8_t *bytes, size_t count)
{
    return count > 2 && bytes[0] == 0xff && bytes[1] == 0xd8 && bytes[2] == 0xff;
}

/* Reads size and colour space. tjDecompressHeader3 also fails when it has no name for the
 * subsampling, which decoding does not need; so its result does not decide. */
static hirl_status read_header(int64_t *width, int64_t *height, int *space, tjhandle decoder,
                               const uint8_t *bytes, size_t count)
{
    int w = 0, h = 0, subsampling = 0, failed;

    *space = -1;
    failed = tjDecompressHeader3(decoder, bytes, (unsigned long)count, &w, &h, &subsampling, space);
    if (w < 1 || h < 1 || *space < 0)
        return hr_fail(HIRL_E_FORMAT, "JPEG: %s",
                       failed ? tjGetErrorStr2(decoder) : "the file contains no image");
    *width = w;
    *height = h;
    return HIRL_OK;
}

static hirl_status decompress(uint8_t *to, const hr_pixels *pixels, int format, tjhandle decoder,
                              const uint8_t *bytes, size_t count)
{
    if (tjDecompress2(decoder, bytes, (unsigned long)count, to, pixels->width,
                      pixels->width * tjPixelSize[format], pixels->height, format, FLAGS))
        return hr_fail(HIRL_E_FORMAT, "JPEG: %s", tjGetErrorStr2(decoder));
    return HIRL_OK;
}

/* Combines an ink and the light that black lets through, both inverted: 255 is no ink. */
static uint8_t shade(uint8_t ink, unsigned light)
{
    unsigned product = (255u - ink) * light + 128;

    return (uint8_t)(light - ((product >> 8) + product) / 256);
}

static hirl_status decompress_inks(const hr_pixels *pixels, tjhandle decoder, const uint8_t *bytes,
                                   size_t count)
{
    size_t n = (size_t)pixels->width * (size_t)pixels->height;
    uint8_t *inks = hr_alloc(4 * n);
    hirl_status status;

    if (!inks)
        return HIRL_E_NOMEM;
    status = decompress(inks, pixels, TJPF_CMYK, decoder, bytes, count);
    for (size_t i = 0; i < n && status >= 0; i++)
        for (int c = 0; c < 3; c++)
            pixels->data[3 * i + c] = shade(inks[4 * i + c], inks[4 * i + 3]);
    hr_free(inks);
    return status;
}

static hirl_status decode(hr_pixels *pixels, tjhandle decoder, const uint8_t *bytes, size_t count)
{
    int64_t width = 0, height = 0;
    int space;

    HR_TRY(read_header(&width, &height, &space, decoder, bytes, count));
    HR_TRY(hr_pixels_size(pixels, width, height));
    if (space == TJCS_CMYK || space == TJCS_YCCK)
        return decompress_inks(pixels, decoder, bytes, count);
    return decompress(pixels->data, pixels, TJPF_RGB, decoder, bytes, count);
}

static hirl_status open_decoder(tjhandle *decoder)
{
    *decoder = tjInitDecompress();
    return *decoder ? HIRL_OK : hr_fail(HIRL_E_NOMEM, "JPEG: %s", tjGetErrorStr2(NULL));
}

hirl_status hr_jpeg_decode(hr_pixels *pixels, const uint8_t *bytes, size_t count)
{
    tjhandle decoder;
    hirl_status status;

    HR_TRY(open_decoder(&decoder));
    status = decode(pixels, decoder, bytes, count);
    tjDestroy(decoder);
    return status;
}

hirl_status hr_jpeg_measure(int64_t *width, int64_t *height, const uint8_t *bytes, size_t count)
{
    tjhandle decoder;
    hirl_status status;
    int space;

    HR_TRY(open_decoder(&decoder));
    status = read_header(width, height, &space, decoder, bytes, count);
    tjDestroy(decoder);
    return status;
}
