/* test_mask.c - iBOT's masks against an independent program: bit by bit, and by their statistics.
 *
 * Output of `tests/golden/mask.py statistics`: 200000 masks for each
 * grid, drawn with Python's own generator:
 *
 *     14x14: unmasked 0.5002, count 57.4536, count / target 0.9711, corner 0.0308, middle 0.5522
 *     8x8:   unmasked 0.5006, count 18.6346, count / target 0.9621, corner 0.0832, middle 0.4875
 *     2x2:   unmasked 0.5011, count 0.6235,  count / target 0.4324, corner 0.1567, middle 0.1577
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "ssl/mask.h"
#include "support/run.h"

enum { SIDE = 14, CELLS = SIDE * SIDE, DRAWS = 20000 };

static int64_t sum_of(const uint8_t *mask, int64_t n)
{
    int64_t sum = 0, other = 0;

    for (int64_t i = 0; i < n; i++) {
        sum += mask[i];
        other += mask[i] > 1;
    }
    return other ? -1 : sum;
}

/* ---- an independent program ---- */

static void check_line(FILE *file, int line)
{
    uint8_t mask[CELLS];
    long long h, w, scattered, seed, epoch, image, view, count, row;
    hr_mask_config config = { .p = 0.5, .ratio = 0.3, .spread = 0.2 };

    ck_assert_int_eq(fscanf(file, "%lld %lld %lld %lld %lld %lld %lld %lld", &h, &w, &scattered,
                            &seed, &epoch, &image, &view, &count),
                     8);
    config.scattered = scattered;
    memset(mask, 7, sizeof mask);
    ck_assert_int_eq(hr_mask_draw(mask, h, w, &config, (uint64_t)seed, epoch, image, (int32_t)view),
                     count);
    ck_assert_int_eq(sum_of(mask, h * w), count);
    for (int64_t y = 0; y < h; y++) {
        ck_assert_int_eq(fscanf(file, "%lld", &row), 1);
        for (int64_t x = 0; x < w; x++)
            ck_assert_msg(mask[y * w + x] == (row >> x & 1), "line %d, patch %d,%d", line, (int)y,
                          (int)x);
    }
}

START_TEST(masks_equal_those_of_an_independent_program)
{
    char path[4096], word[8];
    int lines = 0;
    FILE *file;

    snprintf(path, sizeof path, "%s/mask.txt", getenv("HIRL_TEST_DATA"));
    file = fopen(path, "r");
    ck_assert_ptr_nonnull(file);
    while (fscanf(file, "%7s", word) == 1)
        check_line(file, ++lines);
    ck_assert_int_eq(lines, 6 * (10 + 4));
    fclose(file);
}
END_TEST

/* ---- statistics ---- */

typedef struct sums {
    int64_t masked, corner, middle;
    int64_t wrong; /* unmasked views with masked patches; scattered masks that miss the target */
    double count, square; /* sums over masked views of the masked patches and their square */
} sums;

/* target number of masked patches of a view, from the second number of its generator */
static double target_of(int64_t cells, int64_t image)
{
    hr_rng rng;

    hr_rng_init(&rng, 1, HR_RNG_MASK, 0, 2, (uint32_t)image);
    hr_rng_uniform(&rng);
    return (double)cells * hr_rng_range(&rng, 0.3 - 0.2, 0.3 + 0.2);
}

static sums collect(int64_t side, bool scattered)
{
    hr_mask_config config = { .p = 0.5, .ratio = 0.3, .spread = 0.2 };
    sums s = { 0 };

    config.scattered = scattered;
    for (int i = 0; i < DRAWS; i++) {
        uint8_t mask[CELLS];
        double n = (double)hr_mask_draw(mask, side, side, &config, 1, 2, i, 0);
        double target = target_of(side * side, i);
        hr_rng rng;

        ck_assert((double)sum_of(mask, side * side) == n && n <= target);
        hr_rng_init(&rng, 1, HR_RNG_MASK, 0, 2, (uint32_t)i);
        if (!(hr_rng_uniform(&rng) < 0.5)) {
            s.wrong += n != 0;
            continue;
        }
        s.wrong += scattered && n != floor(target);
        s.masked++;
        s.count += n;
        s.square += n * n;
        s.corner += mask[0];
        s.middle += mask[side / 2 * side + side / 2];
    }
    ck_assert_int_eq(s.wrong, 0);
    return s;
}

/* Allows six standard errors, which includes room for those of the program's 200000 draws. */
static void expect_share(int64_t count, int64_t of, double p, const char *what)
{
    double error = sqrt(p * (1 - p) / (double)of);

    ck_assert_msg(fabs((double)count / (double)of - p) <= 6 * error, "%s: %g, expected %g", what,
                  (double)count / (double)of, p);
}

