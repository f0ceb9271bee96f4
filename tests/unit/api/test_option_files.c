/* test_option_files.c - options from YAML and JSON files, and the errors for invalid files. */
#include <time.h>

#include <hirl/options.h>

#include "base/alloc.h"
#include "support/folder.h"
#include "support/run.h"
#include "unit/api/some_options.h"

/* ---- valid files ---- */

static char folder[HR_TEST_PATH];

static hirl_status load(const char *name, const char *text)
{
    char path[HR_TEST_PATH];

    hr_test_path(path, folder, name);
    hr_test_write(path, text, strlen(text));
    return hirl_options_load(options, path);
}

START_TEST(a_yaml_file_does_not_override_keys_set_by_the_caller)
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

START_TEST(a_json_file_is_read_like_yaml)
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

START_TEST(a_file_does_not_change_a_preset_set_by_the_caller)
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

/* ---- invalid files ---- */

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
    { "a.yaml", "epochs: 5\noptimizer:\n  lr: 0.1\n", HIRL_E_INVALID,
      "a.yaml:3: unknown section 'optimizer'" },
    { "a.yaml", "optimizer: {}\n", HIRL_E_INVALID, "a.yaml:1: unknown section 'optimizer'" },
    { "a.yaml", "lr: {}\n", HIRL_E_INVALID, "a.yaml:1: unknown section 'lr'" },
    { "a.yaml", "epochs: 5\nout: []\n", HIRL_E_INVALID, "a.yaml:2: out: an empty list" },
    { "a.yaml", "epochs: ''\n", HIRL_E_INVALID, "a.yaml:1: epochs: ''" },
    { "a.yaml", "{epochs}\n", HIRL_E_INVALID, "a.yaml:1: epochs: no value" },
    { "a.yaml", "{epochs: 5, lr: , out: x}\n", HIRL_E_INVALID, "a.yaml:1: lr: no value" },
    { "a.yaml", "? epochs\n", HIRL_E_INVALID, "epochs: no value" },
    { "a.yaml", "{lr: 1,\n lr: 1}\n", HIRL_E_FORMAT, "a.yaml:2: lr: given twice" },
    { "a.yaml", "%TAG ! tag:x,2000:\n---\nlr: 1\n", HIRL_E_FORMAT, "a.yaml:1: %TAG" },
    { "a.yaml", "lr: 1\n...\n%TAG ! tag:x,2000:\n---\n", HIRL_E_FORMAT, "a.yaml:3: %TAG" },
    { "a.yaml", "\xff\xfel\0r\0:\0", HIRL_E_FORMAT, "a.yaml:" },
    { "a.yaml", "a: &x 1\n", HIRL_E_FORMAT, "anchors" },
    { "a.yaml", "epochs: &x 1\nlr: *x\n", HIRL_E_FORMAT, "anchors" },
    { "a.yaml", "lr: *x\n", HIRL_E_FORMAT, "a.yaml:1: anchors" },
    { "a.yaml", "<<: {epochs: 1}\n", HIRL_E_INVALID, "unknown section '<<'" },
    { "a.yaml", "epochs: !!int 5\n", HIRL_E_FORMAT, "tags" },
    { "a.yaml", "!!map {epochs: 5}\n", HIRL_E_FORMAT, "tags" },
    { "a.yaml", "epochs: 5\n---\nlr: 1\n", HIRL_E_FORMAT, "second document" },
    { "a.yaml", "epochs\n", HIRL_E_FORMAT, "key: value" },
    { "a.yaml", "- epochs\n", HIRL_E_FORMAT, "key: value" },
    { "a.yaml", "? [a, b]\n: 1\n", HIRL_E_FORMAT, "key is not text" },
    { "a.yaml", "prototypes: [1, [2]]\n", HIRL_E_FORMAT, "list" },
    { "a.yaml", "prototypes: [1, {a: 2}]\n", HIRL_E_FORMAT, "list" },
    { "a.yaml", "epochs: [1, 2\nlr: 3\n", HIRL_E_FORMAT, "a.yaml:" },
    { "a.yaml", "epochs: 5\n\tlr: 3\n", HIRL_E_FORMAT, "a.yaml:" },
    { "a.yaml", "out: \"a\\0b\"\n", HIRL_E_LIMIT, "zero byte" },
    { "a.yaml", "out: \"\xff\xfe\"\n", HIRL_E_FORMAT, "a.yaml:" },
    { "a.yaml", "out: \"a\\nb\"\n", HIRL_E_INVALID, "control" },
    { "a.yaml", "{a: {a: {a: {a: {a: {a: {a: {a: {a: 1}}}}}}}}}\n", HIRL_E_INVALID, "section 'a'" },
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
    { "a.json", "{\"epochs\": 5,\n\"a\": {\"b\": 1}}", HIRL_E_INVALID,
      "a.json:2: unknown section 'a'" },
    { "a.json", "{\"a\": {}}", HIRL_E_INVALID, "a.json:1: unknown section 'a'" },
    { "a.json", "{\"lr\": {}}", HIRL_E_INVALID, "a.json:1: unknown section 'lr'" },
    { "a.json", "{\"out\": \"lr\",\n \"lr\": \"\"}", HIRL_E_INVALID, "a.json:2: lr: ''" },
    { "a.json", "{\"out\": []}", HIRL_E_INVALID, "a.json:1: out: an empty list" },
    { "a.json", "{\"out\":}", HIRL_E_FORMAT, "a.json:1" },
    { "a.json", "{\"\": 1}", HIRL_E_FORMAT, "a.json:1: a key of 0 bytes" },
    { "a.json", "{\"a\": {\"b\": 1, \"b\": 2}}", HIRL_E_FORMAT, "duplicate" },
    { "a.json", "[1]", HIRL_E_FORMAT, "object" },
    { "a.json", "", HIRL_E_FORMAT, "a.json" },
    { "a.json", "{\"a\":[[[[[[[[[1]]]]]]]]]}", HIRL_E_FORMAT, "deeper" },
    { "a.json", "{\"out\": \"\xc0\xaf\"}", HIRL_E_FORMAT, "a.json" },
    { "a.json", "{\"out\": \"a\\u0000b\"}", HIRL_E_FORMAT, "a.json" },
    { "a.JSON", "epochs: 5\n", HIRL_E_FORMAT, "a.JSON:1" },
};

