/* test_kmeans.c - nearest centroids, sums per cluster and
 * nearest rows, against loops over all pairs. */
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "context.h"
#include "support/close.h"
#include "support/fill.h"
#include "support/run.h"

#ifdef HR_REAL_DOUBLE
#define EPS 1e-13
#else
#define EPS 2e-6
#endif

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

/* ---- assignment ---- */

typedef struct assigned {
    int64_t n, k, d;
    real *x, *c;
    double *distance;
    int32_t *label;
} assigned;

static assigned make(int64_t n, int64_t k, int64_t d)
{
    assigned a = { .n = n, .k = k, .d = d };

    a.x = hr_alloc_array((size_t)(n * d), sizeof(real));
    a.c = hr_alloc_array((size_t)(k * d), sizeof(real));
    a.distance = hr_alloc_array((size_t)n, sizeof(double));
    a.label = hr_alloc_array((size_t)n, sizeof(int32_t));
    hr_fill_uniform(a.x, n * d, 1, -1, 1);
    hr_fill_uniform(a.c, k * d, 2, -1, 1);
    return a;
}

static void assign(assigned *a)
{
    hr_array label = hr_array_1(a->label, HR_I32, a->n);
    hr_array distance = hr_array_1(a->distance, HR_F64, a->n);
    hr_array x = hr_array_2(a->x, HR_REAL, a->n, a->d), c = hr_array_2(a->c, HR_REAL, a->k, a->d);

    q->be->kmeans_assign(q, &label, &distance, &x, &c);
    hr_assert_ok(q->be->sync(q));
}

static void release(assigned *a)
{
    hr_free(a->x);
    hr_free(a->c);
    hr_free(a->distance);
    hr_free(a->label);
}

static double exact(const assigned *a, int64_t i, int64_t j)
{
    double sum = 0;

    for (int64_t t = 0; t < a->d; t++) {
        double difference = (double)a->x[i * a->d + t] - (double)a->c[j * a->d + t];

        sum += difference * difference;
    }
    return sum;
}

/* Checks each label against a loop over all pairs in f64: the lowest index with the smallest
 * distance, where the order of a sum over d may decide between distances that are equal
 * up to its rounding. */
static void compare_with_all_pairs(const assigned *a)
{
    double rounding = DBL_EPSILON * (double)(a->d + 4);

    for (int64_t i = 0; i < a->n; i++) {
        double own = exact(a, i, a->label[i]), least = own;
        int64_t nearest = a->label[i];

        for (int64_t j = a->k - 1; j >= 0; j--) {
            double distance = exact(a, i, j);

            nearest = distance <= least ? j : nearest;
            least = distance <= least ? distance : least;
        }
        ck_assert_msg(nearest == a->label[i] || (least > 0 && own <= least * (1 + rounding)),
                      "row %d: label %d at %.17g, but %d is at %.17g", (int)i, (int)a->label[i],
                      own, (int)nearest, least);
        ck_assert_double_le(fabs(a->distance[i] - own), rounding * own);
    }
}

START_TEST(assign_finds_the_nearest_of_all_centroids)
{
    static const int64_t size[][3] = { { 1, 1, 1 },     { 3, 2, 5 },     { 255, 16, 3 },
                                       { 257, 17, 8 },  { 300, 513, 7 }, { 64, 1100, 33 },
                                       { 513, 40, 130 } };

    open_with(2);
    for (size_t s = 0; s < sizeof size / sizeof *size; s++) {
        assigned a = make(size[s][0], size[s][1], size[s][2]);

        assign(&a);
        compare_with_all_pairs(&a);
        release(&a);
    }
    close_all();
}
END_TEST

typedef struct hard {
    double offset, spread; /* rows and centroids are uniform in offset +- spread */
    bool unit;             /* all are scaled to unit length afterwards */
} hard;

