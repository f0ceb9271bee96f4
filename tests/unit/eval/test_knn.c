/* test_knn.c - weighted kNN: numbers of a float64 NumPy program, by hand, refused input. */
#include <math.h>
#include <string.h>

#include <hirl/eval.h>
#include <hirl/options.h>

#include "base/alloc.h"
#include "context.h"
#include "support/close.h"
#include "support/run.h"

static hirl_context *context;

static void open_with(int threads)
{
    hr_assert_ok(hr_context_create(&context, "cpu", threads));
}

static void close_context(void)
{
    hr_context_drop(context);
    ck_assert_int_eq(hr_alloc_live(), 0);
}

static hirl_options *options_of(const char *k, const char *temperature)
{
    hirl_options *options = NULL;

    hr_assert_ok(hirl_options_create(&options));
    hr_assert_ok(hirl_options_set(options, "knn_k", k));
    hr_assert_ok(hirl_options_set(options, "knn_temperature", temperature));
    return options;
}

/* ---- 40 bank rows of 6 classes and 12 queries; numbers from a NumPy float64 program that sorts
 * all similarities and adds exp(similarity / T) by class ---- */

enum { BANK = 40, QUERIES = 12, D = 4, KS = 5 };

static float bank[BANK * D], query[QUERIES * D];
static int32_t bank_label[BANK], query_label[QUERIES];

static void fill(void)
{
    for (int i = 0; i < BANK; i++) {
        bank_label[i] = (i * i + i / 3) % 6;
        for (int t = 0; t < D; t++)
            bank[i * D + t] = (float)((i * 37 + t * i * i * 11 + t * t * 7) % 61 - 30) / 8;
    }
    for (int i = 0; i < QUERIES; i++) {
        query_label[i] = (i * 5 + i / 4) % 6;
        for (int t = 0; t < D; t++)
            query[i * D + t] = (float)((i * 29 + t * i * i * 5 + t * 17) % 53 - 26) / 8;
    }
}

static void check(const char *temperature, const int *top1, const int *top5, bool leave_one_out)
{
    hirl_options *options = options_of("1,3,7,20,100", temperature);
    hirl_knn_score report = { .struct_size = sizeof report };
    int64_t asked = leave_one_out ? BANK : QUERIES;

    hr_assert_ok(hirl_knn_evaluate(&report, context, bank, bank_label, BANK,
                                   leave_one_out ? NULL : query, query_label, QUERIES, D, options));
    ck_assert_int_eq(report.ks, KS);
    ck_assert_int_eq(report.queries, asked);
    ck_assert_int_eq(report.bank, BANK);
    for (int i = 0; i < KS; i++) {
        ck_assert_double_eq(report.top1[i], (double)top1[i] / (double)asked);
        ck_assert_double_eq(report.top5[i], (double)top5[i] / (double)asked);
    }
    hirl_options_destroy(options);
}

/* Unit rows of two classes with cosines above 0.9999999, as a collapsed encoder gives them: in f32
 * most products would be equal. */
START_TEST(knn_separates_rows_that_are_nearly_equal)
{
    enum { ROWS = 200, WIDE = 64 };
    static float x[ROWS * WIDE];
    static int32_t label[ROWS];
    hirl_options *options = options_of("1", "0.07");
    hirl_knn_score report = { .struct_size = sizeof report };

    open_with(2);
    for (int i = 0; i < ROWS; i++) {
        double square = 0, row[WIDE];

        label[i] = i * 7 % 5 < 2;
        for (int t = 0; t < WIDE; t++) {
            row[t] = 1 + (label[i] ? 1e-4 : -1e-4) * (t % 2 ? 1 : -1) +
                     4e-6 * ((i * 37 + t * t * 11 + i * t) % 61 - 30) / 30;
            square += row[t] * row[t];
        }
        for (int t = 0; t < WIDE; t++)
            x[i * WIDE + t] = (float)(row[t] / sqrt(square));
    }
    hr_assert_ok(hirl_knn_evaluate(&report, context, x, label, ROWS, NULL, NULL, 0, WIDE, options));
    ck_assert_double_eq(report.top1[0], 1);
    hirl_options_destroy(options);
    close_context();
}
END_TEST

