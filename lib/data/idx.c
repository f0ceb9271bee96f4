/* idx.c - IDX files, plain or gzip: images [N, H, W] or [N, H, W, C] and labels [N], u8.
 *
 * The header has two zero bytes, the type (8: u8), the number of dimensions, and the dimensions as
 * 32 bit numbers, most significant byte first. A folder holds <split>-images-idx3-ubyte[.gz] and
 * the labels <split>-labels-idx1-ubyte[.gz]. For a single file the labels lie beside it, or it has
 * none.
 */
#include <stdio.h>
#include <string.h>
#include <zlib.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/file.h"
#include "data/formats.h"
#include "data/hierarchy.h"
#include "data/memory.h"
#include "data/split.h"

enum { RANK = 4, TYPE_U8 = 8, DEFLATE_RATIO = 1032, SPLITS = HR_PART_LIMIT };
static const size_t file_limit = (size_t)1 << 31, data_limit = (size_t)1 << 34;

typedef struct idx {
    int32_t rank;
    int64_t dim[RANK];
    size_t bytes; /* size of data */
    uint8_t *data;
} idx;

/* ---- one file ---- */

static hirl_status read_header(idx *x, const uint8_t *head, size_t count)
{
    x->bytes = 1;
    x->rank = count >= 4 ? head[3] : 0;
    if (count < 4 || head[0] || head[1])
        return hr_fail(HIRL_E_FORMAT, "not an IDX file: it does not begin with two zero bytes");
    if (head[2] != TYPE_U8)
        return hr_fail(HIRL_E_UNSUPPORTED,
                       "IDX file of element type 0x%02x; only unsigned bytes (0x08) are supported",
                       head[2]);
    if (x->rank < 1 || x->rank > RANK)
        return hr_fail(HIRL_E_FORMAT, "IDX file of %d dimensions, expected 1 to %d", (int)x->rank,
                       RANK);
    if (count < 4 + 4 * (size_t)x->rank)
        return hr_fail(HIRL_E_FORMAT, "IDX file of %d dimensions that ends within its header",
                       (int)x->rank);
    for (int i = 0; i < x->rank; i++) {
        const uint8_t *b = head + 4 + 4 * i;

        x->dim[i] = (int64_t)b[0] << 24 | b[1] << 16 | b[2] << 8 | b[3];
        if (__builtin_mul_overflow(x->bytes, (size_t)x->dim[i], &x->bytes) || x->bytes > data_limit)
            return hr_fail(HIRL_E_LIMIT,
                           "the IDX header claims more data than the limit of %zu bytes",
                           data_limit);
    }
    return HIRL_OK;
}

static hirl_status read_plain(idx *x, const uint8_t *file, size_t count)
{
    size_t head;

    HR_TRY(read_header(x, file, count));
    head = 4 + 4 * (size_t)x->rank;
    if (count - head != x->bytes)
        return hr_fail(HIRL_E_FORMAT, "the IDX header claims %zu bytes of data, the file has %zu",
                       x->bytes, count - head);
    x->data = hr_alloc(x->bytes);
    if (!x->data)
        return HIRL_E_NOMEM;
    memcpy(x->data, file + head, x->bytes);
    return HIRL_OK;
}

static void *zip_take(void *user, unsigned count, unsigned size)
{
    (void)user;
    return hr_alloc_array(count, size);
}

static void zip_give(void *user, void *block)
{
    (void)user;
    hr_free(block);
}

static hirl_status fail_zip(const z_stream *zip, int answer)
{
    if (answer == Z_MEM_ERROR)
        return hr_fail(HIRL_E_NOMEM, "gzip: out of memory");
    if (answer == Z_OK || answer == Z_BUF_ERROR)
        return hr_fail(HIRL_E_FORMAT, "gzip: the file ends too early");
    return hr_fail(HIRL_E_FORMAT, "gzip: %s", zip->msg ? zip->msg : "the file is damaged");
}

