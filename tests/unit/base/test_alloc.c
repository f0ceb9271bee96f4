/* test_alloc.c - zeroed, aligned and counted blocks; failures on request; another allocator. */
#include <stdlib.h>

#include "base/alloc.h"
#include "support/close.h"
#include "support/run.h"

START_TEST(blocks_are_aligned_cleared_and_counted)
{
    int64_t live = hr_alloc_live(), total = hr_alloc_total();
    unsigned char *block = hr_alloc(1000), *nothing = hr_alloc(0);

    ck_assert_uint_eq((uintptr_t)block % 64, 0);
    for (int i = 0; i < 1000; i++)
        ck_assert_uint_eq(block[i], 0);
    ck_assert_ptr_nonnull(nothing);
    ck_assert_int_eq(hr_alloc_live(), live + 2);
    ck_assert_int_eq(hr_alloc_total(), total + 2);
    hr_free(block);
    hr_free(nothing);
    hr_free(NULL);
    ck_assert_int_eq(hr_alloc_live(), live);
}
END_TEST

START_TEST(the_nth_request_fails_as_requested)
{
    void *block[5];

    hr_alloc_fail_at(3, false);
    for (int i = 0; i < 5; i++)
        block[i] = hr_alloc(8);
    for (int i = 0; i < 5; i++) {
        ck_assert_int_eq(block[i] == NULL, i == 2);
        hr_free(block[i]);
    }
    ck_assert_ptr_nonnull(strstr(hr_error_text(), "out of memory"));
    hr_alloc_fail_at(2, true);
    for (int i = 0; i < 5; i++) {
        block[i] = hr_alloc(8);
        ck_assert_int_eq(block[i] == NULL, i >= 1);
        hr_free(block[i]);
    }
    hr_alloc_fail_at(0, false);
}
END_TEST

START_TEST(a_product_that_overflows_is_out_of_memory)
{
    ck_assert_ptr_null(hr_alloc_array(SIZE_MAX / 4, 8));
    ck_assert_ptr_nonnull(strstr(hr_error_text(), "out of memory"));
}
END_TEST

START_TEST(growing_keeps_the_content_and_clears_the_rest)
{
    char *text = hr_strdup("abc"), *grown;

    hr_alloc_fail_at(1, false);
    ck_assert_ptr_null(hr_grow(text, 4, 100));
    hr_alloc_fail_at(0, false);
    ck_assert_str_eq(text, "abc");
    grown = hr_grow(text, 4, 100);
    ck_assert_str_eq(grown, "abc");
    for (int i = 4; i < 100; i++)
        ck_assert_int_eq(grown[i], 0);
    hr_free(grown);
}
END_TEST

static int taken, given;

static void *count_take(size_t bytes, size_t alignment, void *user)
{
    ck_assert_ptr_eq(user, &taken);
    taken++;
    return aligned_alloc(alignment, (bytes + alignment - 1) / alignment * alignment);
}

static void count_give(void *block, void *user)
{
    ck_assert_ptr_eq(user, &taken);
    given++;
    free(block);
}

START_TEST(the_applications_functions_are_used_and_kept_while_in_use)
{
    void *block;

    hr_assert_fails(hr_alloc_hook(count_take, NULL, NULL), HIRL_E_INVALID, "both");
    hr_assert_ok(hr_alloc_hook(count_take, count_give, &taken));
    block = hr_alloc(10);
    ck_assert_int_eq(taken, 1);
    hr_assert_fails(hr_alloc_hook(NULL, NULL, NULL), HIRL_E_STATE, "in use");
    hr_free(block);
    ck_assert_int_eq(given, 1);
    hr_assert_ok(hr_alloc_hook(NULL, NULL, NULL));
    hr_free(hr_alloc(10));
    ck_assert_int_eq(taken, 1);
}
END_TEST

HR_TESTS("alloc", blocks_are_aligned_cleared_and_counted, the_nth_request_fails_as_requested,
         a_product_that_overflows_is_out_of_memory, growing_keeps_the_content_and_clears_the_rest,
         the_applications_functions_are_used_and_kept_while_in_use)
