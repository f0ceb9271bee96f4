/* test_mask.c - iBOT's masks: bit by bit against a second program, its statistics, bounds.
 *
 * `mask.py statistics` (tests/golden, 200000 masks of Python's own generator for each grid):
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

/* ---- a second program ---- */

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

START_TEST(masks_equal_those_of_a_second_program)
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
    int64_t wrong; /* hidden patches of a view without mask; of scattered ones, not the target */
    double count, square; /* of masked views */
} sums;

/* the share drawn for a view: the second number of its generator */
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

/* five standard errors, and the same again for the program's own */
static void expect_share(int64_t count, int64_t of, double p, const char *what)
{
    double error = sqrt(p * (1 - p) / (double)of);

    ck_assert_msg(fabs((double)count / (double)of - p) <= 6 * error, "%s: %g, not %g", what,
                  (double)count / (double)of, p);
}

static void expect_mean(const sums *s, double want)
{
    double n = (double)s->masked, mean = s->count / n;
    double error = sqrt((s->square / n - mean * mean) / n);

    ck_assert_msg(fabs(mean - want) <= 6 * error, "count: %g, not %g", mean, want);
}

START_TEST(blocks_have_the_statistics_of_a_second_program)
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

/* floor(U(19.6, 98)): 78 numbers 20..97 of probability 1 / 78.4 and 19 of 0.4 / 78.4: mean
 * (78 58.5 + 0.4 19) / 78.4 = 58.2985; each patch as likely: 58.2985 / 196 = 0.29744 */
START_TEST(scattered_masks_hide_every_patch_as_often)
{
    sums s = collect(SIDE, true);

    expect_mean(&s, 58.2985);
    expect_share(s.corner, s.masked, 0.29744, "corner");
    expect_share(s.middle, s.masked, 0.29744, "middle");
}
END_TEST

/* spec.md 8.12 */
START_TEST(about_98_per_cent_of_the_target_is_hidden)
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

/* ---- what a mask depends on ---- */

START_TEST(a_mask_depends_on_seed_epoch_image_and_view_alone)
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

START_TEST(no_share_and_no_chance_hide_nothing)
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

HR_TESTS("mask", masks_equal_those_of_a_second_program,
         blocks_have_the_statistics_of_a_second_program, scattered_masks_hide_every_patch_as_often,
         about_98_per_cent_of_the_target_is_hidden,
         a_mask_depends_on_seed_epoch_image_and_view_alone, no_share_and_no_chance_hide_nothing)
