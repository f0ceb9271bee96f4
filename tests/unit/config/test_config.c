/* test_config.c - options of a run: values of auto, refused settings, learning rates. */
#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <hirl/options.h>

#include "base/alloc.h"
#include "config/config.h"
#include "config/hierarchy.h"
#include "config/views.h"
#include "ssl/method_table.h"
#include "support/close.h"
#include "support/run.h"

static hirl_options *options_of(const char *const (*pairs)[2])
{
    hirl_options *options;

    hr_assert_ok(hirl_options_create(&options));
    for (; (*pairs)[0]; pairs++)
        hr_assert_ok(hirl_options_set(options, (*pairs)[0], (*pairs)[1]));
    return options;
}

/* the order of the list, the words of the key and the name that each method's file gives */
START_TEST(a_methods_name_is_the_same_in_every_list)
{
#define NAME(name) #name,
    static const char *const list[] = { HR_METHODS(NAME) };
    hirl_option_info info = { .struct_size = sizeof info };
    char words[128], *word, *rest = NULL;
    size_t at = 0;

    do
        hr_assert_ok(hirl_options_describe(&info, (int32_t)at++));
    while (strcmp(info.name, "method"));
    snprintf(words, sizeof words, "%s", info.range);
    at = 0;
    for (word = strtok_r(words, " ", &rest); word; word = strtok_r(NULL, " ", &rest)) {
        ck_assert_uint_lt(at, sizeof list / sizeof *list);
        ck_assert_str_eq(hr_method_find((int64_t)at)->name, word);
        ck_assert_str_eq(list[at++], word);
    }
    ck_assert_uint_eq(at, sizeof list / sizeof *list);
}
END_TEST

START_TEST(auto_queue_is_the_largest_multiple_of_the_batch_below_half_the_data)
{
    static const char *const pairs[][2] = { { "batch_size", "128" },
                                            { "hirl", "0" },
                                            { NULL, NULL } };
    hirl_options *options = options_of(pairs);
    static hr_run_config config;

    hr_assert_ok(hr_run_config_read(&config, options, 25000));
    ck_assert_int_eq(config.train.queue, 12416); /* 97 x 128 <= 12500 < 98 x 128 */
    hr_assert_ok(hr_run_config_read(&config, options, 1281167));
    ck_assert_int_eq(config.train.queue, 65536);
    ck_assert_int_eq(config.train.bn_groups, 4);
    ck_assert_double_eq_tol(config.train.lr, 0.015, 1e-12); /* 0.03 x 128 / 256 */
    hirl_options_destroy(options);
}
END_TEST

START_TEST(an_impossible_queue_is_refused_with_the_numbers)
{
    static const char *const large[][2] = {
        { "batch_size", "32" }, { "queue", "4096" }, { "hirl", "0" }, { NULL, NULL }
    };
    static const char *const odd[][2] = {
        { "batch_size", "32" }, { "queue", "100" }, { "hirl", "0" }, { NULL, NULL }
    };
    hirl_options *options = options_of(large);
    static hr_run_config config;

    hr_assert_fails(hr_run_config_read(&config, options, 1000), HIRL_E_INVALID, "4096");
    hirl_options_destroy(options);
    options = options_of(odd);
    hr_assert_fails(hr_run_config_read(&config, options, 1000), HIRL_E_INVALID, "96");
    hirl_options_destroy(options);
}
END_TEST

START_TEST(lr_and_base_lr_of_one_origin_are_refused_else_the_higher_origin_counts)
{
    static const char *const both[][2] = {
        { "lr", "0.1" }, { "base_lr", "0.2" }, { "hirl", "0" }, { NULL, NULL }
    };
    static const char *const base[][2] = { { "base_lr", "0.1" },
                                           { "batch_size", "512" },
                                           { NULL, NULL } };
    hirl_options *options = options_of(both);
    static hr_run_config config;

    hr_assert_fails(hr_run_config_read(&config, options, 100000), HIRL_E_INVALID, "base_lr");
    hirl_options_destroy(options);
    options = options_of(base);
    hr_assert_ok(hirl_options_preset(options, "mocov2"));
    hr_assert_ok(hr_run_config_read(&config, options, 1281167));
    ck_assert_double_eq_tol(config.train.lr, 0.2, 1e-12);
    hirl_options_destroy(options);
}
END_TEST

