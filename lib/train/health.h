/* health.h - figures of a representation that need no labels, and a verdict on them. */
#ifndef HR_HEALTH_H
#define HR_HEALTH_H

#include "types.h"

enum { HR_HEALTH_TEXT = 160 }; /* bytes of a verdict */

typedef struct hr_health {
    /* standard deviation of normalised z0 over images, averaged over columns, times sqrt(d):
     * 1 healthy, 0 collapsed */
    double std;
    /* (sum lambda)^2 / sum lambda^2 of the covariance of normalised z0: 1 to d */
    double rank;
} hr_health;

/* z [n, d]: rows of any length; rows of zeros (unreadable images) are left out. work [d*d + d] */
void hr_health_measure(hr_health *health, const float *z, int64_t n, int64_t d, double *work);

/* Writes a verdict of one sentence with the figures and thresholds that led to it. chance: the
 * chance level of the loss; steps: completed steps of the run. */
void hr_health_judge(char text[HR_HEALTH_TEXT], const hr_health *health, double loss, double chance,
                     int64_t steps);

#endif
