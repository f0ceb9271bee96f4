/* test_formats.c - folders, CIFAR, IDX, npy and hierarchy.tsv: what is found, and damaged input. */

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <zlib.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/file.h"
#include "data/dataset.h"
#include "data/npy.h"
#include "support/close.h"
#include "support/folder.h"
#include "support/run.h"

static char root[HR_TEST_PATH]; /* a new folder for each test */
static hirl_context *context;
static hirl_dataset *set;
static hr_data_config config;

static void begin(void)
{
    hr_test_folder(root);
    hr_assert_ok(hr_context_create(&context, "cpu", 1));
    hr_assert_ok(hr_options_read(&config, &hr_data_keys, NULL));
    set = NULL;
}

static int erase(const char *path, const struct stat *info, int flag, struct FTW *where)
{
    (void)info;
    (void)flag;
    (void)where;
    return remove(path);
}

static void end(void)
{
    hr_dataset_drop(set);
    hr_context_drop(context);
    nftw(root, erase, 8, FTW_DEPTH | FTW_PHYS);
    ck_assert_int_eq(hr_alloc_live(), 0);
}

static const char *at(const char *name)
{
    static char path[HR_TEST_PATH + 200];

    snprintf(path, sizeof path, "%s%s%s", root, *name ? "/" : "", name);
    return path;
}

static void put(const char *name, const void *data, size_t bytes)
{
    char folder[HR_TEST_PATH + 400];

    snprintf(folder, sizeof folder, "%s", at(name));
    *strrchr(folder, '/') = 0;
    hr_assert_ok(hr_make_folder(folder));
    hr_assert_ok(hr_file_replace(at(name), data, bytes));
}

static void put_text(const char *name, const char *text)
{
    put(name, text, strlen(text));
}

static hirl_status open_split(const char *name, const char *split)
{
    hr_dataset_drop(set);
    set = NULL;
    snprintf(config.split, sizeof config.split, "%s", split);
    return hr_dataset_open(&set, context, at(name), &config);
}

static hirl_status open_set(const char *name)
{
    return open_split(name, "auto");
}

static uint8_t pixel(int64_t image, int64_t y, int64_t x, int channel)
{
    static hr_pixels pixels;
    uint8_t value;

    hr_assert_ok(hr_dataset_read(&pixels, set, image));
    ck_assert(y < pixels.height && x < pixels.width);
    value = pixels.data[(y * pixels.width + x) * 3 + channel];
    hr_pixels_done(&pixels);
    return value;
}

/* ---- CIFAR ---- */

/* image i of the file: red = i, green = row, blue = column; labels i % 10, or i % 20 and i % 100 */
static void put_cifar(const char *name, int images, bool hundred)
{
    size_t record = hundred ? 3074 : 3073;
    uint8_t *data = calloc((size_t)images, record), *to = data;

    for (int i = 0; i < images; i++) {
        if (hundred)
            *to++ = (uint8_t)(i % 20);
        *to++ = (uint8_t)(i % (hundred ? 100 : 10));
        for (int c = 0; c < 3; c++)
            for (int p = 0; p < 1024; p++)
                *to++ = (uint8_t)(c == 0 ? i : c == 1 ? p / 32 : p % 32);
    }
    put(name, data, (size_t)images * record);
    free(data);
}

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
    uint8_t record[3073] = { 10 };

    begin();
    put("train.bin", record, 3072);
    hr_assert_fails(open_set("train.bin"), HIRL_E_FORMAT, "3072 bytes");
    put("train.bin", record, 0);
    hr_assert_fails(open_set("train.bin"), HIRL_E_FORMAT, "0 bytes");
    put("train.bin", record, 3073);
    hr_assert_fails(open_set("train.bin"), HIRL_E_FORMAT, "label 10");
    put_cifar("train.bin", 2, true);
    put_cifar("test_batch.bin", 2, false);
    hr_assert_fails(open_set(""), HIRL_E_FORMAT, "together");
    end();
}
END_TEST

/* ---- IDX ---- */

