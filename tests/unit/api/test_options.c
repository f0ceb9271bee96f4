/* test_options.c - options by name: the tables of keys, setting values, presets, errors. */
#include <stdio.h>

#include <hirl/options.h>

#include "api/presets.h"
#include "api/registry.h"
#include "base/alloc.h"
#include "support/run.h"
#include "unit/api/some_options.h"

/* ---- the tables ---- */

static bool same_text(const char *a, const char *b)
{
    return (!a && !b) || (a && b && !strcmp(a, b));
}

START_TEST(a_key_has_the_same_meaning_in_every_table)
{
    int32_t tables;
    const hr_keys *const *table = hr_registry_tables(&tables);

    for (int t = 0; t < tables; t++) {
        ck_assert_ptr_nonnull(table[t]);
        for (int i = 0; i < table[t]->count; i++) {
            const hr_key *key = &table[t]->key[i], *known = NULL;

            hr_assert_ok(hr_registry_find(&known, key->name));
            ck_assert_msg(known->type == key->type && same_text(known->choices, key->choices) &&
                              same_text(known->standard, key->standard) &&
                              known->autos == key->autos && known->low == key->low &&
                              known->high == key->high,
                          "%s of %s differs from another table", key->name, table[t]->object);
        }
    }
}
END_TEST

START_TEST(every_key_is_described_and_its_default_is_valid)
{
    hirl_option_info info = { .struct_size = sizeof info };

    ck_assert_int_gt(hirl_options_count(), 40);
    ck_assert_int_lt(hirl_options_count(), 256);
    begin();
    for (int32_t i = 0; i < hirl_options_count(); i++) {
        hr_assert_ok(hirl_options_describe(&info, i));
        ck_assert_msg(info.name && info.type && info.default_value && info.range && info.unit &&
                          info.help && *info.help && info.object,
                      "%s", info.name);
        ck_assert_msg(!strchr(info.help, '\n'), "%s", info.name);
        expect(info.name, info.default_value, 0);
        hr_assert_ok(hirl_options_set(options, info.name, info.default_value));
    }
    end();
    hr_assert_fails(hirl_options_describe(&info, -1), HIRL_E_INVALID, "index");
    hr_assert_fails(hirl_options_describe(&info, hirl_options_count()), HIRL_E_INVALID, "index");
    info.struct_size = 4;
    hr_assert_fails(hirl_options_describe(&info, 0), HIRL_E_INVALID, "struct_size");
    info = (hirl_option_info){ .struct_size = offsetof(hirl_option_info, type) };
    hr_assert_ok(hirl_options_describe(&info, 0)); /* struct size of an older application */
    ck_assert(info.name && !info.type);
    hr_assert_fails(hirl_options_describe(NULL, 0), HIRL_E_INVALID, "NULL");
}
END_TEST

static const char *range_of(const char *name)
{
    static hirl_option_info info;

    info.struct_size = sizeof info;
    for (int32_t i = 0; i < hirl_options_count(); i++) {
        hr_assert_ok(hirl_options_describe(&info, i));
        if (!strcmp(info.name, name))
            return info.range;
    }
    return "not there";
}

START_TEST(ranges_are_described_in_words)
{
    ck_assert_str_eq(range_of("batch_size"), "2 to 65536");
    ck_assert_str_eq(range_of("queue"), "auto, 0 to 16777216");
    ck_assert_str_eq(range_of("profile"), "paper reference");
    ck_assert_str_eq(range_of("hirl"), "0 1");
    ck_assert_str_eq(range_of("preset"), "");
}
END_TEST

