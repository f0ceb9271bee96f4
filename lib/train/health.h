/* health.h - label-free figures of a representation, and a sentence about them. */
#ifndef HR_HEALTH_H
#define HR_HEALTH_H

#include "types.h"

typedef struct hr_health {
    double
        std; /* std of normalised z0 over the images, mean over columns, times sqrt(d): 1 healthy, 0 collapsed */
    double rank; /* (sum lambda)^2 / sum lambda^2 of the covariance of normalised z0: 1 to d */
} hr_health;

/* z [n, d] f32, of any length; unreadable rows are 0 and do not count; work [d*d + d] */
void hr_health_measure(hr_health *health, const float *z, int64_t n, int64_t d, double *work);

/* one sentence of judgement about an epoch */
const char *hr_health_judge(const hr_health *health, int64_t d, double loss, double chance,
                            int64_t steps);

#endif