START_TEST(knn_gives_the_numbers_of_numpy)
{
    static const int cold1[] = { 3, 2, 2, 2, 2 }, cold5[] = { 3, 8, 10, 11, 11 };
    static const int warm1[] = { 3, 5, 4, 3, 4 }, warm5[] = { 3, 8, 10, 8, 9 };

    fill();
    open_with(2);
    check("0.07", cold1, cold5, false);
    check("1", warm1, warm5, false);
    close_context();
}
END_TEST

START_TEST(without_queries_each_row_is_classified_by_the_others)
{
    static const int cold1[] = { 2, 2, 2, 2, 2 }, cold5[] = { 2, 12, 24, 29, 29 };
    static const int warm1[] = { 2, 1, 3, 6, 4 }, warm5[] = { 2, 12, 24, 28, 28 };

    fill();
    open_with(2);
    check("0.07", cold1, cold5, true);
    check("1", warm1, warm5, true);
    close_context();
}
END_TEST

START_TEST(the_best_k_is_reported)
{
    hirl_options *options = options_of("1,3,7,20,100", "1");
    hirl_knn_score report = { .struct_size = sizeof report };

    fill();
    open_with(1);
    hr_assert_ok(hirl_knn_evaluate(&report, context, bank, bank_label, BANK, query, query_label,
                                   QUERIES, D, options));
    ck_assert_int_eq(report.best_k, 3);
    ck_assert_double_eq(report.best_top1, 5. / 12);
    hirl_options_destroy(options);
    close_context();
}
END_TEST

/* ---- by hand ---- */

START_TEST(equal_scores_go_to_the_lower_class)
{
    /* both neighbours have cosine sqrt(1/2), classes 9 and 4: class 4 wins, 9 is second */
    const float two[] = { 1, 0, 0, 1 }, between[] = { 3, 3 };
    const int32_t label[] = { 9, 4 }, four[] = { 4 }, nine[] = { 9 };
    hirl_options *options = options_of("2", "0.07");
    hirl_knn_score report = { .struct_size = sizeof report };

    open_with(1);
    hr_assert_ok(hirl_knn_evaluate(&report, context, two, label, 2, between, four, 1, 2, options));
    ck_assert_double_eq(report.top1[0], 1);
    hr_assert_ok(hirl_knn_evaluate(&report, context, two, label, 2, between, nine, 1, 2, options));
    ck_assert_double_eq(report.top1[0], 0);
    ck_assert_double_eq(report.top5[0], 1);
    hirl_options_destroy(options);
    close_context();
}
END_TEST

START_TEST(near_neighbours_outweigh_many_far_ones_at_low_temperature)
{
    /* one row of class 0 at cosine 1, three of class 1 at cosine 0.6: exp(1/T) against 3
     * exp(0.6/T), the first wins below T = 0.4 / ln 3 = 0.364 */
    const float rows[] = { 1, 0, 3, 4, 3, -4, 6, 8 }, asked[] = { 5, 0 };
    const int32_t label[] = { 0, 1, 1, 1 }, first[] = { 0 };
    hirl_options *cold = options_of("4", "0.36"), *warm = options_of("4", "0.37");
    hirl_knn_score report = { .struct_size = sizeof report };

    open_with(1);
    hr_assert_ok(hirl_knn_evaluate(&report, context, rows, label, 4, asked, first, 1, 2, cold));
    ck_assert_double_eq(report.top1[0], 1);
    hr_assert_ok(hirl_knn_evaluate(&report, context, rows, label, 4, asked, first, 1, 2, warm));
    ck_assert_double_eq(report.top1[0], 0);
    hirl_options_destroy(cold);
    hirl_options_destroy(warm);
    close_context();
}
END_TEST

START_TEST(rows_without_a_label_do_not_count)
{
    const float rows[] = { 1, 0, 0.9f, 0.1f, 0, 1 }, asked[] = { 1, 0.1f, NAN, 0 };
    const int32_t label[] = { -1, 3, 5 }, wanted[] = { 3, -1 };
    hirl_knn_score report = { .struct_size = sizeof report };

    open_with(1);
    hr_assert_ok(hirl_knn_evaluate(&report, context, rows, label, 3, asked, wanted, 2, 2, NULL));
    ck_assert_int_eq(report.ks, 4); /* 10, 20, 100, 200 */
    ck_assert_int_eq(report.k[3], 200);
    ck_assert_int_eq(report.bank, 2);
    ck_assert_int_eq(report.queries, 1);
    ck_assert_double_eq(report.top1[0], 1);
    close_context();
}
END_TEST