static void expect_mean(const sums *s, double want)
{
    double n = (double)s->masked, mean = s->count / n;
    double error = sqrt((s->square / n - mean * mean) / n);

    ck_assert_msg(fabs(mean - want) <= 6 * error, "count: %g, expected %g", mean, want);
}

START_TEST(blocks_have_the_statistics_of_an_independent_program)
{
    static const struct {
        int side;
        double count, corner, middle;
    } want[] = { { 14, 57.4536, 0.0308, 0.5522 },
                 { 8, 18.6346, 0.0832, 0.4875 },
                 { 2, 0.6235, 0.1567, 0.1577 } };

    for (size_t k = 0; k < sizeof want / sizeof *want; k++) {
        sums s = collect(want[k].side, false);

        expect_share(s.masked, DRAWS, 0.5, "masked views");
        expect_mean(&s, want[k].count);
        expect_share(s.corner, s.masked, want[k].corner, "corner");
        expect_share(s.middle, s.masked, want[k].middle, "middle");
    }
}
END_TEST

/* The count is floor(U(19.6, 98)): 20 to 97 with probability 1 / 78.4 each, 19
 * with 0.4 / 78.4, mean (78 58.5 + 0.4 19) / 78.4 = 58.2985. Each patch is masked
 * with probability 58.2985 / 196 = 0.29744. */
START_TEST(scattered_masks_hide_every_patch_equally_often)
{
    sums s = collect(SIDE, true);

    expect_mean(&s, 58.2985);
    expect_share(s.corner, s.masked, 0.29744, "corner");
    expect_share(s.middle, s.masked, 0.29744, "middle");
}
END_TEST

/* A mask ends after ten blocks in a row did not fit, so it stays slightly below its target. */
START_TEST(blocks_hide_about_98_per_cent_of_the_target)
{
    hr_mask_config always = { .p = 1, .ratio = 0.3, .spread = 0.2 };
    double hidden = 0, target = 0;

    for (int i = 0; i < 4000; i++) {
        uint8_t mask[CELLS];

        hidden += (double)hr_mask_draw(mask, SIDE, SIDE, &always, 1, 2, i, 0);
        target += target_of(CELLS, i);
    }
    ck_assert_double_eq_tol(hidden / target, 0.98, 0.005);
}
END_TEST

/* ---- dependence on seed, epoch, image and view ---- */

START_TEST(a_mask_depends_only_on_seed_epoch_image_and_view)
{
    hr_mask_config always = { .p = 1, .ratio = 0.3 };
    uint8_t mask[6][CELLS];

    hr_mask_draw(mask[0], SIDE, SIDE, &always, 1, 2, 3, 0);
    hr_mask_draw(mask[1], SIDE, SIDE, &always, 1, 2, 3, 1);
    hr_mask_draw(mask[2], SIDE, SIDE, &always, 1, 2, 4, 0);
    hr_mask_draw(mask[3], SIDE, SIDE, &always, 1, 3, 3, 0);
    hr_mask_draw(mask[4], SIDE, SIDE, &always, (uint64_t)1 << 32 | 1, 2, 3, 0);
    for (int i = 0; i < 5; i++)
        for (int k = i + 1; k < 5; k++)
            ck_assert(memcmp(mask[i], mask[k], CELLS));
    memset(mask[5], 1, CELLS);
    hr_mask_draw(mask[5], SIDE, SIDE, &always, 1, 2, 3, 0);
    ck_assert_mem_eq(mask[5], mask[0], CELLS);
}
END_TEST

START_TEST(zero_ratio_and_zero_probability_hide_nothing)
{
    hr_mask_config none = { .p = 1 }, never = { .p = 0, .ratio = 0.3 };
    uint8_t mask[CELLS];

    for (int i = 0; i < 100; i++) {
        ck_assert_int_eq(hr_mask_draw(mask, SIDE, SIDE, &none, 1, 2, i, 0), 0);
        ck_assert_int_eq(hr_mask_draw(mask, SIDE, SIDE, &never, 1, 2, i, 0), 0);
        ck_assert_int_eq(
            hr_mask_draw(mask, 1, 1, &(hr_mask_config){ 1, 0.5, 0.2, false }, 1, 2, i, 0), 0);
    }
}
END_TEST

HR_TESTS("mask", masks_equal_those_of_an_independent_program,
         blocks_have_the_statistics_of_an_independent_program,
         scattered_masks_hide_every_patch_equally_often,
         blocks_hide_about_98_per_cent_of_the_target,
         a_mask_depends_only_on_seed_epoch_image_and_view,
         zero_ratio_and_zero_probability_hide_nothing)
