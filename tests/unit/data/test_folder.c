/* test_folder.c - folders of JPEG and PNG, splits and classes by folder names, hierarchy.tsv. */
#include "data_files.h"

static void expect_names(const char *const *name, int64_t count)
{
    ck_assert_int_eq(set->count, count);
    for (int64_t i = 0; i < count; i++)
        ck_assert_str_eq(hr_dataset_name(set, i), name[i]);
}

START_TEST(a_flat_folder_is_sorted_and_hidden_files_are_left_out)
{
    static const char *const want[] = { "B.jpeg", "a.PNG", "b.jpg" };

    begin();
    put_image("b.jpg", "420.jpg");
    put_image("a.PNG", "grey8.png");
    put_image("B.jpeg", "black.jpg");
    put_image(".hidden.jpg", "420.jpg");
    put_text("notes.txt", "x");
    hr_assert_ok(open_set(""));
    ck_assert_str_eq(set->format, "folder");
    expect_names(want, 3);
    ck_assert_int_eq(set->levels, 0);
    ck_assert_int_eq(set->min_width, 1);
    ck_assert_int_eq(set->max_width, 23);
    ck_assert_int_eq(set->max_height, 17);
    ck_assert_ptr_nonnull(strstr(set->summary, "folder: 3 images"));
    ck_assert_ptr_nonnull(strstr(set->summary, "left out 1 .txt"));
    hr_assert_ok(open_set("b.jpg"));
    ck_assert_int_eq(set->count, 1);
    end();
}
END_TEST

static void put_tree(void)
{
    put_image("train/cat/1.jpg", "420.jpg");
    put_image("train/cat/deep/2.jpg", "420.jpg");
    put_image("train/ant/3.jpg", "420.jpg");
    put_image("val/cat/4.png", "rgb.png");
    put_image("val/bee/5.png", "rgb.png");
    put_image("extra/6.png", "rgb.png");
}

/* classes of all splits together: ant 0, bee 1, cat 2 */
START_TEST(a_tree_of_splits_has_the_same_classes_in_each)
{
    static const char *const train[] = { "train/ant/3.jpg", "train/cat/1.jpg",
                                         "train/cat/deep/2.jpg" };
    static const char *const val[] = { "val/bee/5.png", "val/cat/4.png" };

    begin();
    put_tree();
    hr_assert_ok(open_set("/")); /* slashes at the end do not matter */
    expect_names(train, 3);
    ck_assert_str_eq(set->split, "train");
    ck_assert_str_eq(set->splits, "train val");
    ck_assert_ptr_nonnull(strstr(set->summary, "left out extra (1 image)"));
    ck_assert_int_eq(set->classes[0], 3);
    ck_assert_str_eq(set->class_name[0][1], "bee");
    ck_assert_int_eq(hr_dataset_label(set, 0, 0), 0);
    ck_assert_int_eq(hr_dataset_label(set, 2, 0), 2);
    hr_assert_ok(open_split("", "validation"));
    expect_names(val, 2);
    ck_assert_int_eq(hr_dataset_label(set, 0, 0), 1);
    hr_assert_ok(open_split("", "queries"));
    ck_assert_str_eq(set->split, "val");
    hr_assert_ok(open_set("train")); /* one split alone: its own classes */
    ck_assert_int_eq(set->classes[0], 2);
    ck_assert_str_eq(set->splits, "");
    end();
}
END_TEST

START_TEST(a_class_may_be_called_train)
{
    begin();
    put_image("train/1.jpg", "420.jpg");
    put_image("bus/1.jpg", "420.jpg");
    put_image("0.jpg", "420.jpg");
    hr_assert_ok(open_set(""));
    ck_assert_int_eq(set->count, 3);
    ck_assert_int_eq(set->classes[0], 2);
    ck_assert_int_eq(hr_dataset_label(set, 0, 0), -1); /* 0.jpg, then bus, then train */
    ck_assert_int_eq(hr_dataset_label(set, 2, 0), 1);
    end();
}
END_TEST

