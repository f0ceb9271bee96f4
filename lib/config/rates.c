/* rates.c - values of the schedules at a step: learning rate, decay, teacher momentum,
 * temperature. */
#include "config/rates.h"

#include <math.h>

#include "config/schedule.h"

static const hr_schedule_kind kinds[] = { HR_COSINE_EPOCH, HR_COSINE, HR_COSINE_LINSPACE };

/* value at `step` of a cosine from `base` to `last` over all steps of the run */
static double cosine(double base, double last, const hr_train_config *c, int64_t step,
                     int64_t per_epoch)
{
    hr_schedule s = { .kind = base == last ? HR_CONSTANT : HR_COSINE,
                      .base = base,
                      .last = last,
                      .epochs = c->epochs,
                      .per_epoch = per_epoch };

    return hr_schedule_at(&s, step);
}

hr_rates hr_rates_at(const hr_train_config *c, int64_t step, int64_t per_epoch)
{
    hr_schedule rate = { .kind = kinds[c->schedule],
                         .first = c->warmup_lr,
                         .base = c->lr,
                         .last = c->min_lr,
                         .warmup_epochs = c->warmup_epochs,
                         .epochs = c->epochs,
                         .per_epoch = per_epoch };
    hr_schedule temperature = { .kind = HR_LINSPACE_EPOCH,
                                .first = c->warmup_teacher_temperature,
                                .base = c->teacher_temperature,
                                .warmup_epochs = c->warmup_teacher_temperature_epochs,
                                .epochs = c->epochs,
                                .per_epoch = per_epoch };
    double decay = cosine(c->weight_decay, c->weight_decay_end, c, step, per_epoch);
    double scheduled = hr_schedule_at(&rate, step);

    return (hr_rates){ .rate = scheduled,
                       .predictor_rate = c->constant_predictor_lr ? c->lr : scheduled,
                       .decay = decay,
                       .path_decay = isnan(c->path_weight_decay) ? decay : c->path_weight_decay,
                       .ema = cosine(c->ema, c->ema_end, c, step + (c->ema_late != 0), per_epoch),
                       .teacher_temperature = hr_schedule_at(&temperature, step),
                       .freeze_last =
                           step / per_epoch < c->freeze_last_layer || step < c->freeze_prototypes };
}
