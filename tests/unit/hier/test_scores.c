/* test_scores.c - purity, NMI and dendrogram purity: numbers of scikit-learn, over all pairs, by
 * hand. */
#include <hirl/cluster.h>
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "hier/tree.h"
#include "support/close.h"
#include "support/run.h"

static hirl_context *context;

/* a tree with parents and leaves only */
static hirl_tree *make(int32_t levels, const int64_t *m, const int32_t *const *parents,
                       const int32_t *leaf, int64_t n)
{
    static const float ones[64] = { 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
                                    1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1 };
    const float *proto[] = { ones, ones, ones };
    hirl_tree *tree = NULL;

    hr_assert_ok(hr_context_create(&context, "cpu", 1));
    hr_assert_ok(hirl_tree_create(&tree, context, levels, 1, m, proto, parents, leaf, n));
    return tree;
}

static void drop(hirl_tree *tree)
{
    hirl_tree_destroy(tree);
    hr_context_drop(context);
    ck_assert_int_eq(hr_alloc_live(), 0);
}

static hirl_tree_score evaluate(const hirl_tree *tree, const int32_t *label)
{
    hirl_tree_score score = { .struct_size = sizeof score };

    hr_assert_ok(hirl_tree_evaluate(&score, tree, label, tree->n));
    return score;
}

/* ---- 60 rows, 7 leaves below 3 nodes below 2 ---- */

enum { N = 60 };
static const int64_t m[] = { 7, 3, 2 };
static const int32_t up1[] = { 0, 2, 1, 0, 1, 2, 0 }, up2[] = { 0, 1, 0 };
static const int32_t *const ups[] = { up1, up2 };

static void rows_of(int32_t *leaf, int32_t *label)
{
    for (int i = 0; i < N; i++) {
        leaf[i] = (i * i + 3 * i) % 7;
        label[i] = i % 5 ? leaf[i] / 2 : i % 4;
    }
}

START_TEST(scores_are_those_of_scikit_learn)
{
    /* normalized_mutual_info_score and purity in NumPy, scikit-learn 1.2.1 */
    const double purity[] = { 0.85, 0.716666666667, 0.55 };
    const double nmi[] = { 0.510438335223, 0.371629436607, 0.214287784352 };
    int32_t leaf[N], label[N];
    hirl_tree_score score;
    hirl_tree *tree;

    rows_of(leaf, label);
    tree = make(3, m, ups, leaf, N);
    score = evaluate(tree, label);
    ck_assert_int_eq(score.levels, 3);
    hr_assert_close(score.purity, purity, 3, 1e-11, 0);
    hr_assert_close(score.nmi, nmi, 3, 1e-11, 0);
    ck_assert_double_le(fabs(score.dendrogram_purity - 0.661851884771), 1e-11);
    drop(tree);
}
END_TEST

/* share of the label among the rows below a node that count */
static double share(const hirl_tree *tree, const int32_t *label, int32_t level, int32_t node,
                    int32_t of)
{
    int below = 0, equal = 0;

    for (int i = 0; i < tree->n; i++) {
        int32_t at = tree->leaf[i];

        if (at < 0 || label[i] < 0)
            continue;
        for (int32_t l = 0; l < level; l++)
            at = l + 1 < tree->levels ? tree->parent[l][at] : 0;
        below += at == node;
        equal += at == node && label[i] == of;
    }
    return (double)equal / below;
}

/* by definition: a loop over all pairs and over the levels up to the root */
static double over_all_pairs(const hirl_tree *tree, const int32_t *label)
{
    double sum = 0;
    int pairs = 0;

    for (int i = 0; i < tree->n; i++)
        for (int j = 0; j < i; j++) {
            int32_t a = tree->leaf[i], b = tree->leaf[j], level = 0;

            if (a < 0 || b < 0 || label[i] < 0 || label[i] != label[j])
                continue;
            while (a != b) {
                a = level + 1 < tree->levels ? tree->parent[level][a] : 0;
                b = level + 1 < tree->levels ? tree->parent[level][b] : 0;
                level++;
            }
            sum += share(tree, label, level, a, label[i]);
            pairs++;
        }
    return sum / pairs;
}

