/* test_methods.c - small runs of the six methods, with and without the hierarchy: they learn, their
 * first losses are at the reported chance level, and stopped in any phase they resume to the same
 * bits on another number of threads. For how well they learn see test_learning.c. */
#include <check.h>
#include <math.h>
#include <stdlib.h>

#include "small_methods.h"
#include "ssl/method_table.h"
#include "support/run.h"
#include "train/run.h"

/* ---- learning ---- */

enum { LAST = 20 };

/* Returns the mean of x[LAST] and its standard error. */
static double mean_of(double *error, const double *x)
{
    double sum = 0, square = 0, mean;

    for (int i = 0; i < LAST; i++)
        sum += x[i];
    mean = sum / LAST;
    for (int i = 0; i < LAST; i++)
        square += (x[i] - mean) * (x[i] - mean);
    *error = sqrt(square / (LAST - 1) / LAST);
    return mean;
}

/* Outputs that do not depend on the image, and collapsed outputs, give the chance level or (DINO,
 * SimSiam) a std near 0. If the mean cosine of two images' unit z0 is at most 1/2, the variances of
 * their columns add up to at least 1/2, and health_std = sum_c std_c / sqrt(d) is at least
 * sqrt(sum_c std_c^2 / d) >= sqrt(1 / (2 d)). A smaller health_std means that features collapse. */
START_TEST(the_loss_falls_below_chance_and_features_stay_apart)
{
    const small_pair own[] = { { "epochs", "30" }, { "hirl", _i % 2 ? "1" : "0" }, { NULL, NULL } };
    const small_pair *const over[] = { small_method[_i / 2], own, NULL };
    hirl_step_report report = { .struct_size = sizeof report };
    double loss[LAST], error, mean, d;
    hirl_status status;
    small_trainer t;

    small_trainer_open(&t, 2, over);
    while ((status = hirl_train_step(&report, t.trainer)) == HIRL_OK)
        loss[report.step % LAST] = report.loss_image;
    ck_assert_msg(status == HIRL_DONE, "%s", hirl_error_message());
    ck_assert_int_eq(report.step, 30 * SMALL_PER_EPOCH);
    mean = mean_of(&error, loss);
    d = (double)t.trainer->pretrain->net.z_dim;
    ck_assert_msg(mean + 3 * error < small_chance(&t), "method %d: loss %g +- %g, chance level %g",
                  _i / 2, mean, error, small_chance(&t));
    ck_assert_msg(report.health_std > sqrt(1 / (2 * d)), "method %d: std %g", _i / 2,
                  report.health_std);
    small_trainer_close(&t);
}
END_TEST

/* ---- chance levels ---- */

enum { MOCOV2, SIMSIAM, SWAV, MOCOV3, DINO, IBOT };

/* Largest distance of the loss from the chance level. A logit is a cosine over T and lies in [-1/T,
 * 1/T], so each -log softmax over K of them, and each weighted mean of those, is within 2/T of ln K
 * for all weights. MoCo v3 has a factor 2 T and two terms, iBOT a second term. SimSiam's loss is a
 * mean of cosines; cosines of unrelated directions have a std of 1/sqrt(d). */
static double room_of(int method, double temperature, double d)
{
    switch (method) {
    case SIMSIAM:
        return 3 / sqrt(d);
    case MOCOV3:
        return 2 * (2 * temperature) * 2 / temperature;
    case IBOT:
        return 2 * 2 / temperature;
    default:
        return 2 / temperature;
    }
}

START_TEST(the_first_losses_are_at_the_reported_chance_level)
{
    const small_pair own[] = { { "epochs", "3" },           { "hirl", "0" },
                               { "temperature", "10" },     { "mask_share", "1" },
                               { "z_dim", "256" },          { "queue", "32" },
                               { "mask_ratio", "0.5,0.5" }, { NULL, NULL } };
    const small_pair *const over[] = { small_method[_i], own, NULL };
    hirl_step_report report = { .struct_size = sizeof report };
    int steps = _i == SIMSIAM ? 1 : 3 * SMALL_PER_EPOCH;
    small_trainer t;

    small_trainer_open(&t, 2, over);
    for (int s = 0; s < steps; s++) {
        ck_assert_int_eq(hirl_train_step(&report, t.trainer), HIRL_OK);
        ck_assert_msg(fabs(report.loss_image - small_chance(&t)) <= room_of(_i, 10, 256),
                      "method %d, step %d: loss %g, chance level %g", _i, s, report.loss_image,
                      small_chance(&t));
    }
    small_trainer_close(&t);
}
END_TEST

