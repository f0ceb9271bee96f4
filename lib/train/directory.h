/* directory.h - opens and closes the directory of a run, which one process at a time may use. */
#ifndef HR_TRAIN_DIRECTORY_H
#define HR_TRAIN_DIRECTORY_H

#include "train/directory_state.h"

/* Rank 0 opens and locks the directory, and creates it if needed; a rank above 0 only finds out
 * what there is to resume, so it is called after rank 0 has succeeded.
 *   resume      resumes from the newest checkpoint, even if config.yaml is lost; a run starts if
 *               the directory contains neither a checkpoint nor a model
 *   overwrite   a new run replaces the one in the directory
 *   neither     the directory must not contain a run with a checkpoint or a model, nor other files
 * With resume or overwrite, other files are accepted if a run never writes their names. With an
 * empty path the run has no directory: writing does nothing, and resume is INVALID. STATE: refused
 * by these rules. BUSY: another process holds the lock. */
hirl_status hr_directory_open(hr_directory *directory, const char *path, bool resume,
                              bool overwrite, int32_t rank);
/* Closes the directory. If the run has written no file, LOCK and the folders that it created are
 * removed. */
void hr_directory_close(hr_directory *directory);

/* Writes a file of this name, completely or not at all. */
hirl_status hr_directory_write(hr_directory *directory, const char *name, const char *text);

#endif
