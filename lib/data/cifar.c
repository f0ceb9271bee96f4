/* cifar.c - CIFAR-10 and CIFAR-100 binary files: one file or a folder of them.
 *
 * A record is one label byte (CIFAR-100: a coarse and a fine one) and three planes of 32 x 32
 * bytes: red, green, blue. In a folder, data_batch_*.bin and train.bin are the split train,
 * test_batch.bin and test.bin the split test, and val.bin and validation.bin the splits of these
 * names.
 */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/file.h"
#include "data/formats.h"
#include "data/hierarchy.h"
#include "data/memory.h"
#include "data/split.h"

enum { SIDE = 32, PLANE = SIDE * SIDE, FILES = 64 };
enum { TEN = 3073, HUNDRED = 3074, COARSE = 20 };
static const int64_t file_limit = (int64_t)1 << 33;

typedef struct cifar_file {
    char *path;
    int64_t bytes;
    const char *split; /* NULL: none */
} cifar_file;

typedef struct cifar {
    cifar_file file[FILES];
    int32_t files;
    int64_t record; /* TEN or HUNDRED */
} cifar;

/* ---- which files ---- */

static bool ends_with(const char *text, const char *end)
{
    size_t n = strlen(text), m = strlen(end);

    return n >= m && !strcmp(text + n - m, end);
}

static const char *split_of(const char *name)
{
    if (!strncmp(name, "data_batch_", 11) && ends_with(name, ".bin"))
        return "train";
    if (!strcmp(name, "test_batch.bin"))
        return "test";
    return hr_split_of_file(name, ".bin");
}

static bool is_split(const char *name)
{
    return split_of(name) != NULL;
}

static hirl_status matches(bool *yes, const char *path)
{
    if (hr_is_folder(path))
        return hr_folder_has(yes, path, is_split);
    *yes = ends_with(path, ".bin") && hr_file_exists(path);
    return HIRL_OK;
}

static hirl_status add_file(cifar *c, char *path, const char *split)
{
    struct stat info;

    if (!path)
        return HIRL_E_NOMEM;
    if (c->files == FILES) {
        hr_free(path);
        return hr_fail(HIRL_E_LIMIT, "the folder has more than %d CIFAR files", FILES);
    }
    c->file[c->files++] = (cifar_file){ path, 0, split };
    if (stat(path, &info))
        return hr_fail_errno("open", path);
    c->file[c->files - 1].bytes = info.st_size;
    return HIRL_OK;
}

static hirl_status add_folder(cifar *c, const char *path)
{
    char **name;
    int64_t count;
    hirl_status status;

    status = hr_folder_list(&name, &count, path);
    if (status < 0)
        return status;
    for (int64_t i = 0; i < count && status >= 0; i++)
        if (split_of(name[i]))
            status = add_file(c, hr_path_join(path, name[i]), split_of(name[i]));
    hr_names_free(name, count);
    return status;
}

/* Finds the record length of which every file size is a multiple. When both lengths fit, the file
 * name decides. */
static hirl_status find_record(cifar *c)
{
    bool ten = true, hundred = true;
    const char *first = c->file[0].path;

    for (int32_t i = 0; i < c->files; i++) {
        const cifar_file *f = &c->file[i];

        if (!f->bytes || (f->bytes % TEN && f->bytes % HUNDRED))
            return hr_fail(HIRL_E_FORMAT,
                           "%s: not a CIFAR file: it has %lld bytes, which are not records of %d "
                           "(CIFAR-10) or %d bytes (CIFAR-100)",
                           f->path, (long long)f->bytes, TEN, HUNDRED);
        if (f->bytes > file_limit)
            return hr_fail(HIRL_E_LIMIT, "%s: the file has %lld bytes, the limit is %lld", f->path,
                           (long long)f->bytes, (long long)file_limit);
        ten &= f->bytes % TEN == 0;
        hundred &= f->bytes % HUNDRED == 0;
    }
    if (!ten && !hundred)
        return hr_fail(HIRL_E_FORMAT,
                       "the folder has files of CIFAR-10 and of CIFAR-100 together; keep one kind");
    if (ten && hundred)
        hundred = !strstr(first, "data_batch") && !strstr(first, "test_batch");
    c->record = hundred ? HUNDRED : TEN;
    return HIRL_OK;
}

static int64_t images_of(const cifar *c, const char *split)
{
    int64_t images = 0;

    for (int32_t i = 0; i < c->files; i++)
        if (c->file[i].split && !strcmp(c->file[i].split, split))
            images += c->file[i].bytes / c->record;
    return images;
}

static hirl_status add_parts(hirl_dataset *dataset, const cifar *c)
{
    static const hr_role role[] = { HR_ROLE_TRAIN, HR_ROLE_VAL, HR_ROLE_TEST, HR_ROLE_UNLABELLED };

    for (size_t r = 0; r < sizeof role / sizeof *role; r++)
        for (int32_t i = 0; i < c->files; i++) {
            const char *split = c->file[i].split;

            if (split && hr_role_of_plain_name(split, strlen(split)) == role[r] &&
                !hr_dataset_part(dataset, split))
                HR_TRY(hr_dataset_add_part(dataset, split, images_of(c, split)));
        }
    return HIRL_OK;
}

