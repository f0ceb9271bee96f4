/* test_overlay.c - a module over the CPU's table: its slots are called, all others are the CPU's,
 * and the bits stay the same. */
#include <check.h>
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "context.h"
#include "support/close.h"
#include "support/folder.h"
#include "support/kernels.h"
#include "support/overlay.h"
#include "support/run.h"
#include "train/small_trainer.h"

static char folder[HR_TEST_PATH];
static hr_test_overlay *counts;

/* The searched folder has the module under the name of one that is known to lie over the CPU. */
static void place(void)
{
    const char *module = getenv("HIRL_TEST_OVERLAY");
    char path[HR_TEST_PATH];
    void *library;

    ck_assert_msg(module != NULL, "HIRL_TEST_OVERLAY is not set");
    hr_test_folder(folder);
    ck_assert_int_eq(symlink(module, hr_test_path(path, folder, "libhirl-onednn.so")), 0);
    setenv("HIRL_BACKEND_PATH", folder, 1);
    library = dlopen(module, RTLD_NOW | RTLD_LOCAL);
    ck_assert_msg(library != NULL, "%s", dlerror());
    counts = dlsym(library, HR_TEST_OVERLAY_SYMBOL);
    ck_assert_ptr_nonnull(counts);
    memset(counts, 0, sizeof *counts);
}

static void clean(void)
{
    hr_test_remove(folder);
}

/* ---- choosing ---- */

static void expect_name(const char *asked, const char *name)
{
    hirl_context *context;

    hr_assert_ok(hr_context_create(&context, asked, 1));
    ck_assert_str_eq(hr_context_backend(context)->name, name);
    hr_context_drop(context);
}

START_TEST(it_is_chosen_by_name_or_by_auto_and_cpu_stays_plain)
{
    expect_name("onednn", "overlay");
    expect_name("auto", "overlay"); /* the folder has no CUDA module */
    ck_assert_int_eq(counts->opened, 2);
    ck_assert_int_eq(counts->closed, 2);
    expect_name("cpu", "cpu");
    ck_assert_int_eq(counts->opened, 2);
}
END_TEST

START_TEST(without_its_file_an_explicit_choice_fails)
{
    hirl_context *context = NULL;

    clean();
    hr_assert_fails(hr_context_create(&context, "onednn", 1), HIRL_E_BACKEND_UNAVAILABLE,
                    "there is no");
    hr_assert_fails(hr_context_create(&context, "onednn:0", 1), HIRL_E_INVALID, "onednn:0");
    expect_name("auto", "cpu");
}
END_TEST

static void keep_line(int32_t level, const char *text, void *user)
{
    if (level == HIRL_LOG_INFO)
        snprintf(user, 128, "%s", text);
}

START_TEST(it_logs_while_it_is_opened)
{
    hirl_context *context;
    char line[128] = "";

    hr_assert_ok(hr_context_create(&context, "onednn", 1));
    hr_context_set_log(context, HIRL_LOG_DEBUG, keep_line, (hr_user){ line, NULL });
    ck_assert_str_eq(line, "overlay: lies over the CPU");
    hr_context_drop(context);
}
END_TEST

START_TEST(it_learns_when_a_public_call_computes)
{
    hirl_context *context;
    hr_call outer, inner;

    hr_assert_ok(hr_context_create(&context, "onednn", 1));
    hr_assert_ok(hr_context_enter(&outer, context));
    hr_assert_ok(hr_context_enter(&inner, context));
    ck_assert_int_eq(counts->entered, 2);
    hr_assert_ok(hr_context_leave(&inner, HIRL_OK));
    ck_assert_int_eq(counts->left, 1);
    hr_assert_ok(hr_context_leave(&outer, HIRL_OK));
    ck_assert_int_eq(counts->left, 2);
    hr_context_drop(context);
}
END_TEST

/* ---- calls ---- */

enum { N = 3001, M = 33, K = 47 };

