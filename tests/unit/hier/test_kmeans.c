/* test_kmeans.c - one flat clustering: results of scikit-learn, by hand, and of its documented
 * rules. */
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "hier/draws.h"
#include "hier/kmeans.h"
#include "hier/rows.h"
#include "support/close.h"
#include "support/fill.h"
#include "support/run.h"

static hirl_context *context;
static hr_call call;
static hr_queue *q;

static void open_with(int threads)
{
    hr_assert_ok(hr_context_create(&context, "cpu", threads));
    hr_assert_ok(hr_context_enter(&call, context));
    hr_assert_ok(hr_context_take_queue(&q, context));
}

static void close_all(void)
{
    hr_context_give_queue(q);
    hr_assert_ok(hr_context_leave(&call, HIRL_OK));
    hr_context_drop(context);
}

static hr_cluster_config standard(void)
{
    hr_cluster_config config;

    hr_assert_ok(hr_options_read(&config, &hr_cluster_keys, NULL));
    return config;
}

/* the result of a clustering */
typedef struct result {
    int32_t label[4000];
    float centroid[4000];
    double objective;
    int64_t empty, steps;
} result;

static void run(result *r, const float *x, const float *weight, int64_t n, int64_t d, int64_t k,
                const hr_cluster_config *config, const float *initial)
{
    hr_array points;
    hr_kmeans *kmeans;
    bool done = false;

    r->steps = 0;
    hr_assert_ok(hr_rows_copy(&points, q, HR_REAL, n, d, x, HR_F32));
    hr_assert_ok(hr_kmeans_create(&kmeans, q, &points, weight, k, config, 0, initial));
    while (!done) {
        hr_assert_ok(hr_kmeans_step(&done, kmeans));
        r->steps++;
    }
    ck_assert_int_eq(hr_kmeans_made(kmeans), hr_kmeans_total(kmeans));
    hr_assert_ok(hr_kmeans_labels(r->label, kmeans));
    for (int64_t i = 0; i < k * d; i++)
        r->centroid[i] = (float)hr_kmeans_centroids(kmeans)[i];
    r->objective = hr_kmeans_objective(kmeans);
    r->empty = hr_kmeans_empty(kmeans);
    hr_kmeans_destroy(kmeans);
    hr_array_give(&points, q);
}

static void fill(float *x, int64_t count, uint32_t which)
{
    hr_rng rng;

    hr_rng_init(&rng, 1, HR_RNG_TEST, 0, 0, which);
    for (int64_t i = 0; i < count; i++)
        x[i] = (float)hr_rng_range(&rng, -1, 1);
}

/* ---- scikit-learn 1.2.1: KMeans(5, init=x[:5], algorithm="lloyd", tol=0), and a plain float64
 * Lloyd in NumPy with the same result; x[i][t] = ((37 i + 11 t i^2 + 7 t^2) mod 61) / 8 ---- */

enum { SK_N = 60, SK_D = 3, SK_K = 5 };

static const int32_t sk_label[SK_N] = {
    0, 1, 2, 3, 4, 0, 2, 0, 3, 2, 0, 4, 0, 3, 4, 4, 1, 2, 3, 1, 0, 3, 1, 3, 4, 1, 1, 4, 3, 3,
    0, 3, 2, 0, 2, 0, 3, 4, 0, 3, 4, 3, 1, 0, 1, 2, 3, 4, 0, 1, 0, 3, 2, 4, 4, 4, 3, 4, 4, 3
};
static const double sk_centroid[SK_K * SK_D] = { 1.03846154, 3.18269231, 3.55769231, 4.23611111,
                                                 6.38888889, 1.81944444, 3.328125,   2.125,
                                                 0.765625,   6.4296875,  3.140625,   3.5078125,
                                                 3.1875,     5.73214286, 5.66964286 };
static const int32_t sk_weighted_label[SK_N] = { 0, 1, 2, 3, 0, 0, 2, 0, 3, 2, 0, 3, 0, 3, 4,
                                                 4, 1, 2, 3, 1, 0, 3, 1, 3, 3, 1, 1, 4, 3, 3,
                                                 0, 3, 2, 0, 2, 0, 3, 0, 0, 3, 4, 3, 1, 0, 1,
                                                 2, 3, 4, 0, 1, 0, 3, 2, 4, 3, 4, 3, 3, 4, 3 };
