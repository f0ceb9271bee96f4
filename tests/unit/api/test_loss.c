/* test_loss.c - the path loss on plain arrays, as an application calls it. */
#include <check.h>
#include <math.h>
#include <string.h>

#include <hirl/hirl.h>

#include "base/alloc.h"
#include "hier/paths.h"
#include "support/close.h"
#include "support/fill.h"
#include "support/run.h"

static hirl_context *context;

static hirl_context *context_of(const char *threads)
{
    hirl_options *options;
    hirl_context *made;

    hr_assert_ok(hirl_options_create(&options));
    hr_assert_ok(hirl_options_set(options, "threads", threads));
    hr_assert_ok(hirl_context_create(&made, options));
    hirl_options_destroy(options);
    return made;
}

static hirl_options *option(const char *key, const char *value)
{
    hirl_options *options;

    hr_assert_ok(hirl_options_create(&options));
    hr_assert_ok(hirl_options_set(options, key, value));
    return options;
}

static void setup(void)
{
    context = context_of("2");
}

static void teardown(void)
{
    hirl_context_destroy(context);
}

/* ---- golden numbers of an independent script: two columns, three levels ---- */

/* rows that are not of unit length: only their directions count */
static const float golden_z[6] = { 3, 0, 0.5f, 0.5f, 0, 7 };
static const int32_t golden_leaf[1] = { 0 };
static const int32_t golden_negative[5] = { 1, 2, 3, 0, 1 }; /* the fourth is the positive leaf */

static hirl_tree *golden_tree(void)
{
    static const float one[] = { 1, 0, 0, 1, -1, 0, 1, 1 }, two[] = { 1, 0.5f, -1, 1 },
                       three[] = { 0.2f, 1 };
    static const float *const prototypes[3] = { one, two, three };
    static const int32_t up[4] = { 0, 1, 1, 0 }, top[2] = { 0, 0 };
    static const int32_t *const parents[2] = { up, top };
    static const int64_t m[3] = { 4, 2, 1 };
    hirl_tree *tree;

    hr_assert_ok(hirl_tree_create(&tree, context, 3, 2, m, prototypes, parents, NULL, 0));
    return tree;
}

START_TEST(spd_has_the_golden_value_in_both_profiles)
{
    hirl_options *reference = option("profile", "reference");
    hirl_tree *tree = golden_tree();
    double want_paper = 0.611690709, want_reference = 0.305845354;
    double loss;

    hr_assert_ok(hirl_spd_loss(&loss, NULL, context, tree, golden_z, 1, golden_leaf,
                               golden_negative, 5, 0, reference));
    hr_assert_close(&loss, &want_reference, 1, 1e-7, 0);
    hr_assert_ok(hirl_spd_loss(&loss, NULL, context, tree, golden_z, 1, golden_leaf,
                               golden_negative, 5, 0, NULL));
    hr_assert_close(&loss, &want_paper, 1, 1e-6,
                    0); /* golden numbers divide by 4 + 1e-6, profile paper by 4 */
    hirl_options_destroy(reference);
    hirl_tree_destroy(tree);
}
END_TEST

/* ---- a closed form ---- */

/* With u^l = (1, 0) and all prototypes (0, +-1), every factor is 1/2 and s+ = s- = 2^-L, so the
 * loss is -log 2^-L - log(1 - 2^-L); for one level log 4. */
START_TEST(spd_of_orthogonal_paths_has_its_closed_form)
{
    static const float prototype[] = { 0, 1, 0, -1, 0, 1, 0, 1 };
    static const float *const prototypes[3] = { prototype, prototype, prototype };
    static const int32_t up[4] = { 0, 0, 1, 1 }, top[2] = { 0, 0 };
    static const int32_t *const parents[2] = { up, top };
    static const int64_t m[3] = { 4, 2, 1 };
    static const float z[6] = { 1, 0, 1, 0, 1, 0 };
    static const int32_t leaf[1] = { 3 }, negative[2] = { 0, 1 };
    hirl_options *exact = option("spd_eps", "0");

    for (int levels = 1; levels <= 3; levels++) {
        double s = pow(0.5, levels), want = -log(s) - log(1 - s);
        hirl_tree *tree;
        double loss;

        hr_assert_ok(hirl_tree_create(&tree, context, levels, 2, m, prototypes, parents, NULL, 0));
        hr_assert_ok(hirl_spd_loss(&loss, NULL, context, tree, z, 1, leaf, negative, 2, 0, exact));
        hr_assert_close(&loss, &want, 1, 1e-6, 0);
        hirl_tree_destroy(tree);
    }
    hirl_options_destroy(exact);
}
END_TEST

