/* test_step.c - leaves and results of a training step: values worked out by hand. */
#include "support/kernels.h"
#include "support/run.h"

/* ---- path_leaves ---- */

enum { N = 4, K = 3, LEAVES_OF_OTHERS = 0, LEAVES_OF_ALL = 1 };

typedef struct leaves {
    int32_t positive[N], negative[N][K];
} leaves;

/* Image 0 has no leaf; in image 3 nothing was drawn for one place. */
static const int32_t drawn[N][K] = { { 0, 1, 2 }, { 0, 1, 2 }, { 2, 0, 2 }, { 3, -1, 0 } };

static hr_array integers(const int32_t *value, int64_t rows, int64_t cols)
{
    hr_array a = hr_guarded(HR_I32, rows, cols, 0, 0);

    memcpy(a.data, value, hr_bytes(&a));
    return a;
}

/* in_place: the negatives overwrite the numbers that were drawn */
static void check_call(const leaves *want, const int32_t *positive, const int32_t *chosen,
                       int32_t all, bool in_place)
{
    hr_queue *q = hr_test_queue(2);
    hr_array to = integers(positive, N, 0), leaf = hr_guarded(HR_I32, N, K, 0, 0);
    hr_array from = integers(chosen ? chosen : positive, N, 0), draw = integers(drawn[0], N, K);
    const hr_array *result = in_place ? &draw : &leaf;

    q->be->path_leaves(q, &to, result, chosen ? &from : NULL, &draw, all);
    hr_test_sync(q);
    for (int i = 0; i < N; i++) {
        ck_assert_int_eq(((int32_t *)to.data)[i], want->positive[i]);
        for (int j = 0; j < K; j++)
            ck_assert_msg(((int32_t *)result->data)[i * K + j] == want->negative[i][j],
                          "image %d, negative %d: %d, wanted %d", i, j,
                          ((int32_t *)result->data)[i * K + j], want->negative[i][j]);
    }
    if (!in_place)
        ck_assert_mem_eq(draw.data, drawn, sizeof drawn);
    hr_drop(&to);
    hr_drop(&leaf);
    hr_drop(&from);
    hr_drop(&draw);
}

/* fails the current test unless positive and chosen (NULL: none) lead to the wanted leaves */
static void check_leaves(const leaves *want, const int32_t *positive, const int32_t *chosen,
                         int32_t all)
{
    check_call(want, positive, chosen, all, false);
    check_call(want, positive, chosen, all, true);
}

/* A number below the positive names that leaf, any other the leaf after it: the positive is left
 * out. */
START_TEST(negatives_from_the_other_leaves_step_over_the_positive)
{
    static const int32_t positive[N] = { -1, 1, 2, 0 };
    static const leaves want = { { -1, 1, 2, 0 },
                                 { { -1, -1, -1 }, { 0, 2, 3 }, { 3, 0, 3 }, { 4, -1, 1 } } };

    check_leaves(&want, positive, NULL, LEAVES_OF_OTHERS);
}
END_TEST

/* A number is the leaf itself; where it is the positive, there is no negative. */
START_TEST(negatives_from_all_leaves_are_not_there_where_they_are_the_positive)
{
    static const int32_t positive[N] = { -1, 1, 2, 0 };
    static const leaves want = { { -1, 1, 2, 0 },
                                 { { -1, -1, -1 }, { 0, -1, 2 }, { -1, 0, -1 }, { 3, -1, -1 } } };

    check_leaves(&want, positive, NULL, LEAVES_OF_ALL);
}
END_TEST

/* Image 0 has no leaf and gets none; of the others, image 2 keeps its leaf by chance, and image 3
 * loses it. The negatives follow the chosen leaves. */
START_TEST(chosen_leaves_replace_the_positives_that_are_there)
{
    static const int32_t positive[N] = { -1, 1, 2, 0 }, chosen[N] = { 2, 0, 2, -1 };
    static const leaves others = { { -1, 0, 2, -1 },
                                   { { -1, -1, -1 }, { 1, 2, 3 }, { 3, 0, 3 }, { -1, -1, -1 } } };
    static const leaves all = { { -1, 0, 2, -1 },
                                { { -1, -1, -1 }, { -1, 1, 2 }, { -1, 0, -1 }, { -1, -1, -1 } } };

    check_leaves(&others, positive, chosen, LEAVES_OF_OTHERS);
    check_leaves(&all, positive, chosen, LEAVES_OF_ALL);
}
END_TEST

/* ---- tally ---- */

static void put_and_tally(hr_queue *q, const hr_array *sum, hr_dtype type, double loss)
{
    hr_array x = hr_filled(type, loss, 1, 0, 0, 0);

    q->be->tally(q, sum, &x);
    hr_test_sync(q);
    ck_assert_double_eq((double)hr_at(&x, 0), loss);
    hr_drop(&x);
}

/* all numbers are exact in f32 and in bf16 */
START_TEST(tally_adds_losses_to_the_sum)
{
    hr_queue *q = hr_test_queue(2);
    hr_array sum = hr_guarded(HR_F64, 1, 0, 0, 0);

    q->be->fill(q, &sum, 0.125);
    put_and_tally(q, &sum, HR_REAL, 0.5);
    ck_assert_double_eq(*(double *)sum.data, 0.625);
    put_and_tally(q, &sum, HR_BF16, -4);
    ck_assert_double_eq(*(double *)sum.data, -3.375);
    hr_drop(&sum);
}
END_TEST

/* 2^30 + 2^-10 needs 41 bits: a sum in f32 would lose the small loss. */
START_TEST(tally_keeps_small_losses_beside_a_large_sum)
{
    hr_queue *q = hr_test_queue(1);
    hr_array sum = hr_guarded(HR_F64, 1, 0, 0, 0);

    q->be->fill(q, &sum, 0x1p30);
    put_and_tally(q, &sum, HR_REAL, 0x1p-10);
    ck_assert_double_eq(*(double *)sum.data, 0x1p30 + 0x1p-10);
    hr_drop(&sum);
}
END_TEST

/* ---- hits ---- */

/* Row 0 is right, row 1 wrong, row 2 has two equal largest numbers of which the first counts, row 3
 * has no label. */
START_TEST(hits_count_rows_whose_largest_number_is_at_the_label)
{
    static const double z[] = { 0, 2, 1, 3, 2, 1, 5, 0, 5, 1, 0, 0 };
    static const int32_t label[] = { 1, 1, 0, -1 };
    hr_queue *q = hr_test_queue(1);
    hr_array sum = hr_guarded(HR_F64, 1, 0, 0, 0), x = hr_guarded(HR_REAL, 4, 3, 0, 0);
    hr_array wanted = integers(label, 4, 0);

    for (int i = 0; i < 12; i++)
        ((real *)x.data)[i] = (real)z[i];
    q->be->fill(q, &sum, 10);
    q->be->hits(q, &sum, &x, &wanted);
    hr_test_sync(q);
    ck_assert_double_eq(*(double *)sum.data, 12);
    hr_drop(&sum);
    hr_drop(&x);
    hr_drop(&wanted);
}
END_TEST

HR_TESTS("cpu-step", negatives_from_the_other_leaves_step_over_the_positive,
         negatives_from_all_leaves_are_not_there_where_they_are_the_positive,
         chosen_leaves_replace_the_positives_that_are_there, tally_adds_losses_to_the_sum,
         tally_keeps_small_losses_beside_a_large_sum,
         hits_count_rows_whose_largest_number_is_at_the_label)