static const double sk_weighted_centroid[SK_K * SK_D] = {
    1.325,       3.125,      3.40714286, 4.08333333, 6.125, 1.56547619, 3.36764706, 2.02205882,
    0.632352941, 6.11778846, 3.25480769, 4.19471154, 2.425, 6.955,      5.61
};

static void sk_rows(float *x, float *weight)
{
    for (int i = 0; i < SK_N; i++) {
        weight[i] = (float)(1 + i * 5 % 4);
        for (int t = 0; t < SK_D; t++)
            x[i * SK_D + t] = (float)((i * 37 + t * i * i * 11 + t * t * 7) % 61) / 8;
    }
}

START_TEST(kmeans_gives_the_result_of_scikit_learn)
{
    float x[SK_N * SK_D], weight[SK_N];
    hr_cluster_config config = standard();
    static result r;

    open_with(2);
    sk_rows(x, weight);
    run(&r, x, NULL, SK_N, SK_D, SK_K, &config, x);
    ck_assert_mem_eq(r.label, sk_label, sizeof sk_label);
    hr_assert_close(r.centroid, sk_centroid, SK_K * SK_D, 1e-6, 1e-6);
    ck_assert_double_le(fabs(r.objective - 268.109911573), 1e-4);
    ck_assert_int_lt(r.steps, 12); /* converged after eight iterations */
    close_all();
}
END_TEST

START_TEST(kmeans_weights_rows_as_scikit_learn_does)
{
    float x[SK_N * SK_D], weight[SK_N];
    hr_cluster_config config = standard();
    static result r;

    open_with(2);
    sk_rows(x, weight);
    run(&r, x, weight, SK_N, SK_D, SK_K, &config, x);
    ck_assert_mem_eq(r.label, sk_weighted_label, sizeof sk_weighted_label);
    hr_assert_close(r.centroid, sk_weighted_centroid, SK_K * SK_D, 1e-6, 1e-6);
    ck_assert_double_le(fabs(r.objective - 658.301880319), 1e-3);
    close_all();
}
END_TEST

/* ---- starts and redos ---- */

/* the documented draw: the first k of a permutation with purpose k-means, epoch = redo, image 0 */
static void drawn_rows(float *initial, const float *x, int64_t n, int64_t d, int64_t k, int redo)
{
    int64_t *order = hr_alloc_array((size_t)n, sizeof *order);
    hr_rng rng;

    hr_rng_init(&rng, 3, HR_RNG_KMEANS, 0, (uint32_t)redo, 0);
    hr_rng_permutation(&rng, order, n);
    for (int64_t j = 0; j < k; j++)
        memcpy(initial + j * d, x + order[j] * d, (size_t)d * sizeof *x);
    hr_free(order);
}

START_TEST(kmeans_keeps_the_best_redo_of_the_documented_starts)
{
    enum { N = 200, D = 4, K = 9, REDOS = 6 };
    float x[N * D], initial[K * D];
    hr_cluster_config config = standard();
    static result all, best;

    open_with(2);
    fill(x, N * D, 1);
    config.kmeans_seed = 3;
    config.kmeans_redo = REDOS;
    best.objective = INFINITY;
    run(&all, x, NULL, N, D, K, &config, NULL);
    for (int redo = 0; redo < REDOS; redo++) {
        static result one;

        drawn_rows(initial, x, N, D, K, redo);
        run(&one, x, NULL, N, D, K, &config, initial);
        if (one.objective < best.objective)
            best = one;
    }
    ck_assert_int_eq(best.empty, 0); /* no split, whose draws would depend on the redo */
    ck_assert_double_eq(all.objective, best.objective);
    ck_assert_mem_eq(all.centroid, best.centroid, K * D * sizeof(float));
    ck_assert_mem_eq(all.label, best.label, N * sizeof(int32_t));
    close_all();
}
END_TEST

/* Two pairs of rows. A redo that starts from both pairs ends with their means, in the order of its
 * start, and J = 4 exactly; one that starts within a pair ends with J = 64. */
