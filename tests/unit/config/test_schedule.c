/* test_schedule.c - schedules of the six methods: numbers of an independent program, and
 * formulas. */
#include <check.h>
#include <math.h>

#include "config/schedule.h"
#include "support/run.h"

enum { I = 1251 }; /* steps of an epoch of ImageNet at batch 1024 */

START_TEST(dino_rates_are_the_published_ones)
{
    hr_schedule lr = { HR_COSINE_LINSPACE, 0, 3e-3, 2e-6, 10, 400, I };

    ck_assert_double_eq(hr_schedule_at(&lr, 0), 0);
    ck_assert_double_eq_tol(hr_schedule_at(&lr, 1), 2.39827324326e-7, 1e-18);
    ck_assert_double_eq(hr_schedule_at(&lr, 12509), 3e-3); /* the end of the inclusive linspace */
    ck_assert_double_eq(hr_schedule_at(&lr, 12510), 3e-3); /* the start of the cosine */
    ck_assert_double_lt(hr_schedule_at(&lr, 12508), 3e-3);
    ck_assert_double_lt(hr_schedule_at(&lr, 12511), 3e-3);
    ck_assert_double_eq_tol(hr_schedule_at(&lr, 250200), 0.00156135864422, 5e-15);
    ck_assert_double_eq_tol(hr_schedule_at(&lr, 500399), 2.00000003108e-6, 5e-18);
    ck_assert_double_eq(hr_schedule_at(&lr, 500400), 2e-6);
}
END_TEST

START_TEST(dino_decay_and_momentum_are_the_published_ones)
{
    hr_schedule decay = { HR_COSINE, .base = 0.04, .last = 0.4, .epochs = 400, .per_epoch = I };
    hr_schedule m = { HR_COSINE, .base = 0.996, .last = 1, .epochs = 400, .per_epoch = I };

    ck_assert_double_eq_tol(hr_schedule_at(&decay, 0), 0.04, 1e-15);
    ck_assert_double_eq_tol(hr_schedule_at(&decay, 12509), 0.0405547912674, 5e-14);
    ck_assert_double_eq_tol(hr_schedule_at(&decay, 12510), 0.040554879928, 5e-13);
    ck_assert_double_eq_tol(hr_schedule_at(&decay, 250200), 0.22, 1e-15);
    ck_assert_double_eq(hr_schedule_at(&m, 0), 0.996);
    ck_assert_double_eq_tol(hr_schedule_at(&m, 12509), 0.996006164347, 5e-13);
    ck_assert_double_eq_tol(hr_schedule_at(&m, 12510), 0.996006165333, 5e-13);
    ck_assert_double_eq_tol(hr_schedule_at(&m, 250200), 0.998, 1e-15);
}
END_TEST

START_TEST(teacher_temperatures_are_the_published_ones)
{
    hr_schedule t = { HR_LINSPACE_EPOCH,   0.04,          0.07,
                      .warmup_epochs = 50, .epochs = 400, .per_epoch = I };
    hr_schedule one = t;

    ck_assert_double_eq(hr_schedule_at(&t, 0), 0.04);
    ck_assert_double_eq(hr_schedule_at(&t, I - 1), 0.04);
    ck_assert_double_eq_tol(hr_schedule_at(&t, I), 0.040612244898, 5e-13);
    ck_assert_double_eq_tol(hr_schedule_at(&t, 25 * I + 600), 0.055306122449, 5e-13);
    ck_assert_double_eq_tol(hr_schedule_at(&t, 49 * I), 0.07, 1e-15);
    ck_assert_double_eq(hr_schedule_at(&t, 50 * I), 0.07);
    ck_assert_double_eq(hr_schedule_at(&t, 399 * I), 0.07);
    one.warmup_epochs = 1; /* numpy.linspace(0.04, 0.07, 1) is 0.04 */
    ck_assert_double_eq(hr_schedule_at(&one, 0), 0.04);
    ck_assert_double_eq(hr_schedule_at(&one, I), 0.07);
    one.warmup_epochs = 0;
    ck_assert_double_eq(hr_schedule_at(&one, 0), 0.07);
}
END_TEST

