/* png.c - decodes PNG to u8 RGB with libpng.
 *
 * Palettes and gray become RGB, 16 bits are truncated to 8, and alpha is dropped. libpng reports
 * failures by longjmp; the jump ends in `guarded`, which has no local variables that it could
 * damage. The job keeps the message of a failure. Warnings are ignored; a wrong checksum is a
 * failure. Reading stops after the last row, so that chunks behind the pixels may be missing.
 */
#include "data/png.h"

#include <png.h>
#include <setjmp.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/halt.h"

enum { CHUNK_BYTES = 8 << 20, CHUNKS = 1000 };

typedef struct job {
    const uint8_t *bytes;
    size_t count, at;
    hr_pixels *pixels;
    png_structp png;
    png_infop info;
    hirl_status status;
    char text[128];
} job;

bool hr_is_png(const uint8_t *bytes, size_t count)
{
    return count >= 8 && !png_sig_cmp(bytes, 0, 8);
}

/* ---- functions that libpng calls ---- */

static void fail(png_structp png, png_const_charp text)
{
    job *j = png_get_error_ptr(png);

    if (j->status >= 0)
        j->status = HIRL_E_FORMAT;
    snprintf(j->text, sizeof j->text, "%s", text);
    png_longjmp(png, 1);
}

static void warn(png_structp png, png_const_charp text)
{
    (void)png;
    (void)text;
}

static void read_bytes(png_structp png, png_bytep to, size_t n)
{
    job *j = png_get_io_ptr(png);

    if (n > j->count - j->at)
        png_error(png, "the file ends too early");
    memcpy(to, j->bytes + j->at, n);
    j->at += n;
}

static png_voidp take(png_structp png, png_alloc_size_t bytes)
{
    void *block = hr_alloc(bytes);
    job *j = png_get_mem_ptr(png);

    if (!block)
        j->status = HIRL_E_NOMEM;
    return block;
}

static void give(png_structp png, png_voidp block)
{
    (void)png;
    hr_free(block);
}

/* ---- decoding ---- */

static void read_header(job *j)
{
    png_set_read_fn(j->png, j, read_bytes);
    png_set_user_limits(j->png, HR_IMAGE_SIDE, HR_IMAGE_SIDE);
    png_set_chunk_malloc_max(j->png, CHUNK_BYTES);
    png_set_chunk_cache_max(j->png, CHUNKS);
    png_set_crc_action(j->png, PNG_CRC_ERROR_QUIT, PNG_CRC_ERROR_QUIT);
    png_read_info(j->png, j->info);
}

static void request_rgb(job *j)
{
    int type = png_get_color_type(j->png, j->info);

    png_set_strip_16(j->png);
    if (type == PNG_COLOR_TYPE_PALETTE)
        png_set_palette_to_rgb(j->png);
    else if (type == PNG_COLOR_TYPE_GRAY)
        png_set_expand_gray_1_2_4_to_8(j->png);
    if (!(type & PNG_COLOR_MASK_COLOR))
        png_set_gray_to_rgb(j->png);
    png_set_strip_alpha(j->png);
}

static void read_rows(job *j)
{
    int passes = png_set_interlace_handling(j->png);
    size_t row = (size_t)j->pixels->width * 3;

    png_read_update_info(j->png, j->info);
    if (png_get_rowbytes(j->png, j->info) != row)
        png_error(j->png, "its rows cannot be converted to RGB");
    for (int pass = 0; pass < passes; pass++)
        for (int64_t y = 0; y < j->pixels->height; y++) {
            j->status = hr_halt_check();
            if (j->status < 0)
                png_longjmp(j->png, 1);
            png_read_row(j->png, j->pixels->data + (size_t)y * row, NULL);
        }
}

/* Makes all calls that may jump back here. */
static void guarded(job *j)
{
    if (setjmp(png_jmpbuf(j->png)))
        return;
    read_header(j);
    j->status = hr_pixels_size(j->pixels, png_get_image_width(j->png, j->info),
                               png_get_image_height(j->png, j->info));
    if (j->status < 0)
        return;
    request_rgb(j);
    read_rows(j);
}

static hirl_status run_job(job *j)
{
    j->png = png_create_read_struct_2(PNG_LIBPNG_VER_STRING, j, fail, warn, j, take, give);
    j->info = j->png ? png_create_info_struct(j->png) : NULL;
    if (j->info)
        guarded(j);
    else
        j->status = HIRL_E_NOMEM;
    png_destroy_read_struct(&j->png, &j->info, NULL);
    return *j->text ? hr_fail(j->status, "PNG: %s", j->text) : j->status;
}

/* The header chunk is always the first one, so the size lies at fixed offsets. */
hirl_status hr_png_measure(int64_t *width, int64_t *height, const uint8_t *bytes, size_t count)
{
    if (count < 24 || memcmp(bytes + 12, "IHDR", 4))
        return hr_fail(HIRL_E_FORMAT, "PNG: the header chunk IHDR is missing");
    *width = *height = 0;
    for (int i = 0; i < 4; i++) {
        *width = *width << 8 | bytes[16 + i];
        *height = *height << 8 | bytes[20 + i];
    }
    return HIRL_OK;
}

hirl_status hr_png_decode(hr_pixels *pixels, const uint8_t *bytes, size_t count)
{
    job j = { .bytes = bytes, .count = count, .pixels = pixels };
    int64_t width = 0, height = 0;

    HR_TRY(hr_png_measure(&width, &height, bytes, count));
    HR_TRY(hr_pixels_check(width, height, pixels->most));
    return run_job(&j);
}
