/* test_maker.c - a tree maker: levels of its tree, unusable rows, warm starts, saved states. */
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/rng.h"
#include "hier/maker.h"
#include "hier/rows.h"
#include "support/close.h"
#include "support/run.h"

enum { N = 90, D = 5 };

static hirl_context *context;
static hr_call call;
static hr_queue *q;
static hr_array rows;

static void open_with(int threads)
{
    static float x[N * D];
    hr_rng rng;

    hr_rng_init(&rng, 1, HR_RNG_TEST, 0, 0, 1);
    for (int i = 0; i < N * D; i++)
        x[i] = (float)hr_rng_normal(&rng);
    hr_assert_ok(hr_context_create(&context, "cpu", threads));
    hr_assert_ok(hr_context_enter(&call, context));
    hr_assert_ok(hr_context_take_queue(&q, context));
    hr_assert_ok(hr_rows_take(&rows, q, HR_REAL, N, D));
    hr_assert_ok(hr_rows_upload(q, &rows, x, true, 0));
}

static void close_all(void)
{
    hr_array_give(&rows, q);
    hr_context_give_queue(q);
    hr_assert_ok(hr_context_leave(&call, HIRL_OK));
    hr_context_drop(context);
    ck_assert_int_eq(hr_alloc_live(), 0);
}

static hr_cluster_config small(void)
{
    hr_cluster_config config;

    hr_assert_ok(hr_options_read(&config, &hr_cluster_keys, NULL));
    config.prototypes = (hr_key_list){ 3, { 15, 6, 2 } };
    config.kmeans_redo = 2;
    config.kmeans_iterations = 4;
    return config;
}

static hr_tree_maker *begin(const hr_cluster_config *config, const hirl_tree *previous)
{
    hr_tree_input in = { .features = rows, .n = N, .previous = previous };
    hr_tree_maker *maker = NULL;

    hr_assert_ok(hr_tree_maker_create(&maker, context, q, &in, config));
    return maker;
}

static hirl_tree *finish(hr_tree_maker *maker)
{
    hirl_tree *tree = NULL;
    bool done = false;

    while (!done)
        hr_assert_ok(hr_tree_maker_step(&done, maker));
    ck_assert_int_eq(hr_tree_maker_made(maker), hr_tree_maker_total(maker));
    hr_assert_ok(hr_tree_maker_finish(&tree, maker));
    hr_tree_maker_destroy(maker);
    return tree;
}

static void assert_equal(const hirl_tree *a, const hirl_tree *b)
{
    ck_assert_int_eq(a->levels, b->levels);
    ck_assert_mem_eq(a->leaf, b->leaf, N * sizeof *a->leaf);
    for (int l = 0; l < a->levels; l++) {
        size_t bytes = (size_t)(a->m[l] * D) * sizeof(float);

        ck_assert_mem_eq(a->centroid[l], b->centroid[l], bytes);
        ck_assert_mem_eq(a->proto[l], b->proto[l], bytes);
        ck_assert_mem_eq(a->size[l], b->size[l], (size_t)a->m[l] * sizeof(int64_t));
        if (a->parent[l])
            ck_assert_mem_eq(a->parent[l], b->parent[l], (size_t)a->m[l] * sizeof(int32_t));
    }
}

static int32_t nearest(const float *x, const float *centroid, int64_t k)
{
    double best = INFINITY;
    int32_t at = -1;

    for (int64_t j = 0; j < k; j++) {
        double sum = 0;

        for (int t = 0; t < D; t++)
            sum += pow((double)x[t] - (double)centroid[j * D + t], 2);
        if (sum < best - 1e-7) {
            best = sum;
            at = (int32_t)j;
        }
    }
    return at;
}

/* ---- the tree ---- */

static void check_tree(const hirl_tree *tree, bool unit)
{
    float x[D];

    for (int i = 0; i < N; i++) {
        for (int t = 0; t < D; t++)
            x[t] = (float)((real *)rows.data)[i * D + t];
        ck_assert_int_eq(tree->leaf[i], nearest(x, tree->centroid[0], tree->m[0]));
    }
    for (int l = 0; l + 1 < tree->levels; l++)
        for (int j = 0; j < tree->m[l]; j++) {
            const float *from = (unit ? tree->proto[l] : tree->centroid[l]) + j * D;

            ck_assert_int_eq(tree->parent[l][j],
                             nearest(from, tree->centroid[l + 1], tree->m[l + 1]));
        }
    for (int l = 0; l < tree->levels; l++) {
        int64_t sum = 0;

        for (int j = 0; j < tree->m[l]; j++) {
            double square = 0;

            for (int t = 0; t < D; t++)
                square += pow((double)tree->proto[l][j * D + t], 2);
            ck_assert_double_le(fabs(square - 1), 1e-6);
            sum += tree->size[l][j];
        }
        ck_assert_int_eq(sum, N);
    }
}

