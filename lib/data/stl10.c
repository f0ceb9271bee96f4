/* stl10.c - STL-10 binary files: a folder with train_X.bin, test_X.bin or unlabeled_X.bin.
 *
 * X holds images of three planes of 96 x 96 bytes, red, green, blue, each column by column. y holds
 * one byte for each image, its class from 1 to 10. class_names.txt has one name per line.
 */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/file.h"
#include "data/formats.h"
#include "data/memory.h"
#include "data/split.h"

enum { SIDE = 96, PLANE = SIDE * SIDE, RECORD = 3 * PLANE, CLASSES = 10, NAME_BYTES = 1 << 16 };
static const char *const parts[] = { "train", "test", "unlabeled" };
enum { PARTS = sizeof parts / sizeof *parts };

static char *file_of(const char *folder, int part, const char *what)
{
    char name[32];

    snprintf(name, sizeof name, "%s_%s.bin", parts[part], what);
    return hr_path_join(folder, name);
}

/* Size of a file; -1: there is none. */
static int64_t size_of(const char *path)
{
    struct stat info;

    return path && !stat(path, &info) && S_ISREG(info.st_mode) ? (int64_t)info.st_size : -1;
}

static hirl_status matches(bool *yes, const char *path)
{
    *yes = false;
    for (int p = 0; p < PARTS && !*yes && hr_is_folder(path); p++) {
        char *images = file_of(path, p, "X");

        if (!images)
            return HIRL_E_NOMEM;
        *yes = size_of(images) >= 0;
        hr_free(images);
    }
    return HIRL_OK;
}

static hirl_status add_parts(hirl_dataset *dataset, const char *folder)
{
    for (int p = 0; p < PARTS; p++) {
        char *images = file_of(folder, p, "X");
        int64_t bytes = size_of(images);

        hr_free(images);
        if (bytes < 0)
            continue;
        if (!bytes || bytes % RECORD)
            return hr_fail(HIRL_E_FORMAT,
                           "%s_X.bin: it has %lld bytes, which are not images of %d bytes",
                           parts[p], (long long)bytes, RECORD);
        HR_TRY(hr_dataset_add_part(dataset, parts[p], bytes / RECORD));
    }
    return HIRL_OK;
}

/* from: planes, each by columns; to: pixels by rows */
static void turn(uint8_t *to, const uint8_t *from)
{
    for (int y = 0; y < SIDE; y++)
        for (int x = 0; x < SIDE; x++)
            for (int c = 0; c < 3; c++)
                *to++ = from[c * PLANE + x * SIDE + y];
}

static hirl_status read_images(uint8_t *pixels, const char *path, int64_t n)
{
    uint8_t *record;
    uint64_t bytes;
    int file;
    hirl_status status;

    HR_TRY(hr_file_open(&file, &bytes, path));
    record = hr_alloc(RECORD);
    status = !record ? HIRL_E_NOMEM
             : (int64_t)bytes == n * RECORD
                 ? HIRL_OK
                 : hr_fail(HIRL_E_IO, "%s: its size changed while it was read", path);
    for (int64_t i = 0; i < n && status >= 0; i++) {
        status = hr_file_read_at(file, record, RECORD, (uint64_t)(i * RECORD), path);
        if (status >= 0)
            turn(pixels + i * RECORD, record);
    }
    hr_free(record);
    close(file);
    return status;
}

/* A part without its file of labels, such as unlabeled, has none. */
static hirl_status read_labels(int32_t *label, const char *path, int64_t n)
{
    uint8_t *data;
    size_t bytes;
    hirl_status status = HIRL_OK;

    for (int64_t i = 0; i < n; i++)
        label[i] = -1;
    if (size_of(path) < 0)
        return HIRL_OK;
    HR_TRY(hr_file_read((void **)&data, &bytes, path, (size_t)n));
    if ((int64_t)bytes != n)
        status =
            hr_fail(HIRL_E_FORMAT, "%s: %zu labels for %lld images", path, bytes, (long long)n);
    for (int64_t i = 0; i < n && status >= 0; i++) {
        label[i] = data[i] - 1;
        if (label[i] < 0 || label[i] >= CLASSES)
            status = hr_fail(HIRL_E_FORMAT, "%s: label %d of image %lld, expected 1 to %d", path,
                             (int)data[i], (long long)i, CLASSES);
    }
    hr_free(data);
    return status;
}

