/* images.h - descriptions of packed RGB images in memory. */
#ifndef HR_TEST_IMAGES_H
#define HR_TEST_IMAGES_H

#include <hirl/image.h>

/* Fills `image` with n images [height, width, 3] uint8, and returns it. */
static inline const hirl_image *hr_test_images(hirl_image *image, const uint8_t *const *pixels,
                                               const int64_t *height, const int64_t *width,
                                               int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        image[i] = (hirl_image){ .struct_size = sizeof *image,
                                 .pixels = pixels[i],
                                 .height = height[i],
                                 .width = width[i],
                                 .channels = 3 };
    return image;
}

#endif
