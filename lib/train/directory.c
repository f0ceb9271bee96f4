/* directory.c - opens, locks and closes the directory of a run (directory.h). */
#include "train/directory.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/error.h"
#include "base/file.h"
#include "train/directory_files.h"

static const char settings_begin[] =
    "hirl: "; /* how the config.yaml of a run begins: the first key of config/config.c */
static const char *const folders[] = { "checkpoints", "trees" };
enum { SETTINGS_BYTES = 1 << 20, LOCK_TRIES = 8 };

/* The open file is no longer the file at path. */
static bool is_gone(int file, const char *path)
{
    struct stat held, there;

    return fstat(file, &held) || stat(path, &there) || held.st_ino != there.st_ino ||
           held.st_dev != there.st_dev;
}

static hirl_status refuse_lock(const hr_directory *directory, const char *path, bool made)
{
    hirl_status status;

    if (errno == EWOULDBLOCK)
        return hr_fail(HIRL_E_BUSY, "%s is in use by another process", directory->path);
    status = hr_fail_errno("locking", path); /* a file system without locks */
    if (made)
        unlink(path);
    return status;
}

/* One attempt. HIRL_DONE: a process that closed the directory has removed the file or the folder
 * meanwhile. */
static hirl_status try_lock(hr_directory *directory, const char *path)
{
    int file = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    bool made = file >= 0;
    hirl_status status = HIRL_OK;

    if (!made && errno == EEXIST)
        file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (file < 0)
        return errno == ENOENT ? HIRL_DONE : hr_fail_errno("opening", path);
    if (flock(file, LOCK_EX | LOCK_NB))
        status = refuse_lock(directory, path, made);
    else if (is_gone(file, path))
        status = HIRL_DONE;
    if (status != HIRL_OK) {
        close(file);
        return status;
    }
    directory->lock = file;
    directory->made_lock = made;
    return HIRL_OK;
}

static hirl_status lock(hr_directory *directory)
{
    char *path = hr_path_join(directory->path, "LOCK");
    hirl_status status = path ? HIRL_DONE : HIRL_E_NOMEM;

    for (int i = 0; i < LOCK_TRIES && status == HIRL_DONE; i++) {
        status = hr_make_folder(directory->path);
        if (status >= 0)
            status = try_lock(directory, path);
    }
    hr_free(path);
    return status == HIRL_DONE
               ? hr_fail(HIRL_E_BUSY,
                         "%s: other processes keep opening and closing this directory; try again",
                         directory->path)
               : status;
}

static bool holds(const hr_directory *directory, const char *name)
{
    char *path = hr_path_join(directory->path, name);
    bool yes = path && hr_file_exists(path);

    hr_free(path);
    return yes;
}

static hirl_status make_folders(hr_directory *directory)
{
    for (int i = 0; i < HR_DIRECTORY_FOLDERS; i++) {
        char *path = hr_path_join(directory->path, folders[i]);
        hirl_status status = path ? HIRL_OK : HIRL_E_NOMEM;

        if (path && !hr_is_folder(path)) {
            status = hr_make_folder(path);
            directory->made_folder[i] = status >= 0;
        }
        hr_free(path);
        HR_TRY(status);
    }
    return HIRL_OK;
}

/* Whether a run wrote the config.yaml of the directory. */
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

/* Whether an entry is LOCK or an empty folder of a run, as a run leaves them when it is killed
 * before it writes its settings. */
static hirl_status is_empty_remnant(bool *yes, const char *folder, const char *name)
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

/* Refuses a directory with files of others, which a run must neither mix with its own nor remove.
 * beside: files are accepted if a run never writes their names, for example the log of a
 * scheduler. */
static hirl_status refuse_other_files(const hr_directory *directory, bool beside)
{
    char **names, *other = NULL;
    int64_t count;
    hirl_status status = HIRL_OK;

    HR_TRY(hr_folder_list(&names, &count, directory->path));
    for (int64_t i = 0; i < count && status >= 0; i++) {
        bool empty;

        if (beside && !hr_directory_is_of_a_run(names[i]))
            continue;
        status = is_empty_remnant(&empty, directory->path, names[i]);
        if (status >= 0 && !empty &&
            (!other || (!hr_directory_is_of_a_run(other) && hr_directory_is_of_a_run(names[i]))))
            other = names[i];
    }
    if (status >= 0 && other)
        status = hr_fail(HIRL_E_STATE, "%s contains no run, but %s is there; choose another out=%s",
                         directory->path, other,
                         hr_directory_is_of_a_run(other)
                             ? ""
                             : ", or set overwrite=1 to start a run beside its files");
    hr_names_free(names, count);
    return status;
}

