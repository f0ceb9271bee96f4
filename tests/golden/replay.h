/* replay.h - shared by the tests that replay the training in a dump: settings, tree, images,
 * tensors. */
#ifndef HR_TEST_REPLAY_H
#define HR_TEST_REPLAY_H

#include "golden/dump.h"
#include "train/pretrain_config.h"

#include <hirl/options.h>

void replay_set(hirl_options *options, const char *key, const char *value);
/* Sets `count` library keys to values of the dump. Each pair is the dump's name and the library's
 * key. */
void replay_set_all(hirl_options *options, const dump *d, const char *const (*pair)[2], int count);
/* Sets a list key: the dump separates numbers by blanks, the library by commas. */
void replay_set_list(hirl_options *options, const char *key, const dump *d, const char *theirs);
/* Sets the levels of the tree from the dump's key `prototypes`; if it is empty, turns the hierarchy
 * off. */
void replay_set_levels(hirl_options *options, const dump *d);
/* Converts options to the run's settings, its views and the learner's settings. One step is one
 * epoch. */
hr_pretrain_config replay_config(hr_run_config *config, hr_run_views *views,
                                const hirl_options *options);

/* A tree whose prototypes are unit rows [m_l, d] of normal draws, rounded to float; parent = row
 * mod M_(l+1). */
hirl_tree *replay_tree(hirl_context *context, int32_t levels, int64_t d, const int64_t *m,
                       uint64_t seed);
/* Fills view number `view` of a step with normal draws: n images of size x size x 3. */
void replay_images(float *to, uint64_t seed, int64_t view, int64_t step, int64_t n, int64_t size);
/* ids of the n images of a step: distinct in a step, partly repeated in later ones */
void replay_ids(int64_t *image, int64_t n, int64_t step);

/* The tensor of `list` named prefix + b->name, as doubles. The caller frees it. */
double *replay_values(const dump_tensor *b, const hr_tensors *list, const char *prefix);
/* Adds the gradients of all parameters to `list`, by name. */
void replay_gradients(hr_tensors *list, hr_learner *learner);
/* Fails the test unless the parameters have the order that they have in the dump: the random first
 * values of a parameter depend on its position. */
void replay_positions(const dump *d, const hr_learner *learner);

#endif
