/* thumbnail.c - small JPEG files of images, box-filtered and without metadata. */
#include "thumbnail.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>

#include <jpeglib.h>

enum { QUALITY = 80 };

/* Box filter: each pixel of to [h,w,3] is the mean of the pixels of from [height,width,3] that it
 * covers. */
static void shrink(uint8_t *to, int64_t h, int64_t w, const uint8_t *from, int64_t height,
                   int64_t width)
{
    for (int64_t y = 0; y < h; y++)
        for (int64_t x = 0; x < w; x++) {
            int64_t top = y * height / h, bottom = (y + 1) * height / h;
            int64_t left = x * width / w, right = (x + 1) * width / w;
            int64_t sum[3] = { 0 }, count = (bottom - top) * (right - left);

            for (int64_t i = top; i < bottom; i++)
                for (int64_t j = left; j < right; j++)
                    for (int c = 0; c < 3; c++)
                        sum[c] += from[(i * width + j) * 3 + c];
            for (int c = 0; c < 3; c++)
                to[(y * w + x) * 3 + c] = (uint8_t)((sum[c] + count / 2) / count);
        }
}

typedef struct encoder {
    struct jpeg_compress_struct jpeg;
    struct jpeg_error_mgr errors;
    jmp_buf failed;
    unsigned char *file;
    unsigned long bytes;
} encoder;

static void stop(j_common_ptr jpeg)
{
    encoder *e = jpeg->client_data;

    longjmp(e->failed, 1);
}

static void say_nothing(j_common_ptr jpeg)
{
    (void)jpeg;
}

static bool encode(encoder *e, uint8_t *pixels, int64_t h, int64_t w)
{
    e->jpeg.err = jpeg_std_error(&e->errors);
    e->errors.error_exit = stop;
    e->errors.output_message = say_nothing;
    e->jpeg.client_data = e;
    if (setjmp(e->failed)) {
        jpeg_destroy_compress(&e->jpeg);
        return false;
    }
    jpeg_create_compress(&e->jpeg);
    jpeg_mem_dest(&e->jpeg, &e->file, &e->bytes);
    e->jpeg.image_width = (JDIMENSION)w;
    e->jpeg.image_height = (JDIMENSION)h;
    e->jpeg.input_components = 3;
    e->jpeg.in_color_space = JCS_RGB;
    jpeg_set_defaults(&e->jpeg);
    e->jpeg.optimize_coding = TRUE;
    jpeg_set_quality(&e->jpeg, QUALITY, TRUE);
    jpeg_start_compress(&e->jpeg, TRUE);
    while (e->jpeg.next_scanline < e->jpeg.image_height) {
        JSAMPROW row = pixels + (size_t)e->jpeg.next_scanline * (size_t)w * 3;

        jpeg_write_scanlines(&e->jpeg, &row, 1);
    }
    jpeg_finish_compress(&e->jpeg);
    jpeg_destroy_compress(&e->jpeg);
    return true;
}

uint8_t *cli_thumbnail(size_t *bytes, int64_t *w, int64_t *h, const uint8_t *pixels, int64_t height,
                       int64_t width, int64_t side)
{
    int64_t longer = height > width ? height : width;
    encoder *e = calloc(1, sizeof *e);
    uint8_t *small, *file = NULL;

    *h = longer > side ? (height * side + longer - 1) / longer : height;
    *w = longer > side ? (width * side + longer - 1) / longer : width;
    small = malloc((size_t)(3 * *h * *w));
    if (e && small) {
        shrink(small, *h, *w, pixels, height, width);
        if (encode(e, small, *h, *w)) {
            file = e->file;
            *bytes = e->bytes;
        } else {
            free(e->file);
        }
    }
    free(small);
    free(e);
    return file;
}
