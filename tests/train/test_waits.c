/* test_waits.c - a step waits for the device once, sends its inputs before anything is computed,
 * and reads its results in one transfer: counted for each method, alone and under HIRL, whole and
 * in micro-batches, with leaves chosen anew, through a backend that counts. */
#include <check.h>
#include <string.h>

#include "context.h"
#include "small_learner.h"
#include "small_probe.h"
#include "step/step.h"
#include "support/close.h"
#include "support/run.h"

enum { VARIANTS = 2 * 3, OWN = 6, SWAV = 2 };

static struct {
    int waits, reads, sends;
    int late; /* sends after the first product of matrices or convolution since the last wait */
    bool computing; /* a product of matrices or a convolution began since the last wait */
} seen;

static hr_backend cpu;

static hirl_status sync_counted(hr_queue *q)
{
    seen.waits++;
    seen.computing = false;
    return cpu.sync(q);
}

static void download_counted(hr_queue *q, void *dst, hr_dtype to, const hr_array *x)
{
    seen.reads++;
    cpu.download(q, dst, to, x);
}

static void upload_counted(hr_queue *q, const hr_array *y, const void *src, hr_dtype from)
{
    seen.sends++;
    seen.late += seen.computing;
    cpu.upload(q, y, src, from);
}

static void gemm_counted(hr_queue *q, const hr_array *c, const hr_array *a, const hr_array *b,
                         hr_trans ta, hr_trans tb, double alpha, double beta)
{
    seen.computing = true;
    cpu.gemm(q, c, a, b, ta, tb, alpha, beta);
}

static void conv_counted(hr_queue *q, const hr_array *y, const hr_array *sums, const hr_map *x,
                         const hr_array *w, hr_geometry geo)
{
    seen.computing = true;
    cpu.conv(q, y, sums, x, w, geo);
}

static hr_backend counting(void)
{
    hirl_context *context;
    hr_backend be;

    hr_assert_ok(hr_context_create(&context, "cpu", 1));
    be = cpu = *hr_context_backend(context);
    hr_context_drop(context);
    be.sync = sync_counted;
    be.download = download_counted;
    be.upload = upload_counted;
    be.gemm = gemm_counted;
    be.conv = conv_counted;
    memset(&seen, 0, sizeof seen);
    return be;
}

/* Returns the number of host points that the steps declared. */
static int make_steps(const small_run *run)
{
    small_outcome outcome;

    small_learner_run(&outcome, run);
    hr_tensors_done(&outcome.state);
    return outcome.host_points;
}

/* The loss of method=own is a function of the application: one wait and one read for each call,
 * which sends the loss and its gradient back. */
START_TEST(a_step_waits_once_and_sends_nothing_late)
{
    static const int64_t micros[] = { 1, 2, 4 };
    hr_backend be = counting();
    small_run run = { .method = _i / VARIANTS,
                      .plain = _i % 2,
                      .accumulate = micros[_i / 2 % 3],
                      .groups = 4,
                      .queue = SMALL_ROWS,
                      .steps_on = &be };
    int calls = run.method == OWN ? (int)run.accumulate : 0;

    ck_assert_int_eq(make_steps(&run), calls);
    ck_assert_int_eq(seen.waits, SMALL_STEPS * (1 + calls));
    ck_assert_int_eq(seen.late, 0);
    if (!calls)
        ck_assert_int_eq(seen.reads, SMALL_STEPS);
}
END_TEST

START_TEST(leaves_chosen_anew_take_no_wait_of_their_own)
{
    hr_backend be = counting();
    small_run run = {
        .method = SWAV, .accumulate = _i ? 2 : 1, .groups = 2, .reassign = true, .steps_on = &be
    };

    make_steps(&run);
    ck_assert_int_eq(seen.waits, SMALL_STEPS);
    ck_assert_int_eq(seen.reads, SMALL_STEPS);
    ck_assert_int_eq(seen.late, 0);
}
END_TEST