/* ---- the formula, evaluated term by term in double ---- */

enum { L = 3, N = 5, D = 4, K = 6, LEAVES = 7 };

static const int64_t counts[L] = { LEAVES, 4, 2 };

static hirl_tree *some_tree(void)
{
    static real value[L][LEAVES * D];
    static float as_float[L][LEAVES * D];
    static const float *const prototypes[L] = { as_float[0], as_float[1], as_float[2] };
    static const int32_t up[LEAVES] = { 0, 1, 2, 3, 0, 1, 2 }, top[4] = { 0, 1, 1, 0 };
    static const int32_t *const parents[L - 1] = { up, top };
    hirl_tree *tree;

    for (uint32_t l = 0; l < L; l++) {
        hr_fill_normal(value[l], LEAVES * D, 10 + l);
        for (int i = 0; i < LEAVES * D; i++)
            as_float[l][i] = (float)value[l][i];
    }
    hr_assert_ok(hirl_tree_create(&tree, context, L, D, counts, prototypes, parents, NULL, 0));
    return tree;
}

static void some_z(float *z, int64_t n)
{
    static real value[L * 400 * D];

    hr_fill_normal(value, L * n * D, 20);
    for (int64_t i = 0; i < L * n * D; i++)
        z[i] = (float)value[i];
}

static double cosine(const double *z, const float *c)
{
    double dot = 0, length = 0;

    for (int i = 0; i < D; i++) {
        dot += z[i] * c[i];
        length += z[i] * z[i];
    }
    return dot / sqrt(length);
}

static double similarity(const double *z, int n, const hirl_tree *tree, int32_t leaf)
{
    double s = 1;

    for (int l = 0; l < L; l++) {
        const float *c = hirl_tree_prototypes(tree, l + 1) + leaf * D;

        s *= (1 + cosine(z + (l * N + n) * D, c)) / 2;
        if (l + 1 < L)
            leaf = hirl_tree_parents(tree, l + 1)[leaf];
    }
    return s;
}

/* Eq. 3 of the HIRL paper with 1e-6 inside the logarithms; negatives that are
 * the positive leaf or -1 do not count. */
static double formula(const double *z, const hirl_tree *tree, const int32_t *leaf,
                      const int32_t *negative)
{
    double sum = 0;
    int images = 0;

    for (int n = 0; n < N; n++) {
        double minus = 0;
        int drawn = 0;

        if (leaf[n] < 0)
            continue;
        images++;
        for (int k = 0; k < K; k++) {
            int32_t other = negative[n * K + k];

            if (other < 0 || other == leaf[n])
                continue;
            minus -= log(1 - similarity(z, n, tree, other) + 1e-6);
            drawn++;
        }
        sum += -log(similarity(z, n, tree, leaf[n]) + 1e-6) + (drawn ? minus / drawn : 0);
    }
    return sum / images;
}

static const int32_t leaf_of[N] = { 3, 0, -1, 6, 2 };
static const int32_t negative_of[N * K] = { 0, 1, 2, 4, 5,  6,  1, 0, 3, 0,  0,  2,  1, 2, 3,
                                            4, 5, 6, 5, -1, -1, 4, 0, 6, -1, -1, -1, 2, 2, 2 };