START_TEST(of_redos_with_equal_objectives_the_earliest_wins)
{
    enum { REDOS = 10, D = 2 };
    static const float x[] = { 0, 0, 0, 2, 8, 0, 8, 2 };
    hr_cluster_config config = standard();
    int reversed = 0;
    static result r;

    open_with(1);
    config.kmeans_redo = REDOS;
    for (config.kmeans_seed = 0; config.kmeans_seed < 8; config.kmeans_seed++) {
        int first = -1, last = -1;

        for (int redo = 0; redo < REDOS; redo++) {
            int32_t row[2];
            hr_draws draws;

            hr_draws_init(&draws, &config, HR_DRAW_START, 0, redo, 0);
            hr_assert_ok(hr_draws_rows(row, &draws, 2, 4));
            if (row[0] / 2 == row[1] / 2)
                continue;
            last = row[0] / 2;
            first = first < 0 ? last : first;
        }
        reversed += last != first;
        run(&r, x, NULL, 4, D, 2, &config, NULL);
        ck_assert_double_eq(r.objective, 4);
        ck_assert_float_eq(r.centroid[0], first ? 8 : 0);
        ck_assert_float_eq(r.centroid[D], first ? 0 : 8);
    }
    ck_assert_int_gt(reversed, 0); /* the last redo with J = 4 has the other order */
    close_all();
}
END_TEST

START_TEST(ending_a_converged_redo_early_changes_nothing)
{
    enum { N = 150, D = 2, K = 4 };
    float x[N * D];
    hr_cluster_config config = standard();
    static result shorter, longer;

    open_with(1);
    fill(x, N * D, 2);
    config.kmeans_redo = 2;
    config.kmeans_iterations = 60;
    run(&shorter, x, NULL, N, D, K, &config, NULL);
    config.kmeans_iterations = 600;
    run(&longer, x, NULL, N, D, K, &config, NULL);
    ck_assert_int_lt(shorter.steps, 120);
    ck_assert_int_eq(shorter.steps, longer.steps);
    ck_assert_mem_eq(shorter.centroid, longer.centroid, K * D * sizeof(float));
    close_all();
}
END_TEST

START_TEST(another_seed_or_level_draws_other_rows)
{
    enum { N = 300, D = 3, K = 10 };
    float x[N * D];
    hr_cluster_config config = standard();
    static result a, b;

    open_with(1);
    fill(x, N * D, 3);
    config.kmeans_redo = config.kmeans_iterations = 1;
    run(&a, x, NULL, N, D, K, &config, NULL);
    config.kmeans_seed = 1;
    run(&b, x, NULL, N, D, K, &config, NULL);
    ck_assert_mem_ne(a.centroid, b.centroid, K * D * sizeof(float));
    close_all();
}
END_TEST

START_TEST(more_rows_than_max_points_use_the_documented_subset)
{
    enum { N = 100, D = 2, K = 3, MOST = 10 };
    float x[N * D], subset[K * MOST * D];
    hr_cluster_config config = standard();
    static result some, same;
    int64_t order[N];
    hr_rng rng;

    open_with(2);
    fill(x, N * D, 4);
    hr_rng_init(&rng, 0, HR_RNG_KMEANS, 0, 0xFFFFFFFFu, 0);
    hr_rng_permutation(&rng, order, N);
    for (int i = 0; i < K * MOST; i++)
        memcpy(subset + i * D, x + order[i] * D, D * sizeof *x);
    config.kmeans_max_points = MOST;
    run(&some, x, NULL, N, D, K, &config, NULL);
    run(&same, subset, NULL, K * MOST, D, K, &config, NULL);
    ck_assert_mem_eq(some.centroid, same.centroid, K * D * sizeof(float));
    for (int i = 0; i < K * MOST; i++) /* all rows have a label */
        ck_assert_int_eq(some.label[order[i]], same.label[i]);
    close_all();
}
END_TEST

/* ---- empty clusters ---- */

START_TEST(kmeans_splits_an_empty_cluster)
{
    /* clusters of 4 and 2 rows, and none near the third start; chance of the first (4 - 1) / (6 -
     * 3) = 1: it is taken. Its mean (1, 2) goes up and down by 1/1024, the copy the other way. */
    float x[] = { 0, 2, 2, 2, 1, 1, 1, 3, 10, 10, 12, 10 };
    float initial[] = { 0, 0, 10, 10, 500, 500 };
    double want[] = { 1 * (1 - 1. / 1024), 2 * (1 + 1. / 1024), 11, 10,
                      1 * (1 + 1. / 1024), 2 * (1 - 1. / 1024) };
    hr_cluster_config config = standard();
    static result r;

    open_with(1);
    config.kmeans_iterations = 1;
    run(&r, x, NULL, 6, 2, 3, &config, initial);
    ck_assert_int_eq(r.empty, 1);
    hr_assert_close(r.centroid, want, 6, 1e-7, 1e-7);
    ck_assert_double_eq(r.objective,
                        4 + 8 + 2 + 10 + 0 + 4); /* J is measured before the centroids move */
    close_all();
}
END_TEST

