/* test_options.c - options by name: every table, presets, files, and what is said about mistakes. */
#include <stdio.h>

#include <hirl/options.h>

#include "api/presets.h"
#include "api/registry.h"
#include "base/alloc.h"
#include "support/close.h"
#include "support/folder.h"
#include "support/run.h"

static hirl_options *options;

static void begin(void)
{
    hr_assert_ok(hirl_options_create(&options));
}

static void end(void)
{
    hirl_options_destroy(options);
    options = NULL;
}

static void expect(const char *key, const char *value, int32_t origin)
{
    const char *found = hirl_options_get(options, key);

    ck_assert_msg(found && !strcmp(found, value), "%s=%s, not %s", key, found ? found : "(unknown)",
                  value);
    ck_assert_int_eq(hirl_options_origin(options, key), origin);
}

/* ---- the tables ---- */

static bool same_text(const char *a, const char *b)
{
    return (!a && !b) || (a && b && !strcmp(a, b));
}

START_TEST(a_name_means_the_same_in_every_table)
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
    hr_assert_ok(hirl_options_describe(&info, 0)); /* of an older program */
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

START_TEST(ranges_are_told_in_words)
{
    ck_assert_str_eq(range_of("batch_size"), "2 to 65536");
    ck_assert_str_eq(range_of("queue"), "auto, 0 to 16777216");
    ck_assert_str_eq(range_of("profile"), "paper reference");
    ck_assert_str_eq(range_of("hirl"), "0 1");
    ck_assert_str_eq(range_of("preset"), "");
}
END_TEST

/* what the program's help promises: the keys of a run at least */
START_TEST(the_promised_keys_are_known)
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

START_TEST(an_unknown_key_is_told_with_the_nearest_one)
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

