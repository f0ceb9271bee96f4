/** @file image.h - hirl_image: an image that the application holds, encoded or as pixels.
 *
 * One description serves every function that takes images of the application:
 * hirl_dataset_from_images(), hirl_dataset_from_callback() and hirl_model_embed(). The library
 * works on 8-bit RGB, and converts what is described as it reads.
 */
#ifndef HIRL_IMAGE_H
#define HIRL_IMAGE_H

#include <stddef.h>
#include <stdint.h>

#include "handles.h"
#include "status.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Types of the numbers of pixels: uint8; uint16 from 0 to 65535, of which the high byte is used;
 * or float32 from 0 to 1, which is multiplied by 255 and rounded (numbers outside are clipped, a
 * NaN makes the image unreadable). */
enum { HIRL_PIXELS_U8 = 0, HIRL_PIXELS_U16 = 1, HIRL_PIXELS_F32 = 2 };

/** One image of the application: either encoded bytes (JPEG, PNG) or pixels. A struct of zeros with
 * pixels, height, width and channels describes packed uint8, rows from the top. */
typedef struct hirl_image {
    /** bytes; set to sizeof(hirl_image) by the caller, or by the library before a hirl_image_fn */
    size_t struct_size;
    /** [encoded_bytes] uint8, caller-owned, kept until release is called; a JPEG or PNG file, NULL:
     * pixels has the image */
    const uint8_t *encoded;
    /** bytes of encoded */
    size_t encoded_bytes;
    /** [height, width, channels] bytes, caller-owned, kept until release is called; the numbers of
     * pixels, aligned as their type needs it; not read if encoded is not NULL */
    const void *pixels;
    /** pixels, 1 to 65536; height * width at most 2^30 */
    int64_t height, width;
    /** 1 (grey), 3 (RGB), or 4 (RGB and alpha, which is not used) */
    int32_t channels;
    /** HIRL_PIXELS_U8, HIRL_PIXELS_U16 or HIRL_PIXELS_F32 */
    int32_t type;
    /** distances in bytes from a row to the next one, from a pixel to its right neighbour, and from
     * a channel to the next one; 0: packed, that is width * channels, channels and 1 numbers; a
     * negative row_bytes is that of an image whose last row comes first in memory: pixels points to
     * the upper row */
    int64_t row_bytes, pixel_bytes, channel_bytes;
    /** [1] function, caller-owned, kept until the data set is destroyed; the library calls it when
     * it no longer needs the image: after a hirl_image_fn on the thread that read it, otherwise
     * when the data set and its trainers are destroyed; hirl_model_embed() does not call it. NULL:
     * none; an image of a hirl_image_fn stays valid at least until this is called for another image
     * on the same thread */
    hirl_release_fn *release;
    /** [any] bytes, caller-owned, kept until release is called; passed to release */
    void *token;
    /** [] char, caller-owned, kept until the hirl_image_fn is called again on the same thread; the
     * reason, read only after a result other than 0, at the end of the error message; NULL: none */
    const char *text;
    /** read only after a result other than 0 of a hirl_image_fn: what hirl_error_callback_value()
     * returns then; 0: the result itself */
    int32_t value;
} hirl_image;

#ifdef __cplusplus
}
#endif

#endif
