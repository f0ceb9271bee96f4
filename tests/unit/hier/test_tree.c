/* test_tree.c - the tree as data: numbers of prototypes, arrays in and out, files, new rows. */
#include <hirl/cluster.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/safetensors.h"
#include "hier/tree.h"
#include "support/close.h"
#include "support/run.h"

static hirl_context *context;

static void open_context(void)
{
    hr_assert_ok(hr_context_create(&context, "cpu", 2));
}

static void close_context(void)
{
    hr_context_drop(context);
    ck_assert_int_eq(hr_alloc_live(), 0);
}

/* ---- numbers of prototypes ---- */

static void check_auto(int64_t n, int32_t levels, int64_t m1, int64_t m2, int64_t m3)
{
    const int64_t want[] = { m1, m2, m3 };
    hr_cluster_config config;
    int64_t m[HR_LEVELS];
    int32_t found;

    hr_assert_ok(hr_options_read(&config, &hr_cluster_keys, NULL));
    hr_assert_ok(hr_tree_levels(m, &found, n, &config));
    ck_assert_int_eq(found, levels);
    for (int32_t l = 0; l < levels; l++)
        ck_assert_int_eq(m[l], want[l]);
}

START_TEST(auto_prototypes_are_the_papers_shares)
{
    check_auto(1281167, 3, 30000, 10000, 1000);
    check_auto(25000, 3, 585, 195, 20); /* 585.4 195.1 19.5 */
    check_auto(12800, 3, 300, 100, 10);
}
END_TEST

START_TEST(auto_prototypes_of_small_sets_make_a_tree_for_people)
{
    check_auto(5000, 3, 300, 100, 10); /* the paper's share would be 117 */
    check_auto(2000, 3, 133, 44, 8);
    check_auto(1080, 3, 72, 24, 8);
    check_auto(1000, 2, 67, 12, 0); /* a third level of 8 would be more than a third of 22 */
    check_auto(540, 2, 36, 12, 0);
    check_auto(300, 2, 20, 6, 0);
    check_auto(90, 2, 6, 2, 0);
    check_auto(30, 1, 3, 0, 0);
    check_auto(2, 1, 2, 0, 0);
}
END_TEST

START_TEST(auto_prototypes_grow_with_the_set_and_every_level_is_a_third)
{
    hr_cluster_config config;
    int64_t m[HR_LEVELS], before = 0;
    int32_t levels;

    hr_assert_ok(hr_options_read(&config, &hr_cluster_keys, NULL));
    for (int64_t n = 2; n < 40000; n++) {
        hr_assert_ok(hr_tree_levels(m, &levels, n, &config));
        ck_assert_int_ge(m[0], before);
        ck_assert_int_le(m[0], n);
        for (int32_t l = 1; l < levels; l++)
            ck_assert_msg(3 * m[l] <= m[l - 1] + 2, "%lld rows, level %d", (long long)n,
                          (int)l + 1);
        if (m[0] >= 36 && m[0] <= 300)
            ck_assert_msg(m[levels - 1] >= 8 && m[levels - 1] <= 12, "%lld rows", (long long)n);
        before = m[0];
    }
}
END_TEST

START_TEST(impossible_prototype_counts_are_refused_with_the_numbers)
{
    hr_cluster_config config;
    int64_t m[HR_LEVELS];
    int32_t levels;

    hr_assert_ok(hr_options_read(&config, &hr_cluster_keys, NULL));
    hr_assert_fails(hr_tree_levels(m, &levels, 1, &config), HIRL_E_INVALID, "at least 2");
    config.prototypes = (hr_key_list){ 3, { 800, 200, 50 } };
    hr_assert_ok(hr_tree_levels(m, &levels, 800, &config));
    ck_assert_int_eq(levels, 3);
    ck_assert_int_eq(m[2], 50);
    hr_assert_fails(hr_tree_levels(m, &levels, 799, &config), HIRL_E_INVALID, "799");
    config.prototypes = (hr_key_list){ 2, { 50, 50 } };
    hr_assert_fails(hr_tree_levels(m, &levels, 799, &config), HIRL_E_INVALID, "fall");
}
END_TEST