START_TEST(links_to_a_folder_above_are_skipped)
{
    char link[HR_TEST_PATH + 32];

    begin();
    put_image("a/1.jpg", "420.jpg");
    put_image("b/2.jpg", "420.jpg");
    snprintf(link, sizeof link, "%s/a/up", root);
    ck_assert_int_eq(symlink(root, link), 0);
    hr_assert_ok(open_set(""));
    ck_assert_int_eq(set->count, 2);
    ck_assert_int_eq(set->classes[0], 2);
    snprintf(link, sizeof link, "%s/empty", root); /* not a class */
    ck_assert_int_eq(mkdir(link, 0777), 0);
    snprintf(link, sizeof link, "%s/loop", root);
    ck_assert_int_eq(symlink(".", link), 0);
    hr_assert_ok(open_set(""));
    ck_assert_int_eq(set->count, 2);
    ck_assert_int_eq(set->classes[0], 2);
    put_image("split/train/x/1.jpg", "420.jpg");
    snprintf(link, sizeof link, "%s/split/train/x/all", root);
    ck_assert_int_eq(symlink("..", link), 0);
    hr_assert_ok(open_set("split"));
    ck_assert_int_eq(set->count, 1);
    end();
}
END_TEST

START_TEST(empty_and_missing_folders_are_refused)
{
    begin();
    hr_assert_fails(open_set(""), HIRL_E_FORMAT, "no images");
    put_text("notes.txt", "x");
    hr_assert_fails(open_set(""), HIRL_E_FORMAT, "no images");
    hr_assert_fails(open_set("notes.txt"), HIRL_E_FORMAT, "no list of images");
    hr_assert_fails(open_set("none"), HIRL_E_IO, "none");
    if (geteuid()) { /* the superuser may read everything */
        put_image("locked/1.jpg", "420.jpg");
        ck_assert_int_eq(chmod(at("locked"), 0), 0);
        hr_assert_fails(open_set(""), HIRL_E_IO, "locked");
        ck_assert_int_eq(chmod(at("locked"), 0700), 0);
    }
    end();
}
END_TEST

/* the signature and an IHDR of 60000 x 60000, 8 bit RGB, with its CRC */
START_TEST(a_huge_image_is_not_in_the_summary)
{
    static const uint8_t bomb[] = { 0x89, 'P', 'N',  'G',  13,  10,  26, 10, 0,    0,
                                    0,    13,  'I',  'H',  'D', 'R', 0,  0,  0xea, 0x60,
                                    0,    0,   0xea, 0x60, 8,   2,   0,  0,  0 };
    uint8_t file[33];
    uLong crc = crc32(0, bomb + 12, 17);

    memcpy(file, bomb, sizeof bomb);
    for (int i = 0; i < 4; i++)
        file[29 + i] = (uint8_t)(crc >> (24 - 8 * i));
    begin();
    put_image("good.jpg", "420.jpg");
    put("bomb.png", file, sizeof file);
    hr_assert_ok(open_set(""));
    ck_assert_int_eq(set->looked_at, 1);
    end();
}
END_TEST

START_TEST(a_broken_file_is_named_when_it_is_read)
{
    hr_pixels pixels = { 0 };

    begin();
    put_image("good.jpg", "420.jpg");
    put_text("bad.jpg", "\xff\xd8\xff\xe0 this is no JPEG");
    hr_assert_ok(open_set(""));
    hr_assert_fails(hr_dataset_read(&pixels, set, 0), HIRL_E_FORMAT, "JPEG");
    hr_assert_ok(hr_dataset_read(&pixels, set, 1));
    hr_pixels_done(&pixels);
    end();
}
END_TEST

/* ---- hierarchy.tsv ---- */

START_TEST(hierarchy_tsv_names_classes_and_parents)
{
    begin();
    put_tree();
    put_text("hierarchy.tsv", "# fine\tcoarse\n0\tant\t1\tinsect\t0\tanimal\r\n"
                              "2\tbee\t1\tinsect\t0\tanimal\n\n1\tcat\t0\tmammal\t0\tanimal\n");
    hr_assert_ok(open_set(""));
    ck_assert_int_eq(set->levels, 3);
    ck_assert_int_eq(set->classes[1], 2);
    ck_assert_int_eq(hr_dataset_label(set, 1, 0), 1); /* train/cat */
    ck_assert_int_eq(hr_dataset_label(set, 1, 1), 0);
    ck_assert_int_eq(hr_dataset_label(set, 0, 1), 1);
    ck_assert_int_eq(hr_dataset_label(set, 0, 2), 0);
    ck_assert_str_eq(set->class_name[1][1], "insect");
    ck_assert_ptr_nonnull(strstr(set->summary, "3 classes in 2 in 1"));
    hr_assert_ok(open_set("val")); /* found above a folder with the name of a split */
    ck_assert_int_eq(hr_dataset_label(set, 0, 0), 2);
    end();
}
END_TEST