static const hard hards[] = {
    { 1e4, 1, false },   { 1e7, 8, false },  { 1e30, 1e25, false },
    { 1, 1e-4, true },   { 1, 1e-9, true },  { 0, 1e-30, false },
    { 0, 1e-40, false }, { 0, 1e38, false }, { 2e38, 1e38, false },
};

static void harden(real *x, int64_t n, int64_t d, uint32_t key, const hard *h)
{
    hr_fill_uniform(x, n * d, key, -1, 1);
    for (int64_t i = 0; i < n; i++) {
        double square = 0;

        for (int64_t t = 0; t < d; t++) {
            x[i * d + t] = (real)(float)(h->offset + h->spread * (double)x[i * d + t]);
            square += (double)x[i * d + t] * (double)x[i * d + t];
        }
        for (int64_t t = 0; t < d && h->unit; t++)
            x[i * d + t] = (real)(float)((double)x[i * d + t] / sqrt(square));
    }
}

static void check_hard(const hard *h, int64_t n, int64_t k, int64_t d)
{
    assigned a = make(n, k, d);

    harden(a.x, n, d, 1, h);
    harden(a.c, k, d, 2, h);
    for (int64_t j = 0; j < k; j += 3) /* some centroids are rows, and two rows are equal */
        memcpy(a.c + j * d, a.x + j % n * d, (size_t)d * sizeof(real));
    memcpy(a.x + (n - 1) * d, a.x, (size_t)d * sizeof(real));
    assign(&a);
    compare_with_all_pairs(&a);
    release(&a);
}

START_TEST(assign_is_exact_where_distances_cancel_or_overflow)
{
    static const int64_t size[][3] = { { 500, 40, 2 },   { 300, 300, 1 },  { 70, 1100, 33 },
                                       { 300, 30, 130 }, { 20, 20, 4096 }, { 5, 7, 9000 } };

    open_with(2);
    for (size_t i = 0; i < sizeof hards / sizeof *hards; i++)
        for (size_t s = 0; s < sizeof size / sizeof *size; s++)
            check_hard(&hards[i], size[s][0], size[s][1], size[s][2]);
    close_all();
}
END_TEST

START_TEST(an_outlier_does_not_change_the_labels_of_other_rows)
{
    assigned a = make(200, 30, 64);

    open_with(2);
    a.c[5] = (real)1e30;
    a.x[7] = (real)3e30;
    assign(&a);
    compare_with_all_pairs(&a);
    release(&a);
    close_all();
}
END_TEST

START_TEST(assign_gives_known_labels_and_distances)
{
    /* rows (0,0) (3,4) (1,1), centroids (0,1) (3,3): all squared distances are 1 */
    real x[] = { 0, 0, 3, 4, 1, 1 }, c[] = { 0, 1, 3, 3 };
    double distance[3];
    int32_t label[3];
    assigned a = { 3, 2, 2, x, c, distance, label };

    open_with(1);
    assign(&a);
    ck_assert_int_eq(label[0], 0);
    ck_assert_int_eq(label[1], 1);
    ck_assert_int_eq(label[2], 0);
    for (int i = 0; i < 3; i++)
        ck_assert_double_eq(distance[i], 1);
    close_all();
}
END_TEST

START_TEST(assign_takes_the_lowest_index_on_ties)
{
    enum { N = 9, K = 700, D = 4 };
    assigned a = make(N, K, D);

    open_with(2);
    for (int64_t j = 0; j < K; j++) /* K copies of the first three centroids */
        memcpy(a.c + j * D, a.c + j % 3 * D, D * sizeof(real));
    assign(&a);
    for (int64_t i = 0; i < N; i++)
        ck_assert_int_lt(a.label[i], 3);
    release(&a);
    close_all();
}
END_TEST

/* All centroids are equally far from the rows up to rounding, as in k-means
 * with fewer distinct rows than clusters. */
