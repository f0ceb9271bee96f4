/* test_fit.c - small presets fit themselves to any number of images from 2 on; given values and the
 * paper's presets are refused with what fits. */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include <hirl/options.h>

#include "config/config.h"
#include "support/close.h"
#include "support/run.h"

static hr_run_config config;

static hirl_options *preset(const char *name)
{
    hirl_options *options;

    hr_assert_ok(hirl_options_create(&options));
    hr_assert_ok(hirl_options_preset(options, name));
    return options;
}

START_TEST(every_small_preset_runs_on_any_number_of_images)
{
    for (int32_t p = 0; p < hirl_preset_count(); p++) {
        const char *name = hirl_preset_name(p);
        hirl_options *options;

        if (!strstr(name, "-small"))
            continue;
        options = preset(name);
        for (int64_t n = 2; n < 400; n++) {
            hirl_status status = hr_run_config_read(&config, options, n);

            ck_assert_msg(status >= 0, "%s, %lld images: %s", name, (long long)n,
                          hirl_error_message());
            ck_assert_int_le(config.train.batch_size, n);
            ck_assert_int_le(config.train.queue, n);
        }
        hirl_options_destroy(options);
    }
}
END_TEST

START_TEST(batch_queue_and_rate_shrink_together)
{
    hirl_options *options = preset("hirl-mocov2-small");

    hr_assert_ok(hr_run_config_read(&config, options, 30));
    ck_assert_int_eq(config.train.batch_size, 8);
    ck_assert_int_eq(config.train.queue, 8); /* 15 keys, in whole batches */
    ck_assert_double_eq_tol(config.train.lr, 0.06 * 8 / 128, 1e-12);
    ck_assert_ptr_nonnull(strstr(config.fitted, "batch_size=8 instead of 128"));
    hr_assert_ok(hr_run_config_read(&config, options, 256));
    ck_assert_int_eq(config.train.batch_size, 128);
    ck_assert_double_eq_tol(config.train.lr, 0.06, 1e-12);
    ck_assert_str_eq(config.fitted, "");
    hirl_options_destroy(options);
}
END_TEST

START_TEST(a_given_rate_stays)
{
    hirl_options *options = preset("hirl-mocov2-small");

    hr_assert_ok(hirl_options_set(options, "lr", "0.02"));
    hr_assert_ok(hr_run_config_read(&config, options, 30));
    ck_assert_int_eq(config.train.batch_size, 8);
    ck_assert_double_eq_tol(config.train.lr, 0.02, 1e-12);
    hirl_options_destroy(options);
}
END_TEST

START_TEST(a_short_run_warms_up_for_a_tenth)
{
    hirl_options *options = preset("dino-small");

    hr_assert_ok(hirl_options_set(options, "epochs", "2"));
    hr_assert_ok(hr_run_config_read(&config, options, 4000));
    ck_assert_int_eq(config.train.warmup_epochs, 0);
    hr_assert_ok(hirl_options_set(options, "warmup_epochs", "2"));
    hr_assert_fails(hr_run_config_read(&config, options, 4000), HIRL_E_INVALID, "warmup_epochs");
    hirl_options_destroy(options);
}
END_TEST

START_TEST(a_given_batch_is_refused_with_the_largest_that_fits)
{
    static const char *const most[][3] = { { "hirl-mocov2-small", "100", "at most 50" },
                                           { "simsiam-small", "101", "at most 100" } };

    for (int i = 0; i < 2; i++) {
        hirl_options *options = preset(most[i][0]);

        hr_assert_ok(hirl_options_set(options, "batch_size", most[i][1]));
        hr_assert_fails(hr_run_config_read(&config, options, 100), HIRL_E_INVALID, most[i][2]);
        hirl_options_destroy(options);
    }
}
END_TEST

START_TEST(the_papers_presets_are_never_fitted)
{
    for (int32_t p = 0; p < hirl_preset_count(); p++) {
        const char *name = hirl_preset_name(p);
        hirl_options *options;

        if (strstr(name, "-small"))
            continue;
        options = preset(name);
        hr_assert_fails(hr_run_config_read(&config, options, 200), HIRL_E_INVALID,
                        "images; give at most ");
        hirl_options_destroy(options);
    }
}
END_TEST

START_TEST(one_image_is_too_few)
{
    hirl_options *options = preset("hirl-mocov2-small");

    hr_assert_fails(hr_run_config_read(&config, options, 1), HIRL_E_INVALID, "at least 2 images");
    hirl_options_destroy(options);
}
END_TEST

HR_TESTS("fit", every_small_preset_runs_on_any_number_of_images,
         batch_queue_and_rate_shrink_together, a_given_rate_stays, a_short_run_warms_up_for_a_tenth,
         a_given_batch_is_refused_with_the_largest_that_fits, the_papers_presets_are_never_fitted,
         one_image_is_too_few)