/* the keys of a run that the program's help lists */
START_TEST(the_documented_keys_are_known)
{
    static const char *const name[] = {
        "data",
        "split",
        "out",
        "preset",
        "method",
        "arch",
        "width",
        "stem",
        "image_size",
        "epochs",
        "lr",
        "base_lr",
        "momentum",
        "temperature",
        "queue",
        "bn_groups",
        "prototypes",
        "negatives",
        "draw",
        "spd_weight",
        "spd_eps",
        "seed",
        "threads",
        "backend",
        "precision",
        "feature_precision",
        "resume",
        "max_images",
        "weight_decay",
        "loader_threads",
        "cluster_warmup_epoch",
        "batch_size",
        "max_bad",
        "on_bad_image",
        "profile",
        "exif",
        "kmeans_iterations",
        "kmeans_redo",
        "kmeans_seed",
        "kmeans_between",
        "kmeans_max_points",
        "normalize",
        "mean",
        "std",
    };
    const hr_key *key;

    for (size_t i = 0; i < sizeof name / sizeof *name; i++)
        hr_assert_ok(hr_registry_find(&key, name[i]));
}
END_TEST

/* ---- setting ---- */

START_TEST(values_are_set_from_text_and_numbers)
{
    begin();
    expect("epochs", "200", 0);
    hr_assert_ok(hirl_options_set(options, "epochs", "7"));
    expect("epochs", "7", 3);
    hr_assert_ok(hirl_options_set_int(options, "batch_size", 64));
    expect("batch_size", "64", 3);
    hr_assert_ok(hirl_options_set_real(options, "lr", 0.1));
    expect("lr", "0.1", 3);
    hr_assert_ok(hirl_options_set_real(options, "epochs", 100));
    expect("epochs", "100", 3);
    hr_assert_ok(hirl_options_set(options, "prototypes", "800,200,50"));
    hr_assert_fails(hirl_options_set_real(options, "epochs", 1.5), HIRL_E_INVALID, "epochs");
    hr_assert_fails(hirl_options_set_int(options, "epochs", 0), HIRL_E_INVALID, "outside");
    hr_assert_fails(hirl_options_set(options, "profile", "pape"), HIRL_E_INVALID, "paper");
    expect("epochs", "100", 3);
    end();
}
END_TEST

START_TEST(the_error_of_an_unknown_key_suggests_the_nearest_one)
{
    static const char *const wrong[][2] = { { "batchsize", "batch_size" },
                                            { "epoch", "epochs" },
                                            { "learning_reat", "unknown" },
                                            { "batch-size", "batch_size" },
                                            { "Temperature", "temperature" },
                                            { "tempreature", "temperature" },
                                            { "kmeans_iteration", "kmeans_iterations" },
                                            { "zzzzzzzzzz", "unknown" } };

    begin();
    for (int i = 0; i < 8; i++)
        hr_assert_fails(hirl_options_set(options, wrong[i][0], "1"), HIRL_E_INVALID, wrong[i][1]);
    ck_assert_ptr_null(hirl_options_get(options, "epoch"));
    ck_assert_int_eq(hirl_options_origin(options, "epoch"), -1);
    end();
}
END_TEST

START_TEST(the_error_of_a_preset_name_as_method_suggests_the_preset)
{
    static const char *const given[][2] = {
        { "hirl-mocov2", "did you mean preset=hirl-mocov2, or method=mocov2 hirl=1?" },
        { "HIRL_MoCo-v3",
          "method=HIRL_MoCo-v3: that is a preset; did you mean preset=hirl-mocov3," },
        { "dino-small", "preset=dino-small, or method=dino hirl=0?" },
        { "hirl-mocov", "one of: mocov2" },
    };

    begin();
    for (int i = 0; i < 4; i++)
        hr_assert_fails(hirl_options_set(options, "method", given[i][0]), HIRL_E_INVALID,
                        given[i][1]);
    hr_assert_ok(hirl_options_set(options, "method", "swav"));
    expect("method", "swav", 3);
    end();
}
END_TEST