START_TEST(a_class_missing_in_the_bank_is_never_correct)
{
    const float rows[] = { 1, 0, 0, 1 };
    const int32_t label[] = { 1, 2 }, wanted[] = { 0, 3 };
    hirl_knn_score report = { .struct_size = sizeof report };

    open_with(1);
    hr_assert_ok(hirl_knn_evaluate(&report, context, rows, label, 2, rows, wanted, 2, 2, NULL));
    ck_assert_double_eq(report.top1[0], 0);
    ck_assert_double_eq(report.top5[0], 0);
    close_context();
}
END_TEST

/* ---- threads, refused input, memory ---- */

START_TEST(results_do_not_depend_on_the_number_of_threads)
{
    enum { N = 1500 };
    static float rows[N * D];
    static int32_t label[N];
    static const int threads[] = { 1, 2, 3, 7 };
    hirl_knn_score first, report;

    for (int i = 0; i < N; i++) {
        label[i] = i * 7 % 11;
        for (int t = 0; t < D; t++)
            rows[i * D + t] = (float)((i * 37 + t * i * 11 + t * t * 7) % 1009 - 500);
    }
    for (int t = 0; t < 4; t++) {
        memset(&report, 0, sizeof report);
        report.struct_size = sizeof report;
        open_with(threads[t]);
        hr_assert_ok(hirl_knn_evaluate(&report, context, rows, label, N, NULL, NULL, 0, D, NULL));
        close_context();
        if (!t)
            first = report;
        ck_assert_mem_eq(&report, &first, sizeof report);
    }
}
END_TEST

START_TEST(impossible_input_is_refused)
{
    const float rows[] = { 1, 0, 0, NAN };
    const int32_t label[] = { 1, 2 }, none[] = { -1, -1 };
    hirl_knn_score report = { .struct_size = sizeof report, .ks = -7 };

    open_with(1);
    hr_assert_fails(hirl_knn_evaluate(&report, context, rows, label, 2, rows, label, 1, 2, NULL),
                    HIRL_E_NONFINITE, "bank row 1");
    hr_assert_fails(
        hirl_knn_evaluate(&report, context, rows, label, 1, rows + 2, label, 1, 2, NULL),
        HIRL_E_NONFINITE, "query row 0");
    hr_assert_fails(hirl_knn_evaluate(&report, context, rows, none, 2, rows, label, 1, 2, NULL),
                    HIRL_E_INVALID, "none of 2 bank");
    hr_assert_fails(hirl_knn_evaluate(&report, context, rows, label, 0, rows, label, 1, 2, NULL),
                    HIRL_E_INVALID, "0 bank");
    hr_assert_fails(hirl_knn_evaluate(&report, context, rows, label, 1, NULL, NULL, 0, 2, NULL),
                    HIRL_E_INVALID, "1 bank");
    hr_assert_fails(hirl_knn_evaluate(&report, context, NULL, label, 2, rows, label, 1, 2, NULL),
                    HIRL_E_INVALID, "bank");
    ck_assert_int_eq(report.ks, -7);
    close_context();
}
END_TEST

START_TEST(knn_survives_every_lack_of_memory)
{
    int64_t nth = 0, outside = hr_alloc_live();
    hirl_status status;

    fill();
    do {
        hirl_knn_score report = { .struct_size = sizeof report };

        open_with(1);
        hr_alloc_fail_at(++nth, false);
        status = hirl_knn_evaluate(&report, context, bank, bank_label, BANK, query, query_label,
                                   QUERIES, D, NULL);
        hr_alloc_fail_at(0, false);
        ck_assert(status >= 0 || status == HIRL_E_NOMEM);
        hr_context_drop(context);
        ck_assert_int_eq(hr_alloc_live(), outside);
    } while (status < 0);
    ck_assert_int_gt(nth, 12);
}
END_TEST

HR_TESTS("knn", knn_gives_the_numbers_of_numpy, knn_separates_rows_that_are_nearly_equal,
         without_queries_each_row_is_classified_by_the_others, the_best_k_is_reported,
         equal_scores_go_to_the_lower_class,
         near_neighbours_outweigh_many_far_ones_at_low_temperature,
         rows_without_a_label_do_not_count, a_class_missing_in_the_bank_is_never_correct,
         results_do_not_depend_on_the_number_of_threads, impossible_input_is_refused,
         knn_survives_every_lack_of_memory)