static void put_idx(const char *name, bool zipped, int rank, const int *dim, int claimed)
{
    uint8_t data[4096] = { 0, 0, 8, (uint8_t)rank };
    size_t n = 4 + 4 * (size_t)rank, items = 1;
    gzFile file;

    for (int i = 0; i < rank; i++) {
        int value = i ? dim[i] : claimed;

        data[4 + 4 * i + 2] = (uint8_t)(value >> 8);
        data[4 + 4 * i + 3] = (uint8_t)value;
        items *= (size_t)dim[i];
    }
    for (size_t i = 0; i < items; i++)
        data[n + i] = (uint8_t)(rank == 1 ? i % 3 : i);
    if (!zipped) {
        put(name, data, n + items);
        return;
    }
    file = gzopen(at(name), "wb");
    ck_assert_int_eq(gzwrite(file, data, (unsigned)(n + items)), (int)(n + items));
    gzclose(file);
}

static const int five[] = { 5, 4, 6 }, three[] = { 3, 4, 6 };

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
    for (int c = 0; c < 3; c++) /* grey becomes three equal channels */
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

START_TEST(idx_files_that_lie_are_refused)
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
    hr_assert_fails(open_set(name[0]), HIRL_E_FORMAT, "no IDX");
    end();
}
END_TEST

START_TEST(idx_zipped_files_cut_anywhere_are_refused)
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

static void put_npy(const char *name, const char *type, const char *order, const char *shape,
                    const void *data, size_t bytes)
{
    char file[4096], text[200];
    int n;

    memset(file, 0, sizeof file);
    snprintf(text, sizeof text, "{'descr': %s, 'fortran_order': %s, 'shape': %s, }\n", type, order,
             shape);
    n = (int)strlen(text);
    memcpy(file, "\x93NUMPY\x01\x00", 8);
    file[8] = (char)n;
    memcpy(file + 10, text, (size_t)n);
    memcpy(file + 10 + n, data, bytes);
    put(name, file, 10 + (size_t)n + bytes);
}

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
        { "'>u2'", "False", "(2, 3, 2)", HIRL_E_UNSUPPORTED, "big-endian" },
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
    hr_assert_ok(hr_npy_read(&data, &n, &d, at("h.npy")));
    ck_assert(n == 2 && d == 2);
    ck_assert_mem_eq(data, want, sizeof want);
    hr_free(data);
    hr_assert_ok(hr_npy_read(&data, &n, &d, at("d.npy")));
    ck_assert(n == 1 && d == 4);
    ck_assert_mem_eq(data, want, sizeof want);
    hr_free(data);
    put_npy("d.npy", "'<i8'", "False", "(1, 4)", wide, sizeof wide);
    hr_assert_fails(hr_npy_read(&data, &n, &d, at("d.npy")), HIRL_E_FORMAT, "f2, f4 or f8");
    hr_assert_fails(hr_npy_read(&data, &n, &d, at("none.npy")), HIRL_E_IO, "none.npy");
    end();
}
END_TEST

/* the bytes that numpy.save writes for arange(3, dtype=int32): 128 bytes of header, then the data */
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
    hr_assert_ok(hr_npy_read(&back, &n, &d, at("y.npy")));
    ck_assert(n == 2 && d == 3);
    ck_assert_mem_eq(back, two, sizeof two);
    hr_free(back);
    hr_assert_fails(hr_npy_write(at("y.npy"), two, "f2", 2, (int64_t[]){ 2, 3 }), HIRL_E_INVALID,
                    "f2");
    end();
}
END_TEST

/* ---- folders ---- */

static void put_image(const char *name, const char *golden)
{
    char path[1024];
    void *data;
    size_t bytes;

    snprintf(path, sizeof path, "%s/images/%s", getenv("HIRL_TEST_DATA"), golden);
    hr_assert_ok(hr_file_read(&data, &bytes, path, 1 << 20));
    put(name, data, bytes);
    hr_free(data);
}

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
    ck_assert_ptr_nonnull(strstr(set->summary, "1 other"));
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
    ck_assert_ptr_nonnull(strstr(set->summary, "1 other files or folders ignored")); /* extra */
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

