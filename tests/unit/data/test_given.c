/* test_given.c - images that the application describes: types, channels, distances, release; and
 * the names and classes that it gives them. */
#include <math.h>
#include <string.h>

#include <hirl/hirl.h>

#include "support/close.h"
#include "support/run.h"

enum { W = 3, H = 2, N = 4 };

static const uint8_t rgb[H][W][3] = { { { 0, 10, 20 }, { 30, 40, 50 }, { 60, 70, 80 } },
                                      { { 255, 128, 1 }, { 127, 129, 3 }, { 9, 8, 7 } } };

static hirl_context *new_context(void)
{
    hirl_options *options;
    hirl_context *context;

    hr_assert_ok(hirl_options_create(&options));
    hr_assert_ok(hirl_options_set(options, "threads", "1"));
    hr_assert_ok(hirl_context_create(&context, options));
    hirl_options_destroy(options);
    return context;
}

static const hirl_image packed = {
    .struct_size = sizeof packed, .pixels = rgb, .height = H, .width = W, .channels = 3
};

/* the pixels that the library reads of one image */
static void read_one(uint8_t got[H][W][3], const hirl_image *image)
{
    hirl_context *context = new_context();
    hirl_dataset *images;
    int64_t height, width;
    uint8_t *pixels;

    hr_assert_ok(hirl_dataset_from_images(&images, context, image, 1, NULL, NULL));
    hr_assert_ok(hirl_dataset_read(&pixels, &height, &width, images, 0));
    ck_assert_int_eq(height, H);
    ck_assert_int_eq(width, W);
    memcpy(got, pixels, sizeof rgb);
    hirl_free(pixels);
    hirl_dataset_destroy(images);
    hirl_context_destroy(context);
}

/* ---- pixels ---- */

START_TEST(packed_and_strided_pixels_are_equal)
{
    static uint8_t padded[H][W + 2][4], planes[3][H][W];
    hirl_image image = packed;
    uint8_t got[H][W][3];

    for (int i = 0; i < H * W * 3; i++) {
        int y = i / 3 / W, x = i / 3 % W, c = i % 3;

        padded[H - 1 - y][x][2 - c] = rgb[y][x][c]; /* bottom-up BGRA */
        planes[c][y][x] = rgb[y][x][c];
    }
    read_one(got, &image);
    ck_assert_mem_eq(got, rgb, sizeof rgb);
    image.pixels = &padded[H - 1][0][2];
    image.row_bytes = -(int64_t)sizeof padded[0];
    image.pixel_bytes = 4;
    image.channel_bytes = -1;
    read_one(got, &image);
    ck_assert_mem_eq(got, rgb, sizeof rgb);
    image = packed;
    image.pixels = planes;
    image.row_bytes = W;
    image.pixel_bytes = 1;
    image.channel_bytes = sizeof planes[0];
    read_one(got, &image);
    ck_assert_mem_eq(got, rgb, sizeof rgb);
}
END_TEST

START_TEST(grey_and_alpha_become_rgb)
{
    static uint8_t alpha[H][W][4];
    hirl_image image = packed;
    uint8_t got[H][W][3];

    for (int i = 0; i < H * W; i++)
        memcpy(alpha[i / W][i % W], rgb[i / W][i % W], 3);
    image.pixels = alpha;
    image.channels = 4;
    read_one(got, &image);
    ck_assert_mem_eq(got, rgb, sizeof rgb);
    image.pixels = rgb;
    image.channels = 1;
    read_one(got, &image);
    for (int i = 0; i < H * W * 3; i++)
        ck_assert_uint_eq((&got[0][0][0])[i], (&rgb[0][0][0])[i / 3]);
}
END_TEST

START_TEST(sixteen_bits_keep_the_high_byte)
{
    static uint16_t wide[H][W][3];
    hirl_image image = packed;
    uint8_t got[H][W][3];

    for (int i = 0; i < H * W * 3; i++)
        (&wide[0][0][0])[i] = (uint16_t)((&rgb[0][0][0])[i] * 256 + 255 - i);
    image.pixels = wide;
    image.type = HIRL_PIXELS_U16;
    read_one(got, &image);
    ck_assert_mem_eq(got, rgb, sizeof rgb);
}
END_TEST

START_TEST(floats_are_rounded_and_clipped)
{
    static float unit[H][W][3];
    hirl_image image = packed;
    uint8_t got[H][W][3];

    for (int i = 0; i < H * W * 3; i++)
        (&unit[0][0][0])[i] = ((float)(&rgb[0][0][0])[i] + (i % 2 ? 0.4F : -0.4F)) / 255;
    unit[0][0][0] = -3;
    unit[1][0][0] = INFINITY;
    image.pixels = unit;
    image.type = HIRL_PIXELS_F32;
    read_one(got, &image);
    ck_assert_mem_eq(got, rgb, sizeof rgb);
}
END_TEST

