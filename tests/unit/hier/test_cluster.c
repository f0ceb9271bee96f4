/* test_cluster.c - hirl_cluster for an application: options, refusals, cancel, out of memory. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include <hirl/cluster.h>
#include <hirl/context.h>
#include <hirl/options.h>

#include "base/alloc.h"
#include "base/rng.h"
#include "context.h"
#include "hier/tree.h"
#include "support/close.h"
#include "support/run.h"

enum { N = 120, D = 4 };

static hirl_context *context;
static float x[N * D];

static void open_context(void)
{
    hr_rng rng;

    hr_rng_init(&rng, 1, HR_RNG_TEST, 0, 0, 1);
    for (int i = 0; i < N * D; i++)
        x[i] = (float)hr_rng_normal(&rng);
    hr_assert_ok(hr_context_create(&context, "cpu", 2));
}

static void close_context(void)
{
    hr_context_drop(context);
    ck_assert_int_eq(hr_alloc_live(), 0);
}

static hirl_options *options_of(const char *prototypes)
{
    hirl_options *options = NULL;

    hr_assert_ok(hirl_options_create(&options));
    hr_assert_ok(hirl_options_set(options, "prototypes", prototypes));
    hr_assert_ok(hirl_options_set(options, "kmeans_redo", "2"));
    hr_assert_ok(hirl_options_set(options, "kmeans_iterations", "5"));
    return options;
}

START_TEST(cluster_makes_a_tree_of_plain_arrays)
{
    hirl_options *options;
    hirl_tree *tree = NULL;
    float scaled[N * D];
    int32_t path[N * 2];

    open_context();
    options = options_of("12,3");
    hr_assert_ok(hirl_cluster(&tree, context, x, N, D, NULL, NULL, options));
    ck_assert_int_eq(hirl_tree_levels(tree), 2);
    ck_assert_int_eq(hirl_tree_count(tree, 1), 12);
    ck_assert_int_eq(hirl_tree_rows(tree), N);
    for (int i = 0; i < N * D; i++)
        scaled[i] = x[i] * (float)(1 + i / D % 7); /* the length of a row does not matter */
    hr_assert_ok(hirl_tree_assign(path, NULL, tree, scaled, N));
    for (int i = 0; i < N; i++)
        ck_assert_int_eq(path[2 * i], hirl_tree_leaves(tree)[i]);
    hirl_tree_destroy(tree);
    hirl_options_destroy(options);
    close_context();
}
END_TEST

static void keep_warning(int32_t level, const char *line, void *user)
{
    if (level == HIRL_LOG_WARNING)
        snprintf(user, 256, "%s", line);
}

/* equal: rows from N - equal on equal the last one; the others are near it up to `spread` */
static void check_alike(int equal, float spread, const char *prototypes, const char *want)
{
    hirl_options *options = options_of(prototypes);
    char line[256] = "";
    hirl_tree *tree;

    open_context();
    for (int i = 0; i < N * D; i++)
        x[i] = i / D >= N - equal ? 1 : 1 + spread * x[i];
    hr_assert_ok(hirl_options_set(options, "normalize", "0"));
    hirl_context_set_log(context, HIRL_LOG_DEBUG, keep_warning, line, NULL);
    hr_assert_ok(hirl_cluster(&tree, context, x, N, D, NULL, NULL, options));
    if (want)
        ck_assert_msg(strstr(line, want) != NULL, "%s", line);
    else
        ck_assert_str_eq(line, "");
    hirl_tree_destroy(tree);
    hirl_options_destroy(options);
    close_context();
}

START_TEST(rows_that_cannot_be_separated_are_logged)
{
    check_alike(0, 1, "5,2", NULL);
    check_alike(0, 1e-4f, "5,2", NULL);
    check_alike(30, 1, "5,2", NULL);
    check_alike(80, 1, "5,2", "80 of 120 rows equal another row");
    check_alike(118, 1, "5,2", "only 3 of 120 rows differ, fewer than the 5 leaves");
    check_alike(0, 1e-10f, "5,2", "fewer than the 5 leaves");
}
END_TEST