START_TEST(dendrogram_purity_is_the_mean_over_all_pairs)
{
    int32_t leaf[N], label[N];
    hirl_tree *tree;

    for (int32_t levels = 1; levels <= 3; levels++) {
        rows_of(leaf, label);
        for (int i = 0; i < N; i += 7)
            leaf[i] = -1; /* rows that do not count */
        for (int i = 3; i < N; i += 11)
            label[i] = i % 2 ? -1 : 2000000000; /* a label can be any number */
        tree = make(levels, m, ups, leaf, N);
        ck_assert_double_le(
            fabs(evaluate(tree, label).dendrogram_purity - over_all_pairs(tree, label)), 1e-12);
        drop(tree);
    }
}
END_TEST

START_TEST(a_perfect_tree_scores_one_and_a_mixed_one_as_by_hand)
{
    /* leaves {a a} {b b} {a b}, no node above. Purity 5/6. Pairs of a: (1,2) share 1, (1,3) and
     * (2,3) meet in the root, share 1/2; so 2/3, and b the same. */
    const int64_t three[] = { 3 };
    const int32_t leaf[] = { 0, 0, 1, 1, 2, 2 }, label[] = { 7, 7, 9, 9, 7, 9 };
    const int32_t perfect[] = { 1, 1, 2, 2, 0, 0 };
    hirl_tree *tree = make(1, three, NULL, leaf, 6);
    hirl_tree_score score = evaluate(tree, label);

    ck_assert_double_le(fabs(score.purity[0] - 5. / 6), 1e-15);
    ck_assert_double_le(fabs(score.dendrogram_purity - 2. / 3), 1e-15);
    score = evaluate(tree, perfect);
    ck_assert_double_eq(score.purity[0], 1);
    ck_assert_double_le(fabs(score.nmi[0] - 1), 1e-15);
    ck_assert_double_eq(score.dendrogram_purity, 1);
    drop(tree);
}
END_TEST

START_TEST(a_single_class_or_node_has_defined_scores)
{
    const int64_t two[] = { 2 };
    const int32_t leaf[] = { 0, 0, 0, 0 }, same[] = { 3, 3, 3, 3 }, all[] = { 0, 1, 2, 3 };
    hirl_tree *tree = make(1, two, NULL, leaf, 4);
    hirl_tree_score score = evaluate(tree, same);

    ck_assert_double_eq(score.purity[0], 1);
    ck_assert_double_eq(score.nmi[0], 1);
    ck_assert_double_eq(score.dendrogram_purity, 1);
    score = evaluate(tree, all);
    ck_assert_double_eq(score.purity[0], 0.25);
    ck_assert_double_eq(score.nmi[0], 0);
    ck_assert_double_eq(score.dendrogram_purity, 1); /* no pair of equal label */
    drop(tree);
}
END_TEST

START_TEST(labels_of_another_size_or_without_any_row_are_refused)
{
    const int64_t two[] = { 2 };
    const int32_t leaf[] = { 0, 1, -1 }, label[] = { -1, -1, 5 };
    hirl_tree *tree = make(1, two, NULL, leaf, 3);
    hirl_tree_score score = { .struct_size = sizeof score, .levels = -7 };

    hr_assert_fails(hirl_tree_evaluate(&score, tree, label, 2), HIRL_E_INVALID, "2 labels");
    hr_assert_fails(hirl_tree_evaluate(&score, tree, label, 3), HIRL_E_INVALID, "none of 3");
    ck_assert_int_eq(score.levels, -7);
    drop(tree);
}
END_TEST

START_TEST(an_older_callers_struct_is_filled_to_its_end)
{
    const int64_t two[] = { 2 };
    const int32_t leaf[] = { 0, 1 }, label[] = { 0, 1 };
    hirl_tree *tree = make(1, two, NULL, leaf, 2);
    hirl_tree_score score = { .struct_size = offsetof(hirl_tree_score, nmi), .nmi = { -7 } };

    hr_assert_ok(hirl_tree_evaluate(&score, tree, label, 2));
    ck_assert_double_eq(score.purity[0], 1);
    ck_assert_double_eq(score.nmi[0], -7);
    drop(tree);
}
END_TEST

HR_TESTS("scores", scores_are_those_of_scikit_learn, dendrogram_purity_is_the_mean_over_all_pairs,
         a_perfect_tree_scores_one_and_a_mixed_one_as_by_hand,
         a_single_class_or_node_has_defined_scores,
         labels_of_another_size_or_without_any_row_are_refused,
         an_older_callers_struct_is_filled_to_its_end)
