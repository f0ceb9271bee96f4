/* test_strokes.c - generated characters: fixed by number, balanced, distinct, hard for raw pixels.
 */
#include "data/strokes.h"

#include <math.h>
#include <stdlib.h>
#include <zlib.h>

#include "base/alloc.h"
#include "context.h"
#include "data/keys.h"
#include "data/open.h"
#include "support/close.h"
#include "support/run.h"

enum { BANK = 2000, QUERIES = 500, SIDE = 32, BYTES = SIDE * SIDE * 3 };
#define TEST 0x80000000u

/* Checksums of the first images. A change of the drawing would change every published result. */
START_TEST(the_first_six_images_never_change)
{
    static const uint32_t crc[6] = { 0x4ebbfaa3, 0x8f734938, 0x51df7828,
                                     0x3c627bde, 0x32ff50c9, 0xd38eaac9 };
    static const int32_t label[6] = { 8, 33, 53, 2, 7, 52 };
    uint8_t pixels[BYTES];

    for (uint32_t i = 0; i < 6; i++) {
        hr_strokes_draw(pixels, SIDE, 0, i);
        ck_assert_msg((uint32_t)crc32(0, pixels, BYTES) == crc[i], "image %u: crc 0x%08lx", i,
                      (unsigned long)crc32(0, pixels, BYTES));
        ck_assert_msg(hr_strokes_label(0, i) == label[i], "image %u: label %d", i,
                      (int)hr_strokes_label(0, i));
    }
}
END_TEST

START_TEST(seeds_and_numbers_differ)
{
    uint8_t a[BYTES], b[BYTES], c[BYTES];

    hr_strokes_draw(a, SIDE, 0, 5);
    hr_strokes_draw(b, SIDE, 1, 5);
    hr_strokes_draw(c, SIDE, 0, 6);
    ck_assert(memcmp(a, b, BYTES) && memcmp(a, c, BYTES) && memcmp(b, c, BYTES));
}
END_TEST

/* 6,000 draws of 60 classes: 100 each, standard deviation 9.9; the bound is five of them */
START_TEST(characters_are_equally_frequent)
{
    int32_t count[HR_STROKES_FINE] = { 0 };

    for (uint32_t i = 0; i < 6000; i++)
        count[hr_strokes_label(3, i)]++;
    for (int c = 0; c < HR_STROKES_FINE; c++)
        ck_assert_msg(count[c] > 50 && count[c] < 150, "class %d: %d images", c, (int)count[c]);
}
END_TEST

/* The drawing at twice the size, averaged down, equals the small one except for noise. */
START_TEST(size_changes_sharpness_only)
{
    static uint8_t small[BYTES], large[4 * BYTES];
    double difference = 0;

    hr_strokes_draw(small, SIDE, 0, 17);
    hr_strokes_draw(large, 2 * SIDE, 0, 17);
    for (int y = 0; y < SIDE; y++)
        for (int x = 0; x < SIDE * 3; x++) {
            const uint8_t *at = large + (2 * y * 2 * SIDE + 2 * (x / 3)) * 3 + x % 3;
            int sum = at[0] + at[3] + at[6 * SIDE] + at[6 * SIDE + 3];

            difference += fabs(sum / 4.0 - small[y * SIDE * 3 + x]);
        }
    ck_assert_msg(difference / BYTES < 12, "mean difference %g of 255", difference / BYTES);
}
END_TEST

/* A row of unit length: the pixels without their mean. */
static void describe(float row[BYTES], uint32_t number)
{
    uint8_t pixels[BYTES];
    double mean = 0, sum = 0;

    hr_strokes_draw(pixels, SIDE, 0, number);
    for (int i = 0; i < BYTES; i++)
        mean += pixels[i] / (double)BYTES;
    for (int i = 0; i < BYTES; i++)
        sum += (pixels[i] - mean) * (pixels[i] - mean);
    for (int i = 0; i < BYTES; i++)
        row[i] = (float)((pixels[i] - mean) / sqrt(sum));
}

static float dot(const float *a, const float *b)
{
    float part[8] = { 0 };

    for (int i = 0; i < BYTES; i += 8)
        for (int k = 0; k < 8; k++)
            part[k] += a[i + k] * b[i + k];
    return ((part[0] + part[1]) + (part[2] + part[3])) +
           ((part[4] + part[5]) + (part[6] + part[7]));
}

/* Chance is 1.7 % and 10 %. The set is of use only while pixels alone do not suffice, and while
 * they hold more than chance, as those of a character do. */
START_TEST(raw_pixels_find_few_characters_but_more_than_chance)
{
    float *bank = malloc(sizeof(float[BANK][BYTES]));
    float query[BYTES];
    int fine = 0, coarse = 0;

    for (uint32_t i = 0; i < BANK; i++)
        describe(bank + (size_t)i * BYTES, i);
    for (uint32_t q = 0; q < QUERIES; q++) {
        int32_t want = hr_strokes_label(0, TEST + q), found;
        float best = -2;
        uint32_t at = 0;

        describe(query, TEST + q);
        for (uint32_t i = 0; i < BANK; i++) {
            float score = dot(query, bank + (size_t)i * BYTES);

            at = score > best ? i : at;
            best = score > best ? score : best;
        }
        found = hr_strokes_label(0, at);
        fine += found == want;
        coarse += found / HR_STROKES_LETTERS == want / HR_STROKES_LETTERS;
    }
    free(bank);
    ck_assert_msg(fine > 5 * QUERIES / 100 && fine < 60 * QUERIES / 100, "%d of %d", fine, QUERIES);
    ck_assert_msg(coarse < 80 * QUERIES / 100, "%d of %d", coarse, QUERIES);
}
END_TEST

START_TEST(the_set_has_two_levels_and_two_splits)
{
    hirl_context *context = NULL;
    hirl_dataset *dataset = NULL;
    hr_data_config config;
    hr_pixels pixels = { 0 };
    uint8_t want[BYTES];

    hr_assert_ok(hr_options_read(&config, &hr_data_keys, NULL));
    config.generated_kind = 1;
    hr_assert_ok(hr_context_create(&context, "cpu", 1));
    hr_assert_ok(hr_dataset_open(&dataset, context, "generated", &config));
    ck_assert_int_eq(dataset->count, 4000);
    ck_assert_int_eq(dataset->levels, 2);
    ck_assert_int_eq(dataset->classes[0], HR_STROKES_FINE);
    ck_assert_int_eq(dataset->classes[1], HR_STROKES_ALPHABETS);
    ck_assert_str_eq(dataset->class_name[0][59], "alphabet 10 letter 6");
    ck_assert_int_eq(hr_dataset_label(dataset, 7, 1), hr_strokes_label(0, 7) / HR_STROKES_LETTERS);
    hr_dataset_drop(dataset);
    strcpy(config.split, "test");
    hr_assert_ok(hr_dataset_open(&dataset, context, "generated", &config));
    ck_assert_int_eq(dataset->count, 1000);
    hr_assert_ok(hr_dataset_read(&pixels, dataset, 3));
    hr_strokes_draw(want, SIDE, 0, TEST + 3);
    ck_assert_mem_eq(pixels.data, want, BYTES);
    hr_pixels_done(&pixels);
    hr_dataset_drop(dataset);
    hr_context_drop(context);
    ck_assert_int_eq(hr_alloc_live(), 0);
}
END_TEST

HR_TESTS("strokes", the_first_six_images_never_change, seeds_and_numbers_differ,
         characters_are_equally_frequent, size_changes_sharpness_only,
         raw_pixels_find_few_characters_but_more_than_chance, the_set_has_two_levels_and_two_splits)
