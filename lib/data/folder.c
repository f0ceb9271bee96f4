/* folder.c - one JPEG or PNG file, or a folder of them: flat, nested, or with splits and classes.
 *
 * Files are taken folder by folder in bytewise order of names. Hidden files and other types are
 * left out. Folders of the root that have the name of a split are splits if there are two of them
 * or no other folder, because a class may be called train. The class of an image is the first
 * folder below the root or split. Images beside class folders have no class, and with only one
 * class folder no image has a class. The fine id of a class is the position of its name among the
 * sorted names of all splits, or the id that hierarchy.tsv gives to the name.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/file.h"
#include "data/formats.h"
#include "data/hierarchy.h"
#include "data/identity.h"
#include "data/image.h"
#include "data/split.h"

enum { DEPTH = 32, LOOKED_AT = 64 };

typedef struct entry {
    size_t name;    /* offset in `text` of the path below the root */
    int32_t part;   /* split; -1: none */
    int32_t folder; /* index of the class folder in `folder`; -1: none */
} entry;

typedef struct tree {
    char *root;
    hr_decoding how;
    entry *entry;
    int64_t entries, entry_room, ignored;
    char *text;
    size_t text_used, text_room;
    char **folder; /* names of the class folders of every split */
    int64_t folders, folder_room;
} tree;

/* ---- reading ---- */

static hirl_status read_bytes(void **bytes, size_t *count, const tree *t, int64_t index)
{
    char *path = hr_path_join(t->root, t->text + t->entry[index].name);
    hirl_status status;

    if (!path)
        return HIRL_E_NOMEM;
    status = hr_file_read(bytes, count, path, HR_IMAGE_BYTES);
    hr_free(path);
    return status;
}

static hirl_status read(hr_pixels *pixels, void *state, int64_t index)
{
    const tree *t = state;
    void *bytes;
    size_t count;
    hirl_status status;

    HR_TRY(read_bytes(&bytes, &count, t, index));
    status = hr_image_decode(pixels, bytes, count, &t->how);
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
    const tree *t = state;

    return t->text + t->entry[index].name;
}

static void close(void *state)
{
    tree *t = state;

    hr_names_free(t->folder, t->folders);
    hr_free(t->entry);
    hr_free(t->text);
    hr_free(t->root);
    hr_free(t);
}

/* ---- walking the tree ---- */

/* A folder on the path from the root. Device and file number reveal a link to a folder above. */
typedef struct place {
    const struct place *above;
    const char *path; /* below the root; "" for the root */
    int depth;
    int32_t part, folder;
    bool is_class_root; /* the folders in it are classes */
    dev_t device;
    ino_t number;
} place;

static bool is_image_name(const char *file)
{
    const char *dot = strrchr(file, '.');

    return dot &&
           (!strcasecmp(dot, ".jpg") || !strcasecmp(dot, ".jpeg") || !strcasecmp(dot, ".png"));
}

static hirl_status keep_text(size_t *at, tree *t, const char *text)
{
    size_t n = strlen(text) + 1;

    while (t->text_used + n > t->text_room) {
        size_t room = t->text_room ? 2 * t->text_room : 4096;
        char *grown = hr_grow(t->text, t->text_room, room);

        if (!grown)
            return HIRL_E_NOMEM;
        t->text = grown;
        t->text_room = room;
    }
    *at = t->text_used;
    memcpy(t->text + t->text_used, text, n);
    t->text_used += n;
    return HIRL_OK;
}

static hirl_status add_image(tree *t, const place *at, const char *path)
{
    entry *grown = hr_grow_array(t->entry, &t->entry_room, t->entries, sizeof *grown);
    entry e = { 0, at->part, at->folder };

    if (!grown)
        return HIRL_E_NOMEM;
    t->entry = grown;
    HR_TRY(keep_text(&e.name, t, path));
    t->entry[t->entries++] = e;
    return HIRL_OK;
}

static hirl_status add_class_folder(tree *t, const char *folder)
{
    char **grown = hr_grow_array(t->folder, &t->folder_room, t->folders, sizeof *grown);

    if (!grown)
        return HIRL_E_NOMEM;
    t->folder = grown;
    t->folder[t->folders] = hr_strdup(folder);
    if (!t->folder[t->folders])
        return HIRL_E_NOMEM;
    t->folders++;
    return HIRL_OK;
}

static bool leads_back(const place *at)
{
    for (const place *p = at->above; p; p = p->above)
        if (p->device == at->device && p->number == at->number)
            return true;
    return false;
}

static hirl_status walk(tree *t, const place *at);

