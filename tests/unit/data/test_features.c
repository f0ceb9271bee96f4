/* test_features.c - features in .npy files and .npz archives: types, byte orders, faults. */
#include <math.h>

#include <zlib.h>

#include "data/npy_read.h"

#include "data_files.h"

static hirl_status read_with(float **data, const char *name, const hr_feature_config *chosen)
{
    int64_t n, d;
    hirl_status status = hr_npy_read(data, &n, &d, at(name), chosen);

    ck_assert(status < 0 || n * d == 4);
    return status;
}

/* four numbers of one type, in a file [2, 2], are these floats */
static void check(const char *type, const char *order, const void *bytes, size_t size,
                  const float want[4], const hr_feature_config *chosen)
{
    float *data;

    put_npy("x.npy", type, order, "(2, 2)", bytes, 4 * size);
    hr_assert_ok(read_with(&data, "x.npy", chosen));
    ck_assert_mem_eq(data, want, 4 * sizeof *want);
    hr_free(data);
}

static const hr_feature_config standard, bf16 = { .features_bf16 = 1 };

START_TEST(integers_of_each_width_and_sign_become_floats)
{
    begin();
    check("'|i1'", "False", "\xff\x02\x80\x7f", 1, (float[]){ -1, 2, -128, 127 }, &standard);
    check("'|u1'", "False", "\xff\x02\x80\x7f", 1, (float[]){ 255, 2, 128, 127 }, &standard);
    check("'|b1'", "False", "\x01\x00\x00\x01", 1, (float[]){ 1, 0, 0, 1 }, &standard);
    check("'<i2'", "False", "\xfe\xff\x00\x01\x01\x00\x00\x80", 2, (float[]){ -2, 256, 1, -32768 },
          &standard);
    check("'>i2'", "False", "\xff\xfe\x01\x00\x00\x01\x80\x00", 2, (float[]){ -2, 256, 1, -32768 },
          &standard);
    check("'>u4'", "False", "\xff\xff\xff\xff\0\0\0\1\0\0\1\0\0\1\0\0", 4,
          (float[]){ 0x1p32f, 1, 256, 65536 }, &standard);
    check("'<u8'", "False", (uint64_t[]){ UINT64_MAX, 0, 1, 3 }, 8, (float[]){ 0x1p64f, 0, 1, 3 },
          &standard);
    check("'<i8'", "False", (int64_t[]){ INT64_MIN, -1, 1, 3 }, 8, (float[]){ -0x1p63f, -1, 1, 3 },
          &standard);
    end();
}
END_TEST

/* 1.0 is 0x3f80 and -2.5 is 0xc020 in bfloat16; 1.5 is 0x3e00 in binary16: by hand */
START_TEST(floats_in_either_byte_order_are_read)
{
    begin();
    check("'>f4'", "False", "\x3f\x80\0\0\xc0\x20\0\0\0\0\0\0\x40\0\0\0", 4,
          (float[]){ 1, -2.5f, 0, 2 }, &standard);
    check("'>f8'", "False",
          "\x3f\xf0\0\0\0\0\0\0\xc0\x04\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x40\0\0\0\0\0\0\0", 8,
          (float[]){ 1, -2.5f, 0, 2 }, &standard);
    check("'>f2'", "False", "\x3e\0\xc0\0\0\0\0\1", 2, (float[]){ 1.5f, -2, 0, 0x1p-24f },
          &standard);
    check("'<u2'", "False", "\x80\x3f\x20\xc0\0\0\0\x40", 2, (float[]){ 1, -2.5f, 0, 2 }, &bf16);
    check("'>u2'", "False", "\x3f\x80\xc0\x20\0\0\x40\0", 2, (float[]){ 1, -2.5f, 0, 2 }, &bf16);
    check("'<V2'", "False", "\x80\x3f\x20\xc0\0\0\0\x40", 2, (float[]){ 1, -2.5f, 0, 2 }, &bf16);
    check("'<u2'", "False", "\x80\x3f\x20\xc0\0\0\0\x40", 2, (float[]){ 16256, 49184, 0, 16384 },
          &standard);
    end();
}
END_TEST