START_TEST(damaged_hierarchies_are_refused)
{
    static const char *const bad[][2] = {
        { "0\tant\n1\tcat\n3\tbee\n", "is not an id" },
        { "0\tant\n1\tcat\n1\tbee\n", "twice" },
        { "0\tant\n1\tcat\n", "bee" },
        { "0\tant\t0\tx\n1\tcat\t0\ty\n2\tbee\t0\tx\n", "twice" },
        { "0\tant\t0\tx\t0\tt\n1\tcat\t0\tx\t1\tu\n2\tbee\t0\tx\t0\tt\n", "parents" },
        { "0\tant\t2\tx\n1\tcat\t0\ty\n2\tbee\t2\tx\n", "no class 1" },
        { "0\tant\t0\n", "columns" },
        { "0\tant\n1\t\n2\tbee\n", "line 2: the name of level 0 is empty" },
        { "0\tant\t0\t\n1\tcat\t0\t\n2\tbee\t0\t\n", "line 1: the name of level 1 is empty" },
        { "0\tant\n1\tcat\t0\tx\n", "columns" },
        { "-1\tant\n", "is not an id" },
        { "99999999999999\tant\n", "is not an id" },
        { "# nothing\n", "no classes" },
        { "0\t1\t2\t3\t4\t5\t6\t7\t8\t9\n", "columns" },
    };

    begin();
    put_tree();
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        put_text("hierarchy.tsv", bad[i][0]);
        hr_assert_fails(open_set(""), HIRL_E_FORMAT, bad[i][1]);
    }
    put("hierarchy.tsv", "0\tant\n\0\n", 8);
    hr_assert_fails(open_set(""), HIRL_E_FORMAT, "zero byte");
    end();
}
END_TEST

static size_t largest_block;

static void *note_block(size_t bytes, size_t alignment, void *user)
{
    (void)user;
    largest_block = bytes > largest_block ? bytes : largest_block;
    return aligned_alloc(alignment, (bytes + alignment - 1) / alignment * alignment);
}

static void free_block(void *block, void *user)
{
    (void)user;
    free(block);
}

START_TEST(a_hierarchy_of_empty_lines_takes_little_memory)
{
    enum { LINES = 4 << 20 };
    char *lines = malloc(LINES);

    hr_assert_ok(hr_alloc_hook(note_block, free_block, NULL));
    begin();
    put_tree();
    memset(lines, '\n', LINES);
    put("hierarchy.tsv", lines, LINES);
    hr_assert_fails(open_set(""), HIRL_E_FORMAT, "no classes");
    ck_assert_uint_le(largest_block, 4 * (size_t)LINES + (64 << 20));
    free(lines);
    end();
    hr_assert_ok(hr_alloc_hook(NULL, NULL, NULL));
}
END_TEST

START_TEST(a_label_beyond_the_hierarchy_is_refused)
{
    begin();
    put_cifar("train.bin", 10, false);
    put_text("hierarchy.tsv", "0\ta\n1\tb\n");
    hr_assert_fails(open_set(""), HIRL_E_FORMAT, "label 2");
    end();
}
END_TEST

HR_TESTS("folder", a_flat_folder_is_sorted_and_hidden_files_are_left_out,
         a_tree_of_splits_has_the_same_classes_in_each, a_class_may_be_called_train,
         links_to_a_folder_above_are_skipped, empty_and_missing_folders_are_refused,
         a_huge_image_is_not_in_the_summary, a_broken_file_is_named_when_it_is_read,
         hierarchy_tsv_names_classes_and_parents, damaged_hierarchies_are_refused,
         a_hierarchy_of_empty_lines_takes_little_memory, a_label_beyond_the_hierarchy_is_refused)
