/* test_settings.c - the library reads the config.yaml that a run writes. */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include <hirl/options.h>

#include "base/alloc.h"
#include "config/config.h"
#include "config/config_text.h"
#include "context.h"
#include "support/close.h"
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

START_TEST(settings_are_read_as_they_were_written)
{
    hirl_options *options, *again;
    char *text, *second, key[64], value[HR_KEY_TEXT_BYTES];

    hr_assert_ok(hirl_options_create(&options));
    hr_assert_ok(hirl_options_create(&again));
    for (int i = 0; i < 4; i += 2)
        hr_assert_ok(hirl_options_set(options, given[_i][i], given[_i][i + 1]));
    text = written(options);
    for (const char *line = text; *line; line = strchr(line, '\n') + 1)
        if (sscanf(line, "%63[^:]: \"%1023[^\"]\"", key, value) == 2)
            hr_assert_ok(hirl_options_set(again, key, value));
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
    tcase_add_test(c, an_excessive_rate_is_refused_with_the_numbers);
    suite_add_tcase(s, c);
    return s;
}

HR_TEST_MAIN(suite)
