/* center.h - the centre of a teacher's outputs (DINO, iBOT). */
#ifndef HR_CENTER_H
#define HR_CENTER_H

#include "ssl/method.h"

/* c <- m_c c + (1 - m_c) mean of all rows of the step. The loss of a step uses the c before it. */
typedef struct hr_center {
    hr_array value; /* c, real [K] */
    hr_array sum;   /* real [K]: mean of the rows seen so far in this step */
    double keep;    /* m_c */
} hr_center;

hirl_status hr_center_init(hr_center *center, hr_queue *q, const hr_method *method,
                           const hr_method_config *config);
void hr_center_done(hr_center *center, hr_queue *q);
/* Adds rows [.., K] to the mean, each with weight `share`. first: these are the first rows of the
 * step, so the sum starts from 0. */
void hr_center_see(hr_center *center, hr_tape *t, const hr_tensor *rows, double share, bool first);
/* Updates the centre when the step commits; called once a step. */
void hr_center_at_commit(hr_center *center, hr_tape *t);

#endif
