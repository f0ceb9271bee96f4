/* test_arena.c - memory of one step: addresses repeat, marks release, nothing is lost. */
#include "base/alloc.h"
#include "base/arena.h"
#include "support/close.h"
#include "support/run.h"

enum { TAKES = 7 };
static const size_t request[TAKES] = { 1, 100, 20 << 20, 64, 15 << 20, 3 << 20, 0 };

static void take_all(void **at, hr_arena *arena)
{
    for (int i = 0; i < TAKES; i++) {
        at[i] = hr_arena_take(arena, request[i]);
        ck_assert_ptr_nonnull(at[i]);
        ck_assert_uint_eq((uintptr_t)at[i] % 64, 0);
    }
}

START_TEST(equal_requests_after_a_reset_give_equal_addresses)
{
    void *first[TAKES], *again[TAKES];
    int64_t before = hr_alloc_live(), blocks;
    size_t peak;
    hr_arena arena;

    hr_arena_init_host(&arena);
    take_all(first, &arena);
    blocks = hr_alloc_total();
    peak = arena.peak;
    for (int turn = 0; turn < 3; turn++) {
        hr_arena_reset(&arena);
        ck_assert_uint_eq(arena.used, 0);
        take_all(again, &arena);
        for (int i = 0; i < TAKES; i++)
            ck_assert_ptr_eq(first[i], again[i]);
    }
    ck_assert_int_eq(hr_alloc_total(), blocks);
    ck_assert_uint_eq(arena.peak, peak);
    hr_arena_done(&arena);
    ck_assert_int_eq(hr_alloc_live(), before);
}
END_TEST

START_TEST(a_mark_releases_what_came_after_it)
{
    hr_arena arena;
    hr_arena_mark mark;
    void *kept, *second, *big;

    hr_arena_init_host(&arena);
    kept = hr_arena_take(&arena, 1000);
    mark = hr_arena_now(&arena);
    second = hr_arena_take(&arena, 1000);
    big = hr_arena_take(&arena, 40 << 20);
    ck_assert_ptr_ne(kept, second);
    hr_arena_back(&arena, mark);
    ck_assert_uint_eq(arena.used, 1024);
    ck_assert_ptr_eq(hr_arena_take(&arena, 1000), second);
    ck_assert_ptr_eq(hr_arena_take(&arena, 40 << 20), big);
    hr_arena_done(&arena);
}
END_TEST

START_TEST(blocks_of_one_step_do_not_overlap)
{
    enum { N = 200 };
    unsigned char *at[N];
    size_t size[N];
    hr_arena arena;

    hr_arena_init_host(&arena);
    for (int i = 0; i < N; i++) {
        size[i] = (size_t)(i * 7919 % 300000);
        at[i] = hr_arena_take(&arena, size[i]);
        memset(at[i], i, size[i]);
    }
    for (int i = 0; i < N; i++)
        for (size_t j = 0; j < size[i]; j += 997)
            ck_assert_uint_eq(at[i][j], (unsigned char)i);
    hr_arena_done(&arena);
}
END_TEST

START_TEST(out_of_memory_is_reported_and_leaves_the_arena_usable)
{
    int64_t before = hr_alloc_live();
    hr_arena arena;

    for (int nth = 1; nth <= 2; nth++) {
        hr_arena_init_host(&arena);
        hr_alloc_fail_at(nth, false);
        ck_assert_ptr_null(hr_arena_take(&arena, 100));
        hr_alloc_fail_at(0, false);
        ck_assert_ptr_nonnull(strstr(hr_error_text(), "out of memory"));
        ck_assert_ptr_nonnull(hr_arena_take(&arena, 100));
        hr_arena_done(&arena);
        ck_assert_int_eq(hr_alloc_live(), before);
    }
}
END_TEST

HR_TESTS("arena", equal_requests_after_a_reset_give_equal_addresses,
         a_mark_releases_what_came_after_it, blocks_of_one_step_do_not_overlap,
         out_of_memory_is_reported_and_leaves_the_arena_usable)
