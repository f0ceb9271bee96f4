/* test_tensors.c - a list of named arrays: adding, finding, checking and refusing. */
#include <stdio.h>

#include "base/alloc.h"
#include "base/tensors.h"
#include "support/close.h"
#include "support/run.h"

START_TEST(arrays_are_borrowed_or_owned_and_found_by_name)
{
    const float borrowed[6] = { 1, 2, 3, 4, 5, 6 };
    int64_t live = hr_alloc_live();
    hr_tensors list;
    int32_t *own;

    hr_tensors_init(&list);
    hr_assert_ok(hr_tensors_add(&list, "w", HR_F32, 2, (int64_t[]){ 2, 3 }, borrowed));
    for (int i = 0; i < 40; i++) {
        char name[16];

        snprintf(name, sizeof name, "own.%d", i);
        hr_assert_ok(hr_tensors_new((void **)&own, &list, name, HR_I32, 1, (int64_t[]){ 5 }));
        ck_assert_int_eq(own[4], 0);
        own[4] = i;
    }
    ck_assert_ptr_eq(hr_tensors_find(&list, "w")->data, borrowed);
    ck_assert_uint_eq(hr_tensors_find(&list, "w")->bytes, 24);
    ck_assert_int_eq(((int32_t *)hr_tensors_find(&list, "own.7")->data)[4], 7);
    ck_assert_ptr_null(hr_tensors_find(&list, "own"));
    hr_tensors_done(&list);
    ck_assert_int_eq(hr_alloc_live(), live);
}
END_TEST

START_TEST(an_array_of_the_wrong_type_or_shape_is_reported_with_both)
{
    const double data[6] = { 0 };
    const hr_named *found = NULL;
    hr_tensors list;

    hr_tensors_init(&list);
    hr_assert_ok(hr_tensors_add(&list, "w", HR_F64, 2, (int64_t[]){ 2, 3 }, data));
    hr_assert_ok(hr_tensors_need(&found, &list, "w", HR_F64, 2, (int64_t[]){ -1, 3 }));
    ck_assert_ptr_eq(found->data, data);
    hr_assert_fails(hr_tensors_need(&found, &list, "v", HR_F64, 2, (int64_t[]){ 2, 3 }),
                    HIRL_E_FORMAT, "missing");
    hr_assert_fails(hr_tensors_need(&found, &list, "w", HR_F32, 2, (int64_t[]){ -1, 3 }),
                    HIRL_E_FORMAT, "f64 [2, 3], expected f32 [any, 3]");
    hr_assert_fails(hr_tensors_need(&found, &list, "w", HR_F64, 2, (int64_t[]){ 2, 4 }),
                    HIRL_E_FORMAT, "[2, 4]");
    hr_assert_fails(hr_tensors_need(&found, &list, "w", HR_F64, 1, (int64_t[]){ 6 }), HIRL_E_FORMAT,
                    "[6]");
    hr_tensors_done(&list);
}
END_TEST