START_TEST(an_empty_cluster_splits_another_by_size_with_one_draw_a_visit)
{
    /* sizes 5 3 0 0, n - k = 4: the third takes the first (chance 1). Then sizes are 2.5 3 2.5 0
     * and the fourth walks with chances 0.375 0.5 0.375 and a negative one, from the second draw
     * on. */
    float x[] = { 0, 0, 0, 0, 0, 9, 9, 9 }, initial[] = { 0, 9, 300, 400 };
    double chance[] = { 0.375, 0.5, 0.375, -0.25 }, want[] = { 0, 9, 0, 0 };
    hr_cluster_config config = standard();
    int taken = 0;
    static result r;
    hr_rng rng;

    open_with(1);
    hr_rng_init(&rng, 0, HR_RNG_KMEANS, 0, 0, 1);
    (void)hr_rng_u32(&rng);
    while (!(hr_rng_uniform(&rng) < chance[taken % 4]))
        taken++;
    taken %= 4;
    want[3] = taken == 1 ? 9 * (1 + 1. / 1024) : 0; /* clusters 0 and 2 both are at 0 */
    want[1] = taken == 1 ? 9 * (1 - 1. / 1024) : 9;
    config.kmeans_iterations = 1;
    run(&r, x, NULL, 8, 1, 4, &config, initial);
    ck_assert_int_eq(r.empty, 2);
    hr_assert_close(r.centroid, want, 4, 1e-6, 0);
    close_all();
}
END_TEST

START_TEST(split_clusters_share_their_rows_later)
{
    enum { N = 64, D = 2, K = 4 };
    float x[N * D], initial[K * D] = { 0, 0, 50, 50, 60, 60, 70, 70 };
    hr_cluster_config config = standard();
    static result r;

    open_with(2);
    fill(x, N * D, 5);
    run(&r, x, NULL, N, D, K, &config, initial);
    ck_assert_int_eq(r.empty, 0);
    close_all();
}
END_TEST

START_TEST(equal_rows_leave_counted_empty_clusters_in_finite_time)
{
    enum { N = 50, D = 3, K = 7 };
    float x[N * D];
    hr_cluster_config config = standard();
    static result r;

    open_with(2);
    for (int at = 0; at < 2; at++) { /* all rows are (2, 2, 2), then 0 */
        for (int i = 0; i < N * D; i++)
            x[i] = at ? 0 : 2;
        run(&r, x, NULL, N, D, K, &config, NULL);
        ck_assert_int_eq(r.empty, K - 1);
        for (int i = 0; i < N; i++)
            ck_assert_int_eq(r.label[i], r.label[0]);
        for (int i = 0; i < K * D; i++)
            ck_assert(isfinite(r.centroid[i]));
    }
    close_all();
}
END_TEST

START_TEST(duplicate_rows_do_not_disturb_the_others)
{
    /* three places, 30 rows at each, five clusters: every row lies on its centroid in the end, but
     * for the 1/1024 of a split */
    enum { N = 90, K = 5 };
    float x[N];
    hr_cluster_config config = standard();
    static result r;

    open_with(1);
    for (int i = 0; i < N; i++)
        x[i] = (float)(i % 3 * 4);
    run(&r, x, NULL, N, 1, K, &config, NULL);
    for (int i = 0; i < N; i++)
        ck_assert_float_le(fabsf(x[i] - r.centroid[r.label[i]]), 8.f / 1024);
    close_all();
}
END_TEST

/* ---- sizes ---- */

START_TEST(as_many_rows_as_clusters_are_the_centroids)
{
    float x[] = { 5, 1, 5, 3 };
    int32_t want[] = { 0, 1, 0, 3 }; /* the lower index wins among equal centroids */
    hr_cluster_config config = standard();
    static result r;

    open_with(1);
    run(&r, x, NULL, 4, 1, 4, &config, NULL);
    ck_assert_mem_eq(r.centroid, x, sizeof x);
    ck_assert_mem_eq(r.label, want, sizeof want);
    ck_assert_double_eq(r.objective, 0);
    ck_assert_int_eq(r.empty, 1);
    ck_assert_int_eq(r.steps, 1);
    close_all();
}
END_TEST

