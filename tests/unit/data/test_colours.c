/* test_colours.c - mean and standard deviation of colours (mean=auto, std=auto), by hand. */
#include "data/colours.h"

#include <math.h>
#include <string.h>

#include <hirl/hirl.h>

#include "base/alloc.h"
#include "context.h"
#include "support/close.h"
#include "support/run.h"

/* Image 0 is one red pixel, 1 has two black and two white pixels, 2 cannot be read. */
static int32_t hand_over(hirl_image *image, int64_t index, void *user)
{
    static const uint8_t red[3] = { 255, 0, 0 };
    static const uint8_t four[4][3] = {
        { 0, 0, 0 }, { 0, 0, 0 }, { 255, 255, 255 }, { 255, 255, 255 }
    };

    (void)user;
    if (index == 2)
        return HIRL_IMAGE_NEVER;
    image->pixels = index ? &four[0][0] : red;
    image->height = 1;
    image->width = index ? 4 : 1;
    image->channels = 3;
    return 0;
}

static void open_set(hirl_context **context, hirl_dataset **dataset, hirl_image_fn *read, int64_t n)
{
    hr_assert_ok(hr_context_create(context, "cpu", 1));
    hr_assert_ok(hirl_dataset_from_callback(dataset, *context, read, NULL, NULL, n, NULL, NULL));
}

static void close_set(hirl_context *context, hirl_dataset *dataset)
{
    hr_dataset_drop(dataset);
    hr_context_drop(context);
    ck_assert_int_eq(hr_alloc_live(), 0);
}

/* Every image has the same weight. Red: the mean of 1 and 1/2 is 3/4, that of the squares 3/4, std
 * sqrt(3/4 - 9/16). Green: the mean of 0 and 1/2 is 1/4, that of the squares 1/4, std
 * sqrt(1/4 - 1/16). Both are sqrt(3)/4. */
START_TEST(colours_are_means_over_readable_images)
{
    double mean[3], std[3];
    hirl_context *context;
    hirl_dataset *dataset;

    open_set(&context, &dataset, hand_over, 3);
    hr_assert_ok(hr_dataset_colours(mean, std, dataset, 1000));
    ck_assert_double_eq_tol(mean[0], 0.75, 1e-15);
    ck_assert_double_eq_tol(mean[1], 0.25, 1e-15);
    ck_assert_double_eq_tol(mean[2], 0.25, 1e-15);
    for (int c = 0; c < 3; c++)
        ck_assert_double_eq_tol(std[c], sqrt(3) / 4, 1e-15);
    close_set(context, dataset);
}
END_TEST

/* image i is one pixel of value 10 i */
static int32_t hand_over_grey(hirl_image *image, int64_t index, void *user)
{
    static uint8_t value;

    (void)user;
    value = (uint8_t)(10 * index);
    image->pixels = &value;
    image->height = image->width = image->channels = 1;
    return 0;
}

/* 20 images, 5 wanted: 0, 4, 8, 12, 16 of value 0, 40, 80, 120, 160: mean 80, variance 3200 */
START_TEST(colours_are_of_evenly_spaced_images)
{
    double mean[3], std[3];
    hirl_context *context;
    hirl_dataset *dataset;

    open_set(&context, &dataset, hand_over_grey, 20);
    hr_assert_ok(hr_dataset_colours(mean, std, dataset, 5));
    for (int c = 0; c < 3; c++) {
        ck_assert_double_eq_tol(mean[c], 80 / 255.0, 1e-12);
        ck_assert_double_eq_tol(std[c], sqrt(3200) / 255, 1e-12);
    }
    close_set(context, dataset);
}
END_TEST

/* so that normalising a view does not divide by 0 */
START_TEST(one_colour_has_the_least_standard_deviation)
{
    double mean[3], std[3];
    hirl_context *context;
    hirl_dataset *dataset;

    open_set(&context, &dataset, hand_over, 1);
    hr_assert_ok(hr_dataset_colours(mean, std, dataset, 1000));
    ck_assert_double_eq(mean[0], 1);
    for (int c = 0; c < 3; c++)
        ck_assert_double_eq_tol(std[c], 1.0 / 255, 1e-15);
    close_set(context, dataset);
}
END_TEST

/* Out of memory must fail: the mean must not be that of the remaining images. */
static hirl_status no_memory(hr_pixels *pixels, void *state, int64_t index)
{
    (void)pixels;
    (void)state;
    return index == 1 ? HIRL_E_NOMEM : HIRL_OK;
}

START_TEST(out_of_memory_is_not_an_unreadable_image)
{
    double mean[3], std[3];
    hirl_context *context;
    hirl_dataset *dataset;

    open_set(&context, &dataset, hand_over, 3);
    dataset->source.read = no_memory;
    ck_assert_int_eq(hr_dataset_colours(mean, std, dataset, 1000), HIRL_E_NOMEM);
    close_set(context, dataset);
}
END_TEST

HR_TESTS("colours", colours_are_means_over_readable_images, colours_are_of_evenly_spaced_images,
         one_colour_has_the_least_standard_deviation, out_of_memory_is_not_an_unreadable_image)