/* Unpacks exactly `count` bytes. */
static hirl_status unzip(z_stream *zip, uint8_t *to, size_t count)
{
    int answer = Z_OK;

    while (count && answer == Z_OK) {
        uInt piece = count < 1u << 30 ? (uInt)count : 1u << 30;

        zip->next_out = to;
        zip->avail_out = piece;
        answer = inflate(zip, Z_NO_FLUSH);
        to += piece - zip->avail_out;
        count -= piece - zip->avail_out;
    }
    if (!count)
        return HIRL_OK;
    return answer == Z_STREAM_END
               ? hr_fail(HIRL_E_FORMAT, "the IDX header claims %zu bytes more than the file has",
                         count)
               : fail_zip(zip, answer);
}

static hirl_status expect_end(z_stream *zip)
{
    uint8_t extra;
    int answer;

    zip->next_out = &extra;
    zip->avail_out = 1;
    answer = inflate(zip, Z_NO_FLUSH);
    if (!zip->avail_out)
        return hr_fail(HIRL_E_FORMAT, "the IDX header claims less data than the file has");
    return answer == Z_STREAM_END ? HIRL_OK : fail_zip(zip, answer);
}

static hirl_status unzip_idx(idx *x, z_stream *zip, size_t file_bytes)
{
    uint8_t head[4 + 4 * RANK] = { 0 };

    HR_TRY(unzip(zip, head, 4));
    if (head[3] <= RANK)
        HR_TRY(unzip(zip, head + 4, 4 * (size_t)head[3]));
    HR_TRY(read_header(x, head, sizeof head));
    if (x->bytes / DEFLATE_RATIO > file_bytes)
        return hr_fail(HIRL_E_FORMAT,
                       "the IDX header claims %zu bytes, but %zu packed bytes cannot hold as many",
                       x->bytes, file_bytes);
    x->data = hr_alloc(x->bytes);
    if (!x->data)
        return HIRL_E_NOMEM;
    HR_TRY(unzip(zip, x->data, x->bytes));
    return expect_end(zip);
}

static hirl_status read_zipped(idx *x, uint8_t *file, size_t count)
{
    z_stream zip = {
        .zalloc = zip_take, .zfree = zip_give, .next_in = file, .avail_in = (uInt)count
    };
    hirl_status status;

    if (inflateInit2(&zip, 15 + 16) != Z_OK)
        return hr_fail(HIRL_E_NOMEM, "gzip: out of memory");
    status = unzip_idx(x, &zip, count);
    inflateEnd(&zip);
    return status;
}

static hirl_status read_idx(idx *x, const char *path)
{
    uint8_t *file;
    size_t count;
    hirl_status status;

    *x = (idx){ 0 };
    HR_TRY(hr_file_read((void **)&file, &count, path, file_limit));
    if (count > 2 && file[0] == 0x1f && file[1] == 0x8b)
        status = read_zipped(x, file, count);
    else
        status = read_plain(x, file, count);
    hr_free(file);
    if (status >= 0)
        return status;
    hr_free(x->data);
    x->data = NULL;
    return hr_fail_in(status, path);
}

/* ---- which files ---- */

static const char *file_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

static bool names_images(const char *name)
{
    return strstr(name, "images") && (strstr(name, "idx3") || strstr(name, "idx4")) &&
           strstr(name, "ubyte");
}

static hirl_status matches(bool *yes, const char *path)
{
    if (hr_is_folder(path))
        return hr_folder_has(yes, path, names_images);
    *yes = names_images(file_name(path)) && hr_file_exists(path);
    return HIRL_OK;
}

/* The split that stands before "-images" in a name; NULL: none. */
static const char *split_of(const char *name)
{
    const char *end = strstr(name, "images"), *start;

    if (end > name)
        end--;
    for (start = end; start > name && start[-1] != '-' && start[-1] != '_'; start--)
        continue;
    return hr_split_name(start, (size_t)(end - start));
}

