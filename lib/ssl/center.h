/* center.h - the centre of a teacher's outputs (DINO, iBOT). */
#ifndef HR_CENTER_H
#define HR_CENTER_H

#include "ssl/method.h"

/* c <- m_c c + (1 - m_c) mean of all rows of the step; the loss of a step uses the centre before it */
typedef struct hr_center {
    hr_array value, sum; /* real [K] */
    double keep;         /* m_c */
} hr_center;

hirl_status hr_center_init(hr_center *center, hr_queue *q, const hr_method *method,
                           const hr_method_config *config);
void hr_center_done(hr_center *center, hr_queue *q);
/* takes rows [.., K] of this micro-batch into the mean, with weight `share` each; `first`: of the step */
void hr_center_see(hr_center *center, hr_tape *t, const hr_tensor *rows, double share, bool first);
/* the mean is complete when the step commits */
void hr_center_at_commit(hr_center *center, hr_tape *t);

#endif
