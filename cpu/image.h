/* image.h - the 8-bit primitives that `augment` is made of, each as Pillow computes it (spec.md 2.1).
 *
 * An image is three planes R, G, B of width x height bytes without gaps. Work memory is the
 * caller's. Arithmetic is integer, or binary32 with every operation rounded on its own.
 */
#ifndef HR_IMAGE_H
#define HR_IMAGE_H

#include "types.h"

typedef struct hr_image {
    uint8_t *plane[3];
    int32_t width, height;
} hr_image;

/* One axis of a resize: `count` source pixels from `first` on become `size`, of which the results
 * [from, from + wanted) are kept. */
typedef struct hr_resize_axis {
    int32_t first, count;
    int32_t size;
    int32_t from, wanted;
} hr_resize_axis;

enum { HR_BILINEAR = 1, HR_BICUBIC = 2 };

/* image [y.wanted, x.wanted] = the box of the interleaved RGB source, resized; work of at least
 * hr_image_resize_bytes */
void hr_image_resize(hr_image *image, const uint8_t *source, int64_t width, int64_t height,
                     const hr_resize_axis *x, const hr_resize_axis *y, int32_t filter, void *work);
/* enough for any box of width x height resized to at least wanted x wanted */
size_t hr_image_resize_bytes(int64_t width, int64_t height, int32_t wanted, int32_t filter);

/* v = D + factor (v - D): D = 0, the mean of gray, gray */
void hr_image_brightness(hr_image *image, float factor);
void hr_image_contrast(hr_image *image, float factor);
void hr_image_saturation(hr_image *image, float factor);
/* through HSV with 8 bits each; H moves by trunc(255 shift) */
void hr_image_hue(hr_image *image, float shift);
void hr_image_gray(hr_image *image);
void hr_image_solarize(hr_image *image); /* v >= 128: 255 - v */

/* Gaussian blur as three extended box blurs an axis */
void hr_image_blur(hr_image *image, float sigma, void *work);
size_t hr_image_blur_bytes(int32_t width, int32_t height, float sigma);
float hr_image_blur_radius(float sigma);

#endif
