/* npy_set.c - .npy files of u8 images, [N, H, W, 3] or [N, H, W], read image by image.
 *
 * The data is one file, or a folder with files <split>.npy. Labels are optional: <name>_labels.npy
 * beside <name>.npy, for a single file also labels.npy.
 */
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/file.h"
#include "data/formats.h"
#include "data/hierarchy.h"
#include "data/npy_read.h"
#include "data/split.h"

typedef struct array_file {
    hr_npy npy;
    char *path;
    int64_t images;
} array_file;

typedef struct arrays {
    array_file file[HR_PART_LIMIT];
    int32_t files;
    int64_t height, width, channels;
} arrays;

/* ---- reading images ---- */

static void widen_grey(uint8_t *pixels, size_t n)
{
    for (size_t i = n; i-- > 0;)
        memset(pixels + 3 * i, pixels[i], 3);
}

static hirl_status read(hr_pixels *pixels, void *state, int64_t index)
{
    const arrays *a = state;
    const array_file *file = a->file;
    size_t n = (size_t)(a->height * a->width), bytes = n * (size_t)a->channels;

    for (; index >= file->images; file++)
        index -= file->images;
    HR_TRY(hr_pixels_size(pixels, a->width, a->height));
    HR_TRY(hr_file_read_at(file->npy.fd, pixels->data, bytes,
                           file->npy.data_at + (uint64_t)index * bytes, file->path));
    if (a->channels == 1)
        widen_grey(pixels->data, n);
    return HIRL_OK;
}

static void close_files(void *state)
{
    arrays *a = state;

    for (int32_t i = 0; i < a->files; i++) {
        hr_npy_close(&a->file[i].npy);
        hr_free(a->file[i].path);
    }
    hr_free(a);
}

/* ---- which files ---- */

static const char *split_of(const char *name)
{
    return hr_split_of_file(name, ".npy");
}

static bool is_split(const char *name)
{
    return split_of(name) != NULL;
}

static hirl_status matches(bool *yes, const char *path)
{
    if (hr_is_folder(path))
        return hr_folder_has(yes, path, is_split);
    *yes = hr_is_npy(path);
    return HIRL_OK;
}

static hirl_status check_images(const arrays *a, const array_file *file)
{
    const hr_npy *npy = &file->npy;
    int64_t channels = npy->rank == 4 ? npy->dim[3] : 1;

    if (npy->kind != 'u' || npy->size != 1 || npy->rank < 3 || npy->rank > 4 ||
        (channels != 1 && channels != 3))
        return hr_fail(HIRL_E_FORMAT,
                       "%s: an array of %d dimensions and type %c%d; expected images "
                       "[N, H, W, 3] or [N, H, W] of u1",
                       file->path, (int)npy->rank, npy->kind, (int)npy->size);
    if (npy->fortran)
        return hr_fail(HIRL_E_UNSUPPORTED,
                       "%s: images in Fortran order are not supported; save "
                       "numpy.ascontiguousarray(array)",
                       file->path);
    if (a->files &&
        (a->height != npy->dim[1] || a->width != npy->dim[2] || a->channels != channels))
        return hr_fail(HIRL_E_FORMAT,
                       "%s: its images differ in size or channels from those of the first file",
                       file->path);
    return hr_pixels_check(npy->dim[2], npy->dim[1], 0);
}

static hirl_status add_file(arrays *a, const char *path)
{
    array_file file = { .path = hr_strdup(path), .npy.fd = -1 };
    hirl_status status = file.path ? hr_npy_open(&file.npy, path) : HIRL_E_NOMEM;

    if (status >= 0)
        status = check_images(a, &file);
    if (status < 0) {
        hr_npy_close(&file.npy);
        hr_free(file.path);
        return status;
    }
    file.images = file.npy.dim[0];
    a->height = file.npy.dim[1];
    a->width = file.npy.dim[2];
    a->channels = file.npy.rank == 4 ? file.npy.dim[3] : 1;
    a->file[a->files++] = file;
    return HIRL_OK;
}

static hirl_status add_split(arrays *a, hirl_dataset *dataset, const char *folder, const char *name)
{
    char *path = hr_path_join(folder, name);
    hirl_status status = path ? hr_dataset_add_part(dataset, split_of(name), 0) : HIRL_E_NOMEM;

    if (status >= 0)
        status = add_file(a, path);
    if (status >= 0)
        dataset->part[dataset->parts - 1].images = a->file[a->files - 1].images;
    hr_free(path);
    return status;
}

