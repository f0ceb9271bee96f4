/* folder.c - one JPEG or PNG file, or a folder of them: flat, nested, or with splits and classes.
 *
 * Files are taken folder by folder in bytewise order of names (walk.h); layout.h finds which
 * folders are splits and classes. Images beside class folders have no class, and with only one
 * class folder no image has a class. The fine id of a class is the position of its name among the
 * sorted names of all splits, or the id that hierarchy.tsv gives to the name.
 */
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/file.h"
#include "data/classes.h"
#include "data/files.h"
#include "data/formats.h"
#include "data/hierarchy.h"
#include "data/layout.h"
#include "data/left_out.h"
#include "data/role.h"
#include "data/split.h"
#include "data/walk.h"

typedef struct folder {
    hr_walk walk;
    hr_layout layout;
    hr_files *files;
    hr_class_names names; /* the class folders of every split */
    int32_t *label;       /* [images of all splits] index in `names`; -1: none */
} folder;

/* ---- splits ---- */

static bool is_image(const folder *f, int64_t i)
{
    return f->walk.found[i].kind == HR_FOUND_IMAGE;
}

static int64_t count_images(const folder *f, const hr_span *span)
{
    int64_t images = 0;

    for (int64_t i = span->begin; i < span->end; i++)
        images += is_image(f, i);
    return images;
}

static hirl_status add_part(hirl_dataset *dataset, const folder *f, const hr_layout_part *part)
{
    const char *path = hr_walk_path(&f->walk, part->all.begin), *name;
    char *own = hr_alloc(part->all.skip);
    hirl_status status;

    if (!own)
        return HIRL_E_NOMEM;
    memcpy(own, path, part->all.skip - 1);
    name = strrchr(own, '/');
    status = hr_dataset_add_part(dataset, name ? name + 1 : own, count_images(f, &part->all));
    if (status < 0) {
        hr_free(own);
        return status;
    }
    dataset->part[dataset->parts - 1].folder = own;
    dataset->part[dataset->parts - 1].bare = !part->has_classes;
    return HIRL_OK;
}

/* A folder for training without images means that something is missing; it is not replaced by the
 * images of another split. */
static hirl_status refuse_no_train(const folder *f, const hirl_dataset *dataset)
{
    hr_left_out files = { 0 };
    size_t length = strlen(f->layout.no_train);
    char text[HR_SPLIT_TEXT] = "";

    for (int64_t i = 0; i < f->walk.count; i++) {
        const char *path = hr_walk_path(&f->walk, i);

        if (f->walk.found[i].kind == HR_FOUND_OTHER && !strncmp(path, f->layout.no_train, length) &&
            path[length] == '/')
            hr_left_out_add(&files, path);
    }
    hr_left_out_text(text, sizeof text, &files);
    return hr_fail(HIRL_E_FORMAT,
                   "the folder %s has no images%s%s; split=%s uses those of the folder %s",
                   f->layout.no_train, *text ? ", only " : "", text, dataset->part[0].name,
                   dataset->part[0].name);
}

/* `data/train` with split=train is the same as `data` with split=train. */
static bool is_of_split(const char *path, const char *split)
{
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    hr_role role = hr_role_of_plain_name(split, strlen(split));

    return !strcmp(name, split) || (role && hr_role_of_plain_name(name, strlen(name)) == role);
}

static hirl_status choose(hirl_dataset *dataset, folder *f, const char *path, const char *split)
{
    for (int32_t i = 0; i < f->layout.parts; i++)
        HR_TRY(add_part(dataset, f, &f->layout.part[i]));
    if (*f->layout.no_train && !hr_names_a_split(split) && strcmp(split, "all") != 0)
        return refuse_no_train(f, dataset);
    if (!dataset->parts && is_of_split(path, split))
        split = "all";
    return hr_dataset_choose(dataset, split);
}

/* ---- images and classes ---- */

/* Adds the class folder of an image, unless it is that of the image before. */
static hirl_status add_class(int32_t *index, folder *f, const hr_span *classes, int64_t i)
{
    hr_class_names *names = &f->names;
    size_t length;
    const char *name = hr_layout_class(&length, &f->walk, classes, i), *last;

    *index = -1;
    if (!length)
        return HIRL_OK;
    last = names->count ? names->name[names->count - 1] : "";
    if (strlen(last) != length || strncmp(last, name, length) != 0)
        HR_TRY(hr_class_names_add(names, name, length));
    *index = (int32_t)names->count - 1;
    return HIRL_OK;
}

static hirl_status add_images(folder *f, const hr_layout_part *part, bool taken)
{
    for (int64_t i = part->all.begin; i < part->all.end; i++) {
        int32_t class;

        if (f->walk.found[i].kind == HR_FOUND_CLOSED && taken)
            return hr_walk_fail(&f->walk, i);
        if (!is_image(f, i))
            continue;
        HR_TRY(add_class(&class, f, &part->classes, i));
        if (!taken)
            continue;
        f->label[f->files->images] = class;
        HR_TRY(hr_files_add(f->files, hr_walk_path(&f->walk, i)));
    }
    return HIRL_OK;
}

static hirl_status add_parts(folder *f, const hirl_dataset *dataset)
{
    int32_t parts = f->layout.parts ? f->layout.parts : 1;

    f->label = hr_alloc_array((size_t)f->walk.count, sizeof *f->label);
    if (!f->label)
        return HIRL_E_NOMEM;
    for (int32_t i = 0; i < parts; i++)
        HR_TRY(add_images(f, &f->layout.part[i], hr_dataset_takes(dataset, i)));
    return HIRL_OK;
}