START_TEST(fewer_rows_than_clusters_are_refused_with_the_numbers)
{
    float x[6] = { 0 };
    hr_cluster_config config = standard();
    hr_kmeans *kmeans;
    hr_array points;

    open_with(1);
    hr_assert_ok(hr_rows_copy(&points, q, HR_REAL, 3, 2, x, HR_F32));
    hr_assert_fails(hr_kmeans_create(&kmeans, q, &points, NULL, 4, &config, 0, NULL),
                    HIRL_E_INVALID, "3 rows cannot make 4");
    hr_array_give(&points, q);
    close_all();
}
END_TEST

/* squares of these numbers overflow in f32 */
START_TEST(rows_of_any_finite_size_make_clusters)
{
    float x[] = { 1e38f, -1e38f, 1.1e38f, -1.1e38f, 1.2e38f, -1.2e38f };
    hr_cluster_config config = standard();
    hr_kmeans *kmeans;
    hr_array points;
    int32_t label[6];
    bool done = false;

    open_with(1);
    hr_assert_ok(hr_rows_copy(&points, q, HR_REAL, 6, 1, x, HR_F32));
    hr_assert_ok(hr_kmeans_create(&kmeans, q, &points, NULL, 2, &config, 0, NULL));
    while (!done)
        hr_assert_ok(hr_kmeans_step(&done, kmeans));
    hr_assert_ok(hr_kmeans_labels(label, kmeans));
    for (int i = 2; i < 6; i++)
        ck_assert_int_eq(label[i], label[i % 2]);
    ck_assert_int_ne(label[0], label[1]);
    ck_assert_double_eq_tol(hr_kmeans_objective(kmeans) / 4e74, 1, 1e-5);
    hr_kmeans_destroy(kmeans);
    hr_array_give(&points, q);
    close_all();
}
END_TEST

START_TEST(a_row_that_is_not_finite_is_named)
{
    float x[8] = { 0 };
    int32_t number[] = { 10, 11, 12, 13 };
    hr_array points;

    open_with(1);
    x[5] = NAN;
    hr_assert_ok(hr_rows_copy(&points, q, HR_REAL, 4, 2, x, HR_F32));
    hr_assert_fails(hr_rows_finite(q, &points, NULL), HIRL_E_NONFINITE, "row 2");
    hr_assert_fails(hr_rows_finite(q, &points, number), HIRL_E_NONFINITE, "row 12");
    hr_array_give(&points, q);
    hr_assert_ok(hr_rows_take(&points, q, HR_REAL, 4, 2));
    x[5] = 0;
    x[7] = INFINITY;
    hr_assert_fails(hr_rows_upload(q, &points, x, true, 1000), HIRL_E_NONFINITE, "row 1003");
    hr_array_give(&points, q);
    close_all();
}
END_TEST

/* ---- threads ---- */

START_TEST(kmeans_does_not_depend_on_the_number_of_threads)
{
    enum { N = 3000, D = 17, K = 37 };
    static const int threads[] = { 1, 2, 3, 7 };
    static float x[N * D], weight[N];
    hr_cluster_config config = standard();
    static result first, r;

    fill(x, N * D, 6);
    fill(weight, N, 7);
    for (int i = 0; i < N; i++)
        weight[i] += 1.5f;
    config.kmeans_redo = 2;
    for (int t = 0; t < 4; t++) {
        open_with(threads[t]);
        run(&r, x, weight, N, D, K, &config, NULL);
        close_all();
        if (!t)
            first = r;
        ck_assert_mem_eq(r.label, first.label, N * sizeof(int32_t));
        ck_assert_mem_eq(r.centroid, first.centroid, K * D * sizeof(float));
        ck_assert_double_eq(r.objective, first.objective);
    }
}
END_TEST

HR_TESTS(
    "kmeans", kmeans_gives_the_result_of_scikit_learn, kmeans_weights_rows_as_scikit_learn_does,
    kmeans_keeps_the_best_redo_of_the_documented_starts,
    ending_a_converged_redo_early_changes_nothing, of_redos_with_equal_objectives_the_earliest_wins,
    another_seed_or_level_draws_other_rows, more_rows_than_max_points_use_the_documented_subset,
    kmeans_splits_an_empty_cluster, an_empty_cluster_splits_another_by_size_with_one_draw_a_visit,
    split_clusters_share_their_rows_later, equal_rows_leave_counted_empty_clusters_in_finite_time,
    duplicate_rows_do_not_disturb_the_others, as_many_rows_as_clusters_are_the_centroids,
    fewer_rows_than_clusters_are_refused_with_the_numbers, rows_of_any_finite_size_make_clusters,
    a_row_that_is_not_finite_is_named, kmeans_does_not_depend_on_the_number_of_threads)