START_TEST(spd_and_its_gradient_match_the_formula)
{
    hirl_tree *tree = some_tree();
    double z[L * N * D], want_loss, want[L * N * D];
    float given[L * N * D], grad[L * N * D];
    double loss;

    some_z(given, N);
    for (int i = 0; i < L * N * D; i++)
        z[i] = given[i];
    want_loss = formula(z, tree, leaf_of, negative_of);
    for (int i = 0; i < L * N * D; i++) {
        double kept = z[i], up;

        z[i] = kept + 1e-5;
        up = formula(z, tree, leaf_of, negative_of);
        z[i] = kept - 1e-5;
        want[i] = (up - formula(z, tree, leaf_of, negative_of)) / 2e-5;
        z[i] = kept;
    }
    hr_assert_ok(
        hirl_spd_loss(&loss, grad, context, tree, given, N, leaf_of, negative_of, K, 0, NULL));
    hr_assert_close(&loss, &want_loss, 1, 0, 1e-5);
    hr_assert_distance(grad, want, L * N * D, 1e-5);
    hirl_tree_destroy(tree);
}
END_TEST

START_TEST(spd_weight_scales_loss_and_gradient)
{
    hirl_options *weight = option("spd_weight", "0.25");
    hirl_tree *tree = some_tree();
    float z[L * N * D], one[L * N * D], quarter[L * N * D];
    double loss, less;

    some_z(z, N);
    hr_assert_ok(hirl_spd_loss(&loss, one, context, tree, z, N, leaf_of, negative_of, K, 0, NULL));
    hr_assert_ok(
        hirl_spd_loss(&less, quarter, context, tree, z, N, leaf_of, negative_of, K, 0, weight));
    ck_assert(less == loss / 4);
    for (int i = 0; i < L * N * D; i++)
        ck_assert(quarter[i] == one[i] / 4);
    hirl_options_destroy(weight);
    hirl_tree_destroy(tree);
}
END_TEST

START_TEST(a_zero_row_has_no_gradient)
{
    hirl_tree *tree = some_tree();
    float z[L * N * D], grad[L * N * D];
    double loss;

    some_z(z, N);
    memset(z, 0, D * sizeof *z);
    hr_assert_ok(hirl_spd_loss(&loss, grad, context, tree, z, N, leaf_of, negative_of, K, 0, NULL));
    ck_assert(isfinite(loss));
    for (int i = 0; i < D; i++)
        ck_assert(grad[i] == 0);
    hirl_tree_destroy(tree);
}
END_TEST

/* ---- drawn negatives ---- */

START_TEST(drawn_negatives_follow_the_seed)
{
    static const int64_t image[N] = { 0, 1, 2, 3, 4 };
    hirl_tree *tree = some_tree();
    int32_t drawn[N * K];
    float z[L * N * D];
    double loss, again, other, given;

    some_z(z, N);
    hr_assert_ok(hirl_spd_loss(&loss, NULL, context, tree, z, N, leaf_of, NULL, K, 5, NULL));
    hr_assert_ok(hirl_spd_loss(&again, NULL, context, tree, z, N, leaf_of, NULL, K, 5, NULL));
    hr_assert_ok(hirl_spd_loss(&other, NULL, context, tree, z, N, leaf_of, NULL, K, 6, NULL));
    hr_paths_draw(drawn, N, K, leaf_of, image, LEAVES, 5, 0, false);
    hr_assert_ok(hirl_spd_loss(&given, NULL, context, tree, z, N, leaf_of, drawn, K, 0, NULL));
    ck_assert(loss == again);
    ck_assert(loss != other);
    ck_assert(loss == given);
    hirl_tree_destroy(tree);
}
END_TEST