START_TEST(equal_rows_get_equal_labels_at_any_position)
{
    static const int64_t size[][2] = { { 2, 33 }, { 5, 64 }, { 5, 130 }, { 600, 300 } };

    open_with(2);
    for (size_t s = 0; s < sizeof size / sizeof *size; s++) {
        int64_t k = size[s][0], d = size[s][1];
        assigned a = make(401, k, d);

        for (int64_t i = 1; i < a.n; i++)
            memcpy(a.x + i * d, a.x, (size_t)d * sizeof(real));
        for (int64_t i = 0; i < k * d; i++)
            a.c[i] = a.x[i % d] * (real)(1 + ((i / d + i % d) % 2 ? 1 : -1) / 1024.0);
        assign(&a);
        for (int64_t i = 1; i < a.n; i++) {
            ck_assert_int_eq(a.label[i], a.label[0]);
            ck_assert_double_eq((double)a.distance[i], (double)a.distance[0]);
        }
        release(&a);
    }
    close_all();
}
END_TEST

START_TEST(a_distance_is_never_negative_and_a_nan_stays)
{
    enum { N = 40, D = 50 };
    assigned a = make(N, N, D);

    open_with(2);
    for (int64_t i = 0; i < N * D; i++)
        a.x[i] = a.c[i] += 100; /* far from 0, so that |x|^2 - 2 x c + |c|^2 cancels */
    a.x[7 * D + 3] = (real)NAN;
    assign(&a);
    for (int64_t i = 0; i < N; i++)
        if (i == 7)
            ck_assert(isnan(a.distance[i]));
        else
            ck_assert(a.distance[i] >= 0);
    release(&a);
    close_all();
}
END_TEST

/* ---- sums ---- */

static void sum_rows(double *sum, double *weight, const real *x, const int32_t *label,
                     const real *row_weight, int64_t n, int64_t k, int64_t d)
{
    memset(sum, 0, (size_t)(k * d) * sizeof *sum);
    memset(weight, 0, (size_t)k * sizeof *weight);
    for (int64_t i = 0; i < n; i++) {
        double w = row_weight ? (double)row_weight[i] : 1;

        if (label[i] < 0)
            continue;
        weight[label[i]] += w;
        for (int64_t t = 0; t < d; t++)
            sum[label[i] * d + t] += w * (double)x[i * d + t];
    }
}

static void check_sums(int64_t n, int64_t k, int64_t d, bool weighted)
{
    real *x = hr_alloc_array((size_t)(n * d), sizeof *x), *w = hr_alloc_array((size_t)n, sizeof *w);
    double *sum = hr_alloc_array((size_t)(k * d), 16), *want = sum + k * d;
    double *weight = hr_alloc_array((size_t)k, 16), *want_weight = weight + k;
    int32_t *label = hr_alloc_array((size_t)n, sizeof *label);
    hr_array xs = hr_array_2(x, HR_REAL, n, d), ws = hr_array_1(w, HR_REAL, n);
    hr_array sums = hr_array_2(sum, HR_F64, k, d), weights = hr_array_1(weight, HR_F64, k);
    hr_array labels = hr_array_1(label, HR_I32, n);

    hr_fill_uniform(x, n * d, 3, -1, 1);
    hr_fill_uniform(w, n, 4, 0.1, 2);
    for (int64_t i = 0; i < n; i++)
        label[i] = (int32_t)((i * 7919 + i / 3) % (k + 1)) - 1;
    memset(sum, 0xff, (size_t)(k * d) * sizeof *sum); /* NaN, so that an unwritten number shows */
    q->be->kmeans_sum(q, &sums, &weights, &xs, &labels, weighted ? &ws : NULL);
    hr_assert_ok(q->be->sync(q));
    sum_rows(want, want_weight, x, label, weighted ? w : NULL, n, k, d);
    ck_assert_mem_eq(sum, want, (size_t)(k * d) * sizeof *sum); /* same order, same bits */
    ck_assert_mem_eq(weight, want_weight, (size_t)k * sizeof *weight);
    hr_free(x);
    hr_free(w);
    hr_free(sum);
    hr_free(weight);
    hr_free(label);
}