static const char packed[] = ".gz";

/* Appends .gz or removes it; `path` must have room. */
static void change_packing(char *path)
{
    size_t length = strlen(path), end = strlen(packed);

    if (length > end && !strcmp(path + length - end, packed))
        path[length - end] = 0;
    else
        memcpy(path + length, packed, sizeof packed);
}

/* Returns the path of the labels of an images file, with room for change_packing; NULL when out of
 * memory. */
static char *labels_path(const char *images_path)
{
    char *path = hr_alloc(strlen(images_path) + sizeof packed), *at;

    if (!path)
        return NULL;
    memcpy(path, images_path, strlen(images_path) + 1);
    at = path + (file_name(images_path) - images_path);
    memcpy(strstr(at, "images"), "labels", 6);
    at = strstr(at, "idx");
    at[3] = '1';
    return path;
}

/* ---- the files of a set ---- */

typedef struct idx_set {
    char *path[SPLITS]; /* files of images */
    int32_t files;
    idx images[SPLITS], labels[SPLITS];
} idx_set;

/* True when the name before this one in the sorted list is the same file without .gz. */
static bool is_packed_twin(char *const *name, int64_t i)
{
    size_t length = i ? strlen(name[i - 1]) : 0;

    return i && !strncmp(name[i], name[i - 1], length) && !strcmp(name[i] + length, packed);
}

static hirl_status add_folder(idx_set *set, hirl_dataset *dataset, const char *path)
{
    char **name;
    int64_t count;
    hirl_status status;

    status = hr_folder_list(&name, &count, path);
    if (status < 0)
        return status;
    for (int64_t i = 0; i < count && status >= 0; i++) {
        const char *split = names_images(name[i]) ? split_of(name[i]) : NULL;

        if (!names_images(name[i]) || is_packed_twin(name, i))
            continue;
        if (!split || hr_dataset_part(dataset, split)) {
            status = hr_fail(HIRL_E_INVALID,
                             "%s: %s; give the path of a file instead of the folder", name[i],
                             split ? "its split has another file of images"
                                   : "its name has no split (train, val, validation, test, t10k)");
            break;
        }
        set->path[set->files] = hr_path_join(path, name[i]);
        status = set->path[set->files++] ? hr_dataset_add_part(dataset, split, 0) : HIRL_E_NOMEM;
    }
    hr_names_free(name, count);
    return status;
}

static hirl_status read_labels(idx *labels, const idx *images, const char *images_path)
{
    char *path = labels_path(images_path);
    hirl_status status = HIRL_OK;

    if (!path)
        return HIRL_E_NOMEM;
    if (!hr_file_exists(path)) /* images and labels may differ in packing */
        change_packing(path);
    if (hr_file_exists(path))
        status = read_idx(labels, path);
    if (status >= 0 && labels->data && (labels->rank != 1 || labels->dim[0] != images->dim[0]))
        status = hr_fail(HIRL_E_FORMAT, "%s: %lld labels for %lld images", path,
                         (long long)labels->dim[0], (long long)images->dim[0]);
    hr_free(path);
    return status;
}

static hirl_status check_images(const idx *x, const idx *first, const char *path)
{
    int64_t channels = x->rank == 4 ? x->dim[3] : 1;
    hirl_status status;

    if (x->rank < 3 || (channels != 1 && channels != 3))
        return hr_fail(HIRL_E_FORMAT,
                       "%s: an array of %d dimensions and %lld channels; expected images [N, H, W] "
                       "or [N, H, W, 3]",
                       path, (int)x->rank, (long long)channels);
    if (x->rank != first->rank ||
        memcmp(x->dim + 1, first->dim + 1, sizeof x->dim - sizeof *x->dim))
        return hr_fail(HIRL_E_FORMAT,
                       "%s: its images differ in size or channels from those of the first file",
                       path);
    if (!x->dim[0])
        return hr_fail(HIRL_E_FORMAT, "%s: the file has no images", path);
    status = hr_pixels_check(x->dim[2], x->dim[1], 0);
    return status < 0 ? hr_fail_in(status, path) : status;
}