START_TEST(lars_refuses_to_decay_biases)
{
    static const char *const pairs[][2] = { { "optimizer", "lars" }, { NULL, NULL } };
    hirl_options *options = options_of(pairs);
    static hr_run_config config;

    hr_assert_ok(hr_run_config_read(&config, options, 4000000));
    ck_assert_int_eq(config.train.decay_all, 0);
    hr_assert_ok(hirl_options_set(options, "decay_all", "1"));
    hr_assert_fails(hr_run_config_read(&config, options, 4000000), HIRL_E_INVALID,
                    "optimizer=larc");
    hirl_options_destroy(options);
}
END_TEST

START_TEST(more_prototypes_than_images_are_refused)
{
    static const char *const pairs[][2] = { { "prototypes", "30000,10000,1000" },
                                            { "batch_size", "64" },
                                            { NULL, NULL } };
    hirl_options *options = options_of(pairs);
    static hr_run_config config;

    hr_assert_fails(hr_run_config_read(&config, options, 4000), HIRL_E_INVALID, "30000");
    hirl_options_destroy(options);
}
END_TEST

/* hirl_options_resolve() refuses it, before any trainer is made */
START_TEST(an_impossible_network_is_refused)
{
    static const char *const image[][2] = { { "method", "mocov3" },
                                            { "arch", "vit_micro_patch4_32" },
                                            { "image_size", "33" },
                                            { NULL, NULL } };
    static const char *const patch[][2] = { { "method", "dino" },
                                            { "arch", "vit_micro_patch4_32" },
                                            { "image_size", "32" },
                                            { "patch_size", "5" },
                                            { NULL, NULL } };
    static const char *const heads[][2] = { { "method", "dino" },
                                            { "arch", "vit_micro_patch4_32" },
                                            { "image_size", "32" },
                                            { "vit_heads", "5" },
                                            { NULL, NULL } };
    static const char *const head[][2] = { { "head", "mlp in z swish" }, { NULL, NULL } };
    static const struct {
        const char *const (*pairs)[2];
        const char *word;
    } bad[] = { { image, "image_size: 33 pixels are not a multiple of the patch size 4" },
                { patch, "image_size: 32 pixels are not a multiple of the patch size 5" },
                { heads, "vit_heads: 5 heads do not divide 128 columns" },
                { head, "head" } };

    for (int i = 0; i < 4; i++) {
        hirl_options *options = options_of(bad[i].pairs), *resolved = NULL;

        hr_assert_fails(hirl_options_resolve(&resolved, options, 4000), HIRL_E_INVALID,
                        bad[i].word);
        hirl_options_destroy(options);
    }
}
END_TEST

/* ---- presets: HIRL tables 1, 2, 7 and appendix B; 1,281,167 images ---- */

static const struct row {
    const char *preset, *method, *arch;
    int64_t epochs, batch;
    double rate;
    int64_t z;
    int32_t globals, locals, local_size;
    /* with the hierarchy */
    int64_t warmup, prototypes[3], negatives, layers;
    int64_t teacher; /* 1: the teacher's features are clustered */
} rows[] = {
    { "mocov2",
      "mocov2",
      "resnet50",
      200,
      256,
      0.03,
      128,
      2,
      0,
      0,
      20,
      { 30000, 10000, 1000 },
      1000,
      2,
      1 },
    { "simsiam",
      "simsiam",
      "resnet50",
      200,
      512,
      0.1,
      2048,
      2,
      0,
      0,
      20,
      { 30000, 10000, 1000 },
      1000,
      2,
      0 },
    { "swav",
      "swav",
      "resnet50",
      200,
      4096,
      4.8,
      128,
      2,
      6,
      96,
      20,
      { 30000, 10000, 1000 },
      1000,
      2,
      0 },
    { "swav-800",
      "swav",
      "resnet50",
      800,
      4096,
      4.8,
      128,
      2,
      6,
      96,
      80,
      { 30000, 10000, 1000 },
      1000,
      2,
      0 },
    { "mocov3",
      "mocov3",
      "vit_base_patch16_224",
      400,
      4096,
      1.6e-3,
      256,
      2,
      0,
      0,
      20,
      { 30000, 10000, 5000 },
      100,
      5,
      0 },
    { "dino",
      "dino",
      "vit_base_patch16_224",
      400,
      1024,
      3e-3,
      256,
      2,
      10,
      96,
      40,
      { 30000, 10000, 5000 },
      100,
      2,
      1 },
    { "ibot",
      "ibot",
      "vit_base_patch16_224",
      400,
      1024,
      3e-3,
      256,
      2,
      10,
      96,
      40,
      { 30000, 10000, 1000 },
      100,
      2,
      1 },
};
enum { ROWS = sizeof rows / sizeof *rows };

