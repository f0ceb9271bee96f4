/* test_formats.c - CIFAR, IDX and npy: contents and damaged files. */
#include "data/npy_read.h"
#include "data/npy_rows.h"
#include "data_files.h"

/* ---- CIFAR ---- */

START_TEST(cifar_files_are_read_plane_by_plane)
{
    begin();
    put_cifar("data_batch_1.bin", 7, false);
    put_cifar("data_batch_2.bin", 5, false);
    put_cifar("test_batch.bin", 3, false);
    hr_assert_ok(open_set(""));
    ck_assert_str_eq(set->format, "cifar10");
    ck_assert_str_eq(set->splits, "train test");
    ck_assert_str_eq(set->split, "train");
    ck_assert_int_eq(set->count, 12);
    ck_assert_int_eq(set->classes[0], 10);
    ck_assert_int_eq(pixel(8, 20, 9, 0), 1); /* the second image of the second file */
    ck_assert_int_eq(pixel(8, 20, 9, 1), 20);
    ck_assert_int_eq(pixel(8, 20, 9, 2), 9);
    ck_assert_int_eq(hr_dataset_label(set, 8, 0), 1);
    hr_assert_ok(open_split("", "t10k"));
    ck_assert_int_eq(set->count, 3);
    hr_assert_ok(open_split("", "all"));
    ck_assert_int_eq(set->count, 15);
    hr_assert_fails(open_split("", "val"), HIRL_E_INVALID, "train test");
    end();
}
END_TEST

START_TEST(cifar100_has_its_own_two_levels)
{
    begin();
    put_cifar("train.bin", 205, true);
    hr_assert_ok(open_set("train.bin"));
    ck_assert_str_eq(set->format, "cifar100");
    ck_assert_int_eq(set->levels, 2);
    ck_assert_int_eq(set->classes[0], 100);
    ck_assert_int_eq(set->classes[1], 20);
    ck_assert_int_eq(hr_dataset_label(set, 137, 0), 37);
    ck_assert_int_eq(hr_dataset_label(set, 137, 1), 17);
    ck_assert_str_eq(set->splits, "");
    end();
}
END_TEST

START_TEST(damaged_cifar_files_are_refused)
{
    uint8_t record[3073] = { 10 }, hundred[3074] = { 20, 7 };

    begin();
    put("train.bin", record, 3072);
    hr_assert_fails(open_set("train.bin"), HIRL_E_FORMAT, "3072 bytes");
    put("train.bin", record, 0);
    hr_assert_fails(open_set("train.bin"), HIRL_E_FORMAT, "0 bytes");
    put("train.bin", record, 3073);
    hr_assert_fails(open_set("train.bin"), HIRL_E_FORMAT, "label 10");
    put("train.bin", hundred, sizeof hundred);
    hr_assert_fails(open_set("train.bin"), HIRL_E_FORMAT, "coarse label 20");
    put_cifar("train.bin", 2, true);
    put_cifar("test_batch.bin", 2, false);
    hr_assert_fails(open_set(""), HIRL_E_FORMAT, "together");
    end();
}
END_TEST

/* ---- IDX ---- */

START_TEST(idx_files_are_read_plain_and_zipped)
{
    begin();
    put_idx("train-images-idx3-ubyte", false, 3, five, 5);
    put_idx("train-labels-idx1-ubyte", false, 1, five, 5);
    put_idx("t10k-images-idx3-ubyte.gz", true, 3, three, 3);
    put_idx("t10k-labels-idx1-ubyte.gz", true, 1, three, 3);
    hr_assert_ok(open_set(""));
    ck_assert_str_eq(set->format, "idx");
    ck_assert_int_eq(set->count, 5);
    ck_assert_int_eq(set->max_width, 6);
    ck_assert_int_eq(set->max_height, 4);
    ck_assert_int_eq(set->classes[0], 3);
    ck_assert_int_eq(hr_dataset_label(set, 4, 0), 1);
    for (int c = 0; c < 3; c++) /* gray becomes three equal channels */
        ck_assert_int_eq(pixel(2, 3, 1, c), 2 * 24 + 3 * 6 + 1);
    hr_assert_ok(open_split("", "queries"));
    ck_assert_str_eq(set->split, "t10k");
    ck_assert_int_eq(set->count, 3);
    ck_assert_int_eq(pixel(1, 0, 5, 2), 24 + 5);
    hr_assert_ok(open_set("t10k-images-idx3-ubyte.gz"));
    ck_assert_int_eq(hr_dataset_label(set, 2, 0), 2);
    end();
}
END_TEST

