/* test_augment_draw.c - the random choices of views: bounds, frequencies, the crop's fallback. */
#include <math.h>
#include <string.h>

#include "data/augment.h"
#include "support/close.h"
#include "support/run.h"

enum { DRAWS = 20000 };

static const float mean[3] = { 0.485f, 0.456f, 0.406f }, std[3] = { 0.229f, 0.224f, 0.225f };

static void draw(hr_augment_record *r, hr_recipe recipe, int64_t width, int64_t height,
                 int64_t image)
{
    hr_view view;

    hr_view_recipe(&view, recipe, 32, mean, std);
    hr_augment_draw(r, &view, width, height, 1, 2, image, 0);
}

static void expect_box(const hr_augment_record *r, int left, int top, int width, int height)
{
    ck_assert_msg(r->left == left && r->top == top && r->width == width && r->height == height,
                  "%d,%d %dx%d, not %d,%d %dx%d", r->left, r->top, r->width, r->height, left, top,
                  width, height);
}

/* Area at least a fifth of 1500 and width at most 3 would need a ratio below 3^2 / 300, which
 * never occurs. So the height is 3 / (3/4) = 4 at the centre: (500 - 4) / 2 = 248. 100 x 10:
 * 10 * 4/3 = 13.3 -> 13, (100 - 13) / 2 = 43.5 -> 43. */
START_TEST(crop_of_a_thin_image_falls_back_to_its_middle)
{
    hr_augment_record r;

    for (int i = 0; i < 50; i++) {
        draw(&r, HR_RECIPE_MOCOV2, 3, 500, i);
        expect_box(&r, 0, 248, 3, 4);
        draw(&r, HR_RECIPE_MOCOV2, 500, 3, i);
        expect_box(&r, 248, 0, 4, 3);
        draw(&r, HR_RECIPE_MOCOV2, 100, 10, i);
        expect_box(&r, 43, 0, 13, 10);
        draw(&r, HR_RECIPE_MOCOV2, 1, 1, i);
        expect_box(&r, 0, 0, 1, 1);
    }
}
END_TEST

/* w = round sqrt(A a), so w h differs from A, and w / h from a, by at most half a pixel per side */
START_TEST(crops_lie_inside_and_keep_area_and_ratio)
{
    double share = 0, ratio = 0, x = 0, y = 0;

    for (int i = 0; i < DRAWS; i++) {
        hr_augment_record r;
        double w, h;

        draw(&r, HR_RECIPE_SWAV_LOCAL, 500, 375, i);
        w = r.width;
        h = r.height;
        ck_assert(r.left >= 0 && r.top >= 0 && r.left + r.width <= 500 && r.top + r.height <= 375);
        ck_assert((w + 0.5) * (h + 0.5) >= 0.05 * 187500 && (w - 0.5) * (h - 0.5) <= 0.14 * 187500);
        ck_assert((w + 0.5) / (h - 0.5) >= 0.75 && (w - 0.5) / (h + 0.5) <= 4.0 / 3);
        share += w * h / 187500;
        ratio += log(w / h);
        x += r.left / (500 - w);
        y += r.top / (375 - h);
    }
    /* uniform on an interval of width d: standard error d / sqrt(12 n), five as bound */
    ck_assert(fabs(share / DRAWS - 0.095) < 5 * 0.09 / sqrt(12.0 * DRAWS));
    ck_assert(fabs(ratio / DRAWS) < 5 * 2 * log(4.0 / 3) / sqrt(12.0 * DRAWS));
    ck_assert(fabs(x / DRAWS - 0.5) < 5 / sqrt(12.0 * DRAWS));
    ck_assert(fabs(y / DRAWS - 0.5) < 5 / sqrt(12.0 * DRAWS));
}
END_TEST

static void expect_share(int count, int of, double p, const char *what)
{
    double error = sqrt(p * (1 - p) / of);

    ck_assert_msg(fabs((double)count / of - p) <= 5 * error, "%s: %d of %d, not %g", what, count,
                  of, p);
}

START_TEST(operations_occur_with_the_probabilities_of_the_recipe)
{
    static const struct {
        hr_recipe recipe;
        double blur, solarize;
        int flip;
    } want[] = { { HR_RECIPE_MOCOV2, 0.5, 0, 1 },        { HR_RECIPE_SWAV_LOCAL, 0.5, 0, 2 },
                 { HR_RECIPE_MOCOV3_FIRST, 1, 0, 1 },    { HR_RECIPE_MOCOV3_SECOND, 0.1, 0.2, 1 },
                 { HR_RECIPE_DINO_SECOND, 0.1, 0.2, 2 }, { HR_RECIPE_IBOT_FIRST, 1, 0, 2 } };

    for (size_t k = 0; k < sizeof want / sizeof *want; k++) {
        int flip = 0, jitter = 0, gray = 0, blur = 0, solarize = 0;

        for (int i = 0; i < DRAWS; i++) {
            hr_augment_record r;

            draw(&r, want[k].recipe, 64, 64, i);
            flip += r.flip == want[k].flip;
            ck_assert(r.flip == 0 || r.flip == want[k].flip);
            jitter += r.jitter;
            gray += r.gray;
            blur += r.sigma > 0;
            solarize += r.solarize;
        }
        expect_share(flip, DRAWS, 0.5, "flip");
        expect_share(jitter, DRAWS, 0.8, "jitter");
        expect_share(gray, DRAWS, 0.2, "gray");
        expect_share(blur, DRAWS, want[k].blur, "blur");
        expect_share(solarize, DRAWS, want[k].solarize, "solarize");
    }
}
END_TEST

