/* test_waits.c - a step waits for the device once, sends its inputs before anything is computed, and reads its
 * results in one transfer: counted for each method, alone and under HIRL, whole and in micro-batches, with
 * leaves chosen anew, through a backend that counts. */
#include <check.h>
#include <string.h>

#include "context.h"
#include "small_learner.h"
#include "support/close.h"
#include "small_probe.h"
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

static void make_steps(const small_run *run)
{
    small_outcome outcome;

    small_learner_run(&outcome, run);
    hr_tensors_done(&outcome.state);
}

/* The loss of method=own is a function of the application: one wait and one read for each call, which sends the loss
 * and its gradient back. */
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

    make_steps(&run);
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

static Suite *waits(void)
{
    Suite *suite = suite_create("waits");
    TCase *tests = tcase_create("waits");

    tcase_add_loop_test(tests, a_step_waits_once_and_sends_nothing_late, 0,
                        VARIANTS * SMALL_METHODS);
    tcase_add_loop_test(tests, leaves_chosen_anew_take_no_wait_of_their_own, 0, 2);
    tcase_add_loop_test(tests, a_step_of_a_labelled_run_waits_once_and_sends_nothing_late, 0, 2);
    suite_add_tcase(suite, tests);
    return suite;
}

HR_TEST_MAIN(waits)
