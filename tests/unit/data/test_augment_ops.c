/* test_augment_ops.c - each 8-bit operation equals Pillow byte for byte (tests/golden/augment.py),
 * and the radii of the box blur. */
#include <math.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "cpu/image.h"
#include "pictures.h"
#include "support/close.h"
#include "support/run.h"

typedef struct reference {
    char kind[16], name[16];
    int width, height;
    double a[7];
    hr_print print;
} reference;

static void from_planes(uint8_t *out, const hr_image *image)
{
    for (int64_t i = 0; i < (int64_t)image->width * image->height; i++)
        for (int c = 0; c < 3; c++)
            out[3 * i + c] = image->plane[c][i];
}

static void to_planes(hr_image *image, const uint8_t *in, int32_t width, int32_t height)
{
    image->width = width;
    image->height = height;
    for (int64_t i = 0; i < (int64_t)width * height; i++)
        for (int c = 0; c < 3; c++)
            image->plane[c][i] = in[3 * i + c];
}

static void take_planes(hr_image *image, int64_t pixels)
{
    for (int c = 0; c < 3; c++)
        image->plane[c] = hr_alloc((size_t)pixels);
}

static void give_planes(hr_image *image)
{
    for (int c = 0; c < 3; c++)
        hr_free(image->plane[c]);
}

static void blur(hr_image *image, float sigma)
{
    void *work = hr_alloc(hr_image_blur_bytes(image->width, image->height, sigma));

    hr_image_blur(image, sigma, work);
    hr_free(work);
}

static void crop(hr_image *image, const reference *r, const uint8_t *source)
{
    int32_t a[7], wanted;
    hr_resize_axis x, y;
    void *work;

    for (int i = 0; i < 7; i++)
        a[i] = (int32_t)r->a[i];
    x = (hr_resize_axis){ a[0], a[2], a[4], 0, a[4] };
    y = (hr_resize_axis){ a[1], a[3], a[5], 0, a[5] };
    wanted = a[4] > a[5] ? a[4] : a[5];
    /* the bound is for one side; the smaller one may have more taps */
    work = hr_alloc(hr_image_resize_bytes(r->width, r->height, wanted, a[6]) +
                    hr_image_resize_bytes(r->width, r->height, a[4] < a[5] ? a[4] : a[5], a[6]));
    hr_image_resize(image, source, r->width, r->height, &x, &y, a[6], work);
    hr_free(work);
}

static void apply(hr_image *image, const reference *r, const uint8_t *source)
{
    float f = (float)r->a[0];

    if (!strcmp(r->name, "crop"))
        crop(image, r, source);
    else if (!strcmp(r->name, "brightness"))
        hr_image_brightness(image, f);
    else if (!strcmp(r->name, "contrast"))
        hr_image_contrast(image, f);
    else if (!strcmp(r->name, "saturation"))
        hr_image_saturation(image, f);
    else if (!strcmp(r->name, "hue"))
        hr_image_hue(image, f);
    else if (!strcmp(r->name, "gray"))
        hr_image_gray(image);
    else if (!strcmp(r->name, "solarize"))
        hr_image_solarize(image);
    else if (!strcmp(r->name, "blur"))
        blur(image, f);
    else
        ck_abort_msg("no operation %s", r->name);
}

static void compare(const reference *r)
{
    bool resized = !strcmp(r->name, "crop");
    int64_t n = (int64_t)r->width * r->height;
    int64_t m = resized ? (int64_t)r->a[4] * (int64_t)r->a[5] : n;
    uint8_t *source = hr_picture(r->kind, r->width, r->height);
    uint8_t *result = hr_alloc((size_t)(3 * m));
    const char *differs;
    hr_image image;

    take_planes(&image, m > n ? m : n);
    to_planes(&image, source, r->width, r->height);
    apply(&image, r, source);
    from_planes(result, &image);
    differs = hr_print_differs(&r->print, result, 3 * m);
    ck_assert_msg(!differs, "%s %dx%d %s %g %g %g %g: got/want%s", r->kind, r->width, r->height,
                  r->name, r->a[0], r->a[1], r->a[2], r->a[3], differs);
    give_planes(&image);
    hr_free(result);
    hr_free(source);
}