START_TEST(normalize_0_clusters_rows_as_they_are)
{
    /* two lengths of one direction: two points as they are, one point when normalised */
    static float line[20];
    hirl_options *options;
    hirl_tree *tree = NULL;

    open_context();
    for (int i = 0; i < 20; i++)
        line[i] = i % 2 ? 10 : 1;
    options = options_of("2");
    hr_assert_ok(hirl_options_set(options, "normalize", "0"));
    hr_assert_ok(hirl_cluster(&tree, context, line, 20, 1, NULL, NULL, options));
    for (int i = 0; i < 20; i++)
        ck_assert_int_eq(hirl_tree_leaves(tree)[i], hirl_tree_leaves(tree)[i % 2]);
    ck_assert_int_ne(hirl_tree_leaves(tree)[0], hirl_tree_leaves(tree)[1]);
    hirl_tree_destroy(tree);
    hirl_options_destroy(options);
    close_context();
}
END_TEST

START_TEST(an_application_may_drop_its_context_before_the_tree)
{
    hirl_tree *tree = NULL;
    int32_t path[3];

    open_context();
    hr_assert_ok(hirl_cluster(&tree, context, x, N, D, NULL, NULL, NULL));
    hr_context_drop(context);
    hr_assert_ok(hirl_tree_assign(path, NULL, tree, x, 1));
    hirl_tree_destroy(tree);
    ck_assert_int_eq(hr_alloc_live(), 0);
}
END_TEST

START_TEST(impossible_input_is_refused_with_the_numbers)
{
    float weight[N];
    hirl_options *options;
    hirl_tree *tree, *other = NULL;

    open_context();
    options = options_of("121,3");
    tree = (hirl_tree *)x; /* the old value is ignored and not freed */
    hr_assert_fails(hirl_cluster(&tree, context, x, N, D, NULL, NULL, options), HIRL_E_INVALID,
                    "121");
    ck_assert_ptr_null(tree);
    hr_assert_fails(hirl_cluster(&tree, context, x, INT64_C(1) << 32, D, NULL, NULL, NULL),
                    HIRL_E_INVALID, "4294967296 rows");
    hr_assert_fails(hirl_cluster(&tree, context, x, 0, D, NULL, NULL, NULL), HIRL_E_INVALID,
                    "0 rows");
    hr_assert_fails(hirl_cluster(&tree, context, NULL, N, D, NULL, NULL, NULL), HIRL_E_INVALID,
                    "features");
    hr_assert_fails(hirl_cluster(NULL, context, x, N, D, NULL, NULL, NULL), HIRL_E_INVALID, "tree");
    for (int i = 0; i < N; i++)
        weight[i] = i == 5 ? -1 : 1;
    hr_assert_fails(hirl_cluster(&tree, context, x, N, D, weight, NULL, NULL), HIRL_E_INVALID,
                    "row 5");
    hr_assert_ok(hirl_cluster(&other, context, x, N * 2, D / 2, NULL, NULL, NULL));
    hr_assert_fails(hirl_cluster(&tree, context, x, N, D, NULL, other, NULL), HIRL_E_INVALID,
                    "2 columns");
    x[7 * D + 1] = NAN;
    hr_assert_fails(hirl_cluster(&tree, context, x, N, D, NULL, NULL, NULL), HIRL_E_NONFINITE,
                    "row 7");
    ck_assert_ptr_null(tree);
    hirl_tree_destroy(other);
    hirl_options_destroy(options);
    close_context();
}
END_TEST

