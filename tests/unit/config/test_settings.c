/* test_settings.c - the library reads the config.yaml that a run writes. */
#include <check.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <hirl/options.h>

#include "base/alloc.h"
#include "config/config.h"
#include "config/config_text.h"
#include "context.h"
#include "support/close.h"
#include "support/folder.h"
#include "support/run.h"

static const char *const given[][4] = {
    { "lr", "20", "batch_size", "4" },       { "lr", "1000", "batch_size", "2" },
    { "lr", "1e-7", "batch_size", "65536" }, { "base_lr", "100000", "batch_size", "2" },
    { "base_lr", "0.3", "batch_size", "6" },
};
enum { GIVEN = sizeof given / sizeof *given, IMAGES = 200000 };

/* the text of config.yaml of a run with these options; freed with hr_free */
static char *written(const hirl_options *options)
{
    static hr_run_config config;
    hirl_options all = { 0 };
    char *text;

    hr_assert_ok(hr_run_config_read(&config, options, IMAGES));
    hr_assert_ok(hr_run_config_text(&text, &config, &all));
    return text;
}

static void load(hirl_options *options, const char *text)
{
    char path[HR_TEST_PATH];
    FILE *file;

    hr_test_file(path);
    file = fopen(path, "w");
    ck_assert_ptr_nonnull(file);
    fputs(text, file);
    fclose(file);
    hr_assert_ok(hirl_options_load(options, path));
    unlink(path);
}

START_TEST(numbers_and_lists_are_written_without_quotation_marks)
{
    hirl_options *options;
    char *text;

    hr_assert_ok(hirl_options_create(&options));
    hr_assert_ok(hirl_options_set(options, "prototypes", "[32, 8,4]"));
    hr_assert_ok(hirl_options_set(options, "global_crops_scale", "[0.3,1]"));
    text = written(options);
    ck_assert_ptr_nonnull(strstr(text, "\nprototypes: [32,8,4]\n"));
    ck_assert_ptr_nonnull(strstr(text, "\nglobal_crops_scale: \"0.3,1"));
    ck_assert_ptr_nonnull(strstr(text, "\nbatch_size: 256\n"));
    ck_assert_ptr_nonnull(strstr(text, "\nweight_decay: 0.0001\n"));
    ck_assert_ptr_nonnull(strstr(text, "\narch: \"resnet50\"\n"));
    hr_assert_fails(hirl_options_set(options, "prototypes", "[32, 8"), HIRL_E_INVALID,
                    "list of whole numbers");
    hr_assert_fails(hirl_options_set(options, "prototypes", "[]"), HIRL_E_INVALID,
                    "list of whole numbers");
    hr_free(text);
    hirl_options_destroy(options);
}
END_TEST

START_TEST(settings_are_read_as_they_were_written)
{
    hirl_options *options, *again;
    char *text, *second;

    hr_assert_ok(hirl_options_create(&options));
    hr_assert_ok(hirl_options_create(&again));
    for (int i = 0; i < 4; i += 2)
        hr_assert_ok(hirl_options_set(options, given[_i][i], given[_i][i + 1]));
    text = written(options);
    load(again, text);
    second = written(again);
    ck_assert_str_eq(text, second);
    hr_free(text);
    hr_free(second);
    hirl_options_destroy(options);
    hirl_options_destroy(again);
}
END_TEST

START_TEST(an_excessive_rate_is_refused_with_the_numbers)
{
    static hr_run_config config;
    hirl_options *options;

    hr_assert_ok(hirl_options_create(&options));
    hr_assert_ok(hirl_options_set(options, "base_lr", "1000"));
    hr_assert_ok(hirl_options_set(options, "batch_size", "1024"));
    hr_assert_fails(hr_run_config_read(&config, options, IMAGES), HIRL_E_INVALID, "rate of 4000");
    hirl_options_destroy(options);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("settings");
    TCase *c = tcase_create("written");

    tcase_add_loop_test(c, settings_are_read_as_they_were_written, 0, GIVEN);
    tcase_add_test(c, numbers_and_lists_are_written_without_quotation_marks);
    tcase_add_test(c, an_excessive_rate_is_refused_with_the_numbers);
    suite_add_tcase(s, c);
    return s;
}

HR_TEST_MAIN(suite)