START_TEST(a_step_of_a_labelled_run_waits_once_and_sends_nothing_late)
{
    hr_backend be = counting();
    const hr_backend *before;
    small_probe p;

    small_probe_open(&p, _i ? 4 : 1, true);
    before = p.learner->queue->be;
    p.learner->queue->be = &be;
    for (int s = 0; s < SMALL_STEPS; s++)
        small_probe_step(&p, s, 0);
    p.learner->queue->be = before;
    small_probe_close(&p);
    ck_assert_int_eq(seen.waits, SMALL_STEPS);
    ck_assert_int_eq(seen.reads, SMALL_STEPS);
    ck_assert_int_eq(seen.late, 0);
}
END_TEST

/* ---- stages: what a backend that captures steps may replay ---- */

static struct {
    int changes;
    uint64_t last;
} stage;

static void stage_counted(hr_queue *q, uint64_t number)
{
    (void)q;
    stage.changes++;
    stage.last = number;
}

START_TEST(an_evaluation_is_another_stage_than_a_step)
{
    hr_backend be = counting();
    hr_step_result result;
    hr_step_input in;
    small_probe p;
    uint64_t step;

    small_probe_open(&p, 1, true);
    be.stage = stage_counted;
    stage.changes = 0;
    p.learner->queue->be = &be;
    for (int s = 0; s < SMALL_STEPS; s++)
        small_probe_step(&p, s, 0);
    ck_assert_int_eq(stage.changes, 1);
    step = stage.last;
    ck_assert_uint_ne(step, 0);
    in = small_probe_input(&p, 0, 0);
    hr_assert_ok(hr_learner_evaluate(&result, p.learner, &in));
    ck_assert_int_eq(stage.changes, 2);
    ck_assert_uint_ne(stage.last, step);
    small_probe_step(&p, 0, 0);
    ck_assert_int_eq(stage.changes, 3);
    ck_assert_uint_eq(stage.last, step);
    p.learner->queue->be = &cpu;
    small_probe_close(&p);
}
END_TEST

/* The application's loss cannot be replayed, so its steps have no stage. */
START_TEST(steps_with_host_points_are_not_captured)
{
    hr_backend be = counting();
    small_run run = { .method = OWN, .accumulate = 1, .groups = 2, .steps_on = &be };

    be.stage = stage_counted;
    stage.last = 1;
    stage.changes = 0;
    make_steps(&run);
    ck_assert_int_eq(stage.changes, 0); /* a learner starts without one */
    run.method = SWAV;
    make_steps(&run);
    ck_assert_int_ge(stage.changes, 1);
    ck_assert_uint_ne(stage.last, 0);
}
END_TEST

START_TEST(a_tree_of_the_same_shape_takes_the_place_of_the_one_before)
{
    small_run run = { .method = SWAV, .accumulate = 1, .groups = 2 };
    small_outcome outcome = { .moved = true };

    small_learner_run(&outcome, &run);
    hr_tensors_done(&outcome.state);
    ck_assert(!outcome.moved);
}
END_TEST

static Suite *waits(void)
{
    Suite *suite = suite_create("waits");
    TCase *tests = tcase_create("waits");

    tcase_add_loop_test(tests, a_step_waits_once_and_sends_nothing_late, 0,
                        VARIANTS * SMALL_METHODS);
    tcase_add_loop_test(tests, leaves_chosen_anew_take_no_wait_of_their_own, 0, 2);
    tcase_add_loop_test(tests, a_step_of_a_labelled_run_waits_once_and_sends_nothing_late, 0, 2);
    tcase_add_test(tests, an_evaluation_is_another_stage_than_a_step);
    tcase_add_test(tests, steps_with_host_points_are_not_captured);
    tcase_add_test(tests, a_tree_of_the_same_shape_takes_the_place_of_the_one_before);
    suite_add_tcase(suite, tests);
    return suite;
}

HR_TEST_MAIN(waits)
