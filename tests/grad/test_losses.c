/* test_losses.c - gradients of InfoNCE and the path loss as training uses them: of normalised rows,
 * with masked keys, images without a leaf, paths that were not drawn, and one to eight levels. */
#include <check.h>
#include <math.h>

#include "support/close.h"
#include "support/gradcheck.h"
#include "support/run.h"

#define DIM(...) ((const int64_t[]){ __VA_ARGS__ })

enum { N = 3, D = 6, K = 7, LEAVES = 9, LEVELS = 8 };

/* ---- InfoNCE ---- */

/* variant 0: no masked keys, 1: some, 2: all keys of the first image, 3: some, temperature 0.07 */
static hr_tensor *info_nce(hr_gradcheck *c)
{
    static const int64_t id[N] = { 1, 2, 3 };
    static const int64_t owner[4][K] = { { 9, 9, 9, 9, 9, 9, 9 },
                                         { 1, 9, 3, 3, 9, -1, 2 },
                                         { 1, 1, 1, 1, 1, 1, 1 },
                                         { 1, 2, 3, 4, 5, 6, 7 } };
    hr_tape *t = &c->tape;
    hr_tensor *x = hr_check_leaf_of(c, 2, DIM(N, D));
    hr_tensor *k = hr_normalize(t, hr_check_constant(c, 2, DIM(N, D)));
    hr_tensor *queue = hr_normalize(t, hr_check_constant(c, 2, DIM(K, D)));
    hr_array ids = hr_check_i64(c, id, N), owners = hr_check_i64(c, owner[c->variant], K);

    return hr_info_nce(t, hr_normalize(t, x), k, &queue->x, &ids, &owners,
                       c->variant == 3 ? 0.07 : 0.2);
}

/* ---- the path loss ---- */

/* the path of leaf j has node j >> l at level l, counted from 0: M_l = 9, 5, 3, 2, 1, 1, ... */
static hr_spd_paths tree(hr_gradcheck *c, int levels)
{
    hr_spd_paths paths = { .levels = levels, .eps = 1e-6 };
    int32_t path[LEAVES * LEVELS];

    for (int j = 0; j < LEAVES; j++)
        for (int l = 0; l < levels; l++)
            path[j * levels + l] = j >> l;
    for (int l = 0; l < levels; l++) {
        int64_t nodes = ((LEAVES - 1) >> l) + 1;

        paths.proto[l] = hr_normalize(&c->tape, hr_check_constant(c, 2, DIM(nodes, D)))->x;
    }
    paths.path = hr_check_i32(c, path, 2, DIM(LEAVES, levels));
    return paths;
}

static hr_tensor *heads_and_loss(hr_gradcheck *c, const hr_spd_paths *paths)
{
    hr_tensor *u[LEVELS];

    for (int l = 0; l < paths->levels; l++)
        u[l] = hr_normalize(&c->tape, hr_check_leaf_of(c, 2, DIM(N, D)));
    return hr_spd(&c->tape, u, paths);
}

static hr_tensor *spd_levels(hr_gradcheck *c)
{
    static const int32_t positive[N] = { 4, 0, 8 };
    static const int32_t negative[N * 4] = { 0, 1, 2, 8, 1, 2, 3, 3, 0, 4, 5, 6 };
    hr_spd_paths paths = tree(c, c->variant + 1);

    paths.positive = hr_check_i32(c, positive, 1, DIM(N));
    paths.negative = hr_check_i32(c, negative, 2, DIM(N, 4));
    return heads_and_loss(c, &paths);
}

/* The second image has no leaf; for the first, one path was not drawn; for the third, none was.
 * variant 1: divisor of profile reference, 2: eps = 0 */
static hr_tensor *spd_missing(hr_gradcheck *c)
{
    static const int32_t positive[N] = { 4, -1, 8 };
    static const int32_t negative[N * 3] = { 0, -1, 2, 1, 2, 3, -1, -1, -1 };
    hr_spd_paths paths = tree(c, 3);

    paths.positive = hr_check_i32(c, positive, 1, DIM(N));
    paths.negative = hr_check_i32(c, negative, 2, DIM(N, 3));
    paths.divisor_eps = c->variant == 1 ? 1e-6 : 0;
    if (c->variant == 2)
        paths.eps = 0;
    return hr_scale(&c->tape, heads_and_loss(c, &paths), 0.5);
}

START_TEST(info_nce_has_the_gradient_of_finite_differences)
{
    hr_gradcheck_case(info_nce, _i);
}
END_TEST

START_TEST(spd_has_the_gradient_of_finite_differences_at_any_number_of_levels)
{
    hr_gradcheck_case(spd_levels, _i);
}
END_TEST

START_TEST(spd_has_the_gradient_of_finite_differences_with_missing_leaves_and_paths)
{
    hr_gradcheck_case(spd_missing, _i);
}
END_TEST

static Suite *losses(void)
{
    Suite *suite = suite_create("losses");
    TCase *tests = tcase_create("gradients");

    tcase_add_loop_test(tests, info_nce_has_the_gradient_of_finite_differences, 0, 4);
    tcase_add_loop_test(tests, spd_has_the_gradient_of_finite_differences_at_any_number_of_levels,
                        0, LEVELS);
    tcase_add_loop_test(
        tests, spd_has_the_gradient_of_finite_differences_with_missing_leaves_and_paths, 0, 3);
    suite_add_tcase(suite, tests);
    return suite;
}

HR_TEST_MAIN(losses)
