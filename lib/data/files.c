/* files.c - a data set of encoded images: each is a file, or a piece of a file that holds many. */
#include "data/files.h"

#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/file.h"
#include "data/identity.h"
#include "data/image.h"

enum { LOOKED_AT = 64 };

char *hr_files_path(const hr_files *files, int64_t index)
{
    const char *name = files->text.data + files->image[index].name;

    return *name == '/' ? hr_strdup(name) : hr_path_join(files->root, name);
}

/* ---- reading ---- */

static hirl_status read_piece(void **bytes, size_t *count, const hr_file_image *image,
                              const char *path)
{
    uint64_t size;
    hirl_status status = HIRL_OK;
    int file;

    if (image->bytes > HR_IMAGE_BYTES)
        return hr_fail(HIRL_E_LIMIT, "an image file of %llu bytes; the limit is %d",
                       (unsigned long long)image->bytes, HR_IMAGE_BYTES);
    HR_TRY(hr_file_open(&file, &size, path));
    *count = (size_t)image->bytes;
    *bytes = hr_alloc(*count);
    status = *bytes ? hr_file_read_at(file, *bytes, *count, image->at, path) : HIRL_E_NOMEM;
    close(file);
    if (status < 0)
        hr_free(*bytes);
    return status;
}

static hirl_status read_bytes(void **bytes, size_t *count, const hr_files *files, int64_t index)
{
    const hr_file_image *image = &files->image[index];
    hirl_status status;
    char *path;

    if (image->holder >= 0)
        return read_piece(bytes, count, image, files->holder[image->holder]);
    path = hr_files_path(files, index);
    if (!path)
        return HIRL_E_NOMEM;
    status = hr_file_read(bytes, count, path, HR_IMAGE_BYTES);
    hr_free(path);
    return status;
}

static hirl_status read_image(hr_pixels *pixels, void *state, int64_t index)
{
    const hr_files *files = state;
    void *bytes;
    size_t count;
    hirl_status status;

    HR_TRY(read_bytes(&bytes, &count, files, index));
    status = hr_image_decode(pixels, bytes, count, &files->how);
    hr_free(bytes);
    return status;
}

static hirl_status digest(int64_t *digest, void *state, int64_t index)
{
    void *bytes;
    size_t count;

    HR_TRY(read_bytes(&bytes, &count, state, index));
    *digest = hr_digest_of(bytes, count);
    hr_free(bytes);
    return HIRL_OK;
}

static const char *name(void *state, int64_t index)
{
    const hr_files *files = state;

    return files->text.data + files->image[index].name;
}

static void close_files(void *state)
{
    hr_files *files = state;

    hr_names_free(files->holder, files->holders);
    hr_text_done(&files->text);
    hr_free(files->image);
    hr_free(files->root);
    hr_free(files);
}

/* ---- making ---- */

hirl_status hr_files_new(hr_files **files, hirl_dataset *dataset, const char *root,
                         const hr_data_config *config)
{
    *files = hr_alloc(sizeof **files);
    if (!*files)
        return HIRL_E_NOMEM;
    dataset->source = (hr_source){ *files, read_image, name, close_files, HR_TOLD_BY_NAMES };
    (*files)->how = (hr_decoding){ config->exif != 0, config->max_pixels };
    dataset->exif = config->exif != 0;
    dataset->digest = digest;
    (*files)->root = hr_strdup(root);
    return (*files)->root ? HIRL_OK : HIRL_E_NOMEM;
}

static hirl_status add(hr_files *files, const char *name, hr_file_image image)
{
    hr_file_image *grown = hr_grow_array(files->image, &files->room, files->images, sizeof *grown);

    if (!grown)
        return HIRL_E_NOMEM;
    files->image = grown;
    HR_TRY(hr_text_add(&image.name, &files->text, name, strlen(name)));
    files->image[files->images++] = image;
    return HIRL_OK;
}

hirl_status hr_files_add(hr_files *files, const char *name)
{
    return add(files, name, (hr_file_image){ .holder = -1 });
}

hirl_status hr_files_add_holder(hr_files *files, const char *path)
{
    char **grown = hr_grow_array(files->holder, &files->holder_room, files->holders, sizeof *grown);

    if (!grown)
        return HIRL_E_NOMEM;
    files->holder = grown;
    grown[files->holders] = hr_strdup(path);
    return grown[files->holders++] ? HIRL_OK : HIRL_E_NOMEM;
}

hirl_status hr_files_add_piece(hr_files *files, const char *name, uint64_t at, uint64_t bytes)
{
    return add(files, name, (hr_file_image){ 0, (int32_t)files->holders - 1, at, bytes });
}

/* ---- sizes ---- */

/* Reads the sizes of some evenly spread images from their headers. */
static void measure_images(hirl_dataset *dataset, const hr_files *files)
{
    int64_t all = files->images, n = all < LOOKED_AT ? all : LOOKED_AT, width = 0, height = 0;

    for (int64_t i = 0; i < n; i++) {
        void *bytes;
        size_t count;
        bool known;

        if (read_bytes(&bytes, &count, files, i * all / n) < 0)
            continue;
        known = hr_image_measure(&width, &height, bytes, count) >= 0 &&
                hr_pixels_check(width, height, 0) >= 0;
        hr_free(bytes);
        if (!known)
            continue;
        if (!dataset->looked_at++)
            hr_dataset_set_size(dataset, width, height);
        hr_dataset_widen_size(dataset, width, height);
    }
}

void hr_files_finish(hirl_dataset *dataset, const hr_files *files)
{
    dataset->count = files->images;
    measure_images(dataset, files);
}
