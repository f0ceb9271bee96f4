/* test_views.c - views from keys: the numbers of auto, replaced numbers, refused values,
 * and resolved texts that read back as the same views. */
#include <string.h>

#include <hirl/options.h>

#include "base/key_text.h"
#include "data/views.h"
#include "support/close.h"
#include "support/run.h"

static const float mean[3] = { 0.485f, 0.456f, 0.406f }, std[3] = { 0.229f, 0.224f, 0.225f };

static const hr_view_defaults dino = { .globals = 2,
                                       .locals = 10,
                                       .recipe = { HR_RECIPE_DINO_FIRST, HR_RECIPE_DINO_SECOND,
                                                   HR_RECIPE_DINO_LOCAL },
                                       .fewest = 2,
                                       .multiple = 16 },
                              mocov2 = { .globals = 2,
                                         .recipe = { HR_RECIPE_MOCOV2, HR_RECIPE_MOCOV2,
                                                     HR_RECIPE_MOCOV2 },
                                         .fewest = 2,
                                         .most = 2 };

typedef struct views {
    hr_view_config config;
    hr_view view[HR_VIEWS];
    int32_t globals, count;
} views;
static views v, again;

/* The arguments are pairs of key and value, with NULL at the end. */
static hirl_status resolve(const hr_view_defaults *defaults, int32_t size, const char *const *pair)
{
    hirl_options *options;
    hirl_status status;

    memset(&v, 0, sizeof v);
    hr_assert_ok(hirl_options_create(&options));
    for (; *pair; pair += 2)
        hr_assert_ok(hirl_options_set(options, pair[0], pair[1]));
    hr_assert_ok(hr_options_read(&v.config, &hr_view_keys, options));
    status = hr_views_resolve(v.view, &v.globals, &v.count, &v.config, defaults, size, mean, std);
    hirl_options_destroy(options);
    return status;
}

#define RESOLVE(defaults, size, ...)                                                               \
    resolve((defaults), (size), (const char *const[]){ __VA_ARGS__ })

static void expect_equal(const hr_view *a, const hr_view *b)
{
    ck_assert_int_eq(a->size, b->size);
    ck_assert_int_eq(a->filter, b->filter);
    ck_assert(a->scale_low == b->scale_low && a->scale_high == b->scale_high);
    ck_assert(a->ratio_low == b->ratio_low && a->ratio_high == b->ratio_high);
    ck_assert(!memcmp(a->jitter, b->jitter, sizeof a->jitter) && a->jitter_p == b->jitter_p);
    ck_assert(a->gray_p == b->gray_p && a->blur_p == b->blur_p);
    ck_assert(a->sigma_low == b->sigma_low && a->sigma_high == b->sigma_high);
    ck_assert(a->solarize_p == b->solarize_p && a->flip_p == b->flip_p);
    ck_assert(a->flip_first == b->flip_first && a->evaluation == b->evaluation);
    ck_assert(!memcmp(a->mean, b->mean, sizeof a->mean) && !memcmp(a->std, b->std, sizeof a->std));
}

START_TEST(auto_is_the_recipe_of_the_method)
{
    hr_view want;
    hr_assert_ok(RESOLVE(&dino, 224, NULL));
    ck_assert_int_eq(v.globals, 2);
    ck_assert_int_eq(v.count, 12);
    for (int i = 0; i < 12; i++) {
        hr_view_recipe(&want,
                       i == 0  ? HR_RECIPE_DINO_FIRST
                       : i < 2 ? HR_RECIPE_DINO_SECOND
                               : HR_RECIPE_DINO_LOCAL,
                       i < 2 ? 224 : 96, mean, std);
        expect_equal(&v.view[i], &want);
    }
    hr_assert_ok(RESOLVE(&mocov2, 32, NULL));
    ck_assert_int_eq(v.count, 2);
    hr_view_recipe(&want, HR_RECIPE_MOCOV2, 32, mean, std);
    expect_equal(&v.view[0], &want);
    expect_equal(&v.view[1], &want);
}
END_TEST