START_TEST(mocov3_rate_and_momentum_are_the_published_ones)
{
    hr_schedule m = { HR_COSINE, .base = 0.99, .last = 1, .epochs = 400, .per_epoch = 310 };
    hr_schedule lr = { HR_COSINE, 0, 1.6e-3, 0, 40, 400, 310 };

    ck_assert_double_eq(hr_schedule_at(&m, 0), 0.99);
    ck_assert_double_eq_tol(hr_schedule_at(&m, 100 * 310), 0.9914644661, 5e-11);
    ck_assert_double_eq_tol(hr_schedule_at(&m, 200 * 310), 0.995, 1e-15);
    ck_assert_double_eq_tol(hr_schedule_at(&m, 400 * 310 - 31), 0.9999999985,
                            5e-11); /* e = 399.9 */
    /* lr e / 40; the cosine begins at epoch 40 and is at its middle at 220 */
    ck_assert_double_eq(hr_schedule_at(&lr, 0), 0);
    ck_assert_double_eq_tol(hr_schedule_at(&lr, 1), 1.6e-3 / 12400, 1e-18);
    ck_assert_double_eq_tol(hr_schedule_at(&lr, 12399), 1.6e-3 * 12399 / 12400, 1e-18);
    ck_assert_double_eq(hr_schedule_at(&lr, 12400), 1.6e-3);
    ck_assert_double_eq_tol(hr_schedule_at(&lr, 220 * 310), 0.8e-3, 1e-18);
}
END_TEST

START_TEST(swav_has_the_rates_of_both_programs)
{
    hr_schedule hirl = { HR_COSINE, 0.3, 4.8, 0.0048, 10, 200, 312 };
    hr_schedule swav = { HR_COSINE_LINSPACE, 0.3, 4.8, 0.0048, 10, 200, 312 };

    ck_assert_double_eq(hr_schedule_at(&hirl, 0), 0.3);
    ck_assert_double_eq_tol(hr_schedule_at(&hirl, 5 * 312), 2.55, 1e-14);
    ck_assert_double_eq(hr_schedule_at(&hirl, 10 * 312), 4.8);
    ck_assert_double_eq_tol(hr_schedule_at(&hirl, 100 * 312), 2.600392239, 5e-10);
    ck_assert_double_eq_tol(hr_schedule_at(&hirl, 199 * 312 + 156), 0.004881936, 5e-10);
    /* SwAV's own authors: 0.3 + 4.5 step / (10 I - 1); the cosine is the same */
    ck_assert_double_eq_tol(hr_schedule_at(&swav, 5 * 312), 0.3 + 4.5 * 1560 / 3119, 1e-14);
    ck_assert_double_eq_tol(hr_schedule_at(&swav, 3119), 4.8, 1e-14);
    ck_assert_double_lt(hr_schedule_at(&hirl, 3119), 4.7999);
    for (int64_t it = 3120; it < 200 * 312; it += 311)
        ck_assert_double_eq(hr_schedule_at(&swav, it), hr_schedule_at(&hirl, it));
}
END_TEST

START_TEST(mocov2_rate_falls_by_whole_epochs)
{
    hr_schedule lr = { HR_COSINE_EPOCH, .base = 0.03, .epochs = 200, .per_epoch = 5004 };
    hr_schedule predictor = { HR_CONSTANT, .base = 0.1 };

    ck_assert_double_eq(hr_schedule_at(&lr, 0), 0.03);
    ck_assert_double_eq(hr_schedule_at(&lr, 5003), 0.03);
    ck_assert_double_eq_tol(hr_schedule_at(&lr, 5004), 0.029998149, 5e-10);
    ck_assert_double_eq_tol(hr_schedule_at(&lr, 100 * 5004 + 17), 0.015, 1e-15);
    ck_assert_double_eq_tol(hr_schedule_at(&lr, 200 * 5004 - 1), 0.000001851, 5e-10);
    ck_assert_double_eq(hr_schedule_at(&predictor, 12345), 0.1);
}
END_TEST

START_TEST(each_step_has_a_rate_of_its_own)
{
    /* int(step / I * I) in floating point repeats the step before in 7 % of all steps */
    hr_schedule lr = { HR_COSINE_LINSPACE, 0, 3e-3, 2e-6, 10, 400, 2502 };

    for (int64_t it = 1; it < 400 * 2502; it++) {
        double before = hr_schedule_at(&lr, it - 1), now = hr_schedule_at(&lr, it);

        if (it < 25020)
            ck_assert_double_gt(now, before);
        else if (it > 25020)
            ck_assert_double_lt(now, before);
        else
            ck_assert_double_eq(now, before);
    }
}
END_TEST

HR_TESTS("schedule", dino_rates_are_the_published_ones,
         dino_decay_and_momentum_are_the_published_ones,
         teacher_temperatures_are_the_published_ones,
         mocov3_rate_and_momentum_are_the_published_ones, swav_has_the_rates_of_both_programs,
         mocov2_rate_falls_by_whole_epochs, each_step_has_a_rate_of_its_own)