START_TEST(factors_and_sigma_are_uniform_in_their_bounds)
{
    static const double low[4] = { 0.6f, 0.6f, 0.8f, -0.1f }, high[4] = { 1.4f, 1.4f, 1.2f, 0.1f };
    double sum[4] = { 0 }, sigma = 0;
    int n = 0;

    for (int i = 0; i < DRAWS; i++) {
        hr_augment_record r;

        draw(&r, HR_RECIPE_MOCOV3_FIRST, 64, 64, i);
        ck_assert(r.sigma >= 0.1f && r.sigma <= 2.0f);
        sigma += (double)r.sigma;
        n += r.jitter;
        for (int k = 0; r.jitter && k < 4; k++) {
            ck_assert((double)r.factor[k] >= low[k] && (double)r.factor[k] <= high[k]);
            sum[k] += (double)r.factor[k];
        }
    }
    ck_assert(fabs(sigma / DRAWS - 1.05) < 5 * 1.9 / sqrt(12.0 * DRAWS));
    for (int k = 0; k < 4; k++)
        ck_assert(fabs(sum[k] / n - (low[k] + high[k]) / 2) <
                  5 * (high[k] - low[k]) / sqrt(12.0 * n));
}
END_TEST

START_TEST(the_24_orders_are_equally_frequent)
{
    int count[256] = { 0 }, orders = 0, n = 0;

    for (int i = 0; i < DRAWS; i++) {
        hr_augment_record r;
        int code = 0, seen = 0;

        draw(&r, HR_RECIPE_MOCOV2, 64, 64, i);
        if (!r.jitter)
            continue;
        for (int k = 0; k < 4; k++) {
            seen |= 1 << r.order[k];
            code = 4 * code + r.order[k];
        }
        ck_assert_int_eq(seen, 15);
        count[code]++;
        n++;
    }
    for (int code = 0; code < 256; code++)
        if (count[code]) {
            orders++;
            expect_share(count[code], n, 1.0 / 24, "an order");
        }
    ck_assert_int_eq(orders, 24);
}
END_TEST

START_TEST(a_draw_depends_on_seed_epoch_image_and_view_alone)
{
    hr_augment_record r[6];
    hr_view view;

    hr_view_recipe(&view, HR_RECIPE_MOCOV2, 32, mean, std);
    memset(r, 0xA5, sizeof r);
    hr_augment_draw(&r[0], &view, 500, 375, 1, 2, 3, 0);
    hr_augment_draw(&r[1], &view, 500, 375, 1, 2, 3, 0);
    ck_assert(!memcmp(&r[0], &r[1], sizeof *r));
    hr_augment_draw(&r[2], &view, 500, 375, 1, 2, 3, 1);
    hr_augment_draw(&r[3], &view, 500, 375, 1, 2, 4, 0);
    hr_augment_draw(&r[4], &view, 500, 375, 1, 3, 3, 0);
    hr_augment_draw(&r[5], &view, 500, 375, (uint64_t)1 << 32 | 1, 2, 3, 0);
    for (int i = 1; i < 6; i++)
        for (int k = i + 1; k < 6; k++)
            ck_assert(memcmp(&r[i], &r[k], sizeof *r));
}
END_TEST

START_TEST(a_jitter_of_strength_zero_is_not_applied)
{
    hr_view view;

    hr_view_recipe(&view, HR_RECIPE_MOCOV2, 32, mean, std);
    view.jitter[3] = 0;
    for (int i = 0; i < 50; i++) {
        hr_augment_record r;
        int left_out = 0;

        hr_augment_draw(&r, &view, 64, 64, 1, 2, i, 0);
        for (int k = 0; k < 4; k++) {
            left_out += r.order[k] == -1;
            ck_assert_int_ne(r.order[k], 3);
        }
        ck_assert_int_eq(left_out, r.jitter);
    }
}
END_TEST

/* round(224 * 256 / 224) = 256, round(97 * 256 / 224) = 110.86 -> 111 */
START_TEST(evaluation_draws_nothing)
{
    hr_augment_record r;
    hr_view view;

    hr_view_evaluation(&view, 224, HR_BICUBIC, mean, std);
    hr_augment_draw(&r, &view, 500, 375, 1, 2, 3, 0);
    expect_box(&r, 0, 0, 500, 375);
    ck_assert_int_eq(r.resize, 256);
    ck_assert(!r.flip && !r.jitter && !r.gray && r.sigma == 0 && !r.solarize &&
              r.filter == HR_BICUBIC);
    hr_view_evaluation(&view, 97, HR_BILINEAR, mean, std);
    hr_augment_draw(&r, &view, 500, 375, 1, 2, 3, 0);
    ck_assert_int_eq(r.resize, 111);
    hr_view_evaluation(&view, 95, HR_BILINEAR, mean, std);
    hr_augment_draw(&r, &view, 500, 375, 1, 2, 3, 0);
    ck_assert_int_eq(r.resize, 0);
}
END_TEST

HR_TESTS("augment_draw", crop_of_a_thin_image_falls_back_to_its_middle,
         crops_lie_inside_and_keep_area_and_ratio,
         operations_occur_with_the_probabilities_of_the_recipe,
         factors_and_sigma_are_uniform_in_their_bounds, the_24_orders_are_equally_frequent,
         a_draw_depends_on_seed_epoch_image_and_view_alone,
         a_jitter_of_strength_zero_is_not_applied, evaluation_draws_nothing)