START_TEST(a_nan_makes_an_image_unreadable)
{
    static float unit[H][W][3];
    hirl_image image = packed;
    hirl_context *context = new_context();
    hirl_dataset *images;
    int64_t height, width;
    uint8_t *pixels;

    unit[1][1][1] = NAN;
    image.pixels = unit;
    image.type = HIRL_PIXELS_F32;
    hr_assert_ok(hirl_dataset_from_images(&images, context, &image, 1, NULL, NULL));
    hr_assert_fails(hirl_dataset_read(&pixels, &height, &width, images, 0), HIRL_E_FORMAT, "NaN");
    hirl_dataset_destroy(images);
    hirl_context_destroy(context);
}
END_TEST

START_TEST(descriptions_that_contradict_themselves_are_refused)
{
    static const struct {
        hirl_image image;
        hirl_status status;
        const char *word;
    } bad[] = {
        { { .struct_size = sizeof packed }, HIRL_E_INVALID, "neither" },
        { { .struct_size = 65, .pixels = rgb, .height = H, .width = W, .channels = 3 },
          HIRL_E_INVALID,
          "is 65" },
        { { .pixels = rgb, .height = H, .width = W, .channels = 3 }, HIRL_E_INVALID, "sizeof" },
        { { .struct_size = sizeof packed, .pixels = rgb, .height = H, .width = W, .channels = 2 },
          HIRL_E_INVALID,
          "channels" },
        { { .struct_size = sizeof packed, .pixels = rgb, .height = 0, .width = W, .channels = 3 },
          HIRL_E_INVALID,
          "0 pixels" },
        { { .struct_size = sizeof packed,
            .pixels = rgb,
            .height = 70000,
            .width = W,
            .channels = 3 },
          HIRL_E_LIMIT,
          "70000" },
        { { .struct_size = sizeof packed,
            .pixels = rgb,
            .height = H,
            .width = W,
            .channels = 3,
            .type = 3 },
          HIRL_E_INVALID,
          "type 3" },
        { { .struct_size = sizeof packed,
            .pixels = rgb,
            .height = H,
            .width = W,
            .channels = 3,
            .type = HIRL_PIXELS_F32,
            .row_bytes = 37 },
          HIRL_E_INVALID,
          "aligned" },
        { { .struct_size = sizeof packed,
            .pixels = rgb,
            .height = H,
            .width = W,
            .channels = 3,
            .row_bytes = INT64_MAX },
          HIRL_E_INVALID,
          "distance" },
        { { .struct_size = sizeof packed, .encoded = &rgb[0][0][0] }, HIRL_E_INVALID, "encoded" },
    };
    hirl_context *context = new_context();

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        hirl_dataset *images;

        hr_assert_fails(hirl_dataset_from_images(&images, context, &bad[i].image, 1, NULL, NULL),
                        bad[i].status, bad[i].word);
        ck_assert_ptr_null(images);
    }
    hirl_context_destroy(context);
}
END_TEST

/* ---- release ---- */

static void count_release(void *user)
{
    ++*(int *)user;
}

static void silent(int32_t level, const char *text, void *user)
{
    (void)level, (void)text, (void)user;
}

static int32_t go_on(const char *phase, int64_t done, int64_t total, void *user)
{
    (void)phase, (void)done, (void)total, (void)user;
    return 0;
}

static int32_t hand_over(hirl_image *image, int64_t index, void *user)
{
    (void)index, (void)user;
    image->pixels = rgb;
    image->height = H;
    image->width = W;
    image->channels = 3;
    return 0;
}

START_TEST(images_are_released_with_the_data_set)
{
    static const int32_t bad[N] = { 0, -2, 0, 0 };
    hirl_context *context = new_context();
    hirl_image image[N];
    hirl_dataset *images;
    int count[N] = { 0 };

    for (int i = 0; i < N; i++) {
        image[i] = packed;
        image[i].release = count_release;
        image[i].token = &count[i];
    }
    hr_assert_fails(hirl_dataset_from_images(&images, context, image, N, bad, NULL), HIRL_E_INVALID,
                    "label");
    for (int i = 0; i < N; i++)
        ck_assert_int_eq(count[i], 0);
    hr_assert_ok(hirl_dataset_from_images(&images, context, image, N, NULL, NULL));
    hirl_dataset_destroy(images);
    for (int i = 0; i < N; i++)
        ck_assert_int_eq(count[i], 1);
    hirl_context_destroy(context);
}
END_TEST

START_TEST(user_of_each_function_is_released_once)
{
    static const int32_t bad[1] = { -2 };
    int log = 0, other_log = 0, progress = 0, read = 0;
    hirl_context *context = new_context();
    hirl_dataset *images;

    hirl_context_set_log(context, HIRL_LOG_INFO, silent, &log, count_release);
    hirl_context_set_progress(context, go_on, &progress, count_release);
    hirl_context_set_log(context, HIRL_LOG_INFO, silent, &other_log, count_release);
    ck_assert_int_eq(log, 1);
    hr_assert_fails(
        hirl_dataset_from_callback(&images, context, hand_over, &read, count_release, 1, bad, NULL),
        HIRL_E_INVALID, "label");
    ck_assert_int_eq(read, 0);
    hr_assert_ok(hirl_dataset_from_callback(&images, context, hand_over, &read, count_release, 1,
                                            NULL, NULL));
    hirl_context_destroy(context);
    ck_assert_int_eq(other_log + progress + read, 0); /* the data set needs the context */
    hirl_dataset_destroy(images);
    ck_assert_int_eq(log, 1);
    ck_assert_int_eq(other_log, 1);
    ck_assert_int_eq(progress, 1);
    ck_assert_int_eq(read, 1);
}
END_TEST

