/* test_dataset.c - the public functions: images in memory and from a callback. */
#include <hirl/hirl.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/file.h"
#include "support/close.h"
#include "support/run.h"

static hirl_context *context;
static hirl_dataset *set;
static uint8_t *pixels;
static int64_t height, width;

static void begin(void)
{
    hr_assert_ok(hirl_context_create(&context, NULL));
    set = NULL;
    pixels = NULL;
}

static void end(void)
{
    hirl_free(pixels);
    hirl_dataset_destroy(set);
    hirl_context_destroy(context);
    ck_assert_int_eq(hr_alloc_live(), 0);
}

START_TEST(images_in_memory_are_copied_or_not)
{
    uint8_t data[2 * 1 * 2 * 3] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12 };

    for (int copy = 0; copy < 2; copy++) {
        begin();
        data[6] = 7;
        hr_assert_ok(hirl_dataset_from_memory(&set, context, data, 2, 1, 2, 3, NULL, copy, NULL));
        data[6] = 70;
        hr_assert_ok(hirl_dataset_read(&pixels, &height, &width, set, 1));
        ck_assert(height == 1 && width == 2);
        ck_assert_int_eq(pixels[0], copy ? 7 : 70);
        ck_assert_int_eq(pixels[5], 12);
        ck_assert_int_eq(hirl_dataset_count(set), 2);
        ck_assert_str_eq(hirl_dataset_name(set, 1), "1");
        ck_assert_ptr_null(hirl_dataset_name(set, 2));
        end();
    }
}
END_TEST

START_TEST(labels_may_be_missing)
{
    static const uint8_t data[4] = { 10, 20, 30, 40 };
    static const int32_t label[4] = { 2, -1, 0, 2 }, bad[4] = { 0, -2, 0, 0 };
    hirl_dataset_info info = { .struct_size = sizeof info };

    begin();
    hr_assert_ok(hirl_dataset_from_memory(&set, context, data, 4, 1, 1, 1, label, 0, NULL));
    hr_assert_ok(hirl_dataset_describe(&info, set));
    ck_assert_int_eq(info.label_levels, 1);
    ck_assert_int_eq(hirl_dataset_classes(set, 0), 3);
    ck_assert_str_eq(info.format, "memory");
    ck_assert_str_eq(info.summary, "memory: 4 images of 1 x 1 pixels, 3 classes");
    ck_assert_int_eq(hirl_dataset_label(set, 1, 0), -1);
    ck_assert_int_eq(hirl_dataset_label(set, 3, 0), 2);
    ck_assert_int_eq(hirl_dataset_label(set, 3, 1), -1);
    ck_assert_ptr_null(hirl_dataset_class_name(set, 0, 0));
    hr_assert_ok(hirl_dataset_read(&pixels, &height, &width, set, 2));
    ck_assert(pixels[0] == 30 && pixels[1] == 30 && pixels[2] == 30);
    hirl_dataset_destroy(set);
    set = NULL;
    hr_assert_fails(hirl_dataset_from_memory(&set, context, data, 4, 1, 1, 1, bad, 1, NULL),
                    HIRL_E_INVALID, "label -2 of image 1");
    end();
}
END_TEST

START_TEST(a_description_fills_the_members_that_its_caller_knows)
{
    static const uint8_t data[4] = { 0 };
    struct {
        hirl_dataset_info info;
        char after[64];
    } old;

    begin();
    hr_assert_ok(hirl_dataset_from_memory(&set, context, data, 4, 1, 1, 1, NULL, 0, NULL));
    memset(&old, 0x5a, sizeof old);
    old.info.struct_size =
        offsetof(hirl_dataset_info, splits); /* an application built with an older header */
    hr_assert_ok(hirl_dataset_describe(&old.info, set));
    ck_assert_int_eq(old.info.count, 4);
    ck_assert_int_eq(*(unsigned char *)&old.info.splits, 0x5a);
    old.info.struct_size = 0;
    hr_assert_fails(hirl_dataset_describe(&old.info, set), HIRL_E_INVALID, "struct_size");
    end();
}
END_TEST