START_TEST(leaves_and_parents_are_nearest_raw_centroids)
{
    hr_cluster_config config = small();
    hirl_tree *raw, *unit, *reference[2];

    open_with(2);
    raw = finish(begin(&config, NULL));
    check_tree(raw, false);
    config.kmeans_between = HR_BETWEEN_UNIT;
    unit = finish(begin(&config, NULL));
    check_tree(unit, true);
    ck_assert_mem_eq(raw->centroid[0], unit->centroid[0], (size_t)(15 * D) * sizeof(float));
    ck_assert_mem_ne(raw->centroid[1], unit->centroid[1], (size_t)(6 * D) * sizeof(float));
    config.profile = 1;
    reference[0] = finish(begin(&config, NULL));
    config.kmeans_between = HR_BETWEEN_AUTO;
    reference[1] = finish(begin(&config, NULL));
    assert_equal(reference[0], reference[1]); /* auto is unit in profile reference */
    hr_tree_drop(raw);
    hr_tree_drop(unit);
    hr_tree_drop(reference[0]);
    hr_tree_drop(reference[1]);
    close_all();
}
END_TEST

START_TEST(unusable_rows_have_no_leaf_and_change_nothing)
{
    hr_cluster_config config = small();
    int32_t number[N];
    uint8_t usable[N];
    hr_tree_input in = { .n = N, .usable = usable }, alone = { .n = 80 };
    hr_tree_maker *maker;
    hirl_tree *tree, *all;
    int count = 0;

    open_with(2);
    for (int i = 0; i < N; i++) {
        usable[i] = i % 9 != 4;
        if (usable[i])
            number[count++] = i;
    }
    ck_assert_int_eq(count, 80);
    hr_assert_ok(hr_rows_take(&in.features, q, HR_REAL, count, D));
    hr_assert_ok(hr_rows_gather(q, &in.features, &rows, number));
    hr_assert_ok(hr_tree_maker_create(&maker, context, q, &in, &config));
    tree = finish(maker);
    alone.features = in.features;
    hr_assert_ok(hr_tree_maker_create(&maker, context, q, &alone, &config));
    all = finish(maker);
    ck_assert_int_eq(tree->n, N);
    for (int i = 0, at = 0; i < N; i++)
        ck_assert_int_eq(tree->leaf[i], usable[i] ? all->leaf[at++] : -1);
    for (int l = 0; l < 3; l++)
        ck_assert_mem_eq(tree->centroid[l], all->centroid[l],
                         (size_t)(tree->m[l] * D) * sizeof(float));
    ck_assert_int_eq(tree->size[2][0] + tree->size[2][1], 80);
    in.n = N - 9; /* 72 usable rows */
    hr_assert_fails(hr_tree_maker_create(&maker, context, q, &in, &config), HIRL_E_INTERNAL,
                    "80 rows of features for 72");
    hr_array_give(&in.features, q);
    hr_tree_drop(tree);
    hr_tree_drop(all);
    close_all();
}
END_TEST

START_TEST(a_row_that_is_not_finite_is_refused)
{
    hr_cluster_config config = small();
    hr_tree_input in = { .n = N };
    hr_tree_maker *maker;

    open_with(1);
    in.features = rows;
    ((real *)rows.data)[33 * D + 1] = (real)INFINITY;
    hr_assert_fails(hr_tree_maker_create(&maker, context, q, &in, &config), HIRL_E_NONFINITE,
                    "row 33");
    close_all();
}
END_TEST

/* ---- warm start ---- */

START_TEST(a_warm_start_from_the_result_stays_there)
{
    hr_cluster_config config = small();
    hirl_tree *cold, *warm, *ignored;

    open_with(2);
    config.kmeans_iterations = 50; /* enough to converge */
    cold = finish(begin(&config, NULL));
    warm = finish(begin(&config, cold));
    assert_equal(warm, cold);
    config.kmeans_seed = 9;
    warm->centroid[1][0] += 3; /* a previous tree that differs in level 2 */
    config.warm = 0;
    ignored = finish(begin(&config, warm));
    hr_tree_drop(warm);
    warm = finish(begin(&config, NULL));
    assert_equal(ignored, warm);
    hr_tree_drop(cold);
    hr_tree_drop(warm);
    hr_tree_drop(ignored);
    close_all();
}
END_TEST

