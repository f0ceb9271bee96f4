/* directory_files.h - checkpoints, trees and other files in the directory of a run. */
#ifndef HR_DIRECTORY_FILES_H
#define HR_DIRECTORY_FILES_H

#include "base/tensors.h"
#include "hier/tree.h"
#include "train/directory_state.h"

/* *yes: the directory has a checkpoint, intact or damaged. */
hirl_status hr_directory_has_checkpoint(bool *yes, const hr_directory *directory);
/* Writes checkpoints/step_<step>.safetensors, makes last.safetensors a hard link to it, and keeps
 * the newest `keep` of the checkpoints up to this step. */
hirl_status hr_directory_save(const hr_directory *directory, const hr_tensors *state, int64_t step,
                              int64_t keep);
/* Loads the checkpoint written last, or else the newest whole one, with a warning that names both.
 * A checkpoint that cannot be read for any reason but lack of memory counts as damaged, and stays
 * in place. STATE: no checkpoint is whole. VERSION: the newest is whole, and of a later version. */
hirl_status hr_directory_load(hr_tensors *state, const hr_directory *directory,
                              hirl_context *context);
/* Writes trees/epoch_<epoch>.hpt and trees/current.hpt. */
hirl_status hr_directory_tree(const hr_directory *directory, const hirl_tree *tree, int64_t epoch);
/* A run writes a file or folder of this name at the top of its directory. */
bool hr_directory_is_of_a_run(const char *name);
/* Removes temporary files of a run that was killed; the caller holds LOCK. */
void hr_directory_sweep(const hr_directory *directory);
/* Removes checkpoints, trees, metrics and model of an earlier run, by the names that a run
 * writes. */
hirl_status hr_directory_clear(const hr_directory *directory);

#endif
