/* test_draws.c - the draws of profile reference, and clusterings of faiss that follow from them. */
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "hier/draws.h"
#include "hier/kmeans.h"
#include "hier/rows.h"
#include "support/close.h"
#include "support/run.h"

enum { N = 60, D = 3, K = 12 };

static hr_cluster_config reference(void)
{
    hr_cluster_config config;

    hr_assert_ok(hr_options_read(&config, &hr_cluster_keys, NULL));
    config.profile = 1;
    return config;
}

/* permutations of faiss 1.7.3 */
START_TEST(first_rows_are_in_the_golden_orders)
{
    static const int32_t golden[3][2][10] = {
        { { 5, 6, 1, 2, 0, 8, 9, 3, 7, 4 }, { 1, 6, 9, 0, 5, 4, 3, 7, 8, 2 } },
        { { 8, 7, 1, 5, 6, 9, 0, 4, 2, 3 }, { 7, 0, 5, 4, 2, 1, 9, 6, 3, 8 } },
        { { 6, 0, 3, 7, 8, 5, 1, 9, 2, 4 }, { 7, 0, 1, 8, 2, 5, 3, 9, 6, 4 } },
    };
    hr_cluster_config config = reference();
    int32_t row[10];
    hr_draws draws;

    for (int level = 0; level < 3; level++)
        for (int redo = 0; redo < 2; redo++) {
            hr_draws_init(&draws, &config, HR_DRAW_START, level, redo, 0);
            hr_assert_ok(hr_draws_rows(row, &draws, 10, 10));
            ck_assert_mem_eq(row, golden[level][redo], sizeof row);
        }
}
END_TEST

/* ---- faiss: tests/golden/faiss_kmeans.py ---- */

/* faiss 1.7.3 */
/* k=12, level 0, 1 redos: 1 splits */
static const int32_t label0[] = { 6, 1, 8, 11, 3, 4, 9, 8, 11, 8, 6, 3, 6, 10, 2, 4, 1, 0, 10, 7,
                                  6, 9, 1, 5,  3, 0, 7, 2, 5,  9, 6, 1, 8, 11, 3, 4, 9, 8, 11, 8,
                                  6, 3, 6, 10, 2, 4, 1, 0, 10, 7, 6, 9, 1, 5,  3, 0, 7, 2, 5,  9 };
static const double centroid0[] = {
    1.8125,     5.8125,     0.125,      4.20833349, 6.66666698, 3.25,   3.3125, 7.25,
    5.3125,     4.20833349, 4,          5.54166698, 0.5,        5.5,    4.625,  7.375,
    3.5625,     1.5,        0.90625,    2.03125,    4.90625,    4.9375, 5.8125, 0.8125,
    2.33333349, 1.08333337, 1.58333337, 5,          2.5,        1.75,   6.875,  3.5625,
    2,          6.375,      4.0625,     3.5
};
/* k=12, level 1, 1 redos: 2 splits */
static const int32_t label1[] = { 10, 7, 9, 1, 6, 3,  5, 8, 0, 5, 10, 1, 6, 0, 3, 3,  7, 2, 0, 7,
                                  4,  5, 7, 0, 6, 11, 7, 3, 0, 5, 10, 7, 9, 1, 6, 3,  5, 8, 0, 5,
                                  10, 1, 6, 0, 3, 3,  7, 2, 0, 7, 4,  5, 7, 0, 6, 11, 7, 3, 0, 5 };
static const double centroid1[] = { 7,          3.625, 2,          5.6875,  4.4375,     4.9375,
                                    2.375,      4.125, 0,          1.90625, 6.375,      4.96875,
                                    1,          2.875, 6.5,        4.625,   2.21875,    1.5625,
                                    3.20833349, 3.375, 5.29166698, 4.5,     6.32500029, 2.2750001,
                                    1.875,      1.5,   2.875,      1.625,   0.375,      0.875,
                                    0.25,       1.25,  4,          1.25,    7.5,        0.25 };
