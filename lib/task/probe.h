/* probe.h - the labelled task: a linear classifier on a frozen encoder (linear probe).
 *
 *   L = mean_n -log softmax(W f(x_n) + b)[label_n]
 *
 * f: the encoder's backbone in evaluation mode, without gradient; W [C,D], b [C] are all that is trained.
 */
#ifndef HR_PROBE_H
#define HR_PROBE_H

#include "nn/net.h"
#include "step/learner.h"
#include "types.h"

typedef struct hr_probe_config {
    hr_learner_config learner;
    hr_model_config model; /* of the encoder */
    int64_t size;          /* side of the images */
    int64_t classes;       /* C */
    double momentum;
    bool decay_all; /* the bias decays too */
} hr_probe_config;

typedef struct hr_probe {
    hr_probe_config config;
    hr_learner *learner; /* borrowed */
    hr_net net;
    hr_weights encoder; /* backbone only, frozen */
    hr_layout head, no_norms;
    hr_array image; /* [n,S,S,3] */
    hr_cell label;  /* i32 [n] */
    hr_cell positions;
} hr_probe;

extern const hr_task hr_task_probe;

/* encoder: weights to copy, of a network with the same backbone; NULL: they are loaded later, with the rest of the
 * state. The task is the learner's self and lives as long as it. */
hirl_status hr_probe_create(hr_learner **learner, hr_probe **probe, hirl_context *context,
                            const hr_weights *encoder, const hr_probe_config *config);
/* Rows of features [n,D] f32 in host memory whose class is label[n] (-1: not counted), in blocks. */
hirl_status hr_probe_count(int64_t *right, hr_probe *probe, const float *features,
                           const int32_t *label, int64_t n);

#endif
