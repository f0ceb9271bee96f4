/* encode.h - what the networks make of the views of a batch. */
#ifndef HR_ENCODE_H
#define HR_ENCODE_H

#include "step/learner.h"

/* a micro-batch of a step: its rows, its place among the others */
typedef struct hr_micro {
    hr_learner_input in; /* pointers to its first row, in.n rows */
    const hr_learner_input *batch;
    int64_t first, index, count;
    bool commit; /* running statistics are updated at commit, once a step */
} hr_micro;

hr_micro hr_micro_of(const hr_learner_input *batch, int64_t index, int64_t count, bool commit);

/* Online network: every view that the method shows it. */
void hr_encode_online(hr_seen *seen, hr_learner *learner, const hr_micro *micro, hr_now *now);
/* Teacher, without gradient. keys: z0 of the whole batch in shuffled order (hr_encode_keys), or NULL */
void hr_encode_teacher(hr_seen *seen, hr_learner *learner, const hr_micro *micro,
                       const hr_array *keys);

/* ---- shuffle.c ---- */

/* z0 [batch, d] of the teacher's view, images permuted over all ranks; kept */
hr_array hr_encode_keys(hr_learner *learner, const hr_learner_input *batch, bool commit);
/* those of a micro-batch, each again at its image */
void hr_encode_at_keys(hr_seen *seen, hr_learner *learner, const hr_micro *micro,
                       const hr_array *keys);

/* images of view v, [n, size, size, 3] */
hr_tensor *hr_encode_image(hr_tape *t, const hr_learner_input *in, int v);

/* host array -> device array on the tape */
hr_array hr_on_tape(hr_tape *t, const void *host, hr_dtype from, hr_dtype to, int rank,
                    const int64_t *dim);
hr_pass hr_run_of(hr_learner *learner, const hr_weights *weights, const hr_micro *micro);

#endif
