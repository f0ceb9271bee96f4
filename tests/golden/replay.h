/* replay.h - what the tests that follow a training of a dump share: its settings, its tree, its
 * images, its tensors. */
#ifndef HR_TEST_REPLAY_H
#define HR_TEST_REPLAY_H

#include "golden/dump.h"
#include "train/learner_config.h"

#include <hirl/options.h>

void replay_set(hirl_options *options, const char *key, const char *value);
/* keys of the library that a dump has values for: pairs of the dump's name and ours */
void replay_set_all(hirl_options *options, const dump *d, const char *const (*pair)[2], int count);
/* of a list: numbers apart by blanks there, by commas here */
void replay_set_list(hirl_options *options, const char *key, const dump *d, const char *theirs);
/* the tree of a dump's key `prototypes`, or no hierarchy */
void replay_set_levels(hirl_options *options, const dump *d);
/* what the library makes of them: settings, views, and what the learner gets; one step is one epoch */
hr_learner_config replay_config(hr_run_config *config, hr_run_views *views,
                                const hirl_options *options);

/* prototypes: unit rows [m_l, d] of normal draws, rounded to float; parent = row mod M_(l+1) */
hirl_tree *replay_tree(hirl_context *context, int32_t levels, int64_t d, const int64_t *m,
                       uint64_t seed);
/* normal draws: view `view` of n images of size x size x 3 at this step */
void replay_images(float *to, uint64_t seed, int64_t view, int64_t step, int64_t n, int64_t size);
void replay_ids(int64_t *image, int64_t n, int64_t step);

/* the tensor `prefix + b's name` of a list, as doubles; the caller frees them */
double *replay_values(const dump_tensor *b, const hr_tensors *list, const char *prefix);
/* gradients of all parameters, by name */
void replay_gradients(hr_tensors *list, hr_learner *learner);
/* fails the test when a parameter stands at another place in the dump: its first values depend on it */
void replay_positions(const dump *d, const hr_learner *learner);

#endif
