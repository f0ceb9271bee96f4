/* directory.h - the directory of a run: settings, metrics, checkpoints, trees; one process at a time. */
#ifndef HR_TRAIN_DIRECTORY_H
#define HR_TRAIN_DIRECTORY_H

#include "train/directory_state.h"

/* Rank 0 locks the directory and makes its folders. STATE: it holds a run with a checkpoint, or
 * other files, and neither resume nor overwrite is set; or no run, but files with the names of one.
 * BUSY: another process has the lock. resume and overwrite without a run there start one, beside the
 * other files; resume continues from checkpoints that lost their config.yaml.
 * A rank above 0 only finds out what there is to resume: call it after rank 0 has succeeded. */
hirl_status hr_directory_open(hr_directory *directory, const char *path, bool resume,
                              bool overwrite, int32_t rank);
/* what a run made that was refused before it wrote its config.yaml goes: LOCK, empty folders */
void hr_directory_close(hr_directory *directory);

/* a whole file of this name */
hirl_status hr_directory_write(hr_directory *directory, const char *name, const char *text);

#endif
