/* image.h - operations of augmentation on 8-bit images, with the same results as Pillow.
 *
 * An image has three planes R, G, B of width x height bytes without gaps. The caller supplies work
 * memory. Arithmetic is integer, or floating point with every operation rounded separately.
 */
#ifndef HR_IMAGE_H
#define HR_IMAGE_H

#include "backend.h"
#include "types.h"

typedef struct hr_image {
    uint8_t *plane[3];
    int32_t width, height;
} hr_image;

/* One axis of a resize: the `count` source pixels from `first` on become `size` pixels, of which
 * [from, from + wanted) are kept. */
typedef struct hr_resize_axis {
    int32_t first, count;
    int32_t size;
    int32_t from, wanted;
} hr_resize_axis;

/* image [y.wanted, x.wanted] = the box of source [height, width, 3] that x and y select, resized.
 * work: hr_image_resize_bytes */
void hr_image_resize(hr_image *image, const uint8_t *source, int64_t width, int64_t height,
                     const hr_resize_axis *x, const hr_resize_axis *y, int32_t filter, void *work);
/* enough for any box within width x height, resized to a size of at least wanted x wanted, of which
 * wanted x wanted pixels are kept */
size_t hr_image_resize_bytes(int64_t width, int64_t height, int32_t wanted, int32_t filter);

/* v = D + factor (v - D), where D is 0, the mean gray value, the gray value of the pixel */
void hr_image_brightness(hr_image *image, float factor);
void hr_image_contrast(hr_image *image, float factor);
void hr_image_saturation(hr_image *image, float factor);
/* via HSV with 8 bits each: H = (H + trunc(255 shift)) mod 256 */
void hr_image_hue(hr_image *image, float shift);
void hr_image_gray(hr_image *image);
void hr_image_solarize(hr_image *image); /* v >= 128: 255 - v */

/* Gaussian blur: three extended box blurs per axis. work: hr_image_blur_bytes */
void hr_image_blur(hr_image *image, float sigma, void *work);
size_t hr_image_blur_bytes(int32_t width, int32_t height, float sigma);
/* radius of the box blur for a Gaussian of this sigma */
float hr_image_blur_radius(float sigma);

#endif