/* the augmentations of the methods' papers */
START_TEST(auto_becomes_explicit_numbers)
{
    hr_assert_ok(RESOLVE(&dino, 224, NULL));
    ck_assert_int_eq(v.config.global_crops_number, 2);
    ck_assert_int_eq(v.config.local_crops_number.item[0], 10);
    ck_assert_int_eq(v.config.local_crops_size.item[0], 96);
    ck_assert_int_eq(v.config.crop_filter, HR_BICUBIC);
    ck_assert_str_eq(v.config.global_crops_scale, "0.25,1");
    ck_assert_str_eq(v.config.local_crops_scale, "0.05,0.25");
    ck_assert_str_eq(v.config.jitter, "0.4,0.4,0.2,0.1");
    ck_assert_str_eq(v.config.jitter_p, "0.8,0.8,0.8");
    ck_assert_str_eq(v.config.gray_p, "0.2,0.2,0.2");
    ck_assert_str_eq(v.config.flip_p, "0.5,0.5,0.5");
    ck_assert_str_eq(v.config.blur_p, "1,0.1,0.5");
    ck_assert_str_eq(v.config.blur_sigma, "0.1,2");
    ck_assert_str_eq(v.config.solarize_p, "0,0.2,0");
}
END_TEST

/* 96 / 224 of 32 is 13.7, rounded to 14. The nearest multiple of 4 is 12 (3.43), of 16 is 16. */
START_TEST(local_views_are_as_96_to_224_in_whole_patches)
{
    hr_view_defaults patch = dino;
    patch.multiple = 0;
    hr_assert_ok(RESOLVE(&patch, 32, NULL));
    ck_assert_int_eq(v.view[11].size, 14);
    patch.multiple = 4;
    hr_assert_ok(RESOLVE(&patch, 32, NULL));
    ck_assert_int_eq(v.view[11].size, 12);
    patch.multiple = 16;
    hr_assert_ok(RESOLVE(&patch, 32, NULL));
    ck_assert_int_eq(v.view[11].size, 16);
}
END_TEST

START_TEST(keys_replace_numbers_of_their_kind_of_view)
{
    hr_assert_ok(RESOLVE(&dino, 32, "global_crops_number", "3", "local_crops_number", "1, 2",
                         "local_crops_size", "16,8", "crop_filter", "bilinear",
                         "global_crops_scale", "0.5,0.75", "local_crops_scale", "10%, 20%",
                         "jitter", "0.1,0.2,0.3,0", "blur_p", "0.25", "solarize_p", "0, 0.5 ,1",
                         "blur_sigma", "1,1", NULL));
    ck_assert_int_eq(v.globals, 3);
    ck_assert_int_eq(v.count, 6);
    ck_assert(v.view[2].size == 32 && v.view[3].size == 16 && v.view[4].size == 8 &&
              v.view[5].size == 8);
    ck_assert(v.view[2].scale_low == 0.5 && v.view[2].scale_high == 0.75);
    ck_assert(v.view[5].scale_low == 0.1 && v.view[5].scale_high == 0.2);
    ck_assert(v.view[0].solarize_p == 0 && v.view[1].solarize_p == 0.5 &&
              v.view[2].solarize_p == 0.5 && v.view[3].solarize_p == 1);
    for (int i = 0; i < 6; i++) {
        ck_assert_int_eq(v.view[i].filter, HR_BILINEAR);
        ck_assert(v.view[i].jitter[2] == 0.3 && v.view[i].jitter[3] == 0);
        ck_assert(v.view[i].blur_p == 0.25 && v.view[i].sigma_low == 1 &&
                  v.view[i].sigma_high == 1);
        ck_assert(v.view[i].gray_p == 0.2); /* auto */
    }
    /* a given text stays, so that a resumed run compares equal texts */
    ck_assert_str_eq(v.config.blur_p, "0.25");
    ck_assert_str_eq(v.config.solarize_p, "0, 0.5 ,1");
    hr_assert_ok(RESOLVE(&dino, 32, "local_crops_number", "0", NULL));
    ck_assert_int_eq(v.count, 2);
}
END_TEST

