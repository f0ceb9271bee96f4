/* test_paths.c - negative leaves: which are drawn, how often, and what keys the draws. */
#include <math.h>
#include <string.h>

#include "base/rng.h"
#include "hier/paths.h"
#include "support/close.h"
#include "support/run.h"

enum { ROWS = 6, DRAWS = 4000, LEAVES = 5 };

static const int32_t leaf[ROWS] = { 0, 4, 2, -1, 2, 3 };
static const int64_t image[ROWS] = { 10, 3, 77, 8, 78, 0 };
static int32_t negative[ROWS * DRAWS], again[ROWS * DRAWS];

static int count(const int32_t *row, int32_t value)
{
    int n = 0;

    for (int j = 0; j < DRAWS; j++)
        n += row[j] == value;
    return n;
}

/* n of DRAWS draws have probability p: n is within five standard deviations */
static void assert_frequency(int n, double p)
{
    double spread = 5 * sqrt(DRAWS * p * (1 - p));

    ck_assert_double_le(fabs(n - DRAWS * p), spread);
}

START_TEST(others_are_drawn_uniformly_without_the_positive)
{
    hr_paths_draw(negative, ROWS, DRAWS, leaf, image, LEAVES, 1, 2, false);
    for (int i = 0; i < ROWS; i++)
        for (int32_t v = -1; v < LEAVES; v++) {
            int n = count(negative + i * DRAWS, v);

            if (leaf[i] < 0)
                ck_assert_int_eq(n, v < 0 ? DRAWS : 0);
            else if (v < 0 || v == leaf[i])
                ck_assert_int_eq(n, 0);
            else
                assert_frequency(n, 1. / (LEAVES - 1));
        }
}
END_TEST

START_TEST(all_leaves_are_drawn_and_the_positive_is_masked)
{
    hr_paths_draw(negative, ROWS, DRAWS, leaf, image, LEAVES, 1, 2, true);
    for (int i = 0; i < ROWS; i++)
        for (int32_t v = -1; v < LEAVES; v++) {
            int n = count(negative + i * DRAWS, v);

            if (leaf[i] < 0)
                ck_assert_int_eq(n, v < 0 ? DRAWS : 0);
            else if (v == leaf[i])
                ck_assert_int_eq(n, 0);
            else
                assert_frequency(n, 1. / LEAVES);
        }
}
END_TEST

START_TEST(draws_follow_the_documented_counter)
{
    hr_rng rng;

    hr_paths_draw(negative, ROWS, DRAWS, leaf, image, LEAVES, 42, 9, false);
    hr_rng_init(&rng, 42, HR_RNG_NEGATIVE, 0, 9, 77);
    for (int j = 0; j < 20; j++) {
        int32_t u = (int32_t)hr_rng_below(&rng, LEAVES - 1);

        ck_assert_int_eq(negative[2 * DRAWS + j], u < 2 ? u : u + 1);
    }
}
END_TEST

START_TEST(draws_depend_on_seed_step_and_image_and_on_nothing_else)
{
    hr_paths_draw(negative, ROWS, DRAWS, leaf, image, LEAVES, 1, 2, false);
    hr_paths_draw(again, 1, DRAWS, leaf + 2, image + 2, LEAVES, 1, 2, false); /* another batch */
    ck_assert_mem_eq(again, negative + 2 * DRAWS, DRAWS * sizeof *again);
    ck_assert_mem_ne(negative + 2 * DRAWS, negative + 4 * DRAWS, DRAWS * sizeof *again); /* image */
    hr_paths_draw(again, ROWS, DRAWS, leaf, image, LEAVES, 1, 3, false);
    ck_assert_mem_ne(again, negative, DRAWS * sizeof *again);
    hr_paths_draw(again, ROWS, DRAWS, leaf, image, LEAVES, 2, 2, false);
    ck_assert_mem_ne(again, negative, DRAWS * sizeof *again);
}
END_TEST

START_TEST(a_tree_of_one_leaf_has_no_negatives)
{
    const int32_t only[] = { 0 };

    hr_paths_draw(negative, 1, 3, only, image, 1, 1, 1, false);
    for (int j = 0; j < 3; j++)
        ck_assert_int_eq(negative[j], -1);
}
END_TEST

START_TEST(the_weight_is_that_of_the_profile_unless_given)
{
    hr_spd_config config;

    hr_assert_ok(hr_options_read(&config, &hr_spd_keys, NULL));
    ck_assert_double_eq(hr_spd_weight(&config), 1);
    ck_assert_double_eq(config.spd_eps, 1e-6);
    config.profile = HR_PROFILE_REFERENCE;
    ck_assert_double_eq(hr_spd_weight(&config), 0.5);
    config.spd_weight = 0;
    ck_assert_double_eq(hr_spd_weight(&config), 0);
}
END_TEST

START_TEST(the_draw_is_that_of_the_profile_unless_given)
{
    hr_spd_config config;

    hr_assert_ok(hr_options_read(&config, &hr_spd_keys, NULL));
    ck_assert(!hr_spd_draws_all(&config));
    config.draw = HR_NEGATIVES_ALL;
    ck_assert(hr_spd_draws_all(&config));
    config.profile = HR_PROFILE_REFERENCE;
    config.draw = HR_NEGATIVES_AUTO;
    ck_assert(hr_spd_draws_all(&config));
    config.draw = HR_NEGATIVES_OTHERS;
    ck_assert(!hr_spd_draws_all(&config));
}
END_TEST

HR_TESTS("paths", others_are_drawn_uniformly_without_the_positive,
         all_leaves_are_drawn_and_the_positive_is_masked, draws_follow_the_documented_counter,
         draws_depend_on_seed_step_and_image_and_on_nothing_else,
         a_tree_of_one_leaf_has_no_negatives, the_weight_is_that_of_the_profile_unless_given,
         the_draw_is_that_of_the_profile_unless_given)