/* The key `draw` changes only the draws; weight and divisor stay those of the profile. */
START_TEST(the_key_draw_overrides_the_profile)
{
    static const int64_t image[N] = { 0, 1, 2, 3, 4 };
    hirl_tree *tree = some_tree();
    float z[L * N * D];

    some_z(z, N);
    for (int reference = 0; reference < 2; reference++)
        for (int all = 0; all < 2; all++) {
            hirl_options *options = option("profile", reference ? "reference" : "paper");
            int32_t drawn[N * K], of_other[N * K];
            double loss, given, other;

            hr_paths_draw(drawn, N, K, leaf_of, image, LEAVES, 5, 0, all);
            hr_paths_draw(of_other, N, K, leaf_of, image, LEAVES, 5, 0, !all);
            hr_assert_ok(
                hirl_spd_loss(&given, NULL, context, tree, z, N, leaf_of, drawn, K, 0, options));
            hr_assert_ok(
                hirl_spd_loss(&other, NULL, context, tree, z, N, leaf_of, of_other, K, 0, options));
            if (all == reference) {
                hr_assert_ok(hirl_spd_loss(&loss, NULL, context, tree, z, N, leaf_of, NULL, K, 5,
                                           options)); /* draw=auto */
                ck_assert(loss == given);
            }
            hr_assert_ok(hirl_options_set(options, "draw", all ? "all" : "others"));
            hr_assert_ok(
                hirl_spd_loss(&loss, NULL, context, tree, z, N, leaf_of, NULL, K, 5, options));
            ck_assert(loss == given);
            ck_assert(loss != other);
            hirl_options_destroy(options);
        }
    hirl_tree_destroy(tree);
}
END_TEST

START_TEST(spd_has_the_same_bits_with_any_number_of_threads)
{
    enum { MANY = 400 };
    static float z[L * MANY * D], grad[4][L * MANY * D];
    static int32_t leaf[MANY];
    double loss[4];
    hirl_tree *tree = some_tree();

    some_z(z, MANY);
    for (int i = 0; i < MANY; i++)
        leaf[i] = i % LEAVES;
    for (int i = 0; i < 4; i++) {
        hirl_context *other = context_of((const char *[]){ "1", "2", "3", "7" }[i]);

        hr_assert_ok(
            hirl_spd_loss(&loss[i], grad[i], other, tree, z, MANY, leaf, NULL, 50, 1, NULL));
        hirl_context_destroy(other);
        ck_assert(loss[i] == loss[0]);
        ck_assert(!memcmp(grad[i], grad[0], sizeof grad[0]));
    }
    hirl_tree_destroy(tree);
}
END_TEST

/* ---- refusals ---- */

START_TEST(spd_refuses_invalid_arguments_and_writes_nothing)
{
    static const int32_t outside[1] = { 4 }, negative[1] = { -2 };
    hirl_tree *tree = golden_tree();
    double loss = 42;
    float grad[6] = { 1, 2, 3, 4, 5, 6 }, bad[6];

    memcpy(bad, golden_z, sizeof bad);
    bad[3] = NAN;
    hr_assert_fails(
        hirl_spd_loss(NULL, grad, context, tree, golden_z, 1, golden_leaf, NULL, 1, 0, NULL),
        HIRL_E_INVALID, "NULL");
    hr_assert_fails(
        hirl_spd_loss(&loss, grad, context, NULL, golden_z, 1, golden_leaf, NULL, 1, 0, NULL),
        HIRL_E_INVALID, "NULL");
    hr_assert_fails(
        hirl_spd_loss(&loss, grad, context, tree, golden_z, 0, golden_leaf, NULL, 1, 0, NULL),
        HIRL_E_INVALID, "0 images");
    hr_assert_fails(
        hirl_spd_loss(&loss, grad, context, tree, golden_z, 1, golden_leaf, NULL, 0, 0, NULL),
        HIRL_E_INVALID, "0 negatives");
    hr_assert_fails(hirl_spd_loss(&loss, grad, context, tree, golden_z, INT64_MAX / 2, golden_leaf,
                                  NULL, 1, 0, NULL),
                    HIRL_E_INVALID, "too many");
    hr_assert_fails(
        hirl_spd_loss(&loss, grad, context, tree, golden_z, 1, outside, NULL, 1, 0, NULL),
        HIRL_E_INVALID, "4 leaves");
    hr_assert_fails(
        hirl_spd_loss(&loss, grad, context, tree, golden_z, 1, golden_leaf, negative, 1, 0, NULL),
        HIRL_E_INVALID, "negative");
    hr_assert_fails(
        hirl_spd_loss(&loss, grad, context, tree, bad, 1, golden_leaf, golden_negative, 5, 0, NULL),
        HIRL_E_NONFINITE, "level 2, row 0, column 1");
    ck_assert(loss == 42);
    for (int i = 0; i < 6; i++)
        ck_assert(grad[i] == (float)(i + 1));
    hirl_tree_destroy(tree);
}
END_TEST

