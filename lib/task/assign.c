/* assign.c - leaves of a batch chosen anew before its step, by the second view (spec.md 3.6; HIRL-SwAV).
 *
 *   leaf_n <- argmax_j <norm2(z0(x_n1)), c_j>             x_n1: view 1; c [M_1,d]: unit leaf prototypes
 *
 * The online network, without gradient, with batch statistics as in training. Profile paper leaves the
 * running statistics alone; profile reference moves them, as the authors' program does: at the commit
 * of the step, so that a step that fails has changed nothing.
 */
#include <string.h>

#include "base/error.h"
#include "task/encode.h"

/* nearest leaf of each row of a micro-batch; host, complete after a sync */
static void nearest(int32_t *leaf, hr_learner *learner, const hr_micro *micro)
{
    hr_tape *t = &learner->tape;
    hr_pass run = hr_run_of(learner, &learner->online, micro);
    hr_tensor *z0 = hr_net_z0(&learner->net, &run, hr_encode_image(t, &micro->in, 1));
    hr_tensor *unit = hr_normalize(t, z0); /* [n, d] */
    hr_array index = hr_tape_array(t, HR_I32, 2, (int64_t[]){ micro->in.n, 1 });
    hr_array score = hr_tape_array(t, HR_REAL, 2, (int64_t[]){ micro->in.n, 1 });

    if (hr_tape_status(t) < 0)
        return;
    t->q->be->top(t->q, &index, &score, &unit->x, &learner->paths.proto[0], NULL);
    t->q->be->download(t->q, leaf + micro->first, HR_I32, &index);
}

static hirl_status nearest_of_all(int32_t *leaf, hr_learner *learner, const hr_learner_input *in)
{
    int64_t micros = learner->config.accumulate;

    for (int64_t m = 0; m < micros; m++) {
        hr_micro micro = hr_micro_of(in, m, micros, learner->config.reference);

        hr_tape_next(&learner->tape);
        nearest(leaf, learner, &micro);
        HR_TRY(hr_tape_status(&learner->tape));
    }
    return learner->queue->be->sync(learner->queue);
}

hirl_status hr_learner_assign(int32_t *leaf, hr_learner *learner, const hr_learner_input *in)
{
    hr_tape *t = &learner->tape;
    int32_t *chosen;
    hirl_status status;

    hr_tape_reset(t);
    t->training = true;
    t->recording = false;
    chosen = hr_tape_keep(t, (size_t)in->n * sizeof *chosen);
    status = chosen ? nearest_of_all(chosen, learner, in) : HIRL_E_NOMEM;
    if (status < 0) {
        hr_tape_reset(t);
        return status;
    }
    for (int64_t i = 0; i < in->n; i++)
        if (leaf[i] >= 0)
            leaf[i] = chosen[i];
    return HIRL_OK;
}
