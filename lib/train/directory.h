/* directory.h - the directory of a run: settings, metrics, checkpoints, trees; one process at a time. */
#ifndef HR_RUN_DIRECTORY_H
#define HR_RUN_DIRECTORY_H

#include "base/tensors.h"
#include "hier/tree.h"
#include "types.h"

enum { HR_DIRECTORY_FOLDERS = 2 };

typedef struct hr_directory {
    char *path;   /* NULL: no directory, every call below does nothing */
    int32_t rank; /* of a distributed run: rank 0 writes, the others only read */
    int lock;     /* held while open */
    bool made, made_lock, made_folder[HR_DIRECTORY_FOLDERS]; /* were not there before */
    bool written;                                            /* a file of the run */
    bool goes_on;      /* resume was asked for, and there is a checkpoint to go on from */
    bool has_settings; /* a run's config.yaml is there: overwrite may begin anew */
} hr_directory;

/* Rank 0 locks the directory and makes its folders. STATE: it holds a run with a checkpoint, or
 * other files, and neither resume nor overwrite is set; or no run, but files with the names of one.
 * BUSY: another process has the lock. resume and overwrite without a run there start one, beside the
 * other files; resume continues from checkpoints that lost their config.yaml.
 * A rank above 0 only finds out what there is to resume: call it after rank 0 has succeeded. */
hirl_status hr_directory_open(hr_directory *directory, const char *path, bool resume,
                              bool overwrite, int32_t rank);
/* what a run made that was refused before it wrote its config.yaml goes: LOCK, empty folders */
void hr_directory_close(hr_directory *directory);

/* there is a directory, and this rank writes to it; otherwise the calls that write do nothing */
static inline bool hr_directory_writes(const hr_directory *directory)
{
    return directory->path && !directory->rank;
}

/* a whole file of this name */
hirl_status hr_directory_write(hr_directory *directory, const char *name, const char *text);

/* ---- directory_metrics.c ---- */

/* a line at the end of metrics.jsonl */
hirl_status hr_directory_metric(const hr_directory *directory, const char *line);
/* drops the lines of metrics.jsonl whose "step" is above `step`, and torn ones; *kept: there is one of `step` */
hirl_status hr_directory_cut_metrics(bool *kept, const hr_directory *directory, int64_t step);

/* ---- directory_files.c ---- */

/* there is one to go on with, whole or not */
hirl_status hr_directory_has_checkpoint(bool *yes, const hr_directory *directory);
/* checkpoints/step_<step>.safetensors, `last` a hard link to it; then all but the newest `keep` go */
hirl_status hr_directory_save(const hr_directory *directory, const hr_tensors *state, int64_t step,
                              int64_t keep);
/* the checkpoint written last, or the newest that is whole; damaged ones are logged and left in
 * place. E_STATE: there is none */
hirl_status hr_directory_load(hr_tensors *state, const hr_directory *directory,
                              hirl_context *context);
hirl_status hr_directory_tree(const hr_directory *directory, const hirl_tree *tree, int64_t epoch);
/* a file or folder of this name is of a run, at the top of its directory */
bool hr_directory_is_of_a_run(const char *name);
/* removes what a run that was killed was writing; under LOCK */
void hr_directory_sweep(const hr_directory *directory);
/* removes what an earlier run left, by the names that a run gives: checkpoints, trees, metrics, model */
hirl_status hr_directory_clear(const hr_directory *directory);

#endif
