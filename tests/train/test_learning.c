/* test_learning.c - small runs of the six methods, with and without the hierarchy: they memorise
 * images without augmentation, and losses in bf16 stay close to those in f32. */
#include <check.h>
#include <math.h>

#include "small_methods.h"
#include "support/run.h"
#include "train/trainer.h"

enum { EPOCHS = 30, LAST = 20 };

/* Both views are the image itself, so a network can memorise it. Limits of the loss
 * as shares of the chance level (a random network has 0.6 to 1.4 of it); for
 * SimSiam the cosine itself, at best -1. */
static const double most_memorised[SMALL_METHODS] = { 0.75, -0.85, 0.75, 0.35, 0.6, 0.5 };

START_TEST(images_without_augmentation_are_memorised)
{
    const small_pair own[] = { { "epochs", "30" },
                               { "hirl", _i % 2 ? "1" : "0" },
                               { "global_crops_scale", "1,1" },
                               { "jitter_p", "0" },
                               { "gray_p", "0" },
                               { "flip_p", "0" },
                               { "blur_p", "0" },
                               { "solarize_p", "0" },
                               { NULL, NULL } };
    const small_pair *const over[] = { small_method[_i / 2], own, NULL };
    hirl_step_report report = { .struct_size = sizeof report };
    double last = 0, most;
    small_trainer t;

    small_trainer_open(&t, 2, over);
    for (int s = 0; s < EPOCHS * SMALL_PER_EPOCH; s++) {
        ck_assert_msg(hirl_train_step(&report, t.trainer) == HIRL_OK, "%s", hirl_error_message());
        if (s >= EPOCHS * SMALL_PER_EPOCH - LAST)
            last += report.loss_image / LAST;
    }
    most =
        small_chance(&t) > 0 ? most_memorised[_i / 2] * small_chance(&t) : most_memorised[_i / 2];
    ck_assert_msg(last < most, "method %d: loss %g, at most %g", _i / 2, last, most);
    small_trainer_close(&t);
}
END_TEST

/* ---- bf16 ---- */

enum { SEEDS = 3, STEPS = 6 * SMALL_PER_EPOCH };

/* rates low enough that rounding does not grow into a different course of training */
static const char *const low_rate[SMALL_METHODS] = {
    "0.01", "0.005", "0.1", "1e-3", "1e-3", "1e-3"
};

static double mean_loss(int method, const char *hirl, const char *precision, const char *seed)
{
    const small_pair own[] = { { "epochs", "6" },          { "hirl", hirl },
                               { "precision", precision }, { "seed", seed },
                               { "lr", low_rate[method] }, { NULL, NULL } };
    const small_pair *const over[] = { small_method[method], own, NULL };
    hirl_step_report report = { .struct_size = sizeof report };
    double loss = 0;
    small_trainer t;

    small_trainer_open(&t, 2, over);
    for (int s = 0; s < STEPS; s++) {
        ck_assert_msg(hirl_train_step(&report, t.trainer) == HIRL_OK, "%s", hirl_error_message());
        loss += report.loss / STEPS;
    }
    small_trainer_close(&t);
    return loss;
}

/* Allows 2 % of the loss, at least 0.02 (SimSiam's loss passes 0 on its way to -1).
 * Averages over seeds, because with HIRL a single image that rounding moves to
 * another cluster changes the loss noticeably. */
START_TEST(bf16_follows_f32)
{
    static const char *const seed[SEEDS] = { "7", "8", "9" };
    const char *hirl = _i % 2 ? "1" : "0";
    double f32 = 0, bf16 = 0;

    for (int i = 0; i < SEEDS; i++) {
        f32 += mean_loss(_i / 2, hirl, "f32", seed[i]) / SEEDS;
        bf16 += mean_loss(_i / 2, hirl, "bf16", seed[i]) / SEEDS;
    }
    ck_assert_msg(bf16 != f32, "method %d: bf16 and f32 give the same loss", _i / 2);
    ck_assert_msg(fabs(bf16 - f32) < 0.02 * fmax(1, fabs(f32)), "method %d: f32 %g, bf16 %g",
                  _i / 2, f32, bf16);
}
END_TEST

static Suite *learning(void)
{
    Suite *suite = suite_create("learning");
    TCase *tests = tcase_create("learning");

    tcase_set_timeout(tests, 0);
    tcase_add_loop_test(tests, images_without_augmentation_are_memorised, 0, 2 * SMALL_METHODS);
    tcase_add_loop_test(tests, bf16_follows_f32, 0, 2 * SMALL_METHODS);
    suite_add_tcase(suite, tests);
    return suite;
}

HR_TEST_MAIN(learning)