/* Decides whether a run may start or resume here. A run without a checkpoint may be replaced
 * without overwrite=1. */
static hirl_status prepare(hr_directory *directory, bool resume, bool overwrite)
{
    bool run, checkpoint, model;

    HR_TRY(holds_run(&run, directory));
    HR_TRY(hr_directory_has_checkpoint(&checkpoint, directory));
    if (!run && checkpoint && !resume)
        return hr_fail(
            HIRL_E_STATE,
            "%s has checkpoints, but no config.yaml of a run; choose another out=, or set "
            "resume=1 to resume from these checkpoints",
            directory->path);
    if (!run && !checkpoint) /* before locking, so that a refused directory is left unchanged */
        HR_TRY(refuse_other_files(directory, resume || overwrite));
    HR_TRY(lock(directory));
    HR_TRY(hr_directory_has_checkpoint(&checkpoint,
                                       directory)); /* again, now that no other process writes */
    model = holds(directory, "model.safetensors") || holds(directory, "classifier.safetensors");
    if (checkpoint && !resume && !overwrite)
        return hr_fail(HIRL_E_STATE,
                       "%s already contains a run; resume=1 resumes it, overwrite=1 replaces it",
                       directory->path);
    if (model && !checkpoint && !overwrite)
        return hr_fail(
            HIRL_E_STATE,
            "%s contains the model of a run, but no checkpoint to resume from; choose another "
            "out=, or set overwrite=1 to replace the run",
            directory->path);
    directory->goes_on = checkpoint && resume;
    directory->has_settings = run;
    HR_TRY(make_folders(directory));
    hr_directory_sweep(directory);
    return HIRL_OK;
}

/* Finds the run that a rank which only reads can resume. */
static hirl_status find_run(hr_directory *directory, bool resume)
{
    bool run, checkpoint;

    HR_TRY(holds_run(&run, directory));
    HR_TRY(hr_directory_has_checkpoint(&checkpoint, directory));
    directory->goes_on = checkpoint && resume;
    directory->has_settings = run;
    return HIRL_OK;
}

hirl_status hr_directory_open(hr_directory *directory, const char *path, bool resume,
                              bool overwrite, int32_t rank)
{
    hirl_status status;

    *directory = (hr_directory){ .lock = -1, .rank = rank };
    if (!path[0])
        return resume ? hr_fail(HIRL_E_INVALID, "resume=1 needs out=, the directory of the run")
                      : HIRL_OK;
    directory->made = !rank && !hr_is_folder(path);
    directory->path = hr_strdup(path);
    if (!directory->path)
        return HIRL_E_NOMEM;
    status = rank ? find_run(directory, resume) : hr_make_folder(path);
    if (status >= 0 && !rank)
        status = prepare(directory, resume, overwrite);
    if (status < 0)
        hr_directory_close(directory);
    return status;
}

/* Removes what this run created, if it wrote no file. LOCK is removed last, so that no other run
 * enters the folders before. If another run owns the file LOCK now, this directory was moved away
 * and nothing is removed. */
static void leave(const hr_directory *directory)
{
    char *path = hr_path_join(directory->path, "LOCK");

    if (path && !is_gone(directory->lock, path)) {
        for (int i = 0; i < HR_DIRECTORY_FOLDERS; i++) {
            char *folder = hr_path_join(directory->path, folders[i]);

            if (folder && directory->made_folder[i])
                rmdir(folder); /* fails if it is not empty */
            hr_free(folder);
        }
        if (directory->made_lock)
            unlink(path);
    }
    hr_free(path);
}

void hr_directory_close(hr_directory *directory)
{
    if (directory->lock >= 0 && !directory->written)
        leave(directory);
    if (directory->lock >= 0)
        close(directory->lock);
    if (directory->path && directory->made && !directory->written)
        rmdir(directory->path);
    hr_free(directory->path);
    *directory = (hr_directory){ .lock = -1 };
}

hirl_status hr_directory_write(hr_directory *directory, const char *name, const char *text)
{
    char *path;
    hirl_status status;

    if (!hr_directory_writes(directory))
        return HIRL_OK;
    path = hr_path_join(directory->path, name);
    status = path ? hr_file_replace(path, text, strlen(text)) : HIRL_E_NOMEM;
    directory->written |= status >= 0;
    hr_free(path);
    return status;
}
