/* directory.c - the directory of a run: settings, metrics, checkpoints, trees; one process at a time. */
#include "train/directory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/file.h"
#include "context.h"

static const char settings_begin[] =
    "hirl: \""; /* config.yaml of a run: the first key of config.c */
enum { SETTINGS_BYTES = 1 << 20 };

/* LOCK was removed by the run that held it: the file at path is another one, or none */
static bool is_gone(int file, const char *path)
{
    struct stat held, there;

    return fstat(file, &held) || stat(path, &there) || held.st_ino != there.st_ino ||
           held.st_dev != there.st_dev;
}

/* locks the open file LOCK at path */
static hirl_status lock_file(const hr_directory *directory, const char *path)
{
    bool mine = !flock(directory->lock, LOCK_EX | LOCK_NB);

    if (!mine && errno != EWOULDBLOCK)
        return hr_fail_errno("locking", path);
    if (!mine || is_gone(directory->lock, path))
        return hr_fail(HIRL_E_BUSY, "%s: another process is running there", directory->path);
    return HIRL_OK;
}

static hirl_status lock(hr_directory *directory)
{
    char *path = hr_path_join(directory->path, "LOCK");
    hirl_status status;

    if (!path)
        return HIRL_E_NOMEM;
    directory->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    status = directory->lock < 0 ? hr_fail_errno("opening", path) : lock_file(directory, path);
    if (status < 0 && directory->lock >= 0) {
        close(directory->lock);
        directory->lock = -1;
    }
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
    HR_TRY(hr_directory_has_checkpoint(&checkpoint, directory));
    if (!run && checkpoint && !resume)
        return hr_fail(
            HIRL_E_STATE,
            "%s has checkpoints, but no config.yaml of a run: another out=; resume=1 goes "
            "on with the checkpoints, if they are a run's",
            directory->path);
    if (!run && !checkpoint) /* before LOCK: nothing is left there */
        HR_TRY(refuse_other_files(directory, resume || overwrite));
    HR_TRY(lock(directory));
    HR_TRY(hr_directory_has_checkpoint(&checkpoint,
                                       directory)); /* as it is now that nobody else writes */
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
    directory->made = !hr_is_folder(path);
    HR_TRY(hr_make_folder(path));
    directory->path = hr_strdup(path);
    if (!directory->path)
        return HIRL_E_NOMEM;
    status = prepare(directory, resume, overwrite);
    if (status < 0)
        hr_directory_close(directory);
    return status;
}

static void remove_empty(const char *folder, const char *name)
{
    char *path = hr_path_join(folder, name);

    if (path)
        rmdir(path);
    hr_free(path);
}

/* A run that was refused before it wrote its settings leaves nothing: LOCK, while it is still held, and
 * the folders that are empty go. */
static void leave(const hr_directory *directory)
{
    char *path = hr_path_join(directory->path, "LOCK");

    if (path)
        unlink(path);
    hr_free(path);
    remove_empty(directory->path, "checkpoints");
    remove_empty(directory->path, "trees");
    if (directory->made)
        rmdir(directory->path);
}

void hr_directory_close(hr_directory *directory)
{
    bool run = true;

    if (directory->path && directory->lock >= 0) {
        if (!directory->goes_on && holds_run(&run, directory) >= 0 && !run)
            leave(directory);
        close(directory->lock);
    }
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