START_TEST(sums_equal_those_of_a_loop_in_row_order)
{
    open_with(3);
    check_sums(1, 1, 1, false);
    check_sums(500, 7, 3, false);
    check_sums(300, 131, 5, true);
    check_sums(90, 3, 1300, true);
    close_all();
}
END_TEST

/* ---- nearest rows of a bank ---- */

typedef struct pair {
    double score;
    int32_t index;
} pair;

static int by_falling_score(const void *a, const void *b)
{
    const pair *x = a, *y = b;

    if (x->score != y->score)
        return x->score < y->score ? 1 : -1;
    return (x->index > y->index) - (x->index < y->index);
}

/* hard NULL: small integers, whose products are exact and often equal */
static void fill_top(real *x, int64_t n, int64_t d, uint32_t key, const hard *h)
{
    if (h) {
        harden(x, n, d, key, h);
        memcpy(x + n / 2 * d, x, (size_t)d * sizeof *x); /* two rows are equal */
        return;
    }
    hr_fill_uniform(x, n * d, key, -3, 3);
    for (int64_t i = 0; i < n * d; i++)
        x[i] = (real)(int)x[i];
}

/* the rows of the bank in falling order of their products with x; returns how many */
static int64_t rank_bank(pair *all, const real *x, const real *bank, int64_t m, int64_t d,
                         int64_t skip)
{
    int64_t count = 0;

    for (int64_t j = 0; j < m; j++) {
        pair p = { 0, (int32_t)j };

        for (int64_t t = 0; t < d; t++)
            p.score += (double)x[t] * (double)bank[j * d + t];
        if (j != skip)
            all[count++] = p;
    }
    qsort(all, (size_t)count, sizeof *all, by_falling_score);
    return count;
}

/* A neighbour is the one with the same rank in f64, or as near up to the rounding of f64. */
static void check_rank(const pair *want, const pair *all, int64_t count, int32_t index, real score)
{
    double first = fabs(all[0].score), last = fabs(all[count - 1].score);
    double size = first > last ? first : last;
    int64_t j = 0;

    while (j < count && all[j].index != index)
        j++;
    ck_assert_int_lt(j, count);
    ck_assert_msg(index == want->index || (all[j].score != want->score &&
                                           fabs(all[j].score - want->score) <= 2e-14 * size),
                  "row %d of product %.17g, not row %d of %.17g", (int)index, all[j].score,
                  (int)want->index, want->score);
    ck_assert_double_le(fabs((double)score - want->score), EPS * size + (double)FLT_MIN);
}

static void check_top(int64_t n, int64_t m, int64_t d, int64_t k, bool skipping, const hard *h)
{
    real *x = hr_alloc_array((size_t)(n * d), sizeof *x);
    real *bank = hr_alloc_array((size_t)(m * d), sizeof *bank);
    real *score = hr_alloc_array((size_t)(n * k), sizeof *score);
    int32_t *index = hr_alloc_array((size_t)(n * k), sizeof *index);
    int32_t *skip = hr_alloc_array((size_t)n, sizeof *skip);
    pair *all = hr_alloc_array((size_t)m, sizeof *all);
    hr_array xs = hr_array_2(x, HR_REAL, n, d), banks = hr_array_2(bank, HR_REAL, m, d);
    hr_array indices = hr_array_2(index, HR_I32, n, k), scores = hr_array_2(score, HR_REAL, n, k);
    hr_array skips = hr_array_1(skip, HR_I32, n);

    fill_top(x, n, d, 5, h);
    fill_top(bank, m, d, 6, h);
    for (int64_t i = 0; i < n; i++)
        skip[i] = (int32_t)(i % m);
    q->be->top(q, &indices, &scores, &xs, &banks, skipping ? &skips : NULL);
    hr_assert_ok(q->be->sync(q));
    for (int64_t i = 0; i < n; i++) {
        int64_t count = rank_bank(all, x + i * d, bank, m, d, skipping ? skip[i] : -1);

        for (int64_t j = 0; j < k; j++)
            if (j < count) {
                check_rank(&all[j], all, count, index[i * k + j], score[i * k + j]);
            } else {
                ck_assert_int_eq(index[i * k + j], -1);
                ck_assert_double_eq((double)score[i * k + j], -INFINITY);
            }
    }
    hr_free(x);
    hr_free(bank);
    hr_free(score);
    hr_free(index);
    hr_free(skip);
    hr_free(all);
}