START_TEST(null_arguments_are_refused)
{
    begin();
    hr_assert_fails(hirl_options_create(NULL), HIRL_E_INVALID, "NULL");
    hr_assert_fails(hirl_options_set(NULL, "epochs", "1"), HIRL_E_INVALID, "NULL");
    hr_assert_fails(hirl_options_set(options, NULL, "1"), HIRL_E_INVALID, "NULL");
    hr_assert_fails(hirl_options_set(options, "epochs", NULL), HIRL_E_INVALID, "NULL");
    hr_assert_fails(hirl_options_preset(options, NULL), HIRL_E_INVALID, "NULL");
    hr_assert_fails(hirl_options_load(options, NULL), HIRL_E_INVALID, "NULL");
    ck_assert_ptr_null(hirl_options_get(options, NULL));
    ck_assert_str_eq(hirl_options_get(NULL, "epochs"), "200");
    hirl_options_destroy(NULL);
    end();
}
END_TEST

/* ---- presets ---- */

START_TEST(every_preset_names_known_keys_and_valid_values)
{
    ck_assert_int_eq(hirl_preset_count(), 26);
    ck_assert_ptr_null(hirl_preset_name(-1));
    ck_assert_ptr_null(hirl_preset_name(26));
    for (int32_t i = 0; i < hirl_preset_count(); i++) {
        const hr_preset *preset = hr_preset_at(i);

        begin();
        hr_assert_ok(hirl_options_preset(options, hirl_preset_name(i)));
        for (const hr_setting_pair *pair = preset->shared; pair->key; pair++)
            expect(pair->key, pair->value, 1);
        for (const hr_setting_pair *pair = preset->own; pair->key; pair++)
            expect(pair->key, pair->value, 1);
        expect("preset", hirl_preset_name(i), 3);
        end();
    }
}
END_TEST

/* tables 1, 2 and 7 of the HIRL paper (Xu et al. 2022) */
START_TEST(the_paper_preset_has_the_papers_values)
{
    static const char *const value[][2] = {
        { "method", "mocov2" },
        { "arch", "resnet50" },
        { "image_size", "224" },
        { "epochs", "200" },
        { "base_lr", "0.03" },
        { "cluster_warmup_epoch", "20" },
        { "batch_size", "256" },
        { "momentum", "0.9" },
        { "prototypes", "30000,10000,1000" },
        { "weight_decay", "1e-4" },
        { "queue", "65536" },
        { "negatives", "1000" },
        { "temperature", "0.2" },
        { "ema", "0.999" },
        { "head_layers", "2" },
        { "hirl", "1" },
    };

    begin();
    hr_assert_ok(hirl_options_preset(options, "hirl-mocov2"));
    for (int i = 0; i < 16; i++)
        ck_assert_str_eq(hirl_options_get(options, value[i][0]), value[i][1]);
    hr_assert_ok(hirl_options_preset(options, "mocov2"));
    expect("hirl", "0", 1);
    end();
}
END_TEST

START_TEST(a_preset_does_not_override_the_caller_and_is_replaced_by_the_next)
{
    begin();
    hr_assert_ok(hirl_options_set(options, "epochs", "3"));
    hr_assert_ok(hirl_options_preset(options, "hirl-mocov2-small"));
    expect("epochs", "3", 3);
    expect("negatives", "100", 1);
    hr_assert_fails(hirl_options_preset(options, "hirl-moco"), HIRL_E_INVALID,
                    "did you mean hirl-mocov2?");
    expect("negatives", "100", 1);
    hr_assert_ok(hirl_options_preset(options, "mocov2-small"));
    expect("hirl", "0", 1);
    expect("negatives", "1000", 0);
    hr_assert_ok(hirl_options_set(options, "preset", ""));
    expect("arch", "resnet50", 0);
    hr_assert_ok(hirl_options_preset(options, "HIRL_Dino-small"));
    expect("preset", "hirl-dino-small", 3);
    hr_assert_fails(hirl_options_preset(options, "mocov2-smal"), HIRL_E_INVALID,
                    "unknown preset 'mocov2-smal'; did you mean mocov2-small?");
    end();
}
END_TEST

