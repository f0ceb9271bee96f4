/* directory_files.c - checkpoints, trees and other files in the directory of a run. */
#include "train/directory_files.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/file.h"
#include "base/safetensors.h"
#include "context.h"
#include "hier/tree_file.h"
#include "train/checkpoint_format.h"

static const char checkpoint_prefix[] = "step_", checkpoint_suffix[] = ".safetensors";

/* Returns the number in a name like step_000500.safetensors, -1 for other names. */
static int64_t number_in(const char *name, const char *prefix, const char *suffix)
{
    size_t length = strlen(prefix), digits;

    if (strncmp(name, prefix, length))
        return -1;
    name += length;
    digits = strspn(name, "0123456789");
    return digits && digits < 19 && !strcmp(name + digits, suffix) ? strtoll(name, NULL, 10) : -1;
}

static int64_t step_of(const char *name)
{
    return number_in(name, checkpoint_prefix, checkpoint_suffix);
}

/* ---- checkpoints ---- */

static bool is_last(const char *name)
{
    return !strcmp(name, "last.safetensors");
}

static bool is_checkpoint(const char *name)
{
    return step_of(name) >= 0 || is_last(name);
}

hirl_status hr_directory_has_checkpoint(bool *yes, const hr_directory *directory)
{
    char *path = hr_path_join(directory->path, "checkpoints"), **names;
    hirl_status status = path ? HIRL_OK : HIRL_E_NOMEM;
    int64_t count;

    *yes = false;
    if (path && hr_is_folder(path)) {
        status = hr_folder_list(&names, &count, path);
        for (int64_t i = 0; i < count && status >= 0; i++)
            *yes |= is_checkpoint(names[i]);
        if (status >= 0)
            hr_names_free(names, count);
    }
    hr_free(path);
    return status;
}

static int newest_first(const void *a, const void *b)
{
    int64_t x = step_of(*(char *const *)a), y = step_of(*(char *const *)b);

    return x < y ? 1 : x > y ? -1 : 0;
}

/* Removes what is not a file, such as an empty folder or a pipe, from the place of a checkpoint. */
static void clear_place(const char *path)
{
    struct stat info;

    if (!stat(path, &info) && !S_ISREG(info.st_mode))
        remove(path); /* if this fails, saving states what is there */
}

static void link_last(const char *folder, const char *name)
{
    char *target = hr_path_join(folder, name), *fresh = hr_path_join(folder, ".last.new");
    char *last = hr_path_join(folder, "last.safetensors");

    if (target && fresh && last) {
        clear_place(last);
        unlink(fresh);
        if (link(target, fresh) || rename(fresh, last)) {
            unlink(fresh);
            unlink(last); /* without `last`, loading searches for the newest checkpoint */
        }
    }
    hr_free(target);
    hr_free(fresh);
    hr_free(last);
}

/* Removes the checkpoints up to `step`, except the newest `keep`. */
static void remove_older(const char *folder, int64_t step, int64_t keep)
{
    char **names;
    int64_t count, seen = 0;

    if (hr_folder_list(&names, &count, folder) < 0)
        return; /* the old files stay, which does no harm */
    if (count)
        qsort(names, (size_t)count, sizeof *names, newest_first);
    for (int64_t i = 0; i < count; i++) {
        char *path;

        if (step_of(names[i]) < 0 || step_of(names[i]) > step || ++seen <= keep)
            continue;
        path = hr_path_join(folder, names[i]);
        if (path)
            unlink(path);
        hr_free(path);
    }
    hr_names_free(names, count);
}

hirl_status hr_directory_save(const hr_directory *directory, const hr_tensors *state, int64_t step,
                              int64_t keep)
{
    char name[64], *folder, *path;
    hirl_status status;

    if (!hr_directory_writes(directory))
        return HIRL_OK;
    snprintf(name, sizeof name, "%s%06lld%s", checkpoint_prefix, (long long)step,
             checkpoint_suffix);
    folder = hr_path_join(directory->path, "checkpoints");
    path = folder ? hr_path_join(folder, name) : NULL;
    if (path)
        clear_place(path);
    status = path ? hr_tensors_save(state, path) : HIRL_E_NOMEM;
    if (status >= 0) {
        link_last(folder, name);
        remove_older(folder, step, keep);
    }
    hr_free(path);
    hr_free(folder);
    return status;
}