static hirl_status read_files(idx_set *set, hirl_dataset *dataset)
{
    for (int32_t i = 0; i < set->files; i++) {
        HR_TRY(read_idx(&set->images[i], set->path[i]));
        HR_TRY(check_images(&set->images[i], &set->images[0], set->path[i]));
        HR_TRY(read_labels(&set->labels[i], &set->images[i], set->path[i]));
        if (dataset->parts)
            dataset->part[i].images = set->images[i].dim[0];
    }
    return HIRL_OK;
}

/* Joins the images of the selected parts in one array, and allocates one for their labels. */
static hirl_status join(idx_set *set, hirl_dataset *dataset)
{
    const idx *first = &set->images[0];
    hr_memory_images all = {
        NULL, 0, first->dim[1], first->dim[2], first->rank == 4 ? (int32_t)first->dim[3] : 1, true
    };
    size_t image = (size_t)(all.height * all.width * all.channels);
    bool labelled = true;
    uint8_t *to;

    for (int32_t i = 0; i < set->files; i++)
        if (hr_dataset_takes(dataset, i)) {
            all.count += set->images[i].dim[0];
            labelled &= set->labels[i].data != NULL;
        }
    all.pixels = to = hr_alloc_array((size_t)all.count, image);
    if (!to)
        return HIRL_E_NOMEM;
    for (int32_t i = 0; i < set->files; i++)
        if (hr_dataset_takes(dataset, i)) {
            memcpy(to, set->images[i].data, set->images[i].bytes);
            to += set->images[i].bytes;
        }
    if (hr_memory_open(dataset, &all) < 0) {
        hr_free((void *)all.pixels);
        return HIRL_E_NOMEM;
    }
    if (!labelled)
        return HIRL_OK;
    dataset->label = hr_alloc_array((size_t)all.count, sizeof(int32_t));
    return dataset->label ? HIRL_OK : HIRL_E_NOMEM;
}

static void fill_labels(int32_t *to, const idx_set *set, const hirl_dataset *dataset)
{
    for (int32_t i = 0; i < set->files; i++)
        if (hr_dataset_takes(dataset, i))
            for (int64_t k = 0; k < set->labels[i].dim[0]; k++)
                *to++ = set->labels[i].data[k];
}

static hirl_status open_files(idx_set *set, hirl_dataset *dataset, const char *path,
                              const char *split)
{
    HR_TRY(read_files(set, dataset));
    HR_TRY(hr_dataset_choose(dataset, split));
    HR_TRY(join(set, dataset));
    HR_TRY(hr_hierarchy_read(dataset, path));
    if (!dataset->label) {
        dataset->levels = 0;
        return HIRL_OK;
    }
    fill_labels(dataset->label, set, dataset);
    return hr_dataset_check_labels(dataset, dataset->label, dataset->count);
}

static hirl_status open_set(hirl_dataset *dataset, const char *path, const hr_data_config *config)
{
    idx_set set = { 0 };
    hirl_status status = HIRL_OK;

    if (hr_is_folder(path))
        status = add_folder(&set, dataset, path);
    else
        set.path[set.files++] = hr_strdup(path);
    if (!set.path[0] && status >= 0)
        status = HIRL_E_NOMEM;
    if (status >= 0)
        status = open_files(&set, dataset, path, config->split);
    for (int32_t i = 0; i < SPLITS; i++) {
        hr_free(set.path[i]);
        hr_free(set.images[i].data);
        hr_free(set.labels[i].data);
    }
    return status;
}

const hr_format hr_format_idx = { "idx", matches, open_set };