/* ---- a tree by hand: 4 leaves, 2 nodes above, 2 columns, 5 rows ---- */

static const int64_t m[] = { 4, 2 };
static const float leaves[] = { 2, 0, 0, 3, -1, 0, 0, -5 }, tops[] = { 1, 1, -1, -1 };
static const int32_t parents[] = { 0, 0, 1, 1 }, leaf[] = { 0, 1, -1, 3, 3 };

static hirl_status create(hirl_tree **tree, const int64_t *counts, const float *low,
                          const int32_t *parent, const int32_t *leaf_of_row)
{
    const float *proto[] = { low, tops };
    const int32_t *up[] = { parent };

    return hirl_tree_create(tree, context, 2, 2, counts, proto, up, leaf_of_row, 5);
}

START_TEST(a_tree_from_arrays_has_unit_prototypes_and_sizes)
{
    const double unit[] = { 1, 0, 0, 1, -1, 0, 0, -1 }, h = sqrt(0.5), top[] = { h, h, -h, -h };
    const int64_t low_sizes[] = { 1, 1, 0, 2 }, top_sizes[] = { 2, 2 }, sizes[] = { 0, 1, 2 };
    int64_t size[3];
    hirl_tree *tree;
    int32_t path[8], want[] = { 0, 0, 1, 0, 2, 1, 3, 1 };

    open_context();
    hr_assert_ok(create(&tree, m, leaves, parents, leaf));
    ck_assert_int_eq(hirl_tree_levels(tree), 2);
    ck_assert_int_eq(hirl_tree_dim(tree), 2);
    ck_assert_int_eq(hirl_tree_rows(tree), 5);
    ck_assert_int_eq(hirl_tree_count(tree, 1), 4);
    ck_assert_int_eq(hirl_tree_count(tree, 3), 0);
    hr_assert_close(hirl_tree_prototypes(tree, 1), unit, 8, 1e-7, 0);
    hr_assert_close(hirl_tree_prototypes(tree, 2), top, 4, 1e-7, 0);
    ck_assert_mem_eq(hirl_tree_sizes(tree, 1), low_sizes, sizeof low_sizes);
    ck_assert_mem_eq(hirl_tree_sizes(tree, 2), top_sizes, sizeof top_sizes);
    hr_assert_ok(hr_tree_leaf_sizes(size, tree));
    ck_assert_mem_eq(size, sizes, sizeof sizes);
    ck_assert_mem_eq(hirl_tree_parents(tree, 1), parents, sizeof parents);
    ck_assert_ptr_null(hirl_tree_parents(tree, 2));
    ck_assert_mem_eq(hirl_tree_leaves(tree), leaf, sizeof leaf);
    hr_assert_close(hirl_tree_centroids(tree, 1), unit, 8, 1e-7, 0);
    ck_assert_ptr_null(hirl_tree_centroids(tree, 3));
    ck_assert_int_eq(hirl_tree_normalize(tree), 1);
    for (int node = 0; node < 2; node++) {
        int64_t row[2], next = 0;

        hr_assert_ok(hirl_tree_node_rows(row, tree, 2, node));
        for (int i = 0; i < 5; i++)
            if (leaf[i] >= 0 && parents[leaf[i]] == node)
                ck_assert_int_eq(row[next++], i);
        ck_assert_int_eq(next, 2);
    }
    hr_assert_fails(hirl_tree_node_rows(size, tree, 2, 2), HIRL_E_INVALID, "no node 2 on level 2");
    hr_assert_fails(hirl_tree_node_rows(size, tree, 0, 0), HIRL_E_INVALID, "level 0");
    hr_tree_paths(path, tree);
    ck_assert_mem_eq(path, want, sizeof want);
    hirl_tree_destroy(tree);
    close_context();
}
END_TEST