START_TEST(columns_of_fortran_order_become_rows)
{
    enum { N = 2500, D = 3 };
    float *stored = hr_alloc_array(N * D, sizeof *stored), *data;
    static char file[1 << 16];
    int64_t n, d;
    int head;

    begin();
    check("'<f4'", "True", (float[]){ 1, 2, 3, 4 }, 4, (float[]){ 1, 3, 2, 4 }, &standard);
    for (int i = 0; i < N; i++)
        for (int j = 0; j < D; j++)
            stored[j * N + i] = (float)(10 * i + j);
    head = snprintf(file + 10, 200,
                    "{'descr': '<f4', 'fortran_order': True, 'shape': (%d, %d), }\n", N, D);
    memcpy(file, "\x93NUMPY\x01\x00", 8);
    file[8] = (char)head;
    memcpy(file + 10 + head, stored, N * D * sizeof *stored);
    put("long.npy", file, 10 + (size_t)head + N * D * sizeof *stored);
    hr_assert_ok(hr_npy_read(&data, &n, &d, at("long.npy"), &standard));
    ck_assert(n == N && d == D);
    for (int i = 0; i < N * D; i++)
        ck_assert_float_eq(data[i], (float)(10 * (i / D) + i % D));
    hr_free(data);
    hr_free(stored);
    end();
}
END_TEST

START_TEST(numbers_that_are_no_features_are_named)
{
    float *data;

    begin();
    put_npy("x.npy", "'<f8'", "False", "(2, 2)", (double[]){ 1, 2, 3, 1e300 }, 32);
    hr_assert_fails(read_with(&data, "x.npy", &standard), HIRL_E_FORMAT,
                    "x.npy: row 1, column 1 (from 0) is 1e+300");
    put_npy("x.npy", "'<f8'", "True", "(2, 2)", (double[]){ 1, 2, -1e39, 4 }, 32);
    hr_assert_fails(read_with(&data, "x.npy", &standard), HIRL_E_FORMAT,
                    "row 0, column 1 (from 0) is -1e+39");
    put_npy("x.npy", "'<f4'", "False", "(2, 2)", (float[]){ 1, 2, NAN, 4 }, 16);
    hr_assert_fails(read_with(&data, "x.npy", &standard), HIRL_E_NONFINITE,
                    "x.npy: row 1, column 0 (from 0) is nan");
    hr_assert_ok(read_with(&data, "x.npy", NULL));
    ck_assert(isnan(data[2]));
    hr_free(data);
    put_npy("x.npy", "'<f8'", "False", "(2, 2)", (double[]){ 1, -INFINITY, 3, 4 }, 32);
    hr_assert_fails(read_with(&data, "x.npy", &standard), HIRL_E_NONFINITE, "infinite");
    put_npy("x.npy", "'<V2'", "False", "(2, 2)", (int16_t[4]){ 0 }, 8);
    hr_assert_fails(read_with(&data, "x.npy", &standard), HIRL_E_FORMAT, "features_bf16=1");
    put_npy("x.npy", "'<f4'", "False", "(2, 2)", (float[4]){ 0 }, 16);
    hr_assert_fails(read_with(&data, "x.npy", &bf16), HIRL_E_FORMAT, "u2 is expected");
    put_npy("x.npy", "'<f4'", "False", "(4,)", (float[4]){ 0 }, 16);
    hr_assert_fails(read_with(&data, "x.npy", &standard), HIRL_E_FORMAT, "1 dimensions");
    put_npy("x.npy", "'<f16'", "False", "(1, 1)", (float[4]){ 0 }, 16);
    hr_assert_fails(read_with(&data, "x.npy", &standard), HIRL_E_UNSUPPORTED, "f16");
    end();
}
END_TEST

/* ---- archives: stored zip files, written by hand ---- */

typedef struct archive {
    uint8_t bytes[1024], central[512];
    size_t used, directory;
    int entries;
} archive;

static void put_number(uint8_t *to, size_t *used, uint64_t value, int bytes)
{
    for (int i = 0; i < bytes; i++)
        to[(*used)++] = (uint8_t)(value >> 8 * i);
}

/* version, flags, method, time, date, checksum, sizes, length of the name */
static void put_fields(uint8_t *to, size_t *used, uint32_t crc, size_t size, const char *name)
{
    put_number(to, used, 20, 2);
    put_number(to, used, 0, 8);
    put_number(to, used, crc, 4);
    put_number(to, used, size, 4);
    put_number(to, used, size, 4);
    put_number(to, used, strlen(name), 2);
    put_number(to, used, 0, 2);
}