START_TEST(invalid_arguments_are_refused)
{
    static const uint8_t data[4] = { 0 };

    begin();
    hr_assert_fails(hirl_dataset_open(&set, NULL, "generated", NULL), HIRL_E_INVALID, "NULL");
    hr_assert_fails(hirl_dataset_open(&set, context, "", NULL), HIRL_E_INVALID, "path is empty");
    hr_assert_fails(hirl_dataset_from_memory(&set, context, data, 4, 1, 1, 2, NULL, 0, NULL),
                    HIRL_E_INVALID, "2 channels");
    hr_assert_fails(hirl_dataset_from_memory(&set, context, NULL, 4, 1, 1, 1, NULL, 0, NULL),
                    HIRL_E_INVALID, "memory");
    hr_assert_fails(hirl_dataset_from_memory(&set, context, data, 4, 1, 70000, 1, NULL, 0, NULL),
                    HIRL_E_LIMIT, "70000");
    hr_assert_fails(hirl_dataset_from_memory(&set, context, data, 4, 0, 1, 1, NULL, 0, NULL),
                    HIRL_E_INVALID, "1 x 0 pixels");
    hr_assert_fails(hirl_dataset_from_memory(&set, context, data, 4, 1, -1, 1, NULL, 0, NULL),
                    HIRL_E_INVALID, "-1 x 1 pixels");
    hr_assert_fails(hirl_dataset_from_callback(&set, context, NULL, NULL, NULL, 4, NULL, NULL),
                    HIRL_E_INVALID, "NULL");
    hr_assert_fails(hirl_dataset_read(&pixels, &height, &width, NULL, 0), HIRL_E_INVALID, "NULL");
    hr_assert_ok(hirl_dataset_from_memory(&set, context, data, 4, 1, 1, 1, NULL, 0, NULL));
    hr_assert_fails(hirl_dataset_read(&pixels, &height, &width, set, 4), HIRL_E_INVALID, "image 4");
    hr_assert_fails(hirl_dataset_read(&pixels, &height, &width, set, -1), HIRL_E_INVALID, "-1");
    ck_assert_int_eq(hirl_dataset_count(NULL), 0);
    hirl_dataset_destroy(NULL);
    end();
}
END_TEST

static int32_t never_called(hirl_image *image, int64_t index, void *user)
{
    (void)image, (void)index, (void)user;
    return -1;
}

START_TEST(more_classes_or_images_than_can_be_counted_are_refused)
{
    static const uint8_t data[2] = { 0 };
    int32_t label[2] = { (1 << 20) - 1, 0 };
    hirl_dataset_info info = { .struct_size = sizeof info };

    begin();
    hr_assert_ok(hirl_dataset_from_memory(&set, context, data, 2, 1, 1, 1, label, 0, NULL));
    hr_assert_ok(hirl_dataset_describe(&info, set));
    ck_assert_int_eq(hirl_dataset_classes(set, 0), 1 << 20);
    hirl_dataset_destroy(set);
    label[1] = 1 << 20;
    hr_assert_fails(hirl_dataset_from_memory(&set, context, data, 2, 1, 1, 1, label, 0, NULL),
                    HIRL_E_LIMIT, "image 1 has label 1048576");
    label[1] = INT32_MAX;
    hr_assert_fails(
        hirl_dataset_from_callback(&set, context, never_called, NULL, NULL, 2, label, NULL),
        HIRL_E_LIMIT, "1048576 classes");
    hr_assert_fails(hirl_dataset_from_callback(&set, context, never_called, NULL, NULL,
                                               INT64_C(1) << 32, NULL, NULL),
                    HIRL_E_LIMIT, "4294967296 images");
    end();
}
END_TEST

START_TEST(options_choose_the_generated_set)
{
    hirl_options *options = NULL;

    begin();
    hr_assert_ok(hirl_options_create(&options));
    hr_assert_ok(hirl_options_set(options, "data", "generated"));
    hr_assert_ok(hirl_options_set(options, "split", "test"));
    hr_assert_ok(hirl_options_set(options, "generated_test_images", "12"));
    hr_assert_ok(hirl_options_set(options, "generated_size", "48"));
    hr_assert_ok(hirl_dataset_open(&set, context, NULL, options));
    ck_assert_int_eq(hirl_dataset_count(set), 12);
    hr_assert_ok(hirl_dataset_read(&pixels, &height, &width, set, 11));
    ck_assert(height == 48 && width == 48);
    hirl_options_destroy(options);
    end();
}
END_TEST

/* ---- a callback ---- */

typedef struct host {
    void *encoded;
    size_t bytes;
    int released;
} host;

static void release(void *token)
{
    ((host *)token)->released++;
}

