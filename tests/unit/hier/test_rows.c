/* test_rows.c - sources of rows: arrays, blocks in order, unusable rows, failed reads. */
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "context.h"
#include "hier/rows.h"
#include "support/close.h"
#include "support/run.h"

enum { N = 2500, D = 3 };

static hirl_context *context;
static hr_call call;
static hr_queue *q;
static float x[N * D];

static void open_all(void)
{
    for (int i = 0; i < N * D; i++)
        x[i] = (float)(i * 37 % 101 - 50);
    hr_assert_ok(hr_context_create(&context, "cpu", 2));
    hr_assert_ok(hr_context_enter(&call, context));
    hr_assert_ok(hr_context_take_queue(&q, context));
}

static void close_all(void)
{
    hr_context_give_queue(q);
    hr_assert_ok(hr_context_leave(&call, HIRL_OK));
    hr_context_drop(context);
    ck_assert_int_eq(hr_alloc_live(), 0);
}

/* gives x block by block; every block fails once unless `reliable`; marks the usable rows it
 * read */
typedef struct stream {
    hr_row_source rows;
    int64_t at;
    bool reliable, failed;
    uint8_t *usable;
} stream;

static hirl_status read_next(hr_row_source *self, float *out, int64_t first, int64_t rows)
{
    stream *s = (stream *)self;

    ck_assert_int_eq(first, s->at);
    ck_assert_int_eq(rows, N - first < self->block ? N - first : self->block);
    s->failed = !s->failed;
    if (s->failed && !s->reliable)
        return hr_fail(HIRL_E_CANCELED, "stopped");
    memcpy(out, x + first * D, (size_t)(rows * D) * sizeof *out);
    for (int64_t i = first; s->usable && i < first + rows; i++)
        s->usable[i] = i % 7 != 2;
    s->at += rows;
    return HIRL_OK;
}

static stream stream_of(int64_t block, uint8_t *usable)
{
    return (stream){ .rows = { .n = N, .d = D, .block = block, .read = read_next },
                     .usable = usable };
}

START_TEST(an_array_is_placed_as_it_is_uploaded)
{
    hr_rows_array source = hr_rows_of_array(x, N, D);
    hr_rows_placed placed = { 0 };
    hr_array whole, read;

    open_all();
    hr_assert_ok(hr_rows_take(&whole, q, HR_REAL, N, D));
    hr_assert_ok(hr_rows_take(&read, q, HR_REAL, N, D));
    hr_assert_ok(hr_rows_upload(q, &whole, x, _i, 0));
    hr_assert_ok(hr_rows_place(&placed, q, &read, &source.rows, _i, NULL));
    ck_assert_int_eq(placed.read, N);
    ck_assert_int_eq(placed.kept, N);
    ck_assert_mem_eq(read.data, whole.data, N * D * sizeof(real));
    hr_array_give(&whole, q);
    hr_array_give(&read, q);
    close_all();
}
END_TEST

START_TEST(a_failed_read_is_repeated_and_unusable_rows_leave_no_gap)
{
    static const int64_t block[] = { 1, 64, 999, 1500, 2500, 4000 };
    static uint8_t usable[N];
    hr_array whole, read;

    open_all();
    hr_assert_ok(hr_rows_take(&whole, q, HR_REAL, N, D));
    hr_assert_ok(hr_rows_take(&read, q, HR_REAL, N, D));
    hr_assert_ok(hr_rows_upload(q, &whole, x, true, 0));
    for (int b = 0; b < 6; b++) {
        stream s = stream_of(block[b], usable);
        hr_rows_placed placed = { 0 };
        int64_t failures = 0, kept = 0;

        memset(usable, 0, sizeof usable);
        while (hr_rows_place(&placed, q, &read, &s.rows, true, usable) < 0) {
            ck_assert_int_eq(placed.read, s.at);
            failures++;
        }
        ck_assert_int_eq(failures, (N + block[b] - 1) / block[b]);
        for (int64_t i = 0; i < N; i++)
            if (i % 7 != 2)
                ck_assert_mem_eq((real *)read.data + kept++ * D, (real *)whole.data + i * D,
                                 D * sizeof(real));
        ck_assert_int_eq(placed.kept, kept);
    }
    hr_array_give(&whole, q);
    hr_array_give(&read, q);
    close_all();
}
END_TEST

START_TEST(a_span_is_whole_blocks)
{
    static const int64_t block[][2] = { { 0, 1024 },    { 1, 1024 },    { 96, 960 },
                                        { 1024, 1024 }, { 1025, 1025 }, { 5000, 5000 } };
    float *out;
    stream s;

    open_all();
    for (int i = 0; i < 6; i++)
        ck_assert_int_eq(hr_rows_span(&(hr_row_source){ .block = block[i][0] }), block[i][1]);
    s = stream_of(96, NULL);
    s.reliable = true;
    out = hr_alloc_array(960 * D, sizeof *out);
    for (int64_t first = 0, rows; first < N; first += rows) {
        rows = N - first < 960 ? N - first : 960;
        hr_assert_ok(hr_rows_read(&s.rows, out, first, rows));
        ck_assert_mem_eq(out, x + first * D, (size_t)(rows * D) * sizeof *out);
    }
    hr_free(out);
    close_all();
}
END_TEST

START_TEST(a_row_that_is_not_finite_is_named_unless_it_is_unusable)
{
    static uint8_t usable[N];
    hr_rows_array source = hr_rows_of_array(x, N, D);
    hr_rows_placed placed = { 0 };
    hr_array y;

    open_all();
    hr_assert_ok(hr_rows_take(&y, q, HR_REAL, N, D));
    memset(usable, 1, sizeof usable);
    x[1100 * D + 2] = NAN;
    hr_assert_fails(hr_rows_place(&placed, q, &y, &source.rows, true, usable), HIRL_E_NONFINITE,
                    "row 1100 is not finite (column 2)");
    ck_assert_int_eq(placed.read, 1024);
    source.rows.name = "features.npy: row";
    hr_assert_fails(hr_rows_place(&placed, q, &y, &source.rows, true, NULL), HIRL_E_NONFINITE,
                    "features.npy: row 1100");
    usable[1100] = 0;
    hr_assert_ok(hr_rows_place(&placed, q, &y, &source.rows, true, usable));
    ck_assert_int_eq(placed.kept, N - 1);
    hr_array_give(&y, q);
    close_all();
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("rows");
    TCase *tests = tcase_create("rows");

    tcase_add_loop_test(tests, an_array_is_placed_as_it_is_uploaded, 0, 2);
    tcase_add_test(tests, a_failed_read_is_repeated_and_unusable_rows_leave_no_gap);
    tcase_add_test(tests, a_span_is_whole_blocks);
    tcase_add_test(tests, a_row_that_is_not_finite_is_named_unless_it_is_unusable);
    suite_add_tcase(s, tests);
    return s;
}

HR_TEST_MAIN(suite)