/* k=12, level 2, 5 redos: 3 splits */
static const int32_t label2[] = {
    7, 6, 1, 0, 9, 5, 2, 7, 0, 1, 7, 4, 10, 0, 3, 5, 6, 1, 8, 6, 10, 0, 6, 8, 4, 11, 8, 3, 8, 9,
    7, 6, 1, 0, 9, 5, 2, 7, 0, 1, 7, 4, 10, 0, 3, 5, 6, 1, 8, 6, 10, 0, 6, 8, 4, 11, 8, 3, 8, 9
};
static const double centroid2[] = { 6.28125, 3.65625, 2.78125, 2.5,         1.95833337, 0.625,
                                    4.875,   1.875,   0.625,   3.3125,      7.25,       5.3125,
                                    4.6875,  4.375,   5.8125,  0.5,         5.5,        4.625,
                                    4.15625, 6.40625, 2.78125, 0.791666687, 1.33333337, 3.625,
                                    6.90625, 4.15625, 1.25,    3.875,       3,          3.875,
                                    1.5625,  2.8125,  5.8125,  1.25,        7.5,        0.25 };
/* k=5, level 1, a subset of 20: 0 splits */
static const int32_t label_subset[] = {
    0, 1, 0, 2, 0, 3, 2, 0, 2, 2, 0, 1, 0, 2, 1, 1, 1, 3, 4, 1, 0, 2, 1, 4, 1, 3, 4, 1, 4, 2,
    0, 1, 0, 2, 0, 3, 2, 0, 2, 2, 0, 1, 0, 2, 1, 1, 1, 3, 4, 1, 0, 2, 1, 4, 1, 3, 4, 1, 4, 2
};
static const double centroid_subset[] = { 1.58333337, 2.58333349, 5.33333349, 3.375,  6.07500029,
                                          4.42500019, 6.02083349, 3.54166675, 2.8125, 0.75,
                                          6.25,       2.0625,     6.96875,    4.1875, 1.25 };

typedef struct case_of {
    const char *name;
    int level, k;
    int64_t redos, most; /* kmeans_max_points */
    const int32_t *label;
    const double *centroid;
} case_of;

static const case_of cases[] = {
    { "a split", 0, K, 1, 1000, label0, centroid0 },
    { "two splits", 1, K, 1, 1000, label1, centroid1 },
    { "three splits in five redos", 2, K, 5, 1000, label2, centroid2 },
    { "a subset of 20 rows", 1, 5, 1, 4, label_subset, centroid_subset },
};

START_TEST(profile_reference_gives_the_clusters_of_faiss)
{
    const case_of *c = &cases[_i];
    hr_cluster_config config = reference();
    hirl_context *context;
    hr_call call;
    hr_queue *queue;
    hr_array points;
    hr_kmeans *kmeans;
    float x[N * D];
    real centroid[K * D];
    int32_t label[N];
    bool done = false;

    for (int i = 0; i < N; i++)
        for (int t = 0, r = i % 30; t < D; t++)
            x[i * D + t] = (float)((37 * r + 11 * t * r * r + 7 * t * t) % 61) / 8;
    config.kmeans_redo = c->redos;
    config.kmeans_max_points = c->most;
    hr_assert_ok(hr_context_create(&context, "cpu", 2));
    hr_assert_ok(hr_context_enter(&call, context));
    hr_assert_ok(hr_context_take_queue(&queue, context));
    hr_assert_ok(hr_rows_copy(&points, queue, HR_REAL, N, D, x, HR_F32));
    hr_assert_ok(hr_kmeans_create(&kmeans, queue, &points, NULL, c->k, &config, c->level, NULL));
    while (!done)
        hr_assert_ok(hr_kmeans_step(&done, kmeans));
    hr_assert_ok(hr_kmeans_labels(label, kmeans));
    ck_assert_msg(!memcmp(label, c->label, sizeof label), "%s: labels differ", c->name);
    memcpy(centroid, hr_kmeans_centroids(kmeans), (size_t)(c->k * D) * sizeof *centroid);
    for (int i = 0; i < c->k * D; i++)
        ck_assert_msg(fabs((double)centroid[i] - c->centroid[i]) < 1e-6, "%s: centroid %d is %g",
                      c->name, i / D, (double)centroid[i]);
    hr_kmeans_destroy(kmeans);
    hr_array_give(&points, queue);
    hr_context_give_queue(queue);
    hr_assert_ok(hr_context_leave(&call, HIRL_OK));
    hr_context_drop(context);
    ck_assert_int_eq(hr_alloc_live(), 0);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("draws");
    TCase *c = tcase_create("draws");

    tcase_add_test(c, first_rows_are_in_the_golden_orders);
    tcase_add_loop_test(c, profile_reference_gives_the_clusters_of_faiss, 0,
                        sizeof cases / sizeof *cases);
    suite_add_tcase(s, c);
    return s;
}

HR_TEST_MAIN(suite)