/* Prototypes (1, 0) and (-1, 0): z = (-1, 0) is opposite to its positive leaf, so s+ = 0, and
 * without eps the loss has log 0. */
START_TEST(the_logarithm_of_zero_is_an_error)
{
    static const float prototype[] = { 1, 0, -1, 0 };
    static const float *const prototypes[1] = { prototype };
    static const int64_t m[1] = { 2 };
    static const float z[2] = { -1, 0 };
    static const int32_t leaf[1] = { 0 }, negative[1] = { -1 };
    hirl_options *exact = option("spd_eps", "0");
    hirl_tree *tree;
    double loss = 42;

    hr_assert_ok(hirl_tree_create(&tree, context, 1, 2, m, prototypes, NULL, NULL, 0));
    hr_assert_fails(hirl_spd_loss(&loss, NULL, context, tree, z, 1, leaf, negative, 1, 0, exact),
                    HIRL_E_NONFINITE, "spd_eps");
    ck_assert(loss == 42);
    hirl_options_destroy(exact);
    hirl_tree_destroy(tree);
}
END_TEST

START_TEST(any_failing_allocation_writes_nothing_and_leaks_nothing)
{
    hirl_tree *tree = golden_tree();
    hirl_status status = HIRL_E_NOMEM;
    double loss = 42;
    int64_t live;
    int n;

    hr_assert_ok(hirl_spd_loss(&loss, NULL, context, tree, golden_z, 1, golden_leaf, NULL, 5, 0,
                               NULL)); /* the context keeps the work queue it creates here */
    live = hr_alloc_live();
    for (n = 1; n < 200 && status < 0; n++) {
        loss = 42;
        hr_alloc_fail_at(n, false);
        status =
            hirl_spd_loss(&loss, NULL, context, tree, golden_z, 1, golden_leaf, NULL, 5, 0, NULL);
        hr_alloc_fail_at(0, false);
        ck_assert_msg(status == HIRL_OK || (status == HIRL_E_NOMEM && loss == 42),
                      "allocation %d: status %d, %s", n, (int)status, hirl_error_message());
        ck_assert_int_eq(hr_alloc_live(), live);
    }
    ck_assert_int_gt(n, 5);
    hirl_tree_destroy(tree);
}
END_TEST

static Suite *loss_suite(void)
{
    Suite *suite = suite_create("loss");
    TCase *tests = tcase_create("spd");

    tcase_add_unchecked_fixture(tests, setup, teardown);
    tcase_add_test(tests, spd_has_the_golden_value_in_both_profiles);
    tcase_add_test(tests, spd_of_orthogonal_paths_has_its_closed_form);
    tcase_add_test(tests, spd_and_its_gradient_match_the_formula);
    tcase_add_test(tests, spd_weight_scales_loss_and_gradient);
    tcase_add_test(tests, a_zero_row_has_no_gradient);
    tcase_add_test(tests, drawn_negatives_follow_the_seed);
    tcase_add_test(tests, the_key_draw_overrides_the_profile);
    tcase_add_test(tests, spd_has_the_same_bits_with_any_number_of_threads);
    tcase_add_test(tests, spd_refuses_invalid_arguments_and_writes_nothing);
    tcase_add_test(tests, the_logarithm_of_zero_is_an_error);
    tcase_add_test(tests, any_failing_allocation_writes_nothing_and_leaks_nothing);
    suite_add_tcase(suite, tests);
    return suite;
}

HR_TEST_MAIN(loss_suite)
