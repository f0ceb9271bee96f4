/* data_files.h - files of every format in a new folder for each test, opened as a data set. */
#ifndef DATA_FILES_H
#define DATA_FILES_H

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <zlib.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/file.h"
#include "data/keys.h"
#include "data/open.h"
#include "support/close.h"
#include "support/folder.h"
#include "support/run.h"

static char root[HR_TEST_PATH]; /* a new folder for each test */
static hirl_context *context;
static hirl_dataset *set;
static hr_data_config config;

static inline void begin(void)
{
    hr_test_folder(root);
    hr_assert_ok(hr_context_create(&context, "cpu", 1));
    hr_assert_ok(hr_options_read(&config, &hr_data_keys, NULL));
    set = NULL;
}

static inline int erase(const char *path, const struct stat *info, int flag, struct FTW *where)
{
    (void)info;
    (void)flag;
    (void)where;
    return remove(path);
}

static inline void end(void)
{
    hr_dataset_drop(set);
    hr_context_drop(context);
    nftw(root, erase, 8, FTW_DEPTH | FTW_PHYS);
    ck_assert_int_eq(hr_alloc_live(), 0);
}

static inline const char *at(const char *name)
{
    static char path[HR_TEST_PATH + 200];

    snprintf(path, sizeof path, "%s%s%s", root, *name ? "/" : "", name);
    return path;
}

static inline void put(const char *name, const void *data, size_t bytes)
{
    char folder[HR_TEST_PATH + 400];

    snprintf(folder, sizeof folder, "%s", at(name));
    *strrchr(folder, '/') = 0;
    hr_assert_ok(hr_make_folder(folder));
    hr_assert_ok(hr_file_replace(at(name), data, bytes));
}

static inline void put_text(const char *name, const char *text)
{
    put(name, text, strlen(text));
}

static inline hirl_status open_split(const char *name, const char *split)
{
    hr_dataset_drop(set);
    set = NULL;
    snprintf(config.split, sizeof config.split, "%s", split);
    return hr_dataset_open(&set, context, at(name), &config);
}

static inline hirl_status open_set(const char *name)
{
    return open_split(name, "auto");
}

static inline uint8_t pixel(int64_t image, int64_t y, int64_t x, int channel)
{
    static hr_pixels pixels;
    uint8_t value;

    hr_assert_ok(hr_dataset_read(&pixels, set, image));
    ck_assert(y < pixels.height && x < pixels.width);
    value = pixels.data[(y * pixels.width + x) * 3 + channel];
    hr_pixels_done(&pixels);
    return value;
}

/* ---- writing files ---- */

/* image i of the file: red = i, green = row, blue = column; labels i % 10, or i % 20 and i % 100 */
static inline void put_cifar(const char *name, int images, bool hundred)
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

static inline void put_idx(const char *name, bool zipped, int rank, const int *dim, int claimed)
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

static inline void put_npy(const char *name, const char *type, const char *order, const char *shape,
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

static inline void put_image(const char *name, const char *golden)
{
    char path[1024];
    void *data;
    size_t bytes;

    snprintf(path, sizeof path, "%s/images/%s", getenv("HIRL_TEST_DATA"), golden);
    hr_assert_ok(hr_file_read(&data, &bytes, path, 1 << 20));
    put(name, data, bytes);
    hr_free(data);
}

#endif
