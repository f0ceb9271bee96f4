/* test_ring.c - key queues of rows from earlier steps, and SwAV's score
 * queue, against values worked out by hand. */
#include <check.h>

#include "ssl/method_table.h"
#include "ssl/ring.h"
#include "ssl/score_queue.h"
#include "support/run.h"
#include "support/tape.h"

enum { SEED = 5 };

static void at_step(hr_test_tape *here, int64_t step)
{
    static hr_scalars s; /* the work queue reads it until the next upload */

    s = (hr_scalars){ .step = step };
    here->q->be->scalars(here->q, &s);
}

static void begin(hr_test_tape *here, hr_array *ring, int64_t rows, int64_t d)
{
    hr_test_tape_init(here);
    hr_assert_ok(hr_ring_init(ring, here->q, rows, d, &hr_method_mocov2));
}

static void end(hr_test_tape *here, hr_array *ring)
{
    hr_array_give(ring, here->q);
    hr_test_tape_done(here);
}

static void put(const hr_array *ring, hr_test_tape *here, const hr_now *now, double a, double b)
{
    hr_array x = hr_test_array(here, 2, HR_DIM(2, 1), (double[]){ a, b });

    hr_ring_put(ring, &here->t, &x, now);
}

/* A ring of 5 rows and 2 micro-batches of 2 rows a step: step 0
 * fills rows 0 to 3, step 1 rows 4, 0, 1, 2. */
START_TEST(commit_replaces_the_oldest_rows_by_those_of_all_micro_batches)
{
    hr_array ring;
    hr_test_tape here;

    begin(&here, &ring, 5, 1);
    for (int step = 0; step < 2; step++) {
        double base = 10 * (step + 1);

        at_step(&here, step);
        put(&ring, &here, &(hr_now){ .step = step, .micro = 0, .micros = 2 }, base + 1, base + 2);
        hr_tape_next(&here.t);
        put(&ring, &here, &(hr_now){ .step = step, .micro = 1, .micros = 2 }, base + 3, base + 4);
        if (step == 0)
            hr_assert_values(&here, &ring, 5, 0, 0, 0, 0, 0);
        hr_tape_commit(&here.t);
        if (step == 0)
            hr_assert_values(&here, &ring, 5, 11, 12, 13, 14, 0);
        hr_tape_reset(&here.t);
    }
    hr_assert_values(&here, &ring, 5, 22, 23, 24, 14, 21);
    end(&here, &ring);
}
END_TEST

START_TEST(a_step_without_commit_does_not_change_the_ring)
{
    hr_array ring;
    hr_test_tape here;

    begin(&here, &ring, 2, 1);
    at_step(&here, 0);
    put(&ring, &here, &(hr_now){ .micros = 1 }, 1, 2);
    hr_tape_reset(&here.t);
    hr_tape_commit(&here.t);
    hr_assert_values(&here, &ring, 2, 0, 0);
    end(&here, &ring);
}
END_TEST

START_TEST(a_ring_without_rows_has_no_data)
{
    hr_array ring;
    hr_test_tape here;

    begin(&here, &ring, 0, 4);
    ck_assert_ptr_null(ring.data);
    end(&here, &ring);
}
END_TEST

/* A row depends only on its index, so a longer ring starts with the rows of a shorter one. */
START_TEST(unit_rows_have_length_1_and_depend_on_their_index)
{
    enum { D = 3 };
    double rows[2][4 * D];
    hr_array ring;
    hr_test_tape here;

    for (int i = 0; i < 2; i++) {
        begin(&here, &ring, i ? 4 : 2, D);
        hr_assert_ok(hr_ring_fill_unit(&ring, here.q, SEED));
        hr_test_read(rows[i], &here, &ring);
        end(&here, &ring);
    }
    ck_assert_mem_eq(rows[0], rows[1], 2 * D * sizeof **rows);
    for (int r = 0; r < 4; r++) {
        const double *x = rows[1] + r * D;

        hr_assert_close(((double[]){ x[0] * x[0] + x[1] * x[1] + x[2] * x[2] }), ((double[]){ 1 }),
                        1, 1e-6, 0);
        for (int other = 0; other < r; other++)
            ck_assert_double_ne(x[0], rows[1][other * D]);
    }
}
END_TEST