START_TEST(an_invalid_file_changes_nothing_and_its_error_names_the_line)
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
                      "case %d: status %d '%s', expected %d '%s'", (int)i, (int)status,
                      hr_error_text(), (int)b->status, b->word);
        ck_assert_int_eq(hr_alloc_live(), live);
        expect("epochs", "3", 3);
        expect("lr", hirl_options_get(NULL, "lr"), 0);
    }
    end();
    hr_test_remove(folder);
}
END_TEST

START_TEST(a_file_that_is_too_large_or_missing_is_refused)
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

/* One megabyte of a repeated piece, after a beginning: the time must grow with the length of the
 * file, not with its square. */
START_TEST(one_megabyte_of_any_file_is_answered_within_a_second)
{
    static const struct {
        const char *name, *begin, *piece;
    } file[] = {
        { "a.json", "{\"z\":{}", ",\"%05x\":{}" },
        { "a.json", "{\"z\":{\"z\":{}", ",\"%05x\":{}" },
        { "a.json", "{\"lr\":1", ",\"%05x\":1" },
        { "a.json", "{\"lr\":1", ",\"lr\":1" },
        { "a.json", "{\"prototypes\":[1", ",%d" },
        { "a.json", "{\"out\":\"", "\\u00e4" },
        { "a.json", "", "[" },
        { "a.json", "", "\"" },
        { "a.yaml", "", "k%05x: {}\n" },
        { "a.yaml", "", "lr: 1\n" },
        { "a.yaml", "", "%%TAG !a%d! tag:x\n" },
        { "a.yaml", "lr: 1\n...\n", "%%TAG !a%d! tag:x\r" },
        { "a.yaml", "lr: 1\n...\n", "%%TAG !a%d! tag:x\xe2\x80\xa8" },
        { "a.yaml", "", "%%YAML 1.1\n" },
        { "a.yaml", "prototypes:\n", "- %d\n" },
        { "a.yaml", "", "[" },
        { "a.yaml", "", "{" },
        { "a.yaml", "", "- " },
        { "a.yaml", "", "? " },
        { "a.yaml", "", "#\n" },
        { "a.yaml", "out: \"", "x\n" },
        { "a.yaml", "", "&a " },
    };
    enum { BIG = (1 << 20) - 64 };
    char *text = malloc(BIG + 64);

    ck_assert_ptr_nonnull(text);
    hr_test_folder(folder);
    begin();
    for (size_t i = 0; i < sizeof file / sizeof *file; i++) {
        int at = sprintf(text, "%s", file[i].begin);
        clock_t start;

        for (int n = 0; at < BIG; n++) {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
            at += snprintf(text + at, 64, file[i].piece, n);
#pragma GCC diagnostic pop
        }
        start = clock();
        (void)!load(file[i].name, text);
        ck_assert_msg(clock() - start < CLOCKS_PER_SEC, "case %d: %.1f s", (int)i,
                      (double)(clock() - start) / CLOCKS_PER_SEC);
    }
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

START_TEST(any_failing_allocation_returns_nomem_and_leaks_nothing)
{
    int64_t live = hr_alloc_live();
    hirl_status status = HIRL_E_NOMEM;
    int nth = 0;

    hr_test_folder(folder);
    while (status) {
        hr_alloc_fail_at(++nth, false);
        status = use_options();
        hr_alloc_fail_at(0, false);
        ck_assert_msg(status == HIRL_OK || status == HIRL_E_NOMEM, "allocation %d: status %d", nth,
                      (int)status);
        ck_assert_int_eq(hr_alloc_live(), live);
    }
    ck_assert_int_gt(nth, 50);
    hr_test_remove(folder);
}
END_TEST

HR_TESTS("option files", a_yaml_file_does_not_override_keys_set_by_the_caller,
         a_json_file_is_read_like_yaml, a_file_does_not_change_a_preset_set_by_the_caller,
         an_invalid_file_changes_nothing_and_its_error_names_the_line,
         a_file_that_is_too_large_or_missing_is_refused,
         one_megabyte_of_any_file_is_answered_within_a_second,
         any_failing_allocation_returns_nomem_and_leaks_nothing)
