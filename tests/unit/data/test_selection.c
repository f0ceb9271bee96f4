/* test_selection.c - which images of a data set are taken; what is left when memory runs out. */
#include "data_files.h"

START_TEST(without_splits_every_tenth_image_is_held_out)
{
    begin();
    put_cifar("x.bin", 25, false);
    hr_assert_ok(open_split("x.bin", "queries"));
    ck_assert_int_eq(set->count, 2);
    ck_assert_int_eq(pixel(1, 0, 0, 0), 19);
    ck_assert_int_eq(hr_dataset_label(set, 1, 0), 9);
    hr_assert_ok(open_split("x.bin", "bank"));
    ck_assert_int_eq(set->count, 23);
    ck_assert_int_eq(pixel(9, 0, 0, 0), 10);
    ck_assert_int_eq(hr_dataset_label(set, 9, 0), 0);
    ck_assert_str_eq(hr_dataset_name(set, 9), "10");
    hr_assert_fails(open_split("x.bin", "test"), HIRL_E_INVALID, "no splits");
    put_cifar("x.bin", 9, false);
    hr_assert_fails(open_split("x.bin", "queries"), HIRL_E_INVALID, "too few");
    end();
}
END_TEST

START_TEST(max_images_are_spread_over_the_set)
{
    begin();
    put_cifar("x.bin", 25, false);
    config.max_images = 5;
    hr_assert_ok(open_set("x.bin"));
    ck_assert_int_eq(set->count, 5);
    for (int i = 0; i < 5; i++) {
        ck_assert_int_eq(pixel(i, 0, 0, 0), 5 * i);
        ck_assert_int_eq(hr_dataset_label(set, i, 0), 5 * i % 10);
    }
    config.max_images = 0;
    end();
}
END_TEST

static uint32_t identity_of(const char *name)
{
    hr_assert_ok(open_set(name));
    return hr_dataset_identity(set);
}

/* names within the folder where there are some, else labels */
START_TEST(a_set_is_told_from_another_of_as_many_images)
{
    uint32_t pair;

    begin();
    put_image("pair/a.jpg", "420.jpg");
    put_image("pair/b.jpg", "420.jpg");
    put_image("moved/a.jpg", "444.jpg");
    put_image("moved/b.jpg", "444.jpg");
    put_image("other/a.jpg", "420.jpg");
    put_image("other/c.jpg", "420.jpg");
    pair = identity_of("pair");
    ck_assert_uint_ne(pair, 0);
    ck_assert_uint_eq(identity_of("moved"), pair);
    ck_assert_uint_ne(identity_of("other"), pair);
    put_cifar("ten/train.bin", 7, false);
    put_cifar("seven/train.bin", 7, true);
    put_npy("train.npy", "'|u1'", "False", "(1, 2, 2)", "1234", 4);
    ck_assert_uint_eq(identity_of("ten/train.bin"), identity_of("seven/train.bin")); /* 0 to 6 */
    put_cifar("ten/train.bin", 12, false);
    put_cifar("seven/train.bin", 12, true); /* 10, 11 are 0, 1 of ten classes */
    ck_assert_uint_ne(identity_of("ten/train.bin"), identity_of("seven/train.bin"));
    ck_assert_uint_eq(identity_of("train.npy"), 0);
    end();
}
END_TEST

START_TEST(every_failing_allocation_leaves_nothing_behind)
{
    static const char *const path[] = { "tree", "cifar", "idx", "npy/train.npy" };
    uint8_t data[24] = { 0 };

    begin();
    put_image("tree/train/cat/1.jpg", "420.jpg");
    put_image("tree/train/ant/3.jpg", "420.jpg");
    put_text("tree/hierarchy.tsv", "0\tant\t0\tanimal\n1\tcat\t0\tanimal\n");
    put_cifar("cifar/train.bin", 3, true);
    put_text("idx/readme", "");
    put_idx("idx/train-images-idx3-ubyte.gz", true, 3, five, 5);
    put_idx("idx/train-labels-idx1-ubyte.gz", true, 1, five, 5);
    put_npy("npy/train.npy", "'|u1'", "False", "(2, 3, 4)", data, 24);
    for (size_t k = 0; k < sizeof path / sizeof *path; k++) {
        int64_t live = hr_alloc_live();
        hirl_status status = HIRL_E_NOMEM;

        for (int nth = 1; status < 0 && nth < 500; nth++) {
            hr_alloc_fail_at(nth, true);
            status = open_set(path[k]);
            hr_alloc_fail_at(0, false);
            if (status < 0)
                ck_assert_msg(hr_alloc_live() == live, "%s: %lld blocks left after failure %d",
                              path[k], (long long)(hr_alloc_live() - live), nth);
        }
        hr_assert_ok(status);
        hr_dataset_drop(set);
        set = NULL;
    }
    end();
}
END_TEST

HR_TESTS("selection", without_splits_every_tenth_image_is_held_out,
         max_images_are_spread_over_the_set, a_set_is_told_from_another_of_as_many_images,
         every_failing_allocation_leaves_nothing_behind)