/* Image 0 is a JPEG, 1 has pixels, 2 fails, 3 has nothing, 4 has five channels. */
static int32_t hand_over(hirl_image *image, int64_t index, void *user)
{
    static const uint8_t rgb[6] = { 1, 2, 3, 4, 5, 6 };
    host *h = user;

    image->release = release;
    image->token = h;
    if (index == 2)
        return -42;
    if (index == 0) {
        image->encoded = h->encoded;
        image->encoded_bytes = h->bytes;
    } else if (index != 3) {
        image->pixels = rgb;
        image->height = 2;
        image->width = 1;
        image->channels = index == 4 ? 5 : 3;
    }
    return 0;
}

typedef struct answers {
    int32_t result;
    int calls, again; /* calls so far; how many of them are answered with AGAIN */
} answers;

static int32_t answer(hirl_image *image, int64_t index, void *user)
{
    static const uint8_t grey[1] = { 7 };
    answers *a = user;

    (void)index;
    if (a->calls++ < a->again)
        return HIRL_IMAGE_AGAIN;
    image->pixels = grey;
    image->width = image->height = 1;
    image->channels = 1;
    image->text = "the disk is away";
    image->value = 55;
    return a->result;
}

/* Reads the only image of a callback that answers `result` after `again` requests for a new try. */
static hirl_status read_answer(int *calls, int32_t result, int again)
{
    answers a = { result, 0, again };
    hirl_status status;

    begin();
    hr_assert_ok(hirl_dataset_from_callback(&set, context, answer, &a, NULL, 1, NULL, NULL));
    status = hirl_dataset_read(&pixels, &height, &width, set, 0);
    *calls = a.calls;
    end();
    return status;
}

START_TEST(a_callback_answers_again_never_or_stop_with_its_own_value_and_text)
{
    int calls;

    hr_assert_ok(read_answer(&calls, 0, 3));
    ck_assert_int_eq(calls, 4);
    hr_assert_fails(read_answer(&calls, 0, 99), HIRL_E_CALLBACK, "another try 10 times");
    ck_assert_int_eq(calls, 10);
    ck_assert_int_eq(hirl_error_callback_value(), HIRL_IMAGE_AGAIN);
    hr_assert_fails(read_answer(&calls, HIRL_IMAGE_NEVER, 0), HIRL_E_IO,
                    "cannot read the image: the disk is away");
    ck_assert_int_eq(hirl_error_callback_value(), 55);
    hr_assert_fails(read_answer(&calls, HIRL_IMAGE_STOP, 1), HIRL_E_CALLBACK,
                    "returned 55: the disk is away");
    ck_assert_int_eq(calls, 2);
    hr_assert_fails(read_answer(&calls, 9, 0), HIRL_E_CALLBACK, "returned 55");
}
END_TEST

START_TEST(a_callback_gives_encoded_bytes_or_pixels_and_gets_them_back)
{
    host h = { 0 };
    char path[1024];

    begin();
    snprintf(path, sizeof path, "%s/images/420.jpg", getenv("HIRL_TEST_DATA"));
    hr_assert_ok(hr_file_read(&h.encoded, &h.bytes, path, 1 << 20));
    hr_assert_ok(hirl_dataset_from_callback(&set, context, hand_over, &h, NULL, 5, NULL, NULL));
    hr_assert_ok(hirl_dataset_read(&pixels, &height, &width, set, 0));
    ck_assert(height == 17 && width == 23);
    hirl_free(pixels);
    hr_assert_ok(hirl_dataset_read(&pixels, &height, &width, set, 1));
    ck_assert(height == 2 && width == 1 && pixels[4] == 5);
    ck_assert_int_eq(h.released, 2);
    hr_assert_fails(hirl_dataset_read(&pixels, &height, &width, set, 2), HIRL_E_CALLBACK, "-42");
    ck_assert_int_eq(hirl_error_callback_value(), -42);
    hr_assert_fails(hirl_dataset_read(&pixels, &height, &width, set, 3), HIRL_E_FORMAT, "neither");
    hr_assert_fails(hirl_dataset_read(&pixels, &height, &width, set, 4), HIRL_E_FORMAT,
                    "5 channels");
    ck_assert_int_eq(h.released, 4); /* not after the failure, which handed over nothing */
    hr_free(h.encoded);
    end();
}
END_TEST

HR_TESTS("dataset", images_in_memory_are_copied_or_not, labels_may_be_missing,
         a_description_fills_the_members_that_its_caller_knows, invalid_arguments_are_refused,
         more_classes_or_images_than_can_be_counted_are_refused, options_choose_the_generated_set,
         a_callback_answers_again_never_or_stop_with_its_own_value_and_text,
         a_callback_gives_encoded_bytes_or_pixels_and_gets_them_back)