static hirl_status add_folder(arrays *a, hirl_dataset *dataset, const char *path)
{
    char **name;
    int64_t count;
    hirl_status status;

    status = hr_folder_list(&name, &count, path);
    if (status < 0)
        return status;
    for (int64_t i = 0; i < count && status >= 0; i++)
        if (split_of(name[i]))
            status = add_split(a, dataset, path, name[i]);
    hr_names_free(name, count);
    return status;
}

/* Keeps the files of the selected parts. */
static void drop_others(arrays *a, const hirl_dataset *dataset)
{
    int32_t kept = 0;

    for (int32_t i = 0; i < a->files; i++)
        if (hr_dataset_takes(dataset, i)) {
            a->file[kept++] = a->file[i];
        } else {
            hr_npy_close(&a->file[i].npy);
            hr_free(a->file[i].path);
        }
    a->files = kept;
}

/* ---- labels ---- */

/* Finds the labels beside a file; *found is NULL when there are none. */
static hirl_status find_labels(char **found, const char *path, bool single)
{
    size_t n = strlen(path), stem = n > 4 && !strcmp(path + n - 4, ".npy") ? n - 4 : n;
    const char *slash = strrchr(path, '/');
    char *text = hr_alloc(n + 24);

    *found = NULL;
    if (!text)
        return HIRL_E_NOMEM;
    snprintf(text, n + 24, "%.*s_labels.npy", (int)stem, path);
    if (!hr_file_exists(text) && single)
        snprintf(text, n + 24, "%.*slabels.npy", slash ? (int)(slash + 1 - path) : 0, path);
    if (hr_file_exists(text) && strcmp(text, path))
        *found = text;
    else
        hr_free(text);
    return HIRL_OK;
}

static hirl_status read_labels(int32_t *to, const array_file *file, const char *path)
{
    int32_t *label;
    int64_t n;

    HR_TRY(hr_npy_read_labels(&label, &n, path));
    if (n == file->images)
        memcpy(to, label, (size_t)n * sizeof *label);
    hr_free(label);
    if (n != file->images)
        return hr_fail(HIRL_E_FORMAT, "%s: %lld labels for %lld images", path, (long long)n,
                       (long long)file->images);
    return HIRL_OK;
}

/* Reads the labels of all files. When one file has none, the set has none. */
static hirl_status add_labels(hirl_dataset *dataset, const arrays *a)
{
    int64_t at = 0;

    dataset->label = hr_alloc_array((size_t)dataset->count, sizeof(int32_t));
    if (!dataset->label)
        return HIRL_E_NOMEM;
    for (int32_t i = 0; i < a->files; at += a->file[i++].images) {
        char *path;
        hirl_status status;

        HR_TRY(find_labels(&path, a->file[i].path, !dataset->parts));
        if (!path) {
            hr_free(dataset->label);
            dataset->label = NULL;
            return HIRL_OK;
        }
        status = read_labels(dataset->label + at, &a->file[i], path);
        hr_free(path);
        HR_TRY(status);
    }
    return HIRL_OK;
}

static hirl_status open_set(hirl_dataset *dataset, const char *path, const hr_data_config *config)
{
    arrays *a = hr_alloc(sizeof *a);

    if (!a)
        return HIRL_E_NOMEM;
    dataset->source = (hr_source){ a, read, NULL, close_files, HR_TOLD_BY_PIXELS };
    HR_TRY(hr_is_folder(path) ? add_folder(a, dataset, path) : add_file(a, path));
    HR_TRY(hr_dataset_choose(dataset, config->split));
    drop_others(a, dataset);
    for (int32_t i = 0; i < a->files; i++)
        dataset->count += a->file[i].images;
    hr_dataset_set_size(dataset, a->width, a->height);
    HR_TRY(add_labels(dataset, a));
    if (!dataset->label)
        return HIRL_OK;
    HR_TRY(hr_hierarchy_read(dataset, path));
    return hr_dataset_check_labels(dataset, dataset->label, dataset->count);
}

const hr_format hr_format_npy = { "npy", matches, open_set };
