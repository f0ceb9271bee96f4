/* small_probe.h - a linear classifier on the frozen encoder of a small untrained network, which is
 * trained on noise images with random classes. */
#ifndef SMALL_PROBE_H
#define SMALL_PROBE_H

#include "base/tensors.h"
#include "context.h"
#include "nn/model.h"
#include "task/probe.h"

enum { PROBE_SIDE = 8, PROBE_ROWS = 16, PROBE_CLASSES = 5 };

typedef struct small_probe {
    hirl_context *context;
    hr_call call;
    hirl_model *model;
    hr_learner *learner;
    hr_probe *probe;
    float image[PROBE_ROWS * PROBE_SIDE * PROBE_SIDE * 3]; /* images of the last step */
    int32_t label[PROBE_ROWS];
} small_probe;

void small_probe_open(small_probe *p, int64_t accumulate, bool decay_all);
void small_probe_close(small_probe *p);
/* The input of a step; it refers to the images in `p`. */
hr_step_input small_probe_input(small_probe *p, int64_t step, double decay);
/* Makes a step on the images of this number, with rate 0.1 and this weight decay. */
hr_step_result small_probe_step(small_probe *p, int64_t step, double decay);
/* The caller frees *state with hr_tensors_done. */
void small_probe_state(hr_tensors *state, const small_probe *p);

#endif