START_TEST(an_idx_file_beside_its_zipped_copy_is_read_once)
{
    begin();
    put_idx("train-images-idx3-ubyte", false, 3, five, 5);
    put_idx("train-images-idx3-ubyte.gz", true, 3, five, 5);
    put_idx("train-labels-idx1-ubyte.gz", true, 1, five,
            5); /* after gunzip -k of the images only */
    put_idx("t10k-images-idx3-ubyte", false, 3, three, 3);
    put_idx("t10k-images-idx3-ubyte.gz", true, 3, three, 3);
    hr_assert_ok(open_split("", "all"));
    ck_assert_int_eq(set->count, 8);
    ck_assert_str_eq(set->splits, "t10k train");
    hr_assert_ok(open_split("", "train"));
    ck_assert_int_eq(set->classes[0], 3);
    put_idx("train-images.idx3-ubyte", false, 3, five, 5);
    hr_assert_fails(open_set(""), HIRL_E_INVALID, "another file of images");
    end();
}
END_TEST

START_TEST(idx_files_with_a_wrong_header_are_refused)
{
    static const char *const name[] = { "a-images-idx3-ubyte", "b-images-idx3-ubyte.gz" };
    uint8_t head[16] = { 0, 0, 8, 3, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 1 };

    begin();
    for (int zipped = 0; zipped < 2; zipped++) {
        put_idx(name[zipped], zipped, 3, five, 6);
        hr_assert_fails(open_set(name[zipped]), HIRL_E_FORMAT, "claims");
        put_idx(name[zipped], zipped, 3, five, 4);
        hr_assert_fails(open_set(name[zipped]), HIRL_E_FORMAT, "claims");
        put_idx(name[zipped], zipped, 2, five, 5);
        hr_assert_fails(open_set(name[zipped]), HIRL_E_FORMAT, "2 dimensions");
        put_idx(name[zipped], zipped, 3, (int[]){ 0, 28, 28 }, 0);
        hr_assert_fails(open_set(name[zipped]), HIRL_E_FORMAT, "no images");
        put_idx(name[zipped], zipped, 3, (int[]){ 0, 0, 0 }, 0);
        hr_assert_fails(open_set(name[zipped]), HIRL_E_FORMAT, "no images");
    }
    put(name[0], head, sizeof head);
    hr_assert_fails(open_set(name[0]), HIRL_E_LIMIT, "claims");
    head[2] = 0x0d;
    put(name[0], head, sizeof head);
    hr_assert_fails(open_set(name[0]), HIRL_E_UNSUPPORTED, "0x0d");
    head[3] = 9;
    head[2] = 8;
    put(name[0], head, sizeof head);
    hr_assert_fails(open_set(name[0]), HIRL_E_FORMAT, "9 dimensions");
    put(name[0], "x", 1);
    hr_assert_fails(open_set(name[0]), HIRL_E_FORMAT, "not an IDX");
    end();
}
END_TEST

START_TEST(truncated_zipped_idx_files_are_refused)
{
    void *data;
    size_t bytes;

    begin();
    put_idx("x-images-idx3-ubyte.gz", true, 3, five, 5);
    hr_assert_ok(hr_file_read(&data, &bytes, at("x-images-idx3-ubyte.gz"), 1 << 20));
    hr_assert_ok(open_set("x-images-idx3-ubyte.gz"));
    for (size_t n = 0; n < bytes; n++) {
        put("x-images-idx3-ubyte.gz", data, n);
        ck_assert_int_eq(open_set("x-images-idx3-ubyte.gz"), HIRL_E_FORMAT);
    }
    hr_free(data);
    end();
}
END_TEST

START_TEST(idx_labels_must_be_as_many_as_images)
{
    begin();
    put_idx("train-images-idx3-ubyte", false, 3, five, 5);
    put_idx("train-labels-idx1-ubyte", false, 1, three, 3);
    hr_assert_fails(open_set(""), HIRL_E_FORMAT, "3 labels for 5 images");
    end();
}
END_TEST

/* ---- npy ---- */