static void check_hirl(const hr_run_config *c, const struct row *row)
{
    ck_assert_int_eq(c->levels, 3);
    for (int l = 0; l < 3; l++)
        ck_assert_int_eq(c->m[l], row->prototypes[l]);
    ck_assert_int_eq(c->train.cluster_warmup_epoch, row->warmup);
    ck_assert_int_eq(c->spd.negatives, row->negatives);
    ck_assert_int_eq(c->model.head_layers, row->layers);
    ck_assert_int_eq(c->train.cluster_network, row->teacher);
}

START_TEST(presets_have_the_papers_values)
{
    const struct row *row = &rows[_i / 2];
    static hr_run_config c;
    hr_run_views views;
    hirl_options *options;
    char name[64];

    snprintf(name, sizeof name, "%s%s", _i % 2 ? "hirl-" : "", row->preset);
    hr_assert_ok(hirl_options_create(&options));
    hr_assert_ok(hirl_options_preset(options, name));
    hr_assert_ok(hr_run_config_read(&c, options, 1281167));
    hr_assert_ok(hr_run_views_of(&views, &c));
    ck_assert_str_eq(hr_method_find(c.model.method)->name, row->method);
    ck_assert_str_eq(hr_arch_name(c.model.arch), row->arch);
    ck_assert_int_eq(c.train.epochs, row->epochs);
    ck_assert_int_eq(c.train.batch_size, row->batch);
    ck_assert_double_eq_tol(c.train.lr, row->rate, 1e-12);
    ck_assert_int_eq(c.model.z_dim, row->z);
    ck_assert_int_eq(views.globals, row->globals);
    ck_assert_int_eq(views.count, row->globals + row->locals);
    ck_assert_int_eq(views.view[0].size, 224);
    if (row->locals)
        ck_assert_int_eq(views.view[views.count - 1].size, row->local_size);
    if (_i % 2)
        check_hirl(&c, row);
    else
        ck_assert_int_eq(c.levels, 0);
    hirl_options_destroy(options);
}
END_TEST

START_TEST(profile_reference_has_the_programs_values_below_the_callers)
{
    static const char *const pairs[][2] = { { "method", "mocov3" },
                                            { "profile", "reference" },
                                            { "hirl", "0" },
                                            { "warmup_epochs", "10" },
                                            { NULL, NULL } };
    hirl_options *options = options_of(pairs);
    static hr_run_config c;

    hr_assert_ok(hr_run_config_read(&c, options, 100000));
    ck_assert_int_eq(c.model.frozen_patch, 0);
    ck_assert_double_eq_tol(c.train.base_lr, 1e-4, 1e-12); /* value of MoCo v3 without HIRL */
    ck_assert_int_eq(c.train.cluster_network, 1);
    ck_assert_int_eq(c.train.warmup_epochs, 10); /* the value of the caller */
    hr_assert_ok(hirl_options_set(options, "hirl", "1"));
    hr_assert_ok(hr_run_config_read(&c, options, 100000));
    ck_assert_double_eq_tol(c.train.base_lr, 1.5e-4, 1e-12);
    hirl_options_destroy(options);
}
END_TEST

static Suite *config_suite(void)
{
    Suite *suite = suite_create("config");
    TCase *tests = tcase_create("config");

    tcase_add_test(tests, a_methods_name_is_the_same_in_every_list);
    tcase_add_test(tests, auto_queue_is_the_largest_multiple_of_the_batch_below_half_the_data);
    tcase_add_test(tests, an_impossible_queue_is_refused_with_the_numbers);
    tcase_add_test(tests, lr_and_base_lr_of_one_origin_are_refused_else_the_higher_origin_counts);
    tcase_add_test(tests, lars_refuses_to_decay_biases);
    tcase_add_test(tests, more_prototypes_than_images_are_refused);
    tcase_add_test(tests, an_impossible_network_is_refused);
    tcase_add_loop_test(tests, presets_have_the_papers_values, 0, 2 * ROWS);
    tcase_add_test(tests, profile_reference_has_the_programs_values_below_the_callers);
    suite_add_tcase(suite, tests);
    return suite;
}

HR_TEST_MAIN(config_suite)
