/* test_error.c - the message of a thread: kept, prefixed, truncated, separate by thread. */
#include <pthread.h>

#include "base/error.h"
#include "support/close.h"
#include "support/run.h"

static hirl_status refuse(void)
{
    return hr_fail(HIRL_E_FORMAT, "row %d has %d columns", 3, 64);
}

static hirl_status succeed(void)
{
    return HIRL_OK;
}

static hirl_status pass_on(void)
{
    HR_TRY(succeed());
    HR_TRY(refuse());
    return HIRL_OK;
}

START_TEST(a_message_stays_until_the_next_failure)
{
    ck_assert_int_eq(pass_on(), HIRL_E_FORMAT);
    ck_assert_int_eq(succeed(), HIRL_OK);
    ck_assert_str_eq(hr_error_text(), "row 3 has 64 columns");
}
END_TEST

START_TEST(a_place_is_put_before_the_message)
{
    ck_assert_int_eq(hr_fail_in(refuse(), "a.npy"), HIRL_E_FORMAT);
    ck_assert_str_eq(hr_error_text(), "a.npy: row 3 has 64 columns");
    ck_assert_int_eq(hr_fail_in(HIRL_E_FORMAT, "a.npy"), HIRL_E_FORMAT);
    ck_assert_str_eq(hr_error_text(), "a.npy: row 3 has 64 columns"); /* said once */
}
END_TEST

START_TEST(a_long_message_is_cut_and_control_bytes_are_shown_as_marks)
{
    char longer[2000];

    memset(longer, 'x', sizeof longer - 1);
    longer[sizeof longer - 1] = '\0';
    ck_assert_int_eq(hr_fail(HIRL_E_IO, "%s", longer), HIRL_E_IO);
    ck_assert_uint_eq(strlen(hr_error_text()), 511);
    ck_assert_int_eq(hr_fail_in(HIRL_E_IO, longer), HIRL_E_IO);
    ck_assert_uint_eq(strlen(hr_error_text()), 200 + 2 + 300);
    ck_assert_int_eq(hr_fail(HIRL_E_IO, "%s", "a\nb\x1b[1m\x7f"), HIRL_E_IO);
    ck_assert_str_eq(hr_error_text(), "a?b?[1m?");
}
END_TEST

static void *fail_elsewhere(void *arg)
{
    hr_error_keep(arg, hr_fail_callback(-7, "data"));
    return NULL;
}

START_TEST(a_workers_failure_reaches_the_caller_only_when_raised)
{
    pthread_t other;
    hr_error kept;

    ck_assert_int_eq(refuse(), HIRL_E_FORMAT);
    ck_assert_int_eq(pthread_create(&other, NULL, fail_elsewhere, &kept), 0);
    pthread_join(other, NULL);
    ck_assert_str_eq(hr_error_text(), "row 3 has 64 columns");
    ck_assert_int_eq(hr_error_raise(&kept), HIRL_E_CALLBACK);
    ck_assert_int_eq(hr_error_callback(), -7);
    ck_assert_ptr_nonnull(strstr(hr_error_text(), "data"));
}
END_TEST

HR_TESTS("error", a_message_stays_until_the_next_failure, a_place_is_put_before_the_message,
         a_long_message_is_cut_and_control_bytes_are_shown_as_marks,
         a_workers_failure_reaches_the_caller_only_when_raised)