/* y: relu of real numbers and of bf16, gemm, and add_rows, which the module leaves alone */
static void compute(hr_queue *q, hr_array y[4])
{
    hr_array x = hr_random(HR_REAL, 1, -1, 1, N, 0, 0, 0);
    hr_array narrow = hr_random(HR_BF16, 2, -1, 1, N, 0, 0, 0);
    hr_array a = hr_random(HR_REAL, 3, -1, 1, M, K, 0, 0);
    hr_array b = hr_random(HR_REAL, 4, -1, 1, K, M, 0, 0);
    hr_array row = hr_random(HR_REAL, 5, -1, 1, M, 0, 0, 0);

    y[0] = hr_filled(HR_REAL, 0, N, 0, 0, 0);
    y[1] = hr_filled(HR_BF16, 0, N, 0, 0, 0);
    y[2] = hr_filled(HR_REAL, 0, M, M, 0, 0);
    y[3] = hr_filled(HR_REAL, 1, M, M, 0, 0);
    q->be->relu(q, &y[0], &x);
    q->be->relu(q, &y[1], &narrow);
    q->be->gemm(q, &y[2], &a, &b, HR_N, HR_N, 1, 0);
    q->be->add_rows(q, &y[3], &row);
    hr_test_sync(q);
    hr_drop(&x);
    hr_drop(&narrow);
    hr_drop(&a);
    hr_drop(&b);
    hr_drop(&row);
}

START_TEST(its_slots_compute_and_pass_on_to_the_slots_below)
{
    hr_array want[4], got[4];
    hirl_context *context;
    hr_queue *q;

    hr_assert_ok(hr_context_create(&context, "onednn", 3));
    hr_assert_ok(hr_context_take_queue(&q, context));
    compute(hr_test_queue(3), want);
    compute(q, got);
    ck_assert_int_eq(counts->relu, 2);
    ck_assert_int_eq(counts->gemm, 1);
    ck_assert_int_eq(counts->passed_on, 2);
    for (int i = 0; i < 4; i++) {
        ck_assert_mem_eq(got[i].data, want[i].data, hr_bytes(&want[i]));
        hr_drop(&got[i]);
        hr_drop(&want[i]);
    }
    hr_context_give_queue(q);
    hr_context_drop(context);
}
END_TEST

START_TEST(its_failure_comes_out_of_sync)
{
    hr_array c = hr_filled(HR_REAL, 0, 2, 2, 0, 0);
    hirl_context *context;
    hr_queue *q;

    hr_assert_ok(hr_context_create(&context, "onednn", 1));
    hr_assert_ok(hr_context_take_cpu_queue(&q, context)); /* data is prepared through it, too */
    q->be->gemm(q, &c, &c, &c, HR_N, HR_N, HR_TEST_OVERLAY_ALPHA, 0);
    hr_assert_fails(q->be->sync(q), HIRL_E_UNSUPPORTED, "this factor is refused");
    hr_assert_ok(q->be->sync(q));
    hr_context_give_queue(q);
    hr_context_drop(context);
    hr_drop(&c);
}
END_TEST

/* ---- a run ---- */

START_TEST(a_run_through_it_has_the_bits_of_the_cpu)
{
    static const small_pair run[] = { { "epochs", "2" }, { NULL, NULL } };
    static const small_pair through[] = { { "backend", "onednn" }, { NULL, NULL } };
    const small_pair *const plain[] = { run, NULL }, *const over[] = { run, through, NULL };
    size_t bytes, more;
    char *want = small_trainer_run(&bytes, NULL, 2, plain);
    char *got = small_trainer_run(&more, NULL, 2, over);

    ck_assert_uint_eq(more, bytes);
    ck_assert_mem_eq(got, want, bytes);
    ck_assert_int_eq(counts->opened, 1);
    ck_assert_int_gt(counts->relu, 0);
    ck_assert_int_gt(counts->gemm, 0);
    free(got);
    free(want);
}
END_TEST

static Suite *suite(void)
{
    Suite *s = suite_create("overlay");
    TCase *c = tcase_create("overlay");

    tcase_add_checked_fixture(c, place, clean);
    tcase_add_test(c, it_is_chosen_by_name_or_by_auto_and_cpu_stays_plain);
    tcase_add_test(c, without_its_file_an_explicit_choice_fails);
    tcase_add_test(c, it_logs_while_it_is_opened);
    tcase_add_test(c, it_learns_when_a_public_call_computes);
    tcase_add_test(c, its_slots_compute_and_pass_on_to_the_slots_below);
    tcase_add_test(c, its_failure_comes_out_of_sync);
    tcase_add_test(c, a_run_through_it_has_the_bits_of_the_cpu);
    suite_add_tcase(s, c);
    return s;
}

HR_TEST_MAIN(suite)
