/* probe.h - the labelled task: a linear classifier on a frozen encoder (linear probe).
 *
 *   L = mean_n -log softmax(W f(x_n) + b)[label_n]
 *
 * f: the encoder's backbone in evaluation mode, without gradient. Only W [C,D] and b [C] are
 * trained.
 */
#ifndef HR_PROBE_H
#define HR_PROBE_H

#include "nn/net.h"
#include "step/learner.h"
#include "types.h"

typedef struct hr_probe_config {
    hr_learner_config learner;
    hr_model_config model; /* the encoder */
    int64_t size;          /* side of the images in pixels */
    int64_t classes;       /* C */
    double momentum;
    bool decay_all; /* the bias decays too */
} hr_probe_config;

typedef struct hr_probe {
    hr_probe_config config;
    hr_learner *learner; /* borrowed */
    hr_net net;
    hr_weights encoder; /* backbone only, frozen */
    hr_layout head;     /* W and b */
    hr_layout no_norms; /* empty: the classifier has no running statistics */
    hr_array image;     /* [n,S,S,3] */
    hr_cell label;      /* i32 [n] */
    hr_cell positions;  /* weights of the positions if S is not the learned size; else absent */
} hr_probe;

extern const hr_task hr_task_probe;

/* encoder: weights of a network with the same backbone, which are copied; NULL: hr_learner_load
 * sets them later. The learner owns the probe. */
hirl_status hr_probe_create(hr_learner **learner, hr_probe **probe, hirl_context *context,
                            const hr_weights *encoder, const hr_probe_config *config);
/* Counts the rows of features [n,D] f32, in host memory, that are classified as label[n]; label -1
 * never counts. */
hirl_status hr_probe_count(int64_t *right, hr_probe *probe, const float *features,
                           const int32_t *label, int64_t n);

#endif
