/* test_status.c - names and texts of statuses, error messages,
 * versions, the application's allocator. */
#include <stdio.h>

#include <hirl/context.h>
#include <hirl/status.h>
#include <hirl/version.h>

#include "base/alloc.h"
#include "base/error.h"
#include "support/close.h"
#include "support/run.h"

START_TEST(every_status_has_its_frozen_number_name_and_meaning)
{
    static const char *const name[] = {
        "HIRL_DONE",
        "HIRL_OK",
        "HIRL_E_INVALID",
        "HIRL_E_NOMEM",
        "HIRL_E_IO",
        "HIRL_E_NOSPC",
        "HIRL_E_DURABILITY",
        "HIRL_E_FORMAT",
        "HIRL_E_LIMIT",
        "HIRL_E_UNSUPPORTED",
        "HIRL_E_VERSION",
        "HIRL_E_STATE",
        "HIRL_E_CANCELED",
        "HIRL_E_NONFINITE",
        "HIRL_E_DEVICE",
        "HIRL_E_DEVICE_OOM",
        "HIRL_E_DEVICE_LOST",
        "HIRL_E_BACKEND_UNAVAILABLE",
        "HIRL_E_NONDETERMINISTIC",
        "HIRL_E_FORKED",
        "HIRL_E_CALLBACK",
        "HIRL_E_BUSY",
        "HIRL_E_INTERNAL",
    };

    for (int i = 0; i < 23; i++) {
        ck_assert_str_eq(hirl_status_name(1 - i), name[i]);
        ck_assert_str_ne(hirl_status_text(1 - i), "unknown status");
    }
    ck_assert_int_eq(HIRL_E_INTERNAL, -21);
    ck_assert_str_eq(hirl_status_name(2), "unknown status");
    ck_assert_str_eq(hirl_status_name(-22), "unknown status");
    ck_assert_str_eq(hirl_status_text(INT32_MIN), "unknown status");
}
END_TEST

START_TEST(the_message_and_the_callback_value_belong_to_the_last_failure)
{
    hr_fail_callback(-42, "data");
    ck_assert_ptr_nonnull(strstr(hirl_error_message(), "-42"));
    ck_assert_int_eq(hirl_error_callback_value(), -42);
    hirl_free(NULL);
    hirl_free(hr_alloc(3));
    ck_assert_ptr_nonnull(strstr(hirl_error_message(), "-42"));
}
END_TEST

START_TEST(versions_agree)
{
    char text[32];

    snprintf(text, sizeof text, "%d.%d.%d", hirl_version_number() / 10000,
             hirl_version_number() / 100 % 100, hirl_version_number() % 100);
    ck_assert_str_eq(text, hirl_version());
    ck_assert_str_eq(HIRL_VERSION_STRING, hirl_version());
    ck_assert_int_ge(hirl_abi_version(), 1);
}
END_TEST

START_TEST(build_info_names_compiler_and_libraries)
{
    static const char *const part[] = { "libhirl", "compiler", "OpenBLAS", "libjpeg-turbo",
                                        "libpng",  "zlib",     "jansson",  "libyaml" };

    for (int i = 0; i < 8; i++)
        ck_assert_msg(strstr(hirl_build_info(), part[i]) != NULL, "no %s in: %s", part[i],
                      hirl_build_info());
    ck_assert_ptr_eq(hirl_build_info(), hirl_build_info());
    ck_assert_uint_lt(strlen(hirl_build_info()), 1000);
}
END_TEST

static void *refuse(size_t bytes, size_t alignment, void *user)
{
    (void)bytes, (void)alignment;
    ++*(int *)user;
    return NULL;
}

static void never(void *block, void *user)
{
    (void)block, (void)user;
    ck_abort();
}

START_TEST(the_applications_allocator_is_called_and_may_refuse)
{
    int calls = 0;

    hr_assert_ok(hirl_set_allocator(refuse, never, &calls));
    ck_assert_ptr_null(hr_alloc(10));
    ck_assert_int_eq(calls, 1);
    hr_assert_fails(hirl_set_allocator(refuse, NULL, &calls), HIRL_E_INVALID, "both");
    hr_assert_ok(hirl_set_allocator(NULL, NULL, NULL));
}
END_TEST

HR_TESTS("status", every_status_has_its_frozen_number_name_and_meaning,
         the_message_and_the_callback_value_belong_to_the_last_failure, versions_agree,
         build_info_names_compiler_and_libraries,
         the_applications_allocator_is_called_and_may_refuse)
