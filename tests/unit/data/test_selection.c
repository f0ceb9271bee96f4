/* test_selection.c - which images of a data set are selected, how sets are distinguished. */
#include "data_files.h"

#include "data/identity.h"

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

static uint32_t identity_of(const char *name, const char *split, hr_told told)
{
    hr_identity identity;

    hr_assert_ok(open_split(name, split));
    hr_assert_ok(hr_dataset_identify(&identity, set));
    ck_assert_int_eq(identity.told, told);
    return identity.crc;
}

START_TEST(a_folder_is_distinguished_by_its_names)
{
    uint32_t pair;

    begin();
    put_image("pair/a.jpg", "420.jpg");
    put_image("pair/b.jpg", "420.jpg");
    put_image("moved/a.jpg", "444.jpg");
    put_image("moved/b.jpg", "444.jpg");
    put_image("other/a.jpg", "420.jpg");
    put_image("other/c.jpg", "420.jpg");
    pair = identity_of("pair", "auto", HR_TOLD_BY_NAMES);
    ck_assert_uint_eq(identity_of("moved", "auto", HR_TOLD_BY_NAMES), pair);
    ck_assert_uint_ne(identity_of("other", "auto", HR_TOLD_BY_NAMES), pair);
    put_image("split/train/a.jpg", "420.jpg"); /* these names leave out the folder of the split */
    put_image("split/train/b.jpg", "420.jpg");
    put_image("split/test/c.jpg", "420.jpg");
    ck_assert_uint_eq(identity_of("split", "train", HR_TOLD_BY_NAMES), pair);
    ck_assert_uint_eq(identity_of("split/train", "auto", HR_TOLD_BY_NAMES), pair);
    ck_assert_uint_ne(identity_of("split", "test", HR_TOLD_BY_NAMES), pair);
    end();
}
END_TEST

START_TEST(images_without_names_are_distinguished_by_their_pixels)
{
    static const char first[] = "123456789abc", last[] = "123456789abX";
    uint32_t crc;

    begin();
    put_npy("one.npy", "'|u1'", "False", "(2, 2, 3)", first, 12);
    put_npy("same.npy", "'|u1'", "False", "(2, 2, 3)", first, 12);
    put_npy("other.npy", "'|u1'", "False", "(2, 2, 3)", last, 12);
    crc = identity_of("one.npy", "auto", HR_TOLD_BY_PIXELS);
    ck_assert_uint_eq(identity_of("same.npy", "auto", HR_TOLD_BY_PIXELS), crc);
    ck_assert_uint_ne(identity_of("other.npy", "auto", HR_TOLD_BY_PIXELS), crc);
    put_cifar("ten.bin", 40, false);
    put_cifar("hundred.bin", 40, true); /* the same pixels, other labels */
    ck_assert_uint_eq(identity_of("ten.bin", "auto", HR_TOLD_BY_PIXELS),
                      identity_of("hundred.bin", "auto", HR_TOLD_BY_PIXELS));
    end();
}
END_TEST

START_TEST(generated_images_are_distinguished_by_seed_and_size)
{
    uint32_t crc[3];

    begin();
    for (int i = 0; i < 3; i++) {
        hr_identity identity;

        config.generated_seed = i == 1;
        config.generated_size = i == 2 ? 48 : 32;
        hr_dataset_drop(set);
        set = NULL;
        hr_assert_ok(hr_dataset_open(&set, context, "generated", &config));
        hr_assert_ok(hr_dataset_identify(&identity, set));
        ck_assert_int_eq(identity.told, HR_TOLD_BY_LABELS);
        crc[i] = identity.crc;
    }
    ck_assert_uint_ne(crc[0], crc[1]);
    ck_assert_uint_ne(crc[0], crc[2]);
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
         max_images_are_spread_over_the_set, a_folder_is_distinguished_by_its_names,
         images_without_names_are_distinguished_by_their_pixels,
         generated_images_are_distinguished_by_seed_and_size,
         every_failing_allocation_leaves_nothing_behind)