/* four views: two global ones, and two local ones of two sizes */
START_TEST(each_view_can_have_values_of_its_own)
{
    hr_assert_ok(RESOLVE(&dino, 32, "local_crops_number", "1,1", "local_crops_size", "16,8",
                         "blur_p", "0.1,0.2,0.3,0.4", "flip_p", "0.9,0.8,0.7", "global_crops_scale",
                         "0.5,0.75; 0.25,1", "local_crops_scale", "0.1,0.2;0.3,0.4", "jitter",
                         "0,0,0,0;1,1,1,0.1;0.2,0.2,0.2,0.2;0.3,0.3,0.3,0.3", "blur_sigma",
                         "1,1;2,2;3,4", NULL));
    ck_assert_int_eq(v.count, 4);
    for (int i = 0; i < 4; i++) {
        static const double scale[4][2] = {
            { 0.5, 0.75 }, { 0.25, 1 }, { 0.1, 0.2 }, { 0.3, 0.4 }
        };
        static const double flip[3] = { 0.9, 0.8, 0.7 }, hue[4] = { 0, 0.1, 0.2, 0.3 };
        int kind = i < 2 ? i : 2;

        ck_assert(v.view[i].blur_p == (i + 1) / 10.0);
        ck_assert(v.view[i].flip_p == flip[kind]);
        ck_assert(v.view[i].scale_low == scale[i][0] && v.view[i].scale_high == scale[i][1]);
        ck_assert(v.view[i].jitter[3] == hue[i]);
        ck_assert(v.view[i].sigma_low == kind + 1 &&
                  v.view[i].sigma_high == (kind == 2 ? 4 : kind + 1));
        ck_assert(v.view[i].solarize_p == (i == 1 ? 0.2 : 0)); /* auto */
    }
    ck_assert_int_eq(v.view[3].size, 8);
    ck_assert_str_eq(v.config.global_crops_scale, "0.5,0.75; 0.25,1");
    ck_assert_str_eq(v.config.solarize_p, "0,0.2,0");
    hr_assert_ok(RESOLVE(&mocov2, 32, "blur_p", "0.25,0.75", NULL));
    ck_assert(v.view[0].blur_p == 0.25 && v.view[1].blur_p == 0.75);
}
END_TEST

START_TEST(three_values_of_three_views_are_one_per_view)
{
    hr_assert_ok(RESOLVE(&dino, 32, "global_crops_number", "3", "local_crops_number", "0", "gray_p",
                         "0.1,0.2,0.3", NULL));
    ck_assert_int_eq(v.count, 3);
    for (int i = 0; i < 3; i++) {
        ck_assert(v.view[i].gray_p == (i + 1) / 10.0);
        ck_assert(v.view[i].blur_p == (i ? 0.1 : 1));
    }
    ck_assert_str_eq(v.config.blur_p, "1,0.1,0.1"); /* auto is printed the same way */
    hr_assert_ok(RESOLVE(&dino, 32, "local_crops_number", "1", "gray_p", "0.1,0.2,0.3", NULL));
    for (int i = 0; i < 3; i++)
        ck_assert(v.view[i].gray_p == (i + 1) / 10.0);
    ck_assert_str_eq(v.config.blur_p, "1,0.1,0.5");
}
END_TEST

START_TEST(resolved_texts_read_back_as_the_same_views)
{
    memset(&again, 0, sizeof again);
    hr_assert_ok(RESOLVE(&dino, 224, "local_crops_scale", "0.1,0.3333333333333333", "jitter_p",
                         "0.7", "local_crops_number", "2,3", NULL));
    for (int i = 0; i < hr_view_keys.count; i++) {
        const hr_key *key = &hr_view_keys.key[i];
        char text[HR_KEY_TEXT_BYTES];

        hr_key_print(text, key, (char *)&v.config + key->offset);
        ck_assert_msg(*text && !strstr(text, "auto"), "%s is '%s'", key->name, text);
        hr_assert_ok(hr_key_parse((char *)&again.config + key->offset, key, text));
    }
    hr_assert_ok(hr_views_resolve(again.view, &again.globals, &again.count, &again.config, &mocov2,
                                  224, mean, std)); /* no default of this method remains */
    ck_assert_int_eq(again.count, v.count);
    for (int i = 0; i < v.count; i++) {
        again.view[i].flip_first = v.view[i].flip_first; /* no key sets this */
        expect_equal(&again.view[i], &v.view[i]);
    }
}
END_TEST