START_TEST(names_and_shapes_that_cannot_be_are_refused)
{
    char longer[HR_TENSORS_NAME + 1];
    hr_tensors list;
    void *data;

    memset(longer, 'n', HR_TENSORS_NAME);
    longer[HR_TENSORS_NAME] = '\0';
    hr_tensors_init(&list);
    hr_assert_ok(hr_tensors_new(&data, &list, longer + 1, HR_U8, 0, NULL));
    hr_assert_fails(hr_tensors_new(&data, &list, longer, HR_U8, 0, NULL), HIRL_E_INVALID,
                    "256 bytes");
    hr_assert_fails(hr_tensors_new(&data, &list, "", HR_U8, 0, NULL), HIRL_E_INVALID, "name");
    hr_assert_fails(hr_tensors_new(&data, &list, longer + 1, HR_U8, 0, NULL), HIRL_E_INVALID,
                    "taken");
    hr_assert_fails(hr_tensors_new(&data, &list, "__metadata__", HR_U8, 0, NULL), HIRL_E_INVALID,
                    "taken");
    hr_assert_fails(hr_tensors_new(&data, &list, "a", HR_F32, 1, (int64_t[]){ -1 }), HIRL_E_INVALID,
                    "-1");
    hr_assert_fails(hr_tensors_new(&data, &list, "a", HR_F32, 9, (int64_t[9]){ 0 }), HIRL_E_INVALID,
                    "9 dimensions");
    hr_assert_fails(hr_tensors_new(&data, &list, "a", (hr_dtype)77, 1, (int64_t[]){ 1 }),
                    HIRL_E_INVALID, "type 77");
    hr_assert_fails(
        hr_tensors_new(&data, &list, "a", HR_F32, 2, (int64_t[]){ 1ll << 40, 1ll << 40 }),
        HIRL_E_LIMIT, "63 bits");
    hr_assert_fails(hr_tensors_add(&list, "a", HR_F32, 1, (int64_t[]){ 1 }, NULL), HIRL_E_INVALID,
                    "no data was given");
    hr_assert_ok(hr_tensors_add(&list, "a", HR_F32, 2, (int64_t[]){ 0, 9 }, NULL));
    ck_assert_int_eq(list.count, 2);
    hr_tensors_done(&list);
}
END_TEST

START_TEST(texts_are_set_replaced_and_read_as_numbers)
{
    int64_t live = hr_alloc_live(), n;
    hr_tensors list;

    hr_tensors_init(&list);
    hr_assert_ok(hr_tensors_set_text(&list, "kind", "tree"));
    hr_assert_ok(hr_tensors_set_int(&list, "step", INT64_MIN));
    hr_assert_ok(hr_tensors_set_text(&list, "kind", "model"));
    ck_assert_int_eq(list.texts, 2);
    ck_assert_str_eq(hr_tensors_text(&list, "kind"), "model");
    hr_assert_ok(hr_tensors_int(&n, &list, "step"));
    ck_assert(n == INT64_MIN);
    hr_assert_fails(hr_tensors_int(&n, &list, "kind"), HIRL_E_FORMAT, "kind: 'model'");
    hr_assert_fails(hr_tensors_int(&n, &list, "epoch"), HIRL_E_FORMAT, "missing");
    ck_assert_ptr_null(hr_tensors_text(&list, "epoch"));
    hr_assert_fails(hr_tensors_set_text(&list, "crc32.w", "0"), HIRL_E_INVALID, "reserved");
    hr_tensors_done(&list);
    ck_assert_int_eq(hr_alloc_live(), live);
}
END_TEST

static hirl_status make(hr_tensors *list)
{
    hirl_status status = HIRL_OK;
    char name[16];
    void *data;

    hr_tensors_init(list);
    for (int i = 0; i < 20 && !status; i++) {
        snprintf(name, sizeof name, "n%d", i);
        status = hr_tensors_new(&data, list, name, HR_F32, 1, (int64_t[]){ 3 });
        if (!status)
            status = hr_tensors_set_int(list, name, i);
    }
    if (!status)
        status = hr_tensors_set_text(list, "n3", "again");
    return status;
}

START_TEST(any_failing_allocation_leaves_a_list_that_can_be_freed)
{
    int64_t live = hr_alloc_live();
    hirl_status status = HIRL_E_NOMEM;
    hr_tensors list;

    for (int nth = 1; status; nth++) {
        hr_alloc_fail_at(nth, false);
        status = make(&list);
        hr_alloc_fail_at(0, false);
        ck_assert(status == HIRL_OK || status == HIRL_E_NOMEM);
        hr_tensors_done(&list);
        ck_assert_int_eq(hr_alloc_live(), live);
    }
}
END_TEST

HR_TESTS("tensors", arrays_are_borrowed_or_owned_and_found_by_name,
         an_array_of_the_wrong_type_or_shape_is_reported_with_both,
         names_and_shapes_that_cannot_be_are_refused, texts_are_set_replaced_and_read_as_numbers,
         any_failing_allocation_leaves_a_list_that_can_be_freed)