START_TEST(short_prototypes_have_unit_length_too)
{
    const float tiny[] = { 1e-13f, 0, 0, 1e-30f, -3e-20f, 0, 0, -1e-13f };
    const double unit[] = { 1, 0, 0, 1, -1, 0, 0, -1 };
    hirl_tree *tree;

    open_context();
    hr_assert_ok(create(&tree, m, tiny, parents, leaf));
    hr_assert_close(hirl_tree_prototypes(tree, 1), unit, 8, 1e-7, 0);
    hirl_tree_destroy(tree);
    close_context();
}
END_TEST

START_TEST(arrays_that_make_no_tree_are_refused)
{
    const int64_t equal[] = { 2, 2 };
    const float zero[] = { 2, 0, 0, 0, -1, 0, 0, -5 };
    const int32_t outside[] = { 0, 0, 2, 1 }, far[] = { 0, 1, -1, 4, 3 };
    hirl_tree *tree = (hirl_tree *)far; /* the old value is ignored and not freed */

    open_context();
    hr_assert_fails(create(&tree, equal, leaves, parents, leaf), HIRL_E_INVALID, "fall");
    ck_assert_ptr_null(tree);
    hr_assert_fails(create(&tree, m, zero, parents, leaf), HIRL_E_INVALID, "prototype 1");
    hr_assert_fails(create(&tree, m, leaves, outside, leaf), HIRL_E_INVALID, "parents[2] is 2");
    hr_assert_fails(create(&tree, m, leaves, NULL, leaf), HIRL_E_INVALID, "parents");
    hr_assert_fails(create(&tree, m, leaves, parents, far), HIRL_E_INVALID, "leaf[3] is 4");
    hr_assert_fails(hirl_tree_create(&tree, NULL, 1, 1, m, NULL, NULL, NULL, 0), HIRL_E_INVALID,
                    "context");
    ck_assert_ptr_null(tree);
    close_context();
}
END_TEST

/* ---- new rows ---- */

START_TEST(new_rows_take_the_path_of_their_nearest_leaf)
{
    /* unit rows (0.8, 0.6) and (0, -1); cosines 0.8 0.6 -0.8 -0.6 and 0 -1 0 1 */
    const float row[] = { 4, 3, 0, -0.25f };
    const int32_t want[] = { 0, 0, 3, 1 };
    const double want_margin[] = { 0.2, 1 };
    int32_t path[4];
    float margin[2];
    hirl_tree *tree;

    open_context();
    hr_assert_ok(create(&tree, m, leaves, parents, leaf));
    hr_assert_ok(hirl_tree_assign(path, margin, tree, row, 2));
    ck_assert_mem_eq(path, want, sizeof want);
    hr_assert_close(margin, want_margin, 2, 1e-6, 0);
    memset(path, 0, sizeof path);
    hr_assert_ok(hirl_tree_assign(path, NULL, tree, row, 2));
    ck_assert_mem_eq(path, want, sizeof want);
    hr_assert_fails(hirl_tree_assign(path, NULL, tree, (float[]){ 1, NAN }, 1), HIRL_E_NONFINITE,
                    "row 0");
    hirl_tree_destroy(tree);
    close_context();
}
END_TEST

/* ---- files ---- */

static char *file_name(void)
{
    static char name[64];

    snprintf(name, sizeof name, "test_tree_%ld.hpt", (long)getpid());
    return name;
}

START_TEST(a_saved_tree_comes_back_as_it_was)
{
    hirl_tree *tree, *back;
    char *path = file_name();

    open_context();
    hr_assert_ok(create(&tree, m, leaves, parents, leaf));
    tree->centroid[0][3] = 0.625f; /* a raw centroid that differs from its prototype */
    tree->normalize = false;
    hr_assert_ok(hirl_tree_save(tree, path));
    hr_assert_ok(hirl_tree_load(&back, context, path));
    ck_assert_int_eq(back->levels, 2);
    ck_assert_int_eq(back->normalize, false);
    for (int l = 0; l < 2; l++) {
        size_t bytes = (size_t)(m[l] * 2) * sizeof(float);

        ck_assert_mem_eq(back->proto[l], tree->proto[l], bytes);
        ck_assert_mem_eq(back->centroid[l], tree->centroid[l], bytes);
        ck_assert_mem_eq(back->size[l], tree->size[l], (size_t)m[l] * sizeof(int64_t));
    }
    ck_assert_mem_eq(back->parent[0], parents, sizeof parents);
    ck_assert_mem_eq(back->leaf, leaf, sizeof leaf);
    hirl_tree_destroy(back);
    hirl_tree_destroy(tree);
    unlink(path);
    close_context();
}
END_TEST