/* Compares all lines of one operation and returns their number. */
static int compare_all(const char *name)
{
    FILE *file = hr_reference_open();
    char word[16];
    int count = 0;

    ck_assert_msg(file != NULL, "no augment.txt in HIRL_TEST_DATA");
    while (fscanf(file, "%15s", word) == 1) {
        reference r = { 0 };

        if (strcmp(word, "op"))
            break; /* the lines of operations come first */
        ck_assert_int_eq(fscanf(file, "%15s %d %d %15s", r.kind, &r.width, &r.height, r.name), 4);
        for (int i = 0; i < 7; i++)
            ck_assert_int_eq(fscanf(file, "%lf", &r.a[i]), 1);
        ck_assert(hr_print_read(&r.print, file));
        if (!strcmp(r.name, name)) {
            compare(&r);
            count++;
        }
    }
    fclose(file);
    return count;
}

START_TEST(crop_and_resize_equals_pillow)
{
    ck_assert_int_ge(compare_all("crop"), 90);
}
END_TEST

START_TEST(brightness_contrast_and_saturation_equal_pillow)
{
    ck_assert_int_ge(compare_all("brightness"), 56);
    ck_assert_int_ge(compare_all("contrast"), 56);
    ck_assert_int_ge(compare_all("saturation"), 58); /* two of them cover all colours */
}
END_TEST

START_TEST(hue_equals_pillow_for_all_colours)
{
    ck_assert_int_ge(compare_all("hue"), 67);
}
END_TEST

START_TEST(gray_blur_and_solarize_equal_pillow)
{
    ck_assert_int_ge(compare_all("gray"), 9);
    ck_assert_int_ge(compare_all("blur"), 48);
    ck_assert_int_ge(compare_all("solarize"), 8);
}
END_TEST

START_TEST(blur_radii_are_the_golden_ones)
{
    ck_assert(fabs(hr_image_blur_radius(0.1f) - 0.001672241) < 5e-8);
    ck_assert(fabs(hr_image_blur_radius(0.5f) - 0.045454545) < 5e-8);
    ck_assert(fabs(hr_image_blur_radius(1.0f) - 0.25) < 5e-8);
    ck_assert(fabs(hr_image_blur_radius(2.0f) - 1.375) < 5e-7);
}
END_TEST

/* Two pixels become one: both have weight 1/2, and (10 + 21) / 2 = 15.5 rounds up. Different
 * values of the other channels reveal a mix-up of channels. */
START_TEST(halving_averages_two_pixels_and_rounds_up)
{
    const uint8_t source[] = { 10, 100, 0, 21, 200, 255 };
    hr_resize_axis x = { 0, 2, 1, 0, 1 }, y = { 0, 1, 1, 0, 1 };
    void *work = hr_alloc(hr_image_resize_bytes(2, 1, 1, HR_BILINEAR));
    hr_image image;

    take_planes(&image, 1);
    hr_image_resize(&image, source, 2, 1, &x, &y, HR_BILINEAR, work);
    ck_assert_int_eq(image.plane[0][0], 16);
    ck_assert_int_eq(image.plane[1][0], 150);
    ck_assert_int_eq(image.plane[2][0], 128);
    give_planes(&image);
    hr_free(work);
}
END_TEST

/* Shifts the hue of red by a third of the circle: H 0 -> 85 of 255, x = 6 * 85 / 255 = 2, so
 * sector 2: (p, V, t). */
START_TEST(a_third_of_a_turn_makes_green_of_red)
{
    const uint8_t red[] = { 200, 0, 0 };
    hr_image image;

    take_planes(&image, 1);
    to_planes(&image, red, 1, 1);
    hr_image_hue(&image, 1.0f / 3 + 1e-4f);
    ck_assert_int_eq(image.plane[0][0], 0);
    ck_assert_int_eq(image.plane[1][0], 200);
    ck_assert_int_eq(image.plane[2][0], 0);
    give_planes(&image);
}
END_TEST

HR_TESTS("augment_ops", crop_and_resize_equals_pillow,
         brightness_contrast_and_saturation_equal_pillow, hue_equals_pillow_for_all_colours,
         gray_blur_and_solarize_equal_pillow, blur_radii_are_the_golden_ones,
         halving_averages_two_pixels_and_rounds_up, a_third_of_a_turn_makes_green_of_red)