static hirl_status enter(tree *t, const place *above, const char *path, const char *file)
{
    place at = { .above = above, .path = path, .depth = above->depth + 1, .part = above->part };
    char *full = hr_path_join(t->root, path);
    int64_t before = t->entries;
    struct stat info;
    bool folder;

    if (!full)
        return HIRL_E_NOMEM;
    folder = !stat(full, &info) && S_ISDIR(info.st_mode);
    hr_free(full);
    if (!folder) {
        t->ignored++;
        return HIRL_OK;
    }
    at.device = info.st_dev;
    at.number = info.st_ino;
    if (leads_back(&at))
        return HIRL_OK;
    if (at.depth > DEPTH)
        return hr_fail(HIRL_E_LIMIT, "%s: folders are nested deeper than %d levels", path, DEPTH);
    at.folder = above->folder;
    if (above->is_class_root) {
        HR_TRY(add_class_folder(t, file));
        at.folder = (int32_t)t->folders - 1;
    }
    HR_TRY(walk(t, &at));
    if (above->is_class_root && t->entries == before)
        hr_free(t->folder[--t->folders]); /* a folder without images is not a class */
    return HIRL_OK;
}

static hirl_status visit(tree *t, const place *at, const char *file)
{
    char *path = hr_path_join(at->path, file);
    hirl_status status;

    if (!path)
        return HIRL_E_NOMEM;
    status = is_image_name(file) ? add_image(t, at, path) : enter(t, at, path, file);
    hr_free(path);
    return status;
}

static hirl_status list(char ***file, int64_t *count, const tree *t, const char *path)
{
    char *full = hr_path_join(t->root, path);
    hirl_status status;

    if (!full)
        return HIRL_E_NOMEM;
    status = hr_folder_list(file, count, full);
    hr_free(full);
    return status;
}

static hirl_status walk(tree *t, const place *at)
{
    char **file;
    int64_t count;
    hirl_status status = list(&file, &count, t, at->path);

    if (status < 0)
        return status;
    for (int64_t i = 0; i < count && status >= 0; i++)
        status = visit(t, at, file[i]);
    hr_names_free(file, count);
    return status;
}

/* ---- splits ---- */

static bool is_folder_in(const tree *t, const char *file)
{
    char *full = hr_path_join(t->root, file);
    bool is = full && hr_is_folder(full);

    hr_free(full);
    return is;
}

static bool has_splits(const tree *t, char **file, int64_t count)
{
    int64_t splits = 0, others = 0;

    for (int64_t i = 0; i < count; i++) {
        if (is_image_name(file[i]) || !is_folder_in(t, file[i]))
            continue;
        if (hr_split_name(file[i], strlen(file[i])))
            splits++;
        else
            others++;
    }
    return splits > 1 || (splits && !others);
}

/* Sets device and file number of the folder where a walk starts. */
static hirl_status set_file_number(place *at, const tree *t)
{
    char *full = hr_path_join(t->root, at->path);
    struct stat info;

    if (!full)
        return HIRL_E_NOMEM;
    if (!stat(full, &info)) {
        at->device = info.st_dev;
        at->number = info.st_ino;
    }
    hr_free(full);
    return HIRL_OK;
}

static hirl_status walk_split(tree *t, hirl_dataset *dataset, const place *root, const char *split)
{
    place at = {
        .above = root, .path = split, .part = dataset->parts, .folder = -1, .is_class_root = true
    };
    int64_t before = t->entries;

    HR_TRY(set_file_number(&at, t));
    HR_TRY(hr_dataset_add_part(dataset, split, 0));
    HR_TRY(walk(t, &at));
    dataset->part[at.part].images = t->entries - before;
    return HIRL_OK;
}

static hirl_status walk_root(tree *t, hirl_dataset *dataset)
{
    place root = { .path = "", .part = -1, .folder = -1, .is_class_root = true };
    char **file;
    int64_t count;
    hirl_status status = set_file_number(&root, t);

    if (status >= 0)
        status = list(&file, &count, t, "");
    if (status < 0)
        return status;
    if (has_splits(t, file, count)) {
        for (int64_t i = 0; i < count && status >= 0; i++)
            if (hr_split_name(file[i], strlen(file[i])) && is_folder_in(t, file[i]))
                status = walk_split(t, dataset, &root, file[i]);
            else if (strcmp(file[i], "hierarchy.tsv") != 0)
                t->ignored++;
    } else {
        status = walk(t, &root);
    }
    hr_names_free(file, count);
    return status;
}

/* Keeps the images of the selected parts. */
static void drop_others(tree *t, const hirl_dataset *dataset)
{
    int64_t kept = 0;

    for (int64_t i = 0; i < t->entries; i++)
        if (t->entry[i].part < 0 || dataset->part[t->entry[i].part].taken)
            t->entry[kept++] = t->entry[i];
    t->entries = kept;
}

/* ---- classes ---- */

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Makes the distinct folder names, in byte order, the classes of the data set. */
static hirl_status name_classes(hirl_dataset *dataset, const tree *t)
{
    char **sorted = hr_alloc_array((size_t)t->folders, sizeof *sorted);
    int32_t distinct = 0;
    hirl_status status;

    if (!sorted)
        return HIRL_E_NOMEM;
    memcpy(sorted, t->folder, (size_t)t->folders * sizeof *sorted);
    qsort(sorted, (size_t)t->folders, sizeof *sorted, by_name);
    for (int64_t i = 0; i < t->folders; i++)
        if (!i || strcmp(sorted[i], sorted[i - 1]))
            sorted[distinct++] = sorted[i];
    status = hr_dataset_new_classes(dataset, 0, distinct);
    for (int32_t i = 0; i < distinct && status >= 0; i++) {
        dataset->class_name[0][i] = hr_strdup(sorted[i]);
        status = dataset->class_name[0][i] ? HIRL_OK : HIRL_E_NOMEM;
    }
    hr_free(sorted);
    dataset->levels = 1;
    return status;
}