START_TEST(top_gives_the_largest_products_lowest_index_first)
{
    open_with(2);
    check_top(1, 1, 1, 1, false, NULL);
    check_top(131, 1100, 6, 20, false, NULL);
    check_top(40, 40, 3, 7, true, NULL);
    check_top(5, 4, 3, 9, true, NULL); /* k is larger than the bank */
    close_all();
}
END_TEST

START_TEST(top_is_exact_where_products_are_nearly_equal)
{
    open_with(2);
    for (size_t i = 0; i < sizeof hards / sizeof *hards; i++) {
        if (hards[i].offset > 1e10 || hards[i].spread > 1e10)
            continue; /* a score overflows in f32 */
        check_top(70, 1100, 33, 20, false, &hards[i]);
        check_top(20, 300, 200, 5, true, &hards[i]);
        check_top(9, 40, 4096, 30, false, &hards[i]);
        check_top(30, 500, 1, 3, false, &hards[i]);
    }
    close_all();
}
END_TEST

/* ---- threads ---- */

START_TEST(results_do_not_depend_on_the_number_of_threads)
{
    enum { N = 1500, K = 70, D = 19, TOP = 5 };
    assigned a = make(N, K, D), first = make(N, K, D);
    int32_t *index = hr_alloc_array(2 * N * TOP, sizeof *index), *first_index = index + N * TOP;
    real *score = hr_alloc_array(2 * N * TOP, sizeof *score), *first_score = score + N * TOP;
    static const int threads[] = { 1, 2, 3, 7 };

    for (int t = 0; t < 4; t++) {
        hr_array indices = hr_array_2(index, HR_I32, N, TOP),
                 scores = hr_array_2(score, HR_REAL, N, TOP);
        hr_array x = hr_array_2(a.x, HR_REAL, N, D);

        open_with(threads[t]);
        assign(&a);
        q->be->top(q, &indices, &scores, &x, &x, NULL);
        hr_assert_ok(q->be->sync(q));
        close_all();
        if (!t) {
            memcpy(first.label, a.label, N * sizeof *a.label);
            memcpy(first.distance, a.distance, N * sizeof *a.distance);
            memcpy(first_index, index, N * TOP * sizeof *index);
            memcpy(first_score, score, N * TOP * sizeof *score);
        }
        ck_assert_mem_eq(a.label, first.label, N * sizeof *a.label);
        ck_assert_mem_eq(a.distance, first.distance, N * sizeof *a.distance);
        ck_assert_mem_eq(index, first_index, N * TOP * sizeof *index);
        ck_assert_mem_eq(score, first_score, N * TOP * sizeof *score);
    }
    hr_free(index);
    hr_free(score);
    release(&a);
    release(&first);
}
END_TEST

HR_TESTS("cpu_kmeans", assign_finds_the_nearest_of_all_centroids,
         assign_is_exact_where_distances_cancel_or_overflow,
         an_outlier_does_not_change_the_labels_of_other_rows,
         assign_gives_known_labels_and_distances, assign_takes_the_lowest_index_on_ties,
         equal_rows_get_equal_labels_at_any_position, a_distance_is_never_negative_and_a_nan_stays,
         sums_equal_those_of_a_loop_in_row_order, top_gives_the_largest_products_lowest_index_first,
         top_is_exact_where_products_are_nearly_equal,
         results_do_not_depend_on_the_number_of_threads)
