/* state.h - saving and loading everything that a step changes, as named tensors. */
#ifndef HR_STEP_STATE_H
#define HR_STEP_STATE_H

#include "base/tensors.h"
#include "step/learner.h"

/* Whether all trained weights are finite. Waits for the device. */
hirl_status hr_learner_finite(bool *finite, const hr_learner *learner);
hirl_status hr_learner_save(hr_tensors *out, const hr_learner *learner);
/* The learner must have the config of the one that was saved. */
hirl_status hr_learner_load(hr_learner *learner, const hr_tensors *in);
/* Save or load one array of a task's state. */
hirl_status hr_learner_save_array(hr_tensors *out, const hr_learner *learner, const char *name,
                                  const hr_array *array);
hirl_status hr_learner_load_array(hr_learner *learner, const hr_tensors *in, const char *name,
                                  const hr_array *array);

#endif
