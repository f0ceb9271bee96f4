/* directory_files.h - checkpoints and trees in the directory of a run. */
#ifndef HR_DIRECTORY_FILES_H
#define HR_DIRECTORY_FILES_H

#include "base/tensors.h"
#include "hier/tree.h"
#include "train/directory_state.h"

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
