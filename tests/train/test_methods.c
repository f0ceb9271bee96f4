/* test_methods.c - small runs of the six methods, plain and with the hierarchy: they learn,
 * begin at the chance level that is told, stop in every phase and go on to the same bits on other numbers of threads;
 * how well they learn: test_learning.c. */
#include <check.h>
#include <math.h>
#include <stdlib.h>

#include "small_methods.h"
#include "support/run.h"
#include "train/trainer.h"

/* ---- learning ---- */

enum { LAST = 20 };

/* mean of x[LAST] and its standard error */
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

/* Outputs that say nothing of the image, and outputs that are all one, give the chance level or
 * (DINO, SimSiam) a std near 0. Were the mean cosine of two images' unit z0 above 1/2, the variances of
 * their columns would add up to less than 1/2; std_c^2 <= that sum in each, so health_std, which is
 * sum_c std_c / sqrt(d), can be below sqrt(1 / (2 d)) only then. */
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
    d = (double)t.trainer->learner->net.z_dim;
    ck_assert_msg(mean + 3 * error < small_chance(&t), "method %d: loss %g +- %g, chance %g",
                  _i / 2, mean, error, small_chance(&t));
    ck_assert_msg(report.health_std > sqrt(1 / (2 * d)), "method %d: std %g", _i / 2,
                  report.health_std);
    small_trainer_close(&t);
}
END_TEST

/* ---- chance levels ---- */

enum { MOCOV2, SIMSIAM, SWAV, MOCOV3, DINO, IBOT };

/* A logit is a cosine over T, in [-1/T, 1/T], hence each -log softmax of K of them, and each mean of
 * such by a distribution, within 2/T of ln K, whatever the weights. MoCo v3 has a factor 2 T and two
 * terms, iBOT a second term. SimSiam's loss is a mean of cosines; those of unrelated directions have a
 * std of 1/sqrt(d). */
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

START_TEST(the_first_losses_lie_at_the_chance_level_that_is_told)
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
                      "method %d, step %d: loss %g, chance %g", _i, s, report.loss_image,
                      small_chance(&t));
    }
    small_trainer_close(&t);
}
END_TEST

/* ln(K+1), 0, ln K, 4 T ln n over all ranks, ln K, (1 + share) ln K */
START_TEST(chance_levels_are_those_of_the_formulas)
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

/* Values: means of draws by tests/golden/first_losses.py, which knows no formula: vectors, cosines, softmax. Of
 * MoCo v2, DINO and iBOT with views alike, and unrelated; the first is a bound for DINO's (2 at d = 8). */
START_TEST(first_losses_are_those_of_random_vectors)
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
    ck_assert_double_le(got[0], 0.56); /* of random vectors */
}
END_TEST

/* 0.35: 16 images of a batch are few, and so are 32 keys; spread of logits at 64 columns: 0.78, MoCo v3's 0.16 */
START_TEST(a_run_begins_where_it_was_told)
{
    const small_pair own[] = { { "epochs", "3" }, { "hirl", "0" },     { "z_dim", "64" },
                               { "queue", "32" }, { "out_dim", "64" }, { NULL, NULL } };
    const small_pair *const over[] = { small_method[_i], own, NULL };
    hirl_step_report report = { .struct_size = sizeof report };
    hr_method_config numbers;
    double told[2];
    small_trainer t;

    small_trainer_open(&t, 2, over);
    numbers = hr_learner_numbers(t.trainer->learner);
    t.trainer->learner->method->first(told, &numbers);
    ck_assert_int_eq(hirl_train_step(&report, t.trainer), HIRL_OK);
    ck_assert_double_ge(report.loss_image, told[0] - 0.35);
    ck_assert_double_le(report.loss_image, told[1] + 0.35);
    small_trainer_close(&t);
}
END_TEST

/* ---- what is told of a step ---- */

/* step 6 of 12 is the middle of each cosine: decay (0.04 + 0.4) / 2, average (0.9 + 1) / 2; the warm-up
 * of the temperature ends with epoch 1; the rate has 1 of 2 epochs of its cosine behind it at step 8 */
START_TEST(rates_of_a_step_are_those_of_the_schedules)
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

/* entropy is concave: that of a mean is at least the mean of them, and at most that of equal shares */
START_TEST(entropies_of_targets_lie_in_their_order)
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

/* train; extract, cluster, train; extract, cluster, train: after the first `train` the last layer is released,
 * and SwAV's queue begins to fill; test_stop.c stops at every poll */
START_TEST(a_run_stopped_in_any_phase_ends_with_the_same_bits)
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
    tcase_add_loop_test(tests, the_first_losses_lie_at_the_chance_level_that_is_told, 0,
                        SMALL_METHODS);
    tcase_add_loop_test(tests, chance_levels_are_those_of_the_formulas, 0, 6);
    tcase_add_loop_test(tests, rates_of_a_step_are_those_of_the_schedules, 0, SMALL_METHODS);
    tcase_add_loop_test(tests, entropies_of_targets_lie_in_their_order, 0, SMALL_METHODS);
    tcase_add_loop_test(tests, a_run_stopped_in_any_phase_ends_with_the_same_bits, 0,
                        SMALL_KINDS * SMALL_METHODS);
    first = tcase_create("first losses");
    tcase_set_timeout(first, 0);
    tcase_add_loop_test(first, first_losses_are_those_of_random_vectors, 0, 5);
    tcase_add_test(first, a_first_loss_of_few_columns_is_bounded);
    tcase_add_loop_test(first, a_run_begins_where_it_was_told, 0, 6);
    suite_add_tcase(suite, first);
    suite_add_tcase(suite, tests);
    return suite;
}

HR_TEST_MAIN(methods)