START_TEST(links_that_lead_back_end)
{
    char link[HR_TEST_PATH + 8];

    begin();
    put_image("a/1.jpg", "420.jpg");
    put_image("b/2.jpg", "420.jpg");
    snprintf(link, sizeof link, "%s/a/up", root);
    ck_assert_int_eq(symlink(root, link), 0);
    hr_assert_ok(open_set(""));
    ck_assert_int_ge(set->count, 2);
    ck_assert_int_le(set->count, 4);
    end();
}
END_TEST

START_TEST(empty_and_missing_places_are_refused)
{
    begin();
    hr_assert_fails(open_set(""), HIRL_E_INVALID, "no images");
    put_text("notes.txt", "x");
    hr_assert_fails(open_set(""), HIRL_E_INVALID, "no images");
    hr_assert_fails(open_set("notes.txt"), HIRL_E_INVALID, "neither");
    hr_assert_fails(open_set("none"), HIRL_E_IO, "none");
    if (geteuid()) { /* root may read everything */
        put_image("locked/1.jpg", "420.jpg");
        ck_assert_int_eq(chmod(at("locked"), 0), 0);
        hr_assert_fails(open_set(""), HIRL_E_IO, "locked");
        ck_assert_int_eq(chmod(at("locked"), 0700), 0);
    }
    end();
}
END_TEST

/* signature, IHDR of 60000 x 60000, 8 bit RGB, with its CRC */
START_TEST(a_bomb_is_not_in_the_summary)
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
    hr_assert_ok(open_set("val")); /* found above a folder that is named like a split */
    ck_assert_int_eq(hr_dataset_label(set, 0, 0), 2);
    end();
}
END_TEST

START_TEST(damaged_hierarchies_are_refused)
{
    static const char *const bad[][2] = {
        { "0\tant\n1\tcat\n3\tbee\n", "no id" },
        { "0\tant\n1\tcat\n1\tbee\n", "twice" },
        { "0\tant\n1\tcat\n", "bee" },
        { "0\tant\t0\tx\n1\tcat\t0\ty\n2\tbee\t0\tx\n", "twice" },
        { "0\tant\t0\tx\t0\tt\n1\tcat\t0\tx\t1\tu\n2\tbee\t0\tx\t0\tt\n", "parents" },
        { "0\tant\t2\tx\n1\tcat\t0\ty\n2\tbee\t2\tx\n", "no class 1" },
        { "0\tant\t0\n", "columns" },
        { "0\tant\n1\tcat\t0\tx\n", "columns" },
        { "-1\tant\n", "no id" },
        { "99999999999999\tant\n", "no id" },
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

/* ---- selection ---- */

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

HR_TESTS("formats", cifar_files_are_read_plane_by_plane, cifar100_has_its_own_two_levels,
         damaged_cifar_files_are_refused, idx_files_are_read_plain_and_zipped,
         idx_files_that_lie_are_refused, idx_zipped_files_cut_anywhere_are_refused,
         idx_labels_must_be_as_many_as_images, npy_images_and_labels_are_read,
         npy_files_that_cannot_be_read_are_refused, npy_features_of_all_widths_become_float,
         npy_files_are_written_as_numpy_does, a_flat_folder_is_sorted_and_hidden_files_are_left_out,
         a_tree_of_splits_has_the_same_classes_in_each, a_class_may_be_called_train,
         links_that_lead_back_end, empty_and_missing_places_are_refused,
         a_bomb_is_not_in_the_summary, a_broken_file_is_named_when_it_is_read,
         hierarchy_tsv_names_classes_and_parents, damaged_hierarchies_are_refused,
         a_hierarchy_of_empty_lines_takes_little_memory, a_label_beyond_the_hierarchy_is_refused,
         without_splits_every_tenth_image_is_held_out, max_images_are_spread_over_the_set,
         every_failing_allocation_leaves_nothing_behind)