START_TEST(npy_images_and_labels_are_read)
{
    uint8_t data[2 * 3 * 4 * 3];
    int64_t label[2] = { 6, -1 };

    begin();
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)i;
    put_npy("photos.npy", "'|u1'", "False", "(2, 3, 4, 3)", data, sizeof data);
    put_npy("labels.npy", "'<i8'", "False", "(2,)", label, sizeof label);
    hr_assert_ok(open_set("photos.npy"));
    ck_assert_int_eq(set->count, 2);
    ck_assert_int_eq(set->max_width, 4);
    ck_assert_int_eq(pixel(1, 2, 3, 1), 36 + 2 * 12 + 3 * 3 + 1);
    ck_assert_int_eq(hr_dataset_label(set, 0, 0), 6);
    ck_assert_int_eq(hr_dataset_label(set, 1, 0), -1);
    ck_assert_str_eq(hr_dataset_name(set, 1), "1");
    put_npy("train.npy", "'|u1'", "False", "(2, 3, 4)", data, 24);
    put_npy("test.npy", "'|u1'", "False", "(1, 3, 4)", data + 24, 12);
    hr_assert_ok(open_split("", "test"));
    ck_assert_int_eq(pixel(0, 0, 1, 0), 25);
    ck_assert_int_eq(pixel(0, 0, 1, 2), 25);
    end();
}
END_TEST

START_TEST(npy_files_that_cannot_be_read_are_refused)
{
    static const struct {
        const char *type, *order, *shape;
        hirl_status status;
        const char *word;
    } bad[] = {
        { "'|u1'", "False", "(3, 3, 4)", HIRL_E_FORMAT, "claims" },
        { "'|u1'", "False", "(1, 3, 4)", HIRL_E_FORMAT, "claims" },
        { "'|u1'", "False", "(4294967296, 4294967296, 4)", HIRL_E_FORMAT, "claims" },
        { "'|u1'", "False", "(99999999999999999999, 3, 4)", HIRL_E_LIMIT, "64 bits" },
        { "'|u1'", "False", "(-2, 3, 4)", HIRL_E_FORMAT, "dimension" },
        { "'|u1'", "True", "(2, 3, 4)", HIRL_E_UNSUPPORTED, "Fortran" },
        { "'|O'", "False", "(2, 3, 4)", HIRL_E_UNSUPPORTED, "|O" },
        { "'<c8'", "False", "(1, 3, 1)", HIRL_E_UNSUPPORTED, "<c8" },
        { "'>u2'", "False", "(2, 3, 2)", HIRL_E_FORMAT, "u2; expected images" },
        { "[('a', '<f4')]", "False", "(2, 3)", HIRL_E_UNSUPPORTED, "records" },
        { "'<f4'", "False", "(2, 3)", HIRL_E_FORMAT, "images" },
        { "'|u1'", "Maybe", "(2, 3, 4)", HIRL_E_FORMAT, "header" },
        { "'|u1'", "False", "2, 3, 4", HIRL_E_FORMAT, "shape" },
    };
    uint8_t data[24] = { 0 };

    begin();
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        put_npy("x.npy", bad[i].type, bad[i].order, bad[i].shape, data, sizeof data);
        hr_assert_fails(open_set("x.npy"), bad[i].status, bad[i].word);
    }
    put("x.npy", "\x93NUMPY\x01\x00\xff\x7f", 10);
    ck_assert_int_eq(open_set("x.npy"), HIRL_E_FORMAT);
    put("x.npy", "\x93NUMPY\x02\x00\xff\xff\xff\xff", 12);
    hr_assert_fails(open_set("x.npy"), HIRL_E_LIMIT, "header");
    end();
}
END_TEST

/* 1.5 = 0x3e00, -2 = 0xc000, 2^-24 = 0x0001, 65504 = 0x7bff, by hand */
START_TEST(npy_features_are_a_source_of_rows)
{
    static const uint16_t half[6] = { 0x3e00, 0xc000, 0x3c00, 0x4000, 0x0001, 0x7bff };
    static const float want[6] = { 1.5f, -2, 1, 2, 0x1p-24f, 65504 };
    hr_npy_rows file;
    float row[4];

    begin();
    put_npy("h.npy", "'<f2'", "False", "(3, 2)", half, sizeof half);
    put_npy("f.npy", "'<f4'", "False", "(3, 2)", want, sizeof want);
    for (int i = 0; i < 2; i++) {
        hr_assert_ok(hr_npy_rows_open(&file, at(i ? "f.npy" : "h.npy")));
        ck_assert(file.rows.n == 3 && file.rows.d == 2 && !file.rows.block);
        hr_assert_ok(file.rows.read(&file.rows, row, 1, 2));
        ck_assert_mem_eq(row, want + 2, sizeof row);
        hr_assert_ok(file.rows.read(&file.rows, row, 0, 1));
        ck_assert_mem_eq(row, want, 2 * sizeof *row);
        ck_assert(strstr(file.rows.name, i ? "f.npy: row" : "h.npy: row") != NULL);
        hr_npy_rows_close(&file);
    }
    put_npy("i.npy", "'<i8'", "False", "(1, 1, 1)", half, 8);
    hr_assert_fails(hr_npy_rows_open(&file, at("i.npy")), HIRL_E_FORMAT, "[n, d]");
    hr_assert_fails(hr_npy_rows_open(&file, at("none.npy")), HIRL_E_IO, "none.npy");
    end();
}
END_TEST

