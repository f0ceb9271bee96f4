/* directory.c - the directory of a run: settings, metrics, checkpoints, trees; one process at a time. */
#include "train/directory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/file.h"
#include "context.h"

static const char checkpoint_prefix[] = "step_", checkpoint_suffix[] = ".safetensors";
static const char settings_begin[] =
    "hirl: \""; /* config.yaml of a run: the first key of config.c */
enum { METRICS_BYTES = 1 << 30, SETTINGS_BYTES = 1 << 20 };

static hirl_status lock(hr_directory *directory)
{
    char *path = hr_path_join(directory->path, "LOCK");
    hirl_status status = HIRL_OK;

    if (!path)
        return HIRL_E_NOMEM;
    directory->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (directory->lock < 0)
        status = hr_fail_errno("opening", path);
    else if (flock(directory->lock, LOCK_EX | LOCK_NB))
        status = errno == EWOULDBLOCK
                     ? hr_fail(HIRL_E_BUSY, "%s: another process is running there", directory->path)
                     : hr_fail_errno("locking", path);
    hr_free(path);
    return status;
}

static bool holds(const hr_directory *directory, const char *name)
{
    char *path = hr_path_join(directory->path, name);
    bool yes = path && hr_file_exists(path);

    hr_free(path);
    return yes;
}

/* the number in a name like step_000500.safetensors, -1: another file */
static int64_t number_in(const char *name, const char *prefix, const char *suffix)
{
    size_t length = strlen(prefix), digits;

    if (strncmp(name, prefix, length))
        return -1;
    name += length;
    digits = strspn(name, "0123456789");
    return digits && digits < 19 && !strcmp(name + digits, suffix) ? strtoll(name, NULL, 10) : -1;
}