/* Loads a checkpoint; a failure leaves `state` empty. */
static hirl_status load_one(hr_tensors *state, bool *damaged, const char *folder, const char *name)
{
    char *path = hr_path_join(folder, name);
    hirl_status status = path ? hr_tensors_load(state, path) : HIRL_E_NOMEM;

    /* A later version is none that damage has made up if the checksum of the header fits. */
    *damaged = status != HIRL_E_NOMEM;
    if (status >= 0) {
        status = hr_checkpoint_check(state);
        *damaged = status != HIRL_E_VERSION || !state->checked;
        if (status < 0)
            status = hr_fail_in(status, path);
    }
    if (status < 0)
        hr_tensors_done(state);
    hr_free(path);
    return status;
}

static bool is_same_file(const char *folder, const char *a, const char *b)
{
    char *x = hr_path_join(folder, a), *y = hr_path_join(folder, b);
    struct stat one, other;
    bool same = x && y && !stat(x, &one) && !stat(y, &other) && one.st_ino == other.st_ino &&
                one.st_dev == other.st_dev;

    hr_free(x);
    hr_free(y);
    return same;
}

/* Sorts the names of checkpoints to the front, in the order in which they are tried: the one
 * written last, then by falling step. Returns their number. A last.safetensors that is a link to
 * another checkpoint is left out. */
static int64_t order_checkpoints(char **names, int64_t count, const char *folder)
{
    int64_t n = 0, first = -1;
    char *newest;

    if (count)
        qsort(names, (size_t)count, sizeof *names, newest_first);
    while (n < count && step_of(names[n]) >= 0)
        n++;
    for (int64_t i = n; i < count && first < 0; i++)
        if (is_last(names[i]))
            first = i;
    if (first < 0)
        return n;
    for (int64_t i = 0; i < n; i++)
        if (is_same_file(folder, names[i], names[first])) {
            first = i;
            break;
        }
    newest = names[first];
    if (first >= n) { /* last.safetensors comes directly after the steps, which move down */
        names[first] = names[n];
        first = n++;
    }
    memmove(names + 1, names, (size_t)first * sizeof *names);
    names[0] = newest;
    return n;
}

/* Loads the first whole checkpoint of names[count], and names those that it takes the place of. */
static hirl_status load_newest(hr_tensors *state, char **names, int64_t count, const char *folder,
                               hirl_context *context)
{
    hr_error *fault = hr_alloc_array((size_t)count + 1, sizeof *fault);
    hirl_status status = fault ? HIRL_E_STATE : HIRL_E_NOMEM;
    bool damaged = true;
    int64_t i = 0;

    for (; fault && i < count && status < 0 && damaged; i++) {
        status = load_one(state, &damaged, folder, names[i]);
        hr_error_keep(&fault[i], status);
    }
    for (int64_t j = 0; j + 1 < i && status >= 0; j++)
        hr_log(context, HIRL_LOG_WARNING, "%s is damaged, so %s is used instead: %s", names[j],
               names[i - 1], fault[j].text);
    if (fault && status < 0 && damaged)
        status = count ? hr_fail(HIRL_E_STATE, "all checkpoints are damaged; the newest: %s",
                                 fault[0].text)
                       : hr_fail(HIRL_E_STATE, "%s: there is no checkpoint yet", folder);
    hr_free(fault);
    return status;
}

hirl_status hr_directory_load(hr_tensors *state, const hr_directory *directory,
                              hirl_context *context)
{
    char *folder = hr_path_join(directory->path, "checkpoints");
    char **names;
    int64_t count;
    hirl_status status = folder ? HIRL_OK : HIRL_E_NOMEM;

    if (folder && !hr_is_folder(folder))
        status =
            hr_fail(HIRL_E_IO, "%s contains no run: it has no folder checkpoints", directory->path);
    if (status >= 0)
        status = hr_folder_list(&names, &count, folder);
    if (status >= 0) {
        status =
            load_newest(state, names, order_checkpoints(names, count, folder), folder, context);
        hr_names_free(names, count);
    }
    hr_free(folder);
    return status;
}