START_TEST(resolved_options_have_the_values_a_run_would_use)
{
    hirl_options *resolved = NULL, *again = NULL;

    begin();
    hr_assert_ok(hirl_options_preset(options, "hirl-mocov2"));
    hr_assert_ok(hirl_options_set(options, "base_lr", "0.06"));
    hr_assert_ok(hirl_options_resolve(&resolved, options, 0));
    ck_assert_str_eq(hirl_options_get(resolved, "queue"), "65536"); /* as the paper */
    hirl_options_destroy(resolved);
    hr_assert_ok(hirl_options_set(options, "queue", "auto")); /* needs the number of images */
    hr_assert_ok(hirl_options_resolve(&resolved, options, 100000));
    ck_assert_str_eq(hirl_options_get(resolved, "queue"), "49920"); /* 195 x 256 <= 50000 */
    ck_assert_str_eq(hirl_options_get(resolved, "lr"), "0.06");
    ck_assert_str_eq(hirl_options_get(resolved, "local_crops_number"), "0");
    ck_assert_str_eq(hirl_options_get(resolved, "spd_weight"), "1");
    ck_assert_str_eq(hirl_options_get(resolved, "draw"), "others");
    ck_assert_str_eq(hirl_options_get(resolved, "levels"), "3");
    ck_assert_int_eq(hirl_options_origin(resolved, "base_lr"), 3);
    ck_assert_int_eq(hirl_options_origin(resolved, "epochs"), 1);
    ck_assert_int_eq(hirl_options_origin(resolved, "queue"), 3);
    expect("queue", "auto", 3);
    hr_assert_ok(hirl_options_resolve(&again, resolved, 100000));
    for (int32_t i = 0; i < hirl_options_count(); i++) {
        const char *name = hr_registry_at(i)->key->name;

        ck_assert_str_eq(hirl_options_get(again, name), hirl_options_get(resolved, name));
    }
    hirl_options_destroy(again);
    again = resolved;
    hr_assert_ok(hirl_options_set(options, "accumulate", "3"));
    hr_assert_fails(hirl_options_resolve(&again, options, 0), HIRL_E_INVALID, "accumulate");
    ck_assert_ptr_eq(again, resolved);
    hr_assert_fails(hirl_options_resolve(&again, options, -1), HIRL_E_INVALID, "images");
    hr_assert_fails(hirl_options_resolve(NULL, options, 0), HIRL_E_INVALID, "NULL");
    hirl_options_destroy(resolved);
    end();
}
END_TEST

START_TEST(a_failed_preset_leaves_the_options_unchanged)
{
    hirl_status status = HIRL_E_NOMEM;

    begin();
    hr_assert_ok(hirl_options_preset(options, "mocov2-small"));
    for (int nth = 1; status; nth++) {
        expect("batch_size", "128", 1);
        expect("prototypes", "auto", 0);
        hr_alloc_fail_at(nth, false);
        status = hirl_options_preset(options, "hirl-mocov2");
        hr_alloc_fail_at(0, false);
    }
    expect("batch_size", "256", 1);
    end();
}
END_TEST

HR_TESTS("options", a_key_has_the_same_meaning_in_every_table,
         every_key_is_described_and_its_default_is_valid, ranges_are_described_in_words,
         the_documented_keys_are_known, values_are_set_from_text_and_numbers,
         the_error_of_an_unknown_key_suggests_the_nearest_one,
         the_error_of_a_preset_name_as_method_suggests_the_preset, null_arguments_are_refused,
         every_preset_names_known_keys_and_valid_values, the_paper_preset_has_the_papers_values,
         a_preset_does_not_override_the_caller_and_is_replaced_by_the_next,
         resolved_options_have_the_values_a_run_would_use,
         a_failed_preset_leaves_the_options_unchanged)
