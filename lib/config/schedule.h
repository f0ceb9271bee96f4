/* schedule.h - rates, decays, momenta and temperatures over a run, by the integer step (spec.md 6.2, 6).
 *
 * With W warm-up epochs, E epochs, I steps an epoch; x = step / I, epoch = floor(x):
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
 * The linspaces are inclusive: their last step is `base`. Who uses what (spec.md 1.3 to 1.8, 8.5):
 *
 *     lr            MoCo v2, SimSiam        { HR_COSINE_EPOCH, .base = lr }; predictor { HR_CONSTANT, .base = lr }
 *                   MoCo v3                 { HR_COSINE, .first = 0, .base = lr, .warmup_epochs = 40 }
 *                   SwAV, HIRL's program    { HR_COSINE, .first = 0.3, .base = 4.8, .last = 0.0048, .warmup_epochs = 10 }
 *                   SwAV, its authors       { HR_COSINE_LINSPACE, the same }
 *                   DINO, iBOT              { HR_COSINE_LINSPACE, .base = lr, .last = 2e-6, .warmup_epochs = 10 }
 *     decay         DINO, iBOT              { HR_COSINE, .base = 0.04, .last = 0.4 }
 *     momentum m    MoCo v3; DINO, iBOT     { HR_COSINE, .base = 0.99, .last = 1 }; .base = 0.996
 *     temperature   DINO, iBOT              { HR_LINSPACE_EPOCH, .first = 0.04, .base = 0.07, .warmup_epochs = 50 }
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
    double first;      /* where the warm-up begins */
    double base, last; /* after the warm-up; at the end of the run */
    int64_t warmup_epochs, epochs, per_epoch;
} hr_schedule;

double hr_schedule_at(const hr_schedule *schedule, int64_t step);

#endif