/* ---- trees ---- */

static hirl_status save_tree(const char *folder, const char *name, const hirl_tree *tree)
{
    char *path = hr_path_join(folder, name);
    hirl_status status = path ? hr_tree_save(tree, &(hr_to){ .path = path }) : HIRL_E_NOMEM;

    hr_free(path);
    return status;
}

hirl_status hr_directory_tree(const hr_directory *directory, const hirl_tree *tree, int64_t epoch)
{
    char name[64], *folder;
    hirl_status status;

    if (!hr_directory_writes(directory))
        return HIRL_OK;
    snprintf(name, sizeof name, "epoch_%04lld.hpt", (long long)epoch);
    folder = hr_path_join(directory->path, "trees");
    if (!folder)
        return HIRL_E_NOMEM;
    status = save_tree(folder, name, tree);
    if (status >= 0)
        status = save_tree(folder, "current.hpt", tree);
    hr_free(folder);
    return status;
}

/* ---- files of an earlier run ---- */

/* A file that a run writes. suffix: what follows the number in its name, NULL: the name has no
 * number; stays: kept by hr_directory_clear, as a new run replaces it. */
typedef struct run_file {
    const char *folder, *name, *suffix;
    bool stays;
} run_file;

static const run_file written[] = {
    { "checkpoints", checkpoint_prefix, checkpoint_suffix, false },
    { "checkpoints", "last.safetensors", NULL, false },
    { "trees", "epoch_", ".hpt", false },
    { "trees", "current.hpt", NULL, false },
    { "", "metrics.jsonl", NULL, false },
    { "", "model.safetensors", NULL, false },
    { "", "classifier.safetensors", NULL, false },
    { "", "evaluation.json", NULL, false },
    { "", "config.yaml", NULL, true },
    { "", "env.json", NULL, true },
};
enum { WRITTEN = sizeof written / sizeof *written };

static bool is_named(const run_file *file, const char *name)
{
    return file->suffix ? number_in(name, file->name, file->suffix) >= 0
                        : !strcmp(name, file->name);
}

bool hr_directory_is_of_a_run(const char *name)
{
    bool found = false;

    for (int i = 0; i < WRITTEN; i++)
        found |=
            written[i].folder[0] ? !strcmp(name, written[i].folder) : is_named(&written[i], name);
    return found;
}

static bool is_written(const char *name)
{
    bool found = false;

    for (int i = 0; i < WRITTEN; i++)
        found |= is_named(&written[i], name);
    return found;
}

void hr_directory_sweep(const hr_directory *directory)
{
    for (int i = 0; i < WRITTEN; i++) { /* files of one folder are adjacent in the table */
        bool seen = i && !strcmp(written[i].folder, written[i - 1].folder);
        char *path = seen ? NULL : hr_path_join(directory->path, written[i].folder);

        if (path)
            hr_file_sweep(path, is_written);
        hr_free(path);
    }
}

static hirl_status remove_matching(const char *folder, const run_file *file)
{
    char **names;
    int64_t count;
    hirl_status status = HIRL_OK;

    HR_TRY(hr_folder_list(&names, &count, folder));
    for (int64_t i = 0; i < count && status >= 0; i++) {
        char *path;

        if (!is_named(file, names[i]))
            continue;
        path = hr_path_join(folder, names[i]);
        if (!path)
            status = HIRL_E_NOMEM;
        else if (unlink(path) && errno != ENOENT)
            status = hr_fail_errno("removing", path);
        hr_free(path);
    }
    hr_names_free(names, count);
    return status;
}

hirl_status hr_directory_clear(const hr_directory *directory)
{
    for (int i = 0; i < WRITTEN && hr_directory_writes(directory); i++) {
        char *path = hr_path_join(directory->path, written[i].folder);
        hirl_status status = path ? HIRL_OK : HIRL_E_NOMEM;

        if (path && hr_is_folder(path) && !written[i].stays)
            status = remove_matching(path, &written[i]);
        hr_free(path);
        HR_TRY(status);
    }
    return HIRL_OK;
}