static hirl_status label_images(hirl_dataset *dataset, folder *f, const char *path)
{
    HR_TRY(hr_hierarchy_read(dataset, path));
    if (!dataset->levels && !hr_class_names_differ(&f->names))
        return HIRL_OK;
    dataset->label = f->label;
    f->label = NULL;
    return hr_classes_assign(dataset, dataset->label, f->files->images, &f->names, false);
}

/* ---- notes ---- */

static void describe_left_out(hirl_dataset *dataset, const folder *f)
{
    int32_t parts = f->layout.parts ? f->layout.parts : 1;
    hr_left_out files = { 0 };

    for (int32_t p = 0; p < parts; p++)
        for (int64_t i = f->layout.part[p].all.begin; i < f->layout.part[p].all.end; i++)
            if (f->walk.found[i].kind == HR_FOUND_OTHER && hr_dataset_takes(dataset, p) &&
                strcmp(hr_walk_path(&f->walk, i), "hierarchy.tsv") != 0)
                hr_left_out_add(&files, hr_walk_path(&f->walk, i));
    snprintf(dataset->left_out, sizeof dataset->left_out, "%s", f->layout.beside);
    hr_left_out_text(dataset->left_out, sizeof dataset->left_out, &files);
}

/* The length of the first folder on a path that has the name of a split for validation or test; 0:
 * there is none. */
static size_t held_out_folder(const char *path)
{
    for (const char *name = path, *slash; (slash = strchr(name, '/')); name = slash + 1) {
        hr_role role = hr_role_of_plain_name(name, (size_t)(slash - name));

        if (role == HR_ROLE_VAL || role == HR_ROLE_TEST)
            return (size_t)(slash - path);
    }
    return 0;
}

/* Warns when images of folders named like test splits are used with the others. */
static void warn_of_held_out(const hirl_dataset *dataset, const folder *f)
{
    int64_t images = 0;
    char example[HR_SPLIT_TEXT] = "";

    for (int32_t p = 0; p < (f->layout.parts ? f->layout.parts : 1); p++) {
        const hr_layout_part *part = &f->layout.part[p];

        for (int64_t i = part->classes.begin; i < part->classes.end; i++) {
            const char *path = hr_walk_path(&f->walk, i);
            size_t length = 0;

            if (is_image(f, i) && hr_dataset_takes(dataset, p))
                length = held_out_folder(path + part->classes.skip);
            if (length && !images++)
                hr_plain_text(example, sizeof example, path, part->classes.skip + length);
        }
    }
    if (images)
        hr_log(dataset->context, HIRL_LOG_WARNING,
               "folders named like test or validation splits (%s) are used like the others: they "
               "hold %lld of the %lld images",
               example, (long long)images, (long long)f->files->images);
}

static void note(hirl_dataset *dataset, const folder *f, const char *split)
{
    describe_left_out(dataset, f);
    if (*f->layout.unclear)
        hr_log(dataset->context, HIRL_LOG_WARNING, "%s", f->layout.unclear);
    else if (!hr_names_a_split(split))
        warn_of_held_out(dataset, f);
}

/* ---- opening ---- */

static hirl_status refuse_nothing(hirl_dataset *dataset, const folder *f)
{
    dataset->has_nothing = true;
    describe_left_out(dataset, f);
    return hr_fail(HIRL_E_FORMAT, "no images found: no file name ends in .jpg, .jpeg or .png%s%s%s",
                   *dataset->left_out ? " (there are " : "", dataset->left_out,
                   *dataset->left_out ? ")" : "");
}

static hirl_status open_walk(hirl_dataset *dataset, folder *f, const char *path,
                             const hr_data_config *config)
{
    HR_TRY(hr_walk_open(&f->walk, dataset->context, path));
    hr_layout_find(&f->layout, &f->walk, config->split);
    HR_TRY(choose(dataset, f, path, config->split));
    HR_TRY(add_parts(f, dataset));
    if (!f->files->images)
        return refuse_nothing(dataset, f);
    HR_TRY(label_images(dataset, f, path));
    note(dataset, f, config->split);
    return HIRL_OK;
}

static hirl_status open_folder(hirl_dataset *dataset, const char *path,
                               const hr_data_config *config)
{
    folder *f = hr_alloc(sizeof *f);
    hirl_status status;

    if (!f)
        return HIRL_E_NOMEM;
    status = hr_files_new(&f->files, dataset, path, config);
    if (status >= 0)
        status = open_walk(dataset, f, path, config);
    if (status >= 0)
        hr_files_finish(dataset, f->files);
    hr_walk_done(&f->walk);
    hr_class_names_done(&f->names);
    hr_free(f->label);
    hr_free(f);
    return status;
}

/* Opens a single file as a set of one image. */
static hirl_status open_file(hirl_dataset *dataset, const char *path, const hr_data_config *config)
{
    hr_files *files;

    HR_TRY(hr_files_new(&files, dataset, "", config));
    HR_TRY(hr_dataset_choose(dataset, config->split));
    HR_TRY(hr_files_add(files, path));
    hr_files_finish(dataset, files);
    return HIRL_OK;
}

static hirl_status open_set(hirl_dataset *dataset, const char *path, const hr_data_config *config)
{
    return hr_is_folder(path) ? open_folder(dataset, path, config)
                              : open_file(dataset, path, config);
}

static hirl_status matches(bool *yes, const char *path)
{
    *yes = hr_is_folder(path) || (hr_is_image_name(path) && hr_file_exists(path));
    return HIRL_OK;
}

const hr_format hr_format_folder = { "folder", matches, open_set };