static void add(archive *a, const char *name, const char *file, uint32_t damage)
{
    uint8_t *data;
    size_t size, from = a->used;
    uint32_t crc;

    hr_assert_ok(hr_file_read((void **)&data, &size, at(file), 1 << 20));
    crc = (uint32_t)crc32(0, data, (uInt)size) ^ damage;
    put_number(a->bytes, &a->used, 0x04034b50, 4);
    put_fields(a->bytes, &a->used, crc, size, name);
    memcpy(a->bytes + a->used, name, strlen(name));
    a->used += strlen(name);
    memcpy(a->bytes + a->used, data, size);
    a->used += size;
    put_number(a->central, &a->directory, 0x02014b50, 4);
    put_number(a->central, &a->directory, 20, 2);
    put_fields(a->central, &a->directory, crc, size, name);
    put_number(a->central, &a->directory, 0, 10);
    put_number(a->central, &a->directory, from, 4);
    memcpy(a->central + a->directory, name, strlen(name));
    a->directory += strlen(name);
    a->entries++;
    hr_free(data);
}

static void put_archive(archive *a, const char *name)
{
    size_t from = a->used;

    memcpy(a->bytes + a->used, a->central, a->directory);
    a->used += a->directory;
    put_number(a->bytes, &a->used, 0x06054b50, 4);
    put_number(a->bytes, &a->used, 0, 4);
    put_number(a->bytes, &a->used, (uint64_t)a->entries, 2);
    put_number(a->bytes, &a->used, (uint64_t)a->entries, 2);
    put_number(a->bytes, &a->used, a->directory, 4);
    put_number(a->bytes, &a->used, from, 4);
    put_number(a->bytes, &a->used, 0, 2);
    put(name, a->bytes, a->used);
}

static void put_members(void)
{
    put_npy("a.npy", "'<f4'", "False", "(2, 2)", (float[]){ 1, 2, 3, 4 }, 16);
    put_npy("b.npy", "'<f4'", "True", "(2, 2)", (float[]){ 5, 6, 7, 8 }, 16);
}

START_TEST(an_array_of_an_archive_is_chosen)
{
    archive one = { .used = 0 }, two = { .used = 0 };
    hr_feature_config chosen = { 0 };
    hirl_status status;
    float *data;

    begin();
    put_members();
    add(&one, "a.npy", "a.npy", 0);
    put_archive(&one, "one.npz");
    add(&two, "a.npy", "a.npy", 0);
    add(&two, "b.npy", "b.npy", 0);
    put_archive(&two, "two.npz");
    status = read_with(&data, "one.npz", &chosen);
    if (status == HIRL_E_UNSUPPORTED) { /* a build without libzip */
        hr_assert_fails(status, HIRL_E_UNSUPPORTED, "libzip");
        end();
        return;
    }
    hr_assert_ok(status);
    ck_assert_mem_eq(data, ((float[]){ 1, 2, 3, 4 }), 16);
    hr_free(data);
    hr_assert_fails(read_with(&data, "two.npz", &chosen), HIRL_E_INVALID, "features_array=: a, b");
    strcpy(chosen.features_array, "b");
    hr_assert_ok(read_with(&data, "two.npz", &chosen));
    ck_assert_mem_eq(data, ((float[]){ 5, 7, 6, 8 }), 16);
    hr_free(data);
    hr_assert_fails(read_with(&data, "one.npz", &chosen), HIRL_E_INVALID, "no array 'b'");
    hr_assert_fails(read_with(&data, "a.npy", &chosen), HIRL_E_INVALID, "features_array");
    end();
}
END_TEST

START_TEST(damaged_archives_are_refused)
{
    archive wrong = { .used = 0 }, none = { .used = 0 };
    float *data;

    begin();
    put_members();
    put("text.txt", "text", 4);
    add(&none, "text.txt", "text.txt", 0);
    put_archive(&none, "none.npz");
    if (read_with(&data, "none.npz", &standard) == HIRL_E_UNSUPPORTED) {
        end();
        return;
    }
    hr_assert_fails(read_with(&data, "none.npz", &standard), HIRL_E_FORMAT, "no .npy array");
    add(&wrong, "a.npy", "a.npy", 1);
    put_archive(&wrong, "wrong.npz");
    hr_assert_fails(read_with(&data, "wrong.npz", &standard), HIRL_E_FORMAT, "damaged");
    put("cut.npz", wrong.bytes, wrong.used / 2);
    hr_assert_fails(read_with(&data, "cut.npz", &standard), HIRL_E_FORMAT, "cut.npz");
    end();
}
END_TEST

HR_TESTS("features", integers_of_each_width_and_sign_become_floats,
         floats_in_either_byte_order_are_read, columns_of_fortran_order_become_rows,
         numbers_that_are_no_features_are_named, an_array_of_an_archive_is_chosen,
         damaged_archives_are_refused)
