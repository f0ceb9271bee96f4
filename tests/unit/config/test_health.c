/* test_health.c - figures of features, and the verdict on those of runs that were measured. */
#include "train/health.h"

#include <check.h>
#include <stdbool.h>
#include <string.h>

#include "support/close.h"
#include "support/run.h"

START_TEST(health_is_full_for_orthogonal_rows_and_zero_for_equal_ones)
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
}
END_TEST

/* Rows on both ends of one line: std is healthy, and the rank shows the collapse. */
START_TEST(features_of_two_opposite_directions_have_rank_one)
{
    enum { D = 16, N = 10 };
    float line[N][D];
    double work[D * D + D];
    char text[HR_HEALTH_TEXT];
    hr_health h;

    for (int n = 0; n < N; n++)
        for (int c = 0; c < D; c++)
            line[n][c] = (n % 2 ? 1.0f : -1.0f) * (c % 3 ? 1.0f : 2.0f);
    hr_health_measure(&h, &line[0][0], N, D, work);
    ck_assert_double_gt(h.std, 0.9);
    ck_assert_double_eq_tol(h.rank, 1, 1e-6);
    hr_health_judge(text, &h, 1, 2, 50);
    ck_assert_msg(strstr(text, "one direction") && strstr(text, "below 1.05"), "%s", text);
}
END_TEST

/* tests/bench/README.md, "Health": the lowest figures that runs reached. */
static const struct run {
    const char *name;
    double std, rank;
    bool collapsed;
} run[] = {
    /* lowest std and lowest rank of all epochs of shipped presets */
    { "mocov2", 0.462, 2.236, false },
    { "simsiam", 0.925, 2.900, false },
    { "swav", 0.296, 1.121, false }, /* this run ended at 20.0 %, six times the untrained encoder */
    { "mocov3", 0.970, 4.689, false },
    { "dino", 0.354, 1.305, false },
    { "ibot", 0.152, 1.370, false },
    /* tiny networks, lr=30 */
    { "swav, lr=30", 0.0272, 2.995, true },
    { "simsiam, lr=30, epoch 6", 0.0049, 1.225, true },
    /* a tiny network that has not learned yet */
    { "mocov2, start", 0.0474, 2.268, false },
    { "mocov2, lr=30", 0.0010, 1.060, true },
};

START_TEST(measured_runs_are_judged_as_they_ended)
{
    for (size_t i = 0; i < sizeof run / sizeof *run; i++) {
        hr_health h = { .std = run[i].std, .rank = run[i].rank };
        char text[HR_HEALTH_TEXT];

        hr_health_judge(text, &h, 1, 2, 50);
        ck_assert_msg((strstr(text, "collapse likely") != NULL) == run[i].collapsed, "%s: %s",
                      run[i].name, text);
    }
}
END_TEST

START_TEST(a_verdict_names_what_it_was_judged_on)
{
    hr_health h = { .std = 0.5, .rank = 2.5 };
    char text[HR_HEALTH_TEXT];

    hr_health_judge(text, &h, 1, 2, 50);
    ck_assert_str_eq(text, "no collapse: std 0.500, at least 0.03; rank 2.50, at least 1.05");
    hr_health_judge(text, &h, 1, 2, 49);
    ck_assert_str_eq(text, "too early to judge: step 49, below 50");
    hr_health_judge(text, &h, 3, 2, 50);
    ck_assert_msg(strstr(text, "(3.000, above 2.400)"), "%s", text);
    h.std = 0.0004;
    hr_health_judge(text, &h, 1, 2, 50);
    ck_assert_msg(strstr(text, "(std 0.0004, below 0.03)"), "%s", text);
}
END_TEST

HR_TESTS("health", health_is_full_for_orthogonal_rows_and_zero_for_equal_ones,
         features_of_two_opposite_directions_have_rank_one, measured_runs_are_judged_as_they_ended,
         a_verdict_names_what_it_was_judged_on)
