/* test_needs.c - refused before the first step: networks that lack what the loss reads, local views
 * that the method does not use or that are not whole patches. */
#include <check.h>
#include <string.h>

#include <hirl/options.h>

#include "config/config.h"
#include "config/views.h"
#include "context.h"
#include "support/close.h"
#include "support/run.h"
#include "task/pretrain.h"

static const struct need {
    const char *method, *key, *value, *word;
} needs[] = {
    { "simsiam", "predictor", "", "predictor" },
    { "mocov3", "predictor", "", "predictor" },
    { "swav", "last", "none", "last=prototypes" },
    { "swav", "last", "weight_norm", "last=prototypes" },
    { "dino", "last", "none", "last=weight_norm" },
    { "ibot", "last", "prototypes", "last=weight_norm" },
    { "ibot", "mask_token", "0", "mask_token" },
    { "ibot", "head", "mlp 16 z bn", "batch norm" },
};
enum { NEEDS = sizeof needs / sizeof *needs };

static const struct need views[] = {
    { "mocov2", "local_crops_number", "2", "no use" },
    { "simsiam", "local_crops_number", "2", "no use" },
    { "dino", "local_crops_size", "30", "multiple of the patch" },
};
enum { VIEWS = sizeof views / sizeof *views };

static hirl_options *options_of(const struct need *need)
{
    static const char *const small[][2] = {
        { "hidden_dim", "16" }, { "z_dim", "8" }, { "out_dim", "12" }, { "hirl", "0" }
    };
    hirl_options *options;

    hr_assert_ok(hirl_options_create(&options));
    for (size_t i = 0; i < sizeof small / sizeof *small; i++)
        hr_assert_ok(hirl_options_set(options, small[i][0], small[i][1]));
    hr_assert_ok(hirl_options_set(options, "method", need->method));
    hr_assert_ok(hirl_options_set(options, "arch", "vit_micro_patch4_32"));
    hr_assert_ok(hirl_options_set(options, "image_size", "32"));
    hr_assert_ok(hirl_options_set(options, need->key, need->value));
    return options;
}

START_TEST(a_network_without_what_the_loss_reads_is_refused)
{
    static hr_run_config c;
    static hr_pretrain_config l;
    hirl_options *options = options_of(&needs[_i]);
    hirl_context *context;
    hr_learner *learner = NULL;
    hr_pretrain *task = NULL;

    hr_assert_ok(hr_run_config_read(&c, options, 10000));
    l = (hr_pretrain_config){ .model = c.model,
                              .learner = { .batch = 8, .accumulate = 1 },
                              .bn_groups = 1,
                              .path_bn_groups = 1 };
    hr_assert_ok(hr_context_create(&context, "cpu", 1));
    hr_assert_fails(hr_pretrain_create(&learner, &task, context, &l), HIRL_E_INVALID,
                    needs[_i].word);
    hr_context_drop(context);
    hirl_options_destroy(options);
}
END_TEST

START_TEST(local_views_that_cannot_be_used_are_refused)
{
    static hr_run_config c;
    hirl_options *options = options_of(&views[_i]);
    hr_run_views made;

    hr_assert_ok(hr_run_config_read(&c, options, 10000));
    hr_assert_fails(hr_run_views_of(&made, &c), HIRL_E_INVALID, views[_i].word);
    hirl_options_destroy(options);
}
END_TEST

START_TEST(a_warm_up_above_the_rate_is_refused)
{
    static hr_run_config c;
    hirl_options *options;

    hr_assert_ok(hirl_options_create(&options));
    hr_assert_ok(hirl_options_set(options, "method", "swav"));
    hr_assert_ok(hirl_options_set(options, "batch_size", "64")); /* lr is 0.075, warmup_lr 0.3 */
    hr_assert_fails(hr_run_config_read(&c, options, 10000), HIRL_E_INVALID, "warmup_lr");
    hirl_options_destroy(options);
}
END_TEST

static Suite *needs_suite(void)
{
    Suite *suite = suite_create("needs");
    TCase *tests = tcase_create("needs");

    tcase_add_loop_test(tests, a_network_without_what_the_loss_reads_is_refused, 0, NEEDS);
    tcase_add_loop_test(tests, local_views_that_cannot_be_used_are_refused, 0, VIEWS);
    tcase_add_test(tests, a_warm_up_above_the_rate_is_refused);
    suite_add_tcase(suite, tests);
    return suite;
}

HR_TEST_MAIN(needs_suite)
