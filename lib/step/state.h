/* state.h - everything that a step changes, by name; load needs a learner of the same config. */
#ifndef HR_STEP_STATE_H
#define HR_STEP_STATE_H

#include "base/tensors.h"
#include "step/learner.h"

hirl_status hr_learner_save(hr_tensors *out, const hr_learner *learner);
hirl_status hr_learner_load(hr_learner *learner, const hr_tensors *in);
/* one named array of a task's state */
hirl_status hr_learner_save_array(hr_tensors *out, const hr_learner *learner, const char *name,
                                  const hr_array *array);
hirl_status hr_learner_load_array(hr_learner *learner, const hr_tensors *in, const char *name,
                                  const hr_array *array);

#endif