/* ---- names and classes ---- */

static hirl_dataset *labelled(hirl_context *context)
{
    static const int32_t label[N] = { 0, 1, 2, -1 };
    hirl_image image[N];
    hirl_dataset *images;

    for (int i = 0; i < N; i++)
        image[i] = packed;
    hr_assert_ok(hirl_dataset_from_images(&images, context, image, N, label, NULL));
    return images;
}

START_TEST(images_get_the_names_of_the_application)
{
    static const char *const name[N] = { "a", "b", "c", "d" }, *const hole[N] = { "a", NULL };
    hirl_context *context = new_context();
    hirl_dataset *images = labelled(context);

    ck_assert_str_eq(hirl_dataset_name(images, 2), "2");
    hr_assert_fails(hirl_dataset_set_names(images, name, N - 1), HIRL_E_INVALID, "3 names");
    hr_assert_fails(hirl_dataset_set_names(images, hole, N), HIRL_E_INVALID, "name 1");
    hr_assert_ok(hirl_dataset_set_names(images, name, N));
    hr_assert_ok(hirl_dataset_set_names(images, name, N));
    ck_assert_str_eq(hirl_dataset_name(images, 2), "c");
    hirl_dataset_destroy(images);
    hr_assert_ok(hirl_dataset_open(&images, context, "generated", NULL));
    hr_assert_fails(hirl_dataset_set_names(images, name, hirl_dataset_count(images)), HIRL_E_STATE,
                    "memory or a callback");
    hirl_dataset_destroy(images);
    hirl_context_destroy(context);
}
END_TEST

START_TEST(classes_get_names_and_coarser_levels)
{
    static const char *const fine[] = { "cat", "dog", "oak", "elm" };
    static const char *const coarse[] = { "animal", "plant" };
    static const int32_t parent[] = { 0, 0, 1, 1 }, top[] = { 0, 0 }, outside[] = { 0, 0, -1, 1 };
    hirl_dataset_info info = { .struct_size = sizeof info };
    hirl_context *context = new_context();
    hirl_dataset *images = labelled(context);

    hr_assert_fails(hirl_dataset_set_classes(images, 0, 2, fine, NULL), HIRL_E_INVALID, "has 3");
    hr_assert_fails(hirl_dataset_set_classes(images, 1, 2, coarse, NULL), HIRL_E_INVALID, "level");
    hr_assert_fails(hirl_dataset_set_classes(images, 0, 4, fine, outside), HIRL_E_INVALID,
                    "class 2");
    hr_assert_ok(hirl_dataset_set_classes(images, 0, 4, fine, parent));
    hr_assert_ok(hirl_dataset_set_classes(images, 1, 2, coarse, top));
    hr_assert_ok(hirl_dataset_describe(&info, images));
    ck_assert_int_eq(info.label_levels, 3);
    ck_assert_int_eq(hirl_dataset_classes(images, 0), 4);
    ck_assert_int_eq(hirl_dataset_classes(images, 2), 1);
    ck_assert_int_eq(hirl_dataset_classes(images, 3), 0);
    ck_assert_int_eq(hirl_dataset_label(images, 2, 1), 1);
    ck_assert_int_eq(hirl_dataset_label(images, 3, 1), -1);
    ck_assert_str_eq(hirl_dataset_class_name(images, 0, 2), "oak");
    ck_assert_str_eq(hirl_dataset_class_name(images, 1, 1), "plant");
    ck_assert_ptr_null(hirl_dataset_class_name(images, 2, 0));
    ck_assert_ptr_nonnull(strstr(info.summary, "4 classes in 2 in 1"));
    hr_assert_ok(hirl_dataset_set_classes(images, 0, 4, NULL, NULL));
    hr_assert_ok(hirl_dataset_describe(&info, images));
    ck_assert_int_eq(info.label_levels, 1);
    hirl_dataset_destroy(images);
    hirl_context_destroy(context);
}
END_TEST

HR_TESTS("given", packed_and_strided_pixels_are_equal, grey_and_alpha_become_rgb,
         sixteen_bits_keep_the_high_byte, floats_are_rounded_and_clipped,
         a_nan_makes_an_image_unreadable, descriptions_that_contradict_themselves_are_refused,
         images_are_released_with_the_data_set, user_of_each_function_is_released_once,
         images_get_the_names_of_the_application, classes_get_names_and_coarser_levels)