/* MoCo v2 ln(K+1), SimSiam 0, SwAV ln K, MoCo v3 4 T ln n with n over all
 * ranks, DINO ln K, iBOT (1 + share) ln K */
START_TEST(chance_levels_match_their_formulas)
{
    static const hr_method *const method[] = { &hr_method_mocov2, &hr_method_simsiam,
                                               &hr_method_swav,   &hr_method_mocov3,
                                               &hr_method_dino,   &hr_method_ibot };
    static const int64_t out[] = { 0, 0, 3000, 0, 65536, 8192 };
    static const double want[] = { 11.090354888959125, 0,
                                   8.006367567650246,  6.654213,
                                   11.090354888959125, 13.516370020918165 };
    hr_method_config numbers = { .queue = 65535,
                                 .out = out[_i],
                                 .temperature = 0.2,
                                 .mask_share = 0.5,
                                 .batch = 2048,
                                 .ranks = 2 };

    ck_assert_double_eq_tol(method[_i]->chance(&numbers), want[_i], 1e-6);
}
END_TEST

/* Expected values: mean losses of random vectors, drawn by tests/golden/first_losses.py without the
 * library's formulas; column 0 for identical views, column 1 for unrelated ones. */
START_TEST(first_losses_match_those_of_random_vectors)
{
    static const hr_method *const method[] = { &hr_method_mocov2, &hr_method_swav,
                                               &hr_method_mocov3, &hr_method_dino,
                                               &hr_method_ibot };
    static const double want[][2] = { { 0.5120, 9.6037 },
                                      { 6.6297, 6.6283 },
                                      { 3.9579, 3.9585 },
                                      { 4.8350, 6.6056 },
                                      { 7.2772, 9.9488 } };
    hr_method_config numbers = { .queue = 9984,
                                 .out = 512,
                                 .temperature = _i == 2 ? 0.2 : 0.1,
                                 .first_teacher_temperature = 0.04,
                                 .mask_share = 0.5,
                                 .d = 128,
                                 .batch = 128,
                                 .ranks = 1 };
    double got[2];

    method[_i]->first(got, &numbers);
    for (int i = 0; i < 2; i++)
        ck_assert_double_eq_tol(got[i], want[_i][i], 0.04 * want[_i][i]);
}
END_TEST

START_TEST(a_first_loss_of_few_columns_is_bounded)
{
    hr_method_config numbers = {
        .out = 12, .temperature = 0.1, .first_teacher_temperature = 0.04, .d = 8
    };
    double got[2];

    hr_method_dino.first(got, &numbers);
    ck_assert_double_ge(got[0], 0);
    ck_assert_double_le(got[0], 0.56); /* the loss of random vectors */
}
END_TEST

/* Allows 0.35, because a batch has only 16 images and the queue only 32 keys. With 64 columns the
 * logits have a standard deviation of 0.78, MoCo v3's of 0.16. */
START_TEST(the_first_loss_is_in_the_predicted_interval)
{
    const small_pair own[] = { { "epochs", "3" }, { "hirl", "0" },     { "z_dim", "64" },
                               { "queue", "32" }, { "out_dim", "64" }, { NULL, NULL } };
    const small_pair *const over[] = { small_method[_i], own, NULL };
    hirl_step_report report = { .struct_size = sizeof report };
    hr_method_config numbers;
    double predicted[2];
    small_trainer t;

    small_trainer_open(&t, 2, over);
    numbers = hr_pretrain_numbers(t.trainer->pretrain);
    t.trainer->pretrain->method->first(predicted, &numbers);
    ck_assert_int_eq(hirl_train_step(&report, t.trainer), HIRL_OK);
    ck_assert_double_ge(report.loss_image, predicted[0] - 0.35);
    ck_assert_double_le(report.loss_image, predicted[1] + 0.35);
    small_trainer_close(&t);
}
END_TEST

/* ---- report of a step ---- */

/* Step 6 of 12 is the middle of each cosine: decay (0.04 + 0.4) / 2, teacher momentum (0.9 +
 * 1) / 2. The warm-up of the temperature ends with epoch 1. At step 8 the learning rate is in
 * the middle of its cosine of 2 epochs. */