START_TEST(a_warm_start_makes_one_run_a_level)
{
    hr_cluster_config config = small();
    hr_tree_maker *maker;
    hirl_tree *cold;

    open_with(1);
    maker = begin(&config, NULL);
    ck_assert_int_eq(hr_tree_maker_total(maker), 3 * 2 * 4);
    cold = finish(maker);
    config.prototypes.item[1] = 7; /* level 2 of the previous tree has 6 */
    maker = begin(&config, cold);
    ck_assert_int_eq(hr_tree_maker_total(maker), 4 + 2 * 4 + 4);
    hr_tree_drop(finish(maker));
    hr_tree_drop(cold);
    close_all();
}
END_TEST

/* ---- stopping ---- */

/* destroys the maker and loads its saved state into a new one; `copy` shares no memory with it */
static hr_tree_maker *moved(hr_tree_maker *maker, const hr_cluster_config *config)
{
    hr_tree_maker *next = begin(config, NULL);
    hr_tensors list, copy;

    hr_tensors_init(&list);
    hr_tensors_init(&copy);
    hr_assert_ok(hr_tree_maker_save(&list, maker, "maker."));
    for (int i = 0; i < list.count; i++) {
        void *data;

        hr_assert_ok(hr_tensors_new(&data, &copy, list.item[i].name, list.item[i].dtype,
                                    list.item[i].rank, list.item[i].dim));
        memcpy(data, list.item[i].data, list.item[i].bytes);
    }
    hr_tensors_done(&list);
    hr_tree_maker_destroy(maker);
    hr_assert_ok(hr_tree_maker_load(next, &copy, "maker."));
    hr_tensors_done(&copy);
    return next;
}

START_TEST(saving_after_every_iteration_gives_the_same_bits)
{
    hr_cluster_config config = small();
    hr_tree_maker *maker;
    hirl_tree *whole, *parts = NULL;
    int64_t before = -1;
    bool done = false;

    open_with(2);
    whole = finish(begin(&config, NULL));
    maker = moved(begin(&config, NULL), &config);
    while (!done) {
        hr_assert_ok(hr_tree_maker_step(&done, maker));
        maker = moved(maker, &config);
        ck_assert_int_gt(hr_tree_maker_made(maker), before);
        before = hr_tree_maker_made(maker);
    }
    hr_assert_ok(hr_tree_maker_finish(&parts, maker));
    hr_tree_maker_destroy(maker);
    assert_equal(whole, parts);
    hr_tree_drop(whole);
    hr_tree_drop(parts);
    close_all();
}
END_TEST

START_TEST(a_state_of_other_prototypes_is_refused)
{
    hr_cluster_config config = small();
    hr_tree_maker *maker, *other;
    hr_tensors list;
    bool done;

    open_with(1);
    maker = begin(&config, NULL);
    hr_assert_ok(hr_tree_maker_step(&done, maker));
    hr_tensors_init(&list);
    hr_assert_ok(hr_tree_maker_save(&list, maker, "maker."));
    config.prototypes.item[0] = 16;
    other = begin(&config, NULL);
    hr_assert_fails(hr_tree_maker_load(other, &list, "maker."), HIRL_E_FORMAT, "kmeans");
    hr_tree_maker_destroy(other);
    hr_tensors_done(&list);
    hr_tree_maker_destroy(maker);
    close_all();
}
END_TEST

START_TEST(finish_refuses_an_unfinished_tree)
{
    hr_cluster_config config = small();
    hr_tree_maker *maker;
    hirl_tree *tree;

    open_with(1);
    maker = begin(&config, NULL);
    hr_assert_fails(hr_tree_maker_finish(&tree, maker), HIRL_E_STATE, "level 1 of 3");
    hr_tree_maker_destroy(maker);
    close_all();
}
END_TEST

START_TEST(a_tree_does_not_depend_on_the_number_of_threads)
{
    hr_cluster_config config = small();
    hirl_tree *tree;
    float centroid[15 * D];
    int32_t leaf[N];

    for (int threads = 1; threads <= 7; threads += 2) {
        open_with(threads);
        tree = finish(begin(&config, NULL));
        if (threads == 1) {
            memcpy(centroid, tree->centroid[0], sizeof centroid);
            memcpy(leaf, tree->leaf, sizeof leaf);
        }
        ck_assert_mem_eq(centroid, tree->centroid[0], sizeof centroid);
        ck_assert_mem_eq(leaf, tree->leaf, sizeof leaf);
        hr_tree_drop(tree);
        close_all();
    }
}
END_TEST

HR_TESTS("maker", leaves_and_parents_are_nearest_raw_centroids,
         unusable_rows_have_no_leaf_and_change_nothing, a_row_that_is_not_finite_is_refused,
         a_warm_start_from_the_result_stays_there, a_warm_start_makes_one_run_a_level,
         saving_after_every_iteration_gives_the_same_bits, a_state_of_other_prototypes_is_refused,
         finish_refuses_an_unfinished_tree, a_tree_does_not_depend_on_the_number_of_threads)