START_TEST(npy_features_of_all_widths_become_float)
{
    static const uint16_t half[4] = { 0x3e00, 0xc000, 0x0001, 0x7bff };
    static const double wide[4] = { 1.5, -2, 0x1p-24, 65504 };
    static const float want[4] = { 1.5f, -2, 0x1p-24f, 65504 };
    float *data = NULL;
    int64_t n, d;

    begin();
    put_npy("h.npy", "'<f2'", "False", "(2, 2)", half, sizeof half);
    put_npy("d.npy", "'<f8'", "False", "(1, 4)", wide, sizeof wide);
    hr_assert_ok(hr_npy_read(&data, &n, &d, at("h.npy"), NULL));
    ck_assert(n == 2 && d == 2);
    ck_assert_mem_eq(data, want, sizeof want);
    hr_free(data);
    hr_assert_ok(hr_npy_read(&data, &n, &d, at("d.npy"), NULL));
    ck_assert(n == 1 && d == 4);
    ck_assert_mem_eq(data, want, sizeof want);
    hr_free(data);
    hr_assert_fails(hr_npy_read(&data, &n, &d, at("none.npy"), NULL), HIRL_E_IO, "none.npy");
    end();
}
END_TEST

/* numpy.save of arange(3, dtype=int32) writes a header of 128 bytes, then the data. */
START_TEST(npy_files_are_written_as_numpy_does)
{
    static const int32_t data[3] = { 0, 1, 2 };
    static const float two[2][3] = { { 1, 2, 3 }, { 4, 5, 6 } };
    const char *want = "{'descr': '<i4', 'fortran_order': False, 'shape': (3,), }";
    uint8_t *file;
    float *back;
    size_t bytes;
    int64_t n, d;

    begin();
    hr_assert_ok(hr_npy_write(at("x.npy"), data, "i4", 1, (int64_t[]){ 3 }));
    hr_assert_ok(hr_file_read((void **)&file, &bytes, at("x.npy"), 1 << 20));
    ck_assert_uint_eq(bytes, 128 + 12);
    ck_assert_mem_eq(file, "\x93NUMPY\x01\x00\x76\x00", 10);
    ck_assert_mem_eq(file + 10, want, strlen(want));
    ck_assert_int_eq(file[126], ' ');
    ck_assert_int_eq(file[127], '\n');
    ck_assert_mem_eq(file + 128, data, 12);
    hr_free(file);
    hr_assert_ok(hr_npy_write(at("y.npy"), two, "f4", 2, (int64_t[]){ 2, 3 }));
    hr_assert_ok(hr_npy_read(&back, &n, &d, at("y.npy"), NULL));
    ck_assert(n == 2 && d == 3);
    ck_assert_mem_eq(back, two, sizeof two);
    hr_free(back);
    hr_assert_fails(hr_npy_write(at("y.npy"), two, "f2", 2, (int64_t[]){ 2, 3 }), HIRL_E_INVALID,
                    "f2");
    end();
}
END_TEST

HR_TESTS("formats", cifar_files_are_read_plane_by_plane, cifar100_has_its_own_two_levels,
         damaged_cifar_files_are_refused, idx_files_are_read_plain_and_zipped,
         an_idx_file_beside_its_zipped_copy_is_read_once, idx_files_with_a_wrong_header_are_refused,
         truncated_zipped_idx_files_are_refused, idx_labels_must_be_as_many_as_images,
         npy_images_and_labels_are_read, npy_files_that_cannot_be_read_are_refused,
         npy_features_are_a_source_of_rows, npy_features_of_all_widths_become_float,
         npy_files_are_written_as_numpy_does)