/* One row a step, a queue of 2 rows from step 1 on. The prototypes are
 * (1, 0) and (0, 1), so scores equal rows. */
START_TEST(scores_of_queued_rows_are_used_once_the_queue_is_full)
{
    hr_method_config config = { .queue = 2, .ranks = 1, .globals = 3, .d = 2, .queue_start = 1 };
    hr_score_queue queue;
    hr_test_tape here;
    hr_field field[HR_METHOD_FIELDS];

    hr_test_tape_init(&here);
    hr_assert_ok(hr_score_queue_init(&queue, here.q, &config, &hr_method_swav));
    ck_assert_int_eq(hr_score_queue_fields(&queue, field), 3);
    for (int step = 0; step < 4; step++) {
        static const double z0[4][2] = { { 8, 6 }, { 3, 4 }, { 0, 5 }, { 1, 0 } };
        hr_now now = { .n = 1, .step = step, .micros = 1 };
        hr_array prototypes = hr_test_array(&here, 2, HR_DIM(2, 2), (double[]){ 1, 0, 0, 1 });
        hr_tensor *z = hr_test_constant(&here, 2, HR_DIM(1, 2), z0[step]), *joined;

        at_step(&here, step);
        for (int view = 0; view < 3; view++) {
            joined = hr_score_queue_join(&queue, &here.t, z, &prototypes, view, &now);
            if (step == 3 && view != 1) /* queue row 0 is of step 2, row 1 of step 1 */
                hr_assert_values(&here, &joined->x, 6, 0, 1, 0.6, 0.8, 1, 0);
            else if (step == 3) /* nothing was put into this queue: rows of zeros */
                hr_assert_values(&here, &joined->x, 6, 0, 0, 0, 0, 1, 0);
            else
                hr_assert_values(&here, &joined->x, 2, z0[step][0], z0[step][1]);
        }
        hr_score_queue_put(&queue, &here.t, z, 0, &now);
        hr_score_queue_put(&queue, &here.t, z, 2, &now);
        hr_tape_commit(&here.t);
        hr_tape_reset(&here.t);
        if (step == 0)
            hr_assert_values(&here, &queue.rows[0], 4, 0, 0, 0, 0);
        if (step == 1)
            hr_assert_values(&here, &queue.rows[0], 4, 0, 0, 0.6, 0.8);
    }
    hr_score_queue_done(&queue, here.q);
    hr_test_tape_done(&here);
}
END_TEST

START_TEST(queue_0_keeps_no_rows)
{
    hr_method_config config = { .ranks = 1, .globals = 2, .d = 2 };
    hr_score_queue queue;
    hr_test_tape here;
    hr_field field[HR_METHOD_FIELDS];
    hr_now now = { .n = 1, .step = 9, .micros = 1 };
    hr_tensor *z;

    hr_test_tape_init(&here);
    hr_assert_ok(hr_score_queue_init(&queue, here.q, &config, &hr_method_swav));
    ck_assert_int_eq(hr_score_queue_fields(&queue, field), 0);
    z = hr_test_constant(&here, 2, HR_DIM(1, 2), (double[]){ 3, 4 });
    hr_score_queue_put(&queue, &here.t, z, 0, &now);
    z = hr_score_queue_join(&queue, &here.t, z, &z->x, 0, &now);
    hr_assert_values(&here, &z->x, 2, 3, 4);
    hr_score_queue_done(&queue, here.q);
    hr_test_tape_done(&here);
}
END_TEST

HR_TESTS("ring", commit_replaces_the_oldest_rows_by_those_of_all_micro_batches,
         a_step_without_commit_does_not_change_the_ring, a_ring_without_rows_has_no_data,
         unit_rows_have_length_1_and_depend_on_their_index,
         scores_of_queued_rows_are_used_once_the_queue_is_full, queue_0_keeps_no_rows)