/* suffix NULL: the name is the prefix and no more */
static hirl_status remove_matching(const char *folder, const char *prefix, const char *suffix)
{
    char **names;
    int64_t count;
    hirl_status status = HIRL_OK;

    HR_TRY(hr_folder_list(&names, &count, folder));
    for (int64_t i = 0; i < count && status >= 0; i++) {
        char *path;

        if (suffix ? number_in(names[i], prefix, suffix) < 0 : strcmp(names[i], prefix) != 0)
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
    static const char *const written[][3] = {
        { "checkpoints", checkpoint_prefix, checkpoint_suffix },
        { "checkpoints", "last.safetensors", NULL },
        { "trees", "epoch_", ".hpt" },
        { "trees", "current.hpt", NULL },
        { "", "metrics.jsonl", NULL },
        { "", "model.safetensors", NULL },
    };

    for (size_t i = 0; i < sizeof written / sizeof *written && directory->path; i++) {
        char *path = hr_path_join(directory->path, written[i][0]);
        hirl_status status = path ? HIRL_OK : HIRL_E_NOMEM;

        if (path && hr_is_folder(path))
            status = remove_matching(path, written[i][1], written[i][2]);
        hr_free(path);
        HR_TRY(status);
    }
    return HIRL_OK;
}

static hirl_status make_folders(const hr_directory *directory)
{
    static const char *const folders[] = { "checkpoints", "trees" };

    for (int i = 0; i < 2; i++) {
        char *path = hr_path_join(directory->path, folders[i]);
        hirl_status status = path ? hr_make_folder(path) : HIRL_E_NOMEM;

        hr_free(path);
        HR_TRY(status);
    }
    return HIRL_OK;
}

static int64_t step_of(const char *name)
{
    return number_in(name, checkpoint_prefix, checkpoint_suffix);
}

/* one to go on with */
static hirl_status has_checkpoint(bool *yes, const hr_directory *directory)
{
    char *path = hr_path_join(directory->path, "checkpoints"), **names;
    hirl_status status = path ? HIRL_OK : HIRL_E_NOMEM;
    int64_t count;

    *yes = false;
    if (path && hr_is_folder(path)) {
        status = hr_folder_list(&names, &count, path);
        for (int64_t i = 0; i < count && status >= 0; i++)
            *yes |= step_of(names[i]) >= 0 || !strcmp(names[i], "last.safetensors");
        if (status >= 0)
            hr_names_free(names, count);
    }
    hr_free(path);
    return status;
}

/* its config.yaml is one that a run wrote */
static hirl_status holds_run(bool *yes, const hr_directory *directory)
{
    char *path = hr_path_join(directory->path, "config.yaml");
    void *text = NULL;
    size_t bytes;
    hirl_status status = path ? HIRL_OK : HIRL_E_NOMEM;

    *yes = false;
    if (path && hr_file_exists(path)) {
        status = hr_file_read(&text, &bytes, path, SETTINGS_BYTES);
        *yes = status >= 0 && !strncmp(text, settings_begin, sizeof settings_begin - 1);
        hr_free(text);
    }
    hr_free(path);
    return status == HIRL_E_LIMIT ? HIRL_OK : status;
}

/* LOCK, or a folder of a run without a file: left by a run that was refused */
static hirl_status says_nothing(bool *yes, const char *folder, const char *name)
{
    char *path, **names;
    int64_t count = 1;
    hirl_status status = HIRL_OK;

    *yes = !strcmp(name, "LOCK");
    if (strcmp(name, "checkpoints") && strcmp(name, "trees"))
        return HIRL_OK;
    path = hr_path_join(folder, name);
    if (!path)
        return HIRL_E_NOMEM;
    if (hr_is_folder(path)) {
        status = hr_folder_list(&names, &count, path);
        if (status >= 0)
            hr_names_free(names, count);
    }
    *yes = count == 0;
    hr_free(path);
    return status;
}

static bool is_of_a_run(const char *name)
{
    static const char *const written[] = { "config.yaml",       "env.json",    "metrics.jsonl",
                                           "model.safetensors", "checkpoints", "trees" };
    bool found = false;

    for (size_t i = 0; i < sizeof written / sizeof *written; i++)
        found |= !strcmp(name, written[i]);
    return found;
}

/* What lies there and is not ours is not mixed with a run, nor removed. beside: names that a run does
 * not write may be there, as of a log that a scheduler opened before. */
static hirl_status refuse_other_files(const hr_directory *directory, bool beside)
{
    char **names, *other = NULL;
    int64_t count;
    hirl_status status = HIRL_OK;

    HR_TRY(hr_folder_list(&names, &count, directory->path));
    for (int64_t i = 0; i < count && status >= 0; i++) {
        bool empty;

        if (beside && !is_of_a_run(names[i]))
            continue;
        status = says_nothing(&empty, directory->path, names[i]);
        if (status >= 0 && !empty && (!other || (!is_of_a_run(other) && is_of_a_run(names[i]))))
            other = names[i];
    }
    if (status >= 0 && other)
        status =
            hr_fail(HIRL_E_STATE, "%s is not empty and holds no run (%s is there): another out=%s",
                    directory->path, other,
                    is_of_a_run(other) ? "" : ", or overwrite=1 to write beside its files");
    hr_names_free(names, count);
    return status;
}

/* a run that ended before its first checkpoint has nothing to lose */
static hirl_status prepare(hr_directory *directory, bool resume, bool overwrite)
{
    bool run, checkpoint, model;

    HR_TRY(holds_run(&run, directory));
    HR_TRY(has_checkpoint(&checkpoint, directory));
    if (!run && checkpoint && !resume)
        return hr_fail(
            HIRL_E_STATE,
            "%s has checkpoints, but no config.yaml of a run: another out=; resume=1 goes "
            "on with the checkpoints, if they are a run's",
            directory->path);
    if (!run && !checkpoint) /* before LOCK: nothing is left there */
        HR_TRY(refuse_other_files(directory, resume || overwrite));
    HR_TRY(lock(directory));
    HR_TRY(has_checkpoint(&checkpoint, directory)); /* as it is now that nobody else writes */
    model = holds(directory, "model.safetensors");
    if (checkpoint && !resume && !overwrite)
        return hr_fail(HIRL_E_STATE,
                       "%s holds a run already; resume=1 goes on with it, overwrite=1 begins anew",
                       directory->path);
    if (model && !checkpoint && !overwrite)
        return hr_fail(
            HIRL_E_STATE,
            "%s holds the model of a run, but no checkpoint to go on with; another out=, "
            "or overwrite=1 to begin anew",
            directory->path);
    directory->goes_on = checkpoint && resume;
    directory->has_settings = run;
    return make_folders(directory);
}

hirl_status hr_directory_open(hr_directory *directory, const char *path, bool resume,
                              bool overwrite)
{
    hirl_status status;

    *directory = (hr_directory){ .lock = -1 };
    if (!path[0])
        return resume ? hr_fail(HIRL_E_INVALID, "resume=1 needs out=, the directory of the run")
                      : HIRL_OK;
    HR_TRY(hr_make_folder(path));
    directory->path = hr_strdup(path);
    if (!directory->path)
        return HIRL_E_NOMEM;
    status = prepare(directory, resume, overwrite);
    if (status < 0)
        hr_directory_close(directory);
    return status;
}

void hr_directory_close(hr_directory *directory)
{
    if (directory->path && directory->lock >= 0)
        close(directory->lock);
    hr_free(directory->path);
    *directory = (hr_directory){ .lock = -1 };
}

hirl_status hr_directory_write(const hr_directory *directory, const char *name, const char *text)
{
    char *path;
    hirl_status status;

    if (!directory->path)
        return HIRL_OK;
    path = hr_path_join(directory->path, name);
    status = path ? hr_file_replace(path, text, strlen(text)) : HIRL_E_NOMEM;
    hr_free(path);
    return status;
}

/* ---- metrics ---- */

hirl_status hr_directory_metric(const hr_directory *directory, const char *line)
{
    char *path;
    hirl_status status = HIRL_OK;
    FILE *file;

    if (!directory->path)
        return HIRL_OK;
    path = hr_path_join(directory->path, "metrics.jsonl");
    if (!path)
        return HIRL_E_NOMEM;
    file = fopen(path, "ae");
    if (!file) {
        status = hr_fail_errno("opening", path);
    } else {
        off_t before = fseeko(file, 0, SEEK_END) ? -1 : ftello(file);
        bool written = fputs(line, file) >= 0 && fputc('\n', file) >= 0;

        if (fclose(file) || !written) {
            status = hr_fail_errno("writing", path);
            if (before >= 0) /* no half of a line stays; cut() takes one that does */
                (void)!truncate(path, before);
        }
    }
    hr_free(path);
    return status;
}

/* keeps the lines whose step is not above `step`; returns the new length */
static size_t cut(char *text, size_t bytes, int64_t step)
{
    size_t to = 0;

    for (size_t at = 0; at < bytes;) {
        char *end = memchr(text + at, '\n', bytes - at);
        size_t length = end ? (size_t)(end - (text + at)) + 1 : 0; /* a torn last line goes */
        const char *key = length ? memmem(text + at, length, "\"step\":", 7) : NULL;
        /* a full disk may have cut one, and the next follow on the same line */
        bool whole =
            key && end[-1] == '}' && !memmem(key + 1, (size_t)(end - key) - 1, "\"step\":", 7);

        if (!length)
            break;
        if (whole && strtoll(key + 7, NULL, 10) <= step) {
            memmove(text + to, text + at, length);
            to += length;
        }
        at += length;
    }
    return to;
}

hirl_status hr_directory_cut_metrics(const hr_directory *directory, int64_t step)
{
    char *path;
    void *text = NULL;
    size_t bytes;
    hirl_status status = HIRL_OK;

    if (!directory->path || !holds(directory, "metrics.jsonl"))
        return HIRL_OK;
    path = hr_path_join(directory->path, "metrics.jsonl");
    if (!path)
        return HIRL_E_NOMEM;
    status = hr_file_read(&text, &bytes, path, METRICS_BYTES);
    if (status >= 0)
        status = hr_file_replace(path, text, cut(text, bytes, step));
    hr_free(text);
    hr_free(path);
    return status;
}

/* ---- checkpoints ---- */

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
            unlink(last); /* better none than an older one: the newest is then looked for */
        }
    }
    hr_free(target);
    hr_free(fresh);
    hr_free(last);
}