/* saves the tensors of a damaged tree and loads them */
static hirl_status load_spoiled(hirl_tree *tree, const char *format, int64_t version)
{
    char *path = file_name();
    hirl_tree *back = NULL;
    hr_tensors list;
    hirl_status status;

    hr_tensors_init(&list);
    hr_assert_ok(hr_tree_to_tensors(&list, tree, ""));
    hr_assert_ok(hr_tensors_set_text(&list, "format", format));
    hr_assert_ok(hr_tensors_set_int(&list, "version", version));
    hr_assert_ok(hr_tensors_save(&list, path));
    hr_tensors_done(&list);
    status = hirl_tree_load(&back, context, path);
    ck_assert_ptr_null(back);
    unlink(path);
    return status;
}

START_TEST(a_damaged_tree_is_refused)
{
    hirl_tree *tree;
    float kept;

    open_context();
    hr_assert_ok(create(&tree, m, leaves, parents, leaf));
    hr_assert_fails(load_spoiled(tree, "hirl-model", 1), HIRL_E_FORMAT, "hirl-model");
    hr_assert_fails(load_spoiled(tree, "hirl-tree", 2), HIRL_E_VERSION, "version 2");
    tree->parent[0][2] = 2;
    hr_assert_fails(load_spoiled(tree, "hirl-tree", 1), HIRL_E_FORMAT, "parent 2");
    tree->parent[0][2] = -1;
    hr_assert_fails(load_spoiled(tree, "hirl-tree", 1), HIRL_E_FORMAT, "parent -1");
    tree->parent[0][2] = 1;
    tree->leaf[4] = -2;
    hr_assert_fails(load_spoiled(tree, "hirl-tree", 1), HIRL_E_FORMAT, "row 4");
    tree->leaf[4] = 2;
    hr_assert_fails(load_spoiled(tree, "hirl-tree", 1), HIRL_E_FORMAT, "sizes");
    tree->leaf[4] = 3;
    kept = tree->proto[1][0];
    tree->proto[1][0] = NAN;
    hr_assert_fails(load_spoiled(tree, "hirl-tree", 1), HIRL_E_FORMAT, "not finite");
    tree->proto[1][0] = 2 * kept;
    hr_assert_fails(load_spoiled(tree, "hirl-tree", 1), HIRL_E_FORMAT, "length");
    tree->proto[1][0] = kept;
    tree->n = 4;
    hr_assert_fails(load_spoiled(tree, "hirl-tree", 1), HIRL_E_FORMAT, "sizes");
    tree->n = 5;
    hirl_tree_destroy(tree);
    close_context();
}
END_TEST

START_TEST(a_missing_file_is_named)
{
    hirl_tree *tree = (hirl_tree *)m; /* the old value is ignored and not freed */

    open_context();
    hr_assert_fails(hirl_tree_load(&tree, context, "no/such/tree.hpt"), HIRL_E_IO,
                    "no/such/tree.hpt");
    ck_assert_ptr_null(tree);
    close_context();
}
END_TEST

HR_TESTS("tree", auto_prototypes_are_the_papers_shares,
         auto_prototypes_of_small_sets_make_a_tree_for_people,
         auto_prototypes_grow_with_the_set_and_every_level_is_a_third,
         impossible_prototype_counts_are_refused_with_the_numbers,
         a_tree_from_arrays_has_unit_prototypes_and_sizes, short_prototypes_have_unit_length_too,
         arrays_that_make_no_tree_are_refused, new_rows_take_the_path_of_their_nearest_leaf,
         a_saved_tree_comes_back_as_it_was, a_damaged_tree_is_refused, a_missing_file_is_named)
