/* test_records.c - structs of applications that were compiled with older or newer headers. */
#include <check.h>
#include <string.h>

#include <hirl/hirl.h>

#include "base/record.h"
#include "support/close.h"
#include "support/run.h"

enum { WHOLE = sizeof(hirl_option_info), NEWER = WHOLE + 24 };

/* a struct with room for fields of a later version, all zero */
typedef union larger {
    hirl_option_info info;
    unsigned char byte[NEWER];
} larger;

START_TEST(a_smaller_struct_is_filled_up_to_its_size)
{
    larger small, whole;

    memset(&small, 0xa5, sizeof small);
    memset(&whole, 0, sizeof whole);
    small.info.struct_size = offsetof(hirl_option_info, default_value);
    whole.info.struct_size = WHOLE;
    hr_assert_ok(hirl_options_describe(&small.info, 0));
    hr_assert_ok(hirl_options_describe(&whole.info, 0));
    ck_assert_uint_eq(small.info.struct_size, offsetof(hirl_option_info, default_value));
    ck_assert_str_eq(small.info.name, whole.info.name);
    for (size_t i = small.info.struct_size; i < NEWER; i++)
        ck_assert_uint_eq(small.byte[i], 0xa5);
}
END_TEST

START_TEST(a_larger_struct_is_accepted_if_its_rest_is_zero)
{
    larger newer = { .info = { .struct_size = NEWER } };

    hr_assert_ok(hirl_options_describe(&newer.info, 0));
    ck_assert_uint_eq(newer.info.struct_size, NEWER);
    ck_assert_ptr_nonnull(newer.info.help);
    for (int i = WHOLE; i < NEWER; i++)
        ck_assert_uint_eq(newer.byte[i], 0);
    for (int i = WHOLE; i < NEWER; i++) {
        newer.byte[i] = 1;
        hr_assert_fails(hirl_options_describe(&newer.info, 0), HIRL_E_VERSION, "byte");
        newer.byte[i] = 0;
    }
}
END_TEST

START_TEST(a_size_that_was_not_set_is_refused)
{
    static const size_t size[] = { 0, 1, sizeof(size_t) - 1, 4097, SIZE_MAX };

    for (int i = 0; i < 5; i++) {
        hirl_option_info info = { .struct_size = size[i] };

        hr_assert_fails(hirl_options_describe(&info, 0), HIRL_E_INVALID, "sizeof(hirl_option_info");
        ck_assert_ptr_null(info.name);
    }
    hr_assert_fails(hirl_options_describe(NULL, 0), HIRL_E_INVALID, "info is NULL");
}
END_TEST

/* A function that reads a struct sees zero, the default, where the struct of an older program ends.
 */
START_TEST(a_smaller_struct_is_read_up_to_its_size)
{
    hirl_image given = { .struct_size = offsetof(hirl_image, channels), .width = 3, .channels = 7 };
    hirl_image seen = { 0 };

    hr_assert_ok(HR_RECORD_READ(&seen, &given, "image", hirl_image));
    ck_assert_int_eq(seen.width, 3);
    ck_assert_int_eq(seen.channels, 0);
}
END_TEST

HR_TESTS("records", a_smaller_struct_is_filled_up_to_its_size,
         a_larger_struct_is_accepted_if_its_rest_is_zero, a_size_that_was_not_set_is_refused,
         a_smaller_struct_is_read_up_to_its_size)