static hirl_status read_part(uint8_t *pixels, int32_t *label, const char *folder, int part,
                             int64_t n)
{
    char *images = file_of(folder, part, "X"), *labels = file_of(folder, part, "y");
    hirl_status status = images && labels ? HIRL_OK : HIRL_E_NOMEM;

    if (status >= 0)
        status = read_images(pixels, images, n);
    if (status >= 0)
        status = read_labels(label, labels, n);
    hr_free(images);
    hr_free(labels);
    return status;
}

static int part_named(const char *name)
{
    for (int p = 0; p < PARTS; p++)
        if (!strcmp(parts[p], name))
            return p;
    return -1;
}

static hirl_status read_taken(uint8_t *pixels, int32_t *label, const hirl_dataset *dataset,
                              const char *folder)
{
    int64_t at = 0;

    for (int32_t i = 0; i < dataset->parts; i++) {
        const hr_part *part = &dataset->part[i];

        if (!part->taken)
            continue;
        HR_TRY(read_part(pixels + at * RECORD, label + at, folder, part_named(part->name),
                         part->images));
        at += part->images;
    }
    return HIRL_OK;
}

static hirl_status read_names(hirl_dataset *dataset, const char *folder)
{
    char *path = hr_path_join(folder, "class_names.txt"), *text = NULL, *rest, *line;
    hirl_status status = path ? HIRL_OK : HIRL_E_NOMEM;
    size_t bytes;

    if (status >= 0 && size_of(path) >= 0)
        status = hr_file_read((void **)&text, &bytes, path, NAME_BYTES);
    if (status >= 0 && text)
        status = hr_dataset_new_classes(dataset, 0, CLASSES);
    rest = text;
    for (int c = 0; c < CLASSES && status >= 0 && text; c++) {
        line = rest ? strsep(&rest, "\n") : "";
        line[strcspn(line, "\r")] = 0;
        if (!*line)
            status =
                hr_fail(HIRL_E_FORMAT, "class_names.txt has %d names, expected %d", c, CLASSES);
        else
            dataset->class_name[0][c] = hr_strdup(line);
        if (status >= 0 && !dataset->class_name[0][c])
            status = HIRL_E_NOMEM;
    }
    hr_free(text);
    hr_free(path);
    return status;
}

static hirl_status load(hirl_dataset *dataset, const char *folder)
{
    int64_t n = 0;
    uint8_t *pixels;
    hirl_status status;

    for (int32_t i = 0; i < dataset->parts; i++)
        n += dataset->part[i].taken ? dataset->part[i].images : 0;
    dataset->label = hr_alloc_array((size_t)n, sizeof *dataset->label);
    if (!dataset->label)
        return HIRL_E_NOMEM;
    pixels = hr_alloc_array((size_t)n, RECORD);
    status = pixels ? read_taken(pixels, dataset->label, dataset, folder) : HIRL_E_NOMEM;
    if (status >= 0)
        status = hr_memory_open(dataset, &(hr_memory_images){ pixels, n, SIDE, SIDE, 3, true });
    if (status < 0)
        hr_free(pixels);
    return status;
}

static hirl_status open_set(hirl_dataset *dataset, const char *path, const hr_data_config *config)
{
    HR_TRY(add_parts(dataset, path));
    HR_TRY(hr_dataset_choose(dataset, config->split));
    HR_TRY(load(dataset, path));
    for (int64_t i = 0; i < dataset->count; i++)
        dataset->levels |= dataset->label[i] >= 0;
    if (!dataset->levels)
        return HIRL_OK;
    dataset->classes[0] = CLASSES;
    return read_names(dataset, path);
}

const hr_format hr_format_stl10 = { "stl10", matches, open_set };