/* of the checkpoints up to `step` only the newest `keep` stay */
static void remove_older(const char *folder, int64_t step, int64_t keep)
{
    char **names;
    int64_t count, seen = 0;

    if (hr_folder_list(&names, &count, folder) < 0)
        return; /* old files stay: nothing is lost */
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

    if (!directory->path)
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

/* HIRL_OK, or HIRL_DONE: damaged, told and left in place */
static hirl_status try_load(hr_tensors *state, const char *folder, const char *name,
                            hirl_context *context)
{
    char *path = hr_path_join(folder, name);
    hirl_status status = path ? hr_tensors_load(state, path) : HIRL_E_NOMEM;

    hr_free(path);
    if (status != HIRL_E_FORMAT && status != HIRL_E_LIMIT)
        return status;
    hr_log(context, HIRL_LOG_WARNING, "%s is left aside, the checkpoint before it is tried: %s",
           name, hr_error_text());
    return HIRL_DONE;
}

/* last.safetensors, else the highest step that is whole. A run killed between writing a checkpoint and
 * linking it goes on from the one before, to the same bits. */
static hirl_status load_newest(hr_tensors *state, char **names, int64_t count, const char *folder,
                               hirl_context *context)
{
    hirl_status status = HIRL_DONE;

    for (int64_t i = 0; i < count && status == HIRL_DONE; i++)
        if (!strcmp(names[i], "last.safetensors"))
            status = try_load(state, folder, names[i], context);
    for (int64_t i = 0; i < count && status == HIRL_DONE; i++)
        if (step_of(names[i]) >= 0)
            status = try_load(state, folder, names[i], context);
    return status == HIRL_DONE ? hr_fail(HIRL_E_STATE, "%s: no checkpoint is whole", folder)
                               : status;
}

hirl_status hr_directory_load(hr_tensors *state, const hr_directory *directory,
                              hirl_context *context)
{
    char *folder = hr_path_join(directory->path, "checkpoints");
    char **names;
    int64_t count;
    hirl_status status = folder ? hr_folder_list(&names, &count, folder) : HIRL_E_NOMEM;

    if (status >= 0) {
        qsort(names, (size_t)count, sizeof *names, newest_first);
        status = load_newest(state, names, count, folder, context);
        hr_names_free(names, count);
    }
    hr_free(folder);
    return status;
}

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

    if (!directory->path)
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