START_TEST(reported_rates_follow_the_schedules)
{
    const small_pair *const over[] = { small_method[_i], small_kind[0], NULL };
    hirl_step_report report = { .struct_size = sizeof report };
    small_trainer t;

    small_trainer_open(&t, 1, over);
    for (int s = 0; s < 7; s++)
        ck_assert_int_eq(hirl_train_step(&report, t.trainer), HIRL_OK);
    if (_i >= DINO) {
        ck_assert_double_eq_tol(report.weight_decay, 0.22, 1e-12);
        ck_assert_double_eq_tol(report.teacher_momentum, 0.95, 1e-12);
        ck_assert_double_eq_tol(report.teacher_temperature, 0.05, 1e-12);
    } else
        ck_assert_double_eq(report.teacher_temperature, -1);
    if (_i == SIMSIAM || _i == SWAV)
        ck_assert_double_eq(report.teacher_momentum, -1);
    if (_i == MOCOV2)
        ck_assert_double_eq_tol(report.teacher_momentum, 0.99, 1e-12);
    for (int s = 0; s < 2 && _i >= MOCOV3; s++)
        ck_assert_int_eq(hirl_train_step(&report, t.trainer), HIRL_OK);
    if (_i >= MOCOV3)
        ck_assert_double_eq_tol(report.rate, (_i == MOCOV3 ? 4e-3 : 2e-3) / 2, 1e-12);
    small_trainer_close(&t);
}
END_TEST

/* Entropy is concave: the entropy of the mean target is at least the mean
 * entropy of the targets, and at most ln K. */
START_TEST(entropies_of_targets_are_ordered)
{
    const small_pair *const over[] = { small_method[_i], small_kind[_i % 2], NULL };
    hirl_step_report report = { .struct_size = sizeof report };
    double most = log(_i == SWAV ? 12 : 32), small = 1e-6;
    hirl_status status;
    small_trainer t;

    small_trainer_open(&t, 2, over);
    while ((status = hirl_train_step(&report, t.trainer)) == HIRL_OK) {
        if (_i != SWAV && _i < DINO) {
            ck_assert_double_eq(report.teacher_entropy, -1);
            ck_assert_double_eq(report.usage_entropy, -1);
            continue;
        }
        ck_assert_double_gt(report.teacher_entropy, 0);
        ck_assert_double_ge(report.usage_entropy, report.teacher_entropy - small);
        ck_assert_double_le(report.usage_entropy, most + small);
    }
    ck_assert_msg(status == HIRL_DONE, "%s", hirl_error_message());
    small_trainer_close(&t);
}
END_TEST

/* ---- stopping ---- */

/* The phases are train; extract, cluster, train; extract, cluster, train. After
 * the first one the last layer is no longer frozen and SwAV's queue starts to
 * fill. test_stop.c stops at every poll. */
START_TEST(a_run_stopped_in_any_phase_resumes_to_the_same_bits)
{
    int kind = _i % SMALL_KINDS, stretch = 0, at;
    const small_pair *const over[] = { small_method[_i / SMALL_KINDS], small_kind[kind], NULL };
    small_polls polls;
    size_t bytes;
    char *whole = small_trainer_run(&bytes, &polls, 2, over);

    while ((at = small_polls_middle(&polls, stretch)) != 0) {
        ck_assert(small_trainer_stop(at, whole, bytes, over));
        stretch += kind == SMALL_WHOLE_HIRL ? 1 : 2;
    }
    ck_assert_int_eq(stretch, kind < SMALL_WHOLE_HIRL ? 2 : 7 + kind - SMALL_WHOLE_HIRL);
    free(whole);
}
END_TEST

static Suite *methods(void)
{
    Suite *suite = suite_create("methods");
    TCase *tests = tcase_create("methods"), *first;

    tcase_set_timeout(tests, 0);
    tcase_add_loop_test(tests, the_loss_falls_below_chance_and_features_stay_apart, 0,
                        2 * SMALL_METHODS);
    tcase_add_loop_test(tests, the_first_losses_are_at_the_reported_chance_level, 0, SMALL_METHODS);
    tcase_add_loop_test(tests, chance_levels_match_their_formulas, 0, 6);
    tcase_add_loop_test(tests, reported_rates_follow_the_schedules, 0, SMALL_METHODS);
    tcase_add_loop_test(tests, entropies_of_targets_are_ordered, 0, SMALL_METHODS);
    tcase_add_loop_test(tests, a_run_stopped_in_any_phase_resumes_to_the_same_bits, 0,
                        SMALL_KINDS * SMALL_METHODS);
    first = tcase_create("first losses");
    tcase_set_timeout(first, 0);
    tcase_add_loop_test(first, first_losses_match_those_of_random_vectors, 0, 5);
    tcase_add_test(first, a_first_loss_of_few_columns_is_bounded);
    tcase_add_loop_test(first, the_first_loss_is_in_the_predicted_interval, 0, 6);
    suite_add_tcase(suite, first);
    suite_add_tcase(suite, tests);
    return suite;
}

HR_TEST_MAIN(methods)