START_TEST(invalid_values_are_refused_with_their_key)
{
    static const struct {
        const char *key, *value, *word;
    } wrong[] = {
        { "local_crops_number", "15", "at most 16" },
        { "local_crops_number", "3,3,9", "15 local" },
        { "local_crops_size", "16,8", "2 sizes for 1" },
        { "global_crops_number", "1", "2 to 16" },
        { "global_crops_scale", "0.5", "expected 2" },
        { "global_crops_scale", "0.5,0.2", "above the second" },
        { "global_crops_scale", "0.5,1.5", "1.5 is outside" },
        { "global_crops_scale", "0,1", "0 is outside" },
        { "local_crops_scale", "a,b", "'a' is not a number" },
        { "local_crops_scale", "", "'' is not a number" },
        { "jitter", "0.4,0.4,0.4", "expected 4 numbers" },
        { "jitter", "0.4,0.4,0.4,0.6", "hue 0.6" },
        { "jitter", "1,1,1,0.1,1", "expected 4 numbers" },
        { "jitter", "1,1,1,0.1,", "expected 4 numbers" },
        { "jitter", "1,1,1,0.1;1,1,1,0.1", "one for each of 12 views" },
        { "jitter", "1,1,1,0.1;1,1,1,0.6;1,1,1,0.1", "hue 0.6" },
        { "global_crops_scale", "0.5,1;0.6", "expected 2 numbers" },
        { "global_crops_scale", "0.5;1", "expected 2 numbers" },
        { "global_crops_scale", "0.5,1;0.6,1;0.7,1", "one for each of 2 views" },
        { "global_crops_scale", "0.5,1;0.6,0.1", "0.6 to 0.1" },
        { "local_crops_scale", "0.1,1;0.2,1;0.3,1", "one for each of 10 views" },
        { "blur_p", "1;0.1;0.5", "not a list" },
        { "blur_p", "1 0.1", "not a list" },
        { "blur_p", "0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0,0", "up to 16 numbers" },
        { "blur_p", "0,0,0,0,0,0,0,0,0,0,0,0,0", "one for each of 12" },
        { "blur_p", "1,0.1", "expected 1, or 3" },
        { "blur_p", "1,,0.1", "'' is not a number" },
        { "gray_p", "-0.1", "outside" },
        { "blur_sigma", "2,0.1", "above the second" },
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        hirl_status status = RESOLVE(&dino, 224, wrong[i].key, wrong[i].value, NULL);

        ck_assert_msg(status == HIRL_E_INVALID, "%s=%s: %d", wrong[i].key, wrong[i].value, status);
        ck_assert_msg(strstr(hr_error_text(), wrong[i].key) &&
                          strstr(hr_error_text(), wrong[i].word),
                      "%s=%s: %s", wrong[i].key, wrong[i].value, hr_error_text());
        ck_assert_int_eq(v.count, 0);
    }
    hr_assert_fails(RESOLVE(&mocov2, 224, "global_crops_number", "3", NULL), HIRL_E_INVALID,
                    "takes exactly 2");
}
END_TEST

HR_TESTS("views", auto_is_the_recipe_of_the_method, auto_becomes_explicit_numbers,
         local_views_are_as_96_to_224_in_whole_patches, keys_replace_numbers_of_their_kind_of_view,
         each_view_can_have_values_of_its_own, three_values_of_three_views_are_one_per_view,
         resolved_texts_read_back_as_the_same_views, invalid_values_are_refused_with_their_key)
