/* directory_files.c - checkpoints, trees and other files in the directory of a run. */
#include "train/directory_files.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/file.h"
#include "base/safetensors.h"
#include "context.h"
#include "hier/tree_file.h"

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

static bool is_checkpoint(const char *name)
{
    return step_of(name) >= 0 || !strcmp(name, "last.safetensors");
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

static void link_last(const char *folder, const char *name)
{
    char *target = hr_path_join(folder, name), *fresh = hr_path_join(folder, ".last.new");
    char *last = hr_path_join(folder, "last.safetensors");

    if (target && fresh && last) {
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
    status = path ? hr_tensors_save(state, path) : HIRL_E_NOMEM;
    if (status >= 0) {
        link_last(folder, name);
        remove_older(folder, step, keep);
    }
    hr_free(path);
    hr_free(folder);
    return status;
}

/* HIRL_DONE: the checkpoint is damaged; this is logged, and the file stays. */
static hirl_status try_load(hr_tensors *state, const char *folder, const char *name,
                            hirl_context *context)
{
    char *path = hr_path_join(folder, name);
    hirl_status status = path ? hr_tensors_load(state, path) : HIRL_E_NOMEM;

    hr_free(path);
    if (status != HIRL_E_FORMAT && status != HIRL_E_LIMIT)
        return status;
    hr_log(context, HIRL_LOG_WARNING, "%s is damaged, trying the checkpoint before it: %s", name,
           hr_error_text());
    return HIRL_DONE;
}

/* Loads last.safetensors, or else the intact checkpoint of the highest step. A run that was killed
 * between writing a checkpoint and linking it resumes from the one before, with bit-identical
 * results. */
static hirl_status load_newest(hr_tensors *state, char **names, int64_t count, const char *folder,
                               hirl_context *context)
{
    hirl_status status = HIRL_DONE;
    bool any = false;

    for (int64_t i = 0; i < count; i++)
        any |= is_checkpoint(names[i]);
    for (int64_t i = 0; i < count && status == HIRL_DONE; i++)
        if (!strcmp(names[i], "last.safetensors"))
            status = try_load(state, folder, names[i], context);
    for (int64_t i = 0; i < count && status == HIRL_DONE; i++)
        if (step_of(names[i]) >= 0)
            status = try_load(state, folder, names[i], context);
    return status == HIRL_DONE
               ? hr_fail(HIRL_E_STATE, "%s: %s", folder,
                         any ? "all checkpoints are damaged" : "there is no checkpoint yet")
               : status;
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
        if (count)
            qsort(names, (size_t)count, sizeof *names, newest_first);
        status = load_newest(state, names, count, folder, context);
        hr_names_free(names, count);
    }
    hr_free(folder);
    return status;
}

/* ---- trees ---- */

static hirl_status save_tree(const char *folder, const char *name, const hirl_tree *tree)
{
    char *path = hr_path_join(folder, name);
    hirl_status status = path ? hr_tree_save(tree, path) : HIRL_E_NOMEM;

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
