/* schedule.h - learning rates, decays, momenta and temperatures over a run, by the integer step.
 *
 * W warm-up epochs, E epochs, I steps an epoch; x = step / I, epoch = floor(x):
 *
 *     kind                 x < W                                       after
 *     HR_CONSTANT          base                                        base
 *     HR_COSINE_EPOCH      first + (base - first) epoch / W            cosine of epoch
 *     HR_COSINE            first + (base - first) x / W                cosine of x
 *     HR_COSINE_LINSPACE   first + (base - first) step / (I W - 1)     cosine of x
 *     HR_LINSPACE_EPOCH    first + (base - first) epoch / (W - 1)      base
 *
 *     cosine of t: last + (base - last) (1 + cos(pi (t - W) / (E - W))) / 2; from E on: last
 *
 * The warm-up of the two linspace kinds is inclusive: its last step or epoch has the value `base`.
 * The step is an integer because int((step / I) I) in floating point repeats the step before in
 * some 7 % of all steps. The methods use:
 *
 *                                  kind                 first   base    last     warm-up epochs
 *     learning rate
 *         MoCo v2, SimSiam         HR_COSINE_EPOCH              lr      0
 *         predictor of SimSiam     HR_CONSTANT                  lr
 *         MoCo v3                  HR_COSINE            0       lr      0        40
 *         SwAV, authors of HIRL    HR_COSINE            0.3     4.8     0.0048   10
 *         SwAV, its own authors    HR_COSINE_LINSPACE   0.3     4.8     0.0048   10
 *         DINO, iBOT               HR_COSINE_LINSPACE   0       lr      2e-6     10
 *     weight decay of DINO, iBOT   HR_COSINE                    0.04    0.4
 *     momentum m of MoCo v3        HR_COSINE                    0.99    1
 *     momentum m of DINO, iBOT     HR_COSINE                    0.996   1
 *     teacher temperature          HR_LINSPACE_EPOCH    0.04    0.07             50
 */
#ifndef HR_SCHEDULE_H
#define HR_SCHEDULE_H

#include "types.h"

typedef enum {
    HR_CONSTANT,
    HR_COSINE_EPOCH,
    HR_COSINE,
    HR_COSINE_LINSPACE,
    HR_LINSPACE_EPOCH,
} hr_schedule_kind;

typedef struct hr_schedule {
    hr_schedule_kind kind;
    double first;      /* value at the start of the warm-up */
    double base, last; /* value after the warm-up, value at the end of the run */
    int64_t warmup_epochs, epochs, per_epoch;
} hr_schedule;

double hr_schedule_at(const hr_schedule *schedule, int64_t step);

#endif