/* rows of weight 0 between the others change no bit of the centroids and get no leaf */
START_TEST(a_row_of_weight_0_is_left_out)
{
    float wide[2 * N * D], weight[2 * N];
    hirl_options *options;
    hirl_tree *tree = NULL, *whole = NULL;

    open_context();
    options = options_of("12,3");
    for (int i = 0; i < 2 * N; i++) {
        weight[i] = (float)(i % 2);
        for (int t = 0; t < D; t++)
            wide[i * D + t] = i % 2 ? x[i / 2 * D + t] : i % 4 ? 0 : 100;
    }
    hr_assert_ok(hirl_cluster(&tree, context, x, N, D, NULL, NULL, options));
    hr_assert_ok(hirl_cluster(&whole, context, wide, 2 * N, D, weight, NULL, options));
    for (int l = 0; l < 2; l++)
        ck_assert(!memcmp(tree->centroid[l], whole->centroid[l],
                          (size_t)(tree->m[l] * D) * sizeof(float)));
    for (int i = 0; i < 2 * N; i++)
        ck_assert_int_eq(hirl_tree_leaves(whole)[i], i % 2 ? hirl_tree_leaves(tree)[i / 2] : -1);
    hirl_tree_destroy(whole);
    memset(weight, 0, sizeof weight);
    hr_assert_fails(hirl_cluster(&whole, context, wide, 2 * N, D, weight, NULL, options),
                    HIRL_E_INVALID, "0 ");
    hirl_tree_destroy(tree);
    hirl_options_destroy(options);
    close_context();
}
END_TEST

static int32_t stop_at_third(const char *phase, int64_t done, int64_t total, void *user)
{
    int *calls = user;

    ck_assert_str_eq(phase, "cluster");
    ck_assert_int_le(done, total);
    return ++*calls == 3;
}

START_TEST(progress_can_cancel_a_clustering_and_it_can_be_called_again)
{
    hirl_options *options;
    hirl_tree *tree = NULL;
    int calls = 0;

    open_context();
    options = options_of("12,3");
    hirl_context_set_progress(context, stop_at_third, &calls, NULL);
    hr_assert_fails(hirl_cluster(&tree, context, x, N, D, NULL, NULL, options), HIRL_E_CANCELED,
                    "stopped");
    ck_assert_int_eq(calls, 3);
    ck_assert_ptr_null(tree);
    hr_assert_ok(hirl_cluster(&tree, context, x, N, D, NULL, NULL, options));
    hirl_tree_destroy(tree);
    hirl_options_destroy(options);
    close_context();
}
END_TEST

/* every allocation of a clustering fails once */
START_TEST(cluster_survives_every_lack_of_memory)
{
    hirl_options *options = options_of("12,3");
    float weight[N];
    int64_t nth = 0, outside;
    hirl_status status;

    hr_assert_ok(hirl_options_set(options, "kmeans_max_points", "5"));
    outside = hr_alloc_live();
    for (int i = 0; i < N; i++)
        weight[i] = 1 + (float)(i % 3);
    do {
        hirl_tree *tree = NULL;

        open_context();
        hr_alloc_fail_at(++nth, false);
        status = hirl_cluster(&tree, context, x, N, D, weight, NULL, options);
        hr_alloc_fail_at(0, false);
        if (status < 0) {
            ck_assert_int_eq(status, HIRL_E_NOMEM);
            ck_assert_ptr_nonnull(strstr(hirl_error_message(), "memory"));
            ck_assert_ptr_null(tree);
        }
        hirl_tree_destroy(tree);
        hr_context_drop(context);
        ck_assert_int_eq(hr_alloc_live(), outside);
    } while (status < 0);
    ck_assert_int_gt(nth, 40);
    hirl_options_destroy(options);
}
END_TEST

HR_TESTS("cluster", rows_that_cannot_be_separated_are_logged, cluster_makes_a_tree_of_plain_arrays,
         normalize_0_clusters_rows_as_they_are, an_application_may_drop_its_context_before_the_tree,
         a_row_of_weight_0_is_left_out, impossible_input_is_refused_with_the_numbers,
         progress_can_cancel_a_clustering_and_it_can_be_called_again,
         cluster_survives_every_lack_of_memory)