START_TEST(a_presets_name_as_method_is_told_with_what_was_meant)
{
    static const char *const given[][2] = {
        { "hirl-mocov2", "did you mean preset=hirl-mocov2, or method=mocov2 hirl=1?" },
        { "HIRL_MoCo-v3",
          "method=HIRL_MoCo-v3: that is a preset; did you mean preset=hirl-mocov3," },
        { "dino-small", "preset=dino-small, or method=dino hirl=0?" },
        { "hirl-mocov", "none of: mocov2" },
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

/* HIRL tables 1, 2 and 7 */
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
        { "queue", "auto" },
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

START_TEST(a_preset_stays_under_the_caller_and_gives_way_to_the_next)
{
    begin();
    hr_assert_ok(hirl_options_set(options, "epochs", "3"));
    hr_assert_ok(hirl_options_preset(options, "hirl-mocov2-small"));
    expect("epochs", "3", 3);
    expect("negatives", "100", 1);
    hr_assert_fails(hirl_options_preset(options, "hirl-moco"), HIRL_E_INVALID, "mocov2-small");
    expect("negatives", "100", 1);
    hr_assert_ok(hirl_options_preset(options, "mocov2-small"));
    expect("hirl", "0", 1);
    expect("negatives", "1000", 0);
    hr_assert_ok(hirl_options_set(options, "preset", ""));
    expect("arch", "resnet50", 0);
    end();
}
END_TEST

START_TEST(resolved_options_have_what_a_run_would_use)
{
    hirl_options *resolved = NULL, *again = NULL;

    begin();
    hr_assert_ok(hirl_options_preset(options, "hirl-mocov2"));
    hr_assert_ok(hirl_options_set(options, "base_lr", "0.06"));
    hr_assert_ok(hirl_options_resolve(&resolved, options, 0));
    ck_assert_str_eq(hirl_options_get(resolved, "queue"), "auto"); /* of how many images? */
    hirl_options_destroy(resolved);
    hr_assert_ok(hirl_options_resolve(&resolved, options, 100000));
    ck_assert_str_eq(hirl_options_get(resolved, "queue"), "49920"); /* 195 x 256 <= 50000 */
    ck_assert_str_eq(hirl_options_get(resolved, "lr"), "0.06");
    ck_assert_str_eq(hirl_options_get(resolved, "local_crops_number"), "0");
    ck_assert_str_eq(hirl_options_get(resolved, "spd_weight"), "1");
    ck_assert_str_eq(hirl_options_get(resolved, "draw"), "others");
    ck_assert_str_eq(hirl_options_get(resolved, "levels"), "3");
    ck_assert_int_eq(hirl_options_origin(resolved, "base_lr"), 3);
    ck_assert_int_eq(hirl_options_origin(resolved, "epochs"), 1);
    ck_assert_int_eq(hirl_options_origin(resolved, "queue"), 0);
    expect("queue", "auto", 0);
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

/* ---- files ---- */

static char folder[HR_TEST_PATH];

static hirl_status load(const char *name, const char *text)
{
    char path[HR_TEST_PATH];

    hr_test_path(path, folder, name);
    hr_test_write(path, text, strlen(text));
    return hirl_options_load(options, path);
}

START_TEST(a_yaml_file_is_read_under_what_the_caller_set)
{
    hr_test_folder(folder);
    begin();
    hr_assert_ok(hirl_options_set(options, "epochs", "3"));
    hr_assert_ok(load("a.yaml", "# a run\n"
                                "---\n"
                                "epochs: 50\n"
                                "lr: \"0.06\"   # quoted\n"
                                "prototypes: [800, 200, 50]\n"
                                "resume: yes\n"
                                "split: \"\"\n"
                                "out: 'runs/a \xc3\xa4'\n"
                                "preset: hirl-mocov2-small\n"));
    expect("epochs", "3", 3);
    expect("lr", "0.06", 2);
    expect("prototypes", "800,200,50", 2);
    expect("resume", "yes", 2);
    expect("split", "", 2);
    expect("out", "runs/a \xc3\xa4", 2);
    expect("negatives", "100", 1);
    expect("preset", "hirl-mocov2-small", 2);
    hr_assert_ok(load("b.yaml", "lr: 1.0e-1\nprototypes:\n- 9\n- 4\n"));
    expect("lr", "1.0e-1", 2);
    expect("prototypes", "9,4", 2);
    hr_assert_ok(load("empty.yaml", ""));
    hr_assert_ok(load("comment.yaml", "# nothing\n"));
    hr_assert_ok(load("null.yaml", "---\n...\n"));
    end();
    hr_test_remove(folder);
}
END_TEST

START_TEST(a_json_file_is_read_alike)
{
    hr_test_folder(folder);
    begin();
    hr_assert_ok(load("a.json", "{\"epochs\": 50,\n \"lr\": 0.06, \"weight_decay\": 1e-4,\n"
                                " \"prototypes\": [800, 200, 50], \"resume\": true,\n"
                                " \"out\": \"a\\\"b\", \"queue\": \"auto\"}"));
    expect("epochs", "50", 2);
    expect("lr", "0.06", 2);
    expect("weight_decay", "0.0001", 2);
    expect("prototypes", "800,200,50", 2);
    expect("resume", "true", 2);
    expect("out", "a\"b", 2);
    expect("queue", "auto", 2);
    end();
    hr_test_remove(folder);
}
END_TEST

START_TEST(a_preset_of_the_caller_is_not_changed_by_a_file)
{
    hr_test_folder(folder);
    begin();
    hr_assert_ok(hirl_options_preset(options, "hirl-mocov2-small"));
    hr_assert_ok(load("a.yaml", "preset: mocov2\nepochs: 5\n"));
    expect("arch", "resnet18", 1);
    expect("epochs", "5", 2);
    end();
    hr_test_remove(folder);
}
END_TEST

typedef struct bad {
    const char *name, *text;
    hirl_status status;
    const char *word;
} bad;

static const bad bad_file[] = {
    { "a.yaml", "epochs: 5\nbatchsize: 3\n", HIRL_E_INVALID, "a.yaml:2: unknown key 'batchsize'" },
    { "a.yaml", "epochs: 5\nbatchsize: 3\n", HIRL_E_INVALID, "did you mean batch_size" },
    { "a.yaml", "epochs: five\n", HIRL_E_INVALID, "a.yaml:1: epochs: 'five'" },
    { "a.yaml", "\n\nepochs: 0\n", HIRL_E_INVALID, "a.yaml:3" },
    { "a.yaml", "epochs: 5\nlr: 1\nepochs: 6\n", HIRL_E_FORMAT, "a.yaml:3: epochs: given twice" },
    { "a.yaml", "epochs:\n", HIRL_E_INVALID, "no value" },
    { "a.yaml", "epochs: ~\n", HIRL_E_INVALID, "no value" },
    { "a.yaml", "epochs: null\n", HIRL_E_INVALID, "no value" },
    { "a.yaml", "preset: hirl\n", HIRL_E_INVALID, "a.yaml:1: unknown preset" },
    { "a.yaml", "epochs: 5\nmethod: hirl-swav\n", HIRL_E_INVALID,
      "a.yaml:2: method=hirl-swav: that is a preset; did you mean preset=hirl-swav, or" },
    { "a.yaml", "optimizer:\n  lr: 0.1\n", HIRL_E_INVALID, "a.yaml:2: unknown key 'optimizer.lr'" },
    { "a.yaml", "a: &x 1\n", HIRL_E_FORMAT, "anchors" },
    { "a.yaml", "epochs: &x 1\nlr: *x\n", HIRL_E_FORMAT, "anchors" },
    { "a.yaml", "lr: *x\n", HIRL_E_FORMAT, "a.yaml:1: anchors" },
    { "a.yaml", "<<: {epochs: 1}\n", HIRL_E_INVALID, "unknown key" },
    { "a.yaml", "epochs: !!int 5\n", HIRL_E_FORMAT, "tags" },
    { "a.yaml", "!!map {epochs: 5}\n", HIRL_E_FORMAT, "tags" },
    { "a.yaml", "epochs: 5\n---\nlr: 1\n", HIRL_E_FORMAT, "second document" },
    { "a.yaml", "epochs\n", HIRL_E_FORMAT, "key: value" },
    { "a.yaml", "- epochs\n", HIRL_E_FORMAT, "key: value" },
    { "a.yaml", "? [a, b]\n: 1\n", HIRL_E_FORMAT, "key is no text" },
    { "a.yaml", "prototypes: [1, [2]]\n", HIRL_E_FORMAT, "list" },
    { "a.yaml", "prototypes: [1, {a: 2}]\n", HIRL_E_FORMAT, "list" },
    { "a.yaml", "epochs: [1, 2\nlr: 3\n", HIRL_E_FORMAT, "a.yaml:" },
    { "a.yaml", "epochs: 5\n\tlr: 3\n", HIRL_E_FORMAT, "a.yaml:" },
    { "a.yaml", "out: \"a\\0b\"\n", HIRL_E_LIMIT, "zero byte" },
    { "a.yaml", "out: \"\xff\xfe\"\n", HIRL_E_FORMAT, "a.yaml:" },
    { "a.yaml", "out: \"a\\nb\"\n", HIRL_E_INVALID, "control" },
    { "a.yaml", "{a: {a: {a: {a: {a: {a: {a: {a: {a: 1}}}}}}}}}\n", HIRL_E_FORMAT, "deeper" },
    { "a.yaml", "\"\": 1\n", HIRL_E_FORMAT, "a key of 0 bytes" },
    { "a.json", "{\"epochs\": 5,\n\"batchsize\": 3}", HIRL_E_INVALID,
      "a.json:2: unknown key 'batchsize'; did you mean batch_size" },
    { "a.json", "{\"epochs\": 5, \"epochs\": 6}", HIRL_E_FORMAT, "duplicate" },
    { "a.json", "{\"epochs\": 5,}", HIRL_E_FORMAT, "a.json:1" },
    { "a.json", "{\"epochs\": 5.5}", HIRL_E_INVALID, "epochs: '5.5'" },
    { "a.json", "{\"lr\": 1e400}", HIRL_E_FORMAT, "overflow" },
    { "a.json", "{\"epochs\": 99999999999999999999}", HIRL_E_FORMAT, "too big" },
    { "a.json", "{\"lr\": NaN}", HIRL_E_FORMAT, "a.json:1" },
    { "a.json", "{\"epochs\": null}", HIRL_E_INVALID, "epochs" },
    { "a.json", "{\"prototypes\": [1, null]}", HIRL_E_INVALID, "prototypes" },
    { "a.json", "{\"prototypes\": [1, [2]]}", HIRL_E_INVALID, "prototypes" },
    { "a.json", "{\"a\": {\"b\": 1}}", HIRL_E_INVALID, "'a.b'" },
    { "a.json", "{\"a\": {\"b\": 1, \"b\": 2}}", HIRL_E_FORMAT, "duplicate" },
    { "a.json", "[1]", HIRL_E_FORMAT, "object" },
    { "a.json", "", HIRL_E_FORMAT, "a.json" },
    { "a.json", "{\"a\":[[[[[[[[[1]]]]]]]]]}", HIRL_E_FORMAT, "deeper" },
    { "a.json", "{\"out\": \"\xc0\xaf\"}", HIRL_E_FORMAT, "a.json" },
    { "a.json", "{\"out\": \"a\\u0000b\"}", HIRL_E_FORMAT, "a.json" },
    { "a.JSON", "epochs: 5\n", HIRL_E_FORMAT, "a.JSON:1" },
};

START_TEST(a_bad_file_changes_nothing_and_is_told_with_its_place)
{
    int64_t live;

    hr_test_folder(folder);
    begin();
    hr_assert_ok(hirl_options_set(options, "epochs", "3"));
    live = hr_alloc_live();
    for (size_t i = 0; i < sizeof bad_file / sizeof *bad_file; i++) {
        const bad *b = &bad_file[i];
        hirl_status status = load(b->name, b->text);

        ck_assert_msg(status == b->status && strstr(hr_error_text(), b->word),
                      "%d: status %d '%s', not %d '%s'", (int)i, (int)status, hr_error_text(),
                      (int)b->status, b->word);
        ck_assert_int_eq(hr_alloc_live(), live);
        expect("epochs", "3", 3);
        expect("lr", hirl_options_get(NULL, "lr"), 0);
    }
    end();
    hr_test_remove(folder);
}
END_TEST

START_TEST(a_file_that_is_too_large_or_not_there_is_refused)
{
    enum { BIG = (1 << 20) + 1 };
    char *text = malloc(BIG + 1), path[HR_TEST_PATH];

    hr_test_folder(folder);
    begin();
    memset(text, '\n', BIG);
    text[BIG] = '\0';
    hr_assert_fails(load("a.yaml", text), HIRL_E_LIMIT, "1048577 bytes");
    text[BIG - 1] = '\0';
    hr_assert_ok(load("a.yaml", text));
    memset(text, '[', BIG - 1);
    hr_assert_fails(load("a.json", text), HIRL_E_FORMAT, "deeper");
    hr_assert_fails(load("a.yaml", text), HIRL_E_FORMAT, "a.yaml");
    memset(text, 'x', 2000);
    text[2000] = '\0';
    hr_assert_fails(load("a.yaml", text), HIRL_E_LIMIT, "bytes");
    hr_test_path(path, folder, "none.yaml");
    hr_assert_fails(hirl_options_load(options, path), HIRL_E_IO, "none.yaml");
    hr_assert_fails(hirl_options_load(options, folder), HIRL_E_IO, "folder");
    free(text);
    end();
    hr_test_remove(folder);
}
END_TEST

/* ---- out of memory ---- */

static hirl_status use_options(void)
{
    hirl_status status = hirl_options_create(&options);

    if (status >= 0)
        status = hirl_options_set(options, "epochs", "3");
    if (status >= 0)
        status = hirl_options_preset(options, "hirl-mocov2-small");
    if (status >= 0)
        status = load("a.yaml", "preset: mocov2\nlr: 0.1\nprototypes: [8, 4]\n");
    if (status >= 0)
        status = load("a.json", "{\"lr\": 0.2, \"prototypes\": [8, 4]}");
    hirl_options_destroy(options);
    options = NULL;
    return status;
}

START_TEST(any_failing_allocation_is_told_and_leaks_nothing)
{
    int64_t live = hr_alloc_live();
    hirl_status status = HIRL_E_NOMEM;
    int nth = 0;

    hr_test_folder(folder);
    while (status) {
        hr_alloc_fail_at(++nth, false);
        status = use_options();
        hr_alloc_fail_at(0, false);
        ck_assert_msg(status == HIRL_OK || status == HIRL_E_NOMEM, "%d: status %d", nth,
                      (int)status);
        ck_assert_int_eq(hr_alloc_live(), live);
    }
    ck_assert_int_gt(nth, 50);
    hr_test_remove(folder);
}
END_TEST

START_TEST(a_failed_preset_leaves_the_options_as_they_were)
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

HR_TESTS("options", a_name_means_the_same_in_every_table,
         every_key_is_described_and_its_default_is_valid, ranges_are_told_in_words,
         the_promised_keys_are_known, values_are_set_from_text_and_numbers,
         an_unknown_key_is_told_with_the_nearest_one,
         a_presets_name_as_method_is_told_with_what_was_meant, null_arguments_are_refused,
         every_preset_names_known_keys_and_valid_values, the_paper_preset_has_the_papers_values,
         a_preset_stays_under_the_caller_and_gives_way_to_the_next,
         resolved_options_have_what_a_run_would_use, a_yaml_file_is_read_under_what_the_caller_set,
         a_json_file_is_read_alike, a_preset_of_the_caller_is_not_changed_by_a_file,
         a_bad_file_changes_nothing_and_is_told_with_its_place,
         a_file_that_is_too_large_or_not_there_is_refused,
         any_failing_allocation_is_told_and_leaks_nothing,
         a_failed_preset_leaves_the_options_as_they_were)