static bool is_taken(const hirl_dataset *dataset, const char *split)
{
    for (int32_t i = 0; i < dataset->parts; i++)
        if (split && !strcmp(dataset->part[i].name, split))
            return dataset->part[i].taken;
    return !dataset->parts;
}

/* ---- reading ---- */

static void interleave(uint8_t *to, const uint8_t *from)
{
    for (int i = 0; i < PLANE; i++)
        for (int c = 0; c < 3; c++)
            *to++ = from[c * PLANE + i];
}

typedef struct target {
    uint8_t *pixels;
    int32_t *label;
    int32_t parent[100]; /* coarse label of each fine one; -1: not seen */
    int64_t at;
} target;

static hirl_status read_labels(target *t, const uint8_t *record, int64_t length)
{
    int fine = record[length - 3 * PLANE - 1], coarse = record[0];

    if (fine >= (length == TEN ? 10 : 100))
        return hr_fail(HIRL_E_FORMAT, "image %lld has the label %d, which CIFAR-%s does not have",
                       (long long)t->at, fine, length == TEN ? "10" : "100");
    if (length == HUNDRED && coarse >= COARSE)
        return hr_fail(HIRL_E_FORMAT,
                       "image %lld has the coarse label %d, which CIFAR-100 does not have",
                       (long long)t->at, coarse);
    t->label[t->at] = fine;
    if (length == TEN)
        return HIRL_OK;
    if (t->parent[fine] >= 0 && t->parent[fine] != coarse)
        return hr_fail(HIRL_E_FORMAT, "image %lld: fine label %d has two coarse labels, %d and %d",
                       (long long)t->at, fine, (int)t->parent[fine], coarse);
    t->parent[fine] = coarse;
    return HIRL_OK;
}

static hirl_status read_file(target *t, const cifar_file *file, int64_t length)
{
    uint8_t *data;
    size_t bytes;
    hirl_status status;

    HR_TRY(hr_file_read((void **)&data, &bytes, file->path, (size_t)file->bytes));
    status =
        (int64_t)bytes == file->bytes
            ? HIRL_OK
            : hr_fail(HIRL_E_IO, "%s: the size of the file changed while it was read", file->path);
    for (int64_t i = 0; i < file->bytes / length && status >= 0; i++, t->at++) {
        const uint8_t *record = data + i * length;

        status = read_labels(t, record, length);
        interleave(t->pixels + t->at * 3 * PLANE, record + length - 3 * PLANE);
    }
    hr_free(data);
    return status;
}

static hirl_status load(hirl_dataset *dataset, const cifar *c, target *t)
{
    int64_t images = 0;

    for (int32_t i = 0; i < c->files; i++)
        if (is_taken(dataset, c->file[i].split))
            images += c->file[i].bytes / c->record;
    t->pixels = hr_alloc_array((size_t)images, 3 * PLANE);
    t->label = dataset->label = hr_alloc_array((size_t)images, sizeof(int32_t));
    if (!t->pixels || !t->label)
        return HIRL_E_NOMEM;
    for (int32_t i = 0; i < c->files; i++)
        if (is_taken(dataset, c->file[i].split))
            HR_TRY(read_file(t, &c->file[i], c->record));
    return hr_memory_open(dataset, &(hr_memory_images){ t->pixels, images, SIDE, SIDE, 3, true });
}

/* ---- labels ---- */

/* The two levels of CIFAR-100 without hierarchy.tsv; its classes have no names. */
static hirl_status own_hierarchy(hirl_dataset *dataset, const target *t)
{
    dataset->parent[0] = hr_alloc(sizeof t->parent);
    if (!dataset->parent[0])
        return HIRL_E_NOMEM;
    for (int i = 0; i < 100; i++)
        dataset->parent[0][i] = t->parent[i] < 0 ? 0 : t->parent[i];
    dataset->levels = 2;
    dataset->classes[0] = 100;
    dataset->classes[1] = COARSE;
    return HIRL_OK;
}

static hirl_status open_files(hirl_dataset *dataset, cifar *c, const char *path,
                              const hr_data_config *config)
{
    target t = { 0 };
    hirl_status status;

    memset(t.parent, -1, sizeof t.parent);
    HR_TRY(find_record(c));
    HR_TRY(add_parts(dataset, c));
    HR_TRY(hr_dataset_choose(dataset, config->split));
    status = load(dataset, c, &t);
    if (status < 0) {
        hr_free(t.pixels);
        return status;
    }
    HR_TRY(hr_hierarchy_read(dataset, path));
    if (!dataset->levels && c->record == HUNDRED)
        return own_hierarchy(dataset, &t);
    HR_TRY(hr_dataset_check_labels(dataset, dataset->label, dataset->count));
    if (dataset->levels == 1 && !dataset->class_name[0])
        dataset->classes[0] = 10;
    return HIRL_OK;
}

static hirl_status open_set(hirl_dataset *dataset, const char *path, const hr_data_config *config)
{
    cifar c = { 0 };
    hirl_status status;

    if (hr_is_folder(path))
        status = add_folder(&c, path);
    else
        status = add_file(&c, hr_strdup(path), NULL);
    if (status >= 0)
        status = open_files(dataset, &c, path, config);
    if (c.record)
        dataset->format = c.record == TEN ? "cifar10" : "cifar100";
    for (int32_t i = 0; i < c.files; i++)
        hr_free(c.file[i].path);
    return status;
}

const hr_format hr_format_cifar = { "cifar10", matches, open_set };