static int by_class_name(const void *a, const void *b)
{
    return strcmp(**(char **const *)a, **(char **const *)b);
}

/* Finds the class id of each class folder by its name. */
static hirl_status find_classes(int32_t *id, hirl_dataset *dataset, const tree *t)
{
    int32_t classes = dataset->classes[0];
    char ***sorted = hr_alloc_array((size_t)classes, sizeof *sorted);
    hirl_status status = sorted ? HIRL_OK : HIRL_E_NOMEM;

    for (int32_t i = 0; i < classes && status >= 0; i++)
        sorted[i] = &dataset->class_name[0][i];
    if (status >= 0)
        qsort(sorted, (size_t)classes, sizeof *sorted, by_class_name);
    for (int64_t i = 0; i < t->folders && status >= 0; i++) {
        char **key = &t->folder[i], ***found;

        found = bsearch(&key, sorted, (size_t)classes, sizeof *sorted, by_class_name);
        if (found)
            id[i] = (int32_t)(*found - dataset->class_name[0]);
        else
            status =
                hr_fail(HIRL_E_FORMAT, "hierarchy.tsv has no class with the name of the folder %s",
                        t->folder[i]);
    }
    hr_free(sorted);
    return status;
}

static hirl_status label_entries(hirl_dataset *dataset, const tree *t)
{
    int32_t *id = hr_alloc_array((size_t)t->folders, sizeof *id);
    hirl_status status = id ? find_classes(id, dataset, t) : HIRL_E_NOMEM;

    if (status >= 0) {
        dataset->label = hr_alloc_array((size_t)t->entries, sizeof(int32_t));
        status = dataset->label ? HIRL_OK : HIRL_E_NOMEM;
    }
    for (int64_t i = 0; i < t->entries && status >= 0; i++)
        dataset->label[i] = t->entry[i].folder < 0 ? -1 : id[t->entry[i].folder];
    hr_free(id);
    return status;
}

static bool has_two_classes(const tree *t)
{
    for (int64_t i = 1; i < t->folders; i++)
        if (strcmp(t->folder[i], t->folder[0]))
            return true;
    return false;
}

/* ---- opening ---- */

/* Reads the sizes of some evenly spread images from their headers. */
static void measure_images(hirl_dataset *dataset, const tree *t)
{
    int64_t n = t->entries < LOOKED_AT ? t->entries : LOOKED_AT, width = 0, height = 0;

    for (int64_t i = 0; i < n; i++) {
        void *bytes;
        size_t count;
        bool known;

        if (read_bytes(&bytes, &count, t, i * t->entries / n) < 0)
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

static hirl_status open_tree(hirl_dataset *dataset, tree *t, const char *path,
                             const hr_data_config *config)
{
    HR_TRY(walk_root(t, dataset));
    HR_TRY(hr_dataset_choose(dataset, config->split));
    drop_others(t, dataset);
    HR_TRY(hr_hierarchy_read(dataset, path));
    if (!dataset->levels && has_two_classes(t))
        HR_TRY(name_classes(dataset, t));
    return dataset->levels ? label_entries(dataset, t) : HIRL_OK;
}

/* Opens a single file as a set of one image. */
static hirl_status open_file(hirl_dataset *dataset, tree *t, const char *path,
                             const hr_data_config *config)
{
    place at = { .part = -1, .folder = -1 };

    HR_TRY(hr_dataset_choose(dataset, config->split));
    return add_image(t, &at, path);
}

static hirl_status open_set(hirl_dataset *dataset, const char *path, const hr_data_config *config)
{
    tree *t = hr_alloc(sizeof *t);
    bool folder = hr_is_folder(path);

    if (!t)
        return HIRL_E_NOMEM;
    dataset->source = (hr_source){ t, read, name, close, HR_TOLD_BY_NAMES };
    dataset->digest = digest;
    dataset->exif = config->exif != 0;
    t->how = (hr_decoding){ config->exif != 0, config->max_pixels };
    t->root = hr_strdup(folder ? path : "");
    if (!t->root)
        return HIRL_E_NOMEM;
    HR_TRY(folder ? open_tree(dataset, t, path, config) : open_file(dataset, t, path, config));
    if (!t->entries)
        return hr_fail(HIRL_E_FORMAT, "no images found: no file name ends in .jpg, .jpeg or .png");
    dataset->count = t->entries;
    dataset->ignored = t->ignored;
    measure_images(dataset, t);
    return HIRL_OK;
}

static hirl_status matches(bool *yes, const char *path)
{
    *yes = hr_is_folder(path) || (is_image_name(path) && hr_file_exists(path));
    return HIRL_OK;
}

const hr_format hr_format_folder = { "folder", matches, open_set };
