/* test_config.c - options of a run: what auto stands for, what is refused, rates, health figures. */
#include <check.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <hirl/options.h>

#include "base/alloc.h"
#include "support/close.h"
#include "support/run.h"
#include "train/config.h"
#include "train/health.h"
#include "train/schedule.h"

static hirl_options *options_of(const char *const (*pairs)[2])
{
    hirl_options *options;

    hr_assert_ok(hirl_options_create(&options));
    for (; (*pairs)[0]; pairs++)
        hr_assert_ok(hirl_options_set(options, (*pairs)[0], (*pairs)[1]));
    return options;
}

START_TEST(auto_queue_is_the_largest_multiple_of_the_batch_below_half_the_data)
{
    static const char *const pairs[][2] = { { "batch_size", "128" },
                                            { "hirl", "0" },
                                            { NULL, NULL } };
    hirl_options *options = options_of(pairs);
    hr_run_config config;

    hr_assert_ok(hr_run_config_read(&config, options, 25000));
    ck_assert_int_eq(config.train.queue, 12416); /* 97 x 128 <= 12500 < 98 x 128 */
    hr_assert_ok(hr_run_config_read(&config, options, 1281167));
    ck_assert_int_eq(config.train.queue, 65536);
    ck_assert_int_eq(config.train.bn_groups, 4);
    ck_assert_double_eq_tol(config.train.lr, 0.015, 1e-12); /* 0.03 x 128 / 256 */
    hirl_options_destroy(options);
}
END_TEST

START_TEST(a_queue_that_cannot_be_is_refused_with_the_numbers)
{
    static const char *const large[][2] = {
        { "batch_size", "32" }, { "queue", "4096" }, { "hirl", "0" }, { NULL, NULL }
    };
    static const char *const odd[][2] = {
        { "batch_size", "32" }, { "queue", "100" }, { "hirl", "0" }, { NULL, NULL }
    };
    hirl_options *options = options_of(large);
    hr_run_config config;

    hr_assert_fails(hr_run_config_read(&config, options, 1000), HIRL_E_INVALID, "4096");
    hirl_options_destroy(options);
    options = options_of(odd);
    hr_assert_fails(hr_run_config_read(&config, options, 1000), HIRL_E_INVALID, "96");
    hirl_options_destroy(options);
}
END_TEST

START_TEST(lr_and_base_lr_of_one_origin_are_refused_and_the_nearer_one_counts)
{
    static const char *const both[][2] = {
        { "lr", "0.1" }, { "base_lr", "0.2" }, { "hirl", "0" }, { NULL, NULL }
    };
    static const char *const base[][2] = { { "base_lr", "0.1" },
                                           { "batch_size", "512" },
                                           { NULL, NULL } };
    hirl_options *options = options_of(both);
    hr_run_config config;

    hr_assert_fails(hr_run_config_read(&config, options, 100000), HIRL_E_INVALID, "base_lr");
    hirl_options_destroy(options);
    options = options_of(base);
    hr_assert_ok(hirl_options_preset(options, "mocov2"));
    hr_assert_ok(hr_run_config_read(&config, options, 1281167));
    ck_assert_double_eq_tol(config.train.lr, 0.2, 1e-12);
    hirl_options_destroy(options);
}
END_TEST

START_TEST(prototypes_that_the_data_cannot_carry_are_refused)
{
    static const char *const pairs[][2] = { { "prototypes", "30000,10000,1000" },
                                            { "batch_size", "64" },
                                            { NULL, NULL } };
    hirl_options *options = options_of(pairs);
    hr_run_config config;

    hr_assert_fails(hr_run_config_read(&config, options, 4000), HIRL_E_INVALID, "30000");
    hirl_options_destroy(options);
}
END_TEST

START_TEST(the_rate_follows_the_published_cosine)
{
    /* spec.md 7.4: MoCo v2 at epochs 0, 1, 100, 199 of 200 */
    ck_assert_double_eq_tol(hr_cosine_by_epoch(0.03, 0, 0, 200), 0.03, 1e-12);
    ck_assert_double_eq_tol(hr_cosine_by_epoch(0.03, 0, 1, 200), 0.029998149, 5e-10);
    ck_assert_double_eq_tol(hr_cosine_by_epoch(0.03, 0, 100, 200), 0.015, 1e-12);
    ck_assert_double_eq_tol(hr_cosine_by_epoch(0.03, 0, 199, 200), 0.000001851, 5e-10);
}
END_TEST

START_TEST(health_is_full_for_orthogonal_rows_and_nothing_for_equal_ones)
{
    enum { D = 4, N = 8 };
    float spread[N][D] = { { 0 } }, equal[N][D];
    double work[D * D + D];
    hr_health h;

    for (int n = 0; n < N; n++) {
        spread[n][n / 2] = n % 2 ? -3.0f : 2.0f; /* +-e_c: mean 0, variance 1/4 in each column */
        for (int c = 0; c < D; c++)
            equal[n][c] = 5;
    }
    hr_health_measure(&h, &spread[0][0], N, D, work);
    ck_assert_double_eq_tol(h.std, 1, 1e-12);  /* sqrt(4) x mean of 1/2 */
    ck_assert_double_eq_tol(h.rank, 4, 1e-12); /* C = I/4: (4/4)^2 / (4/16) */
    hr_health_measure(&h, &equal[0][0], N, D, work);
    ck_assert_double_eq_tol(h.std, 0, 1e-6);
    ck_assert(strstr(hr_health_judge(&h, D, 1, 2), "collapse") != NULL);
}
END_TEST

HR_TESTS("config", auto_queue_is_the_largest_multiple_of_the_batch_below_half_the_data,
         a_queue_that_cannot_be_is_refused_with_the_numbers,
         lr_and_base_lr_of_one_origin_are_refused_and_the_nearer_one_counts,
         prototypes_that_the_data_cannot_carry_are_refused, the_rate_follows_the_published_cosine,
         health_is_full_for_orthogonal_rows_and_nothing_for_equal_ones)
