/* distill.h - the centre of a teacher's outputs and the distillation of classes that uses it (DINO, iBOT). */
#ifndef HR_DISTILL_H
#define HR_DISTILL_H

#include "ssl/method.h"

/* settings that DINO and iBOT share (spec.md 1.7, 1.8) */
/* clang-format off */
#define HR_DISTILL_SETTINGS \
    { "drop_path", "0.1" }, \
    { "optimizer", "adamw" }, \
    { "weight_decay", "0.04" }, \
    { "weight_decay_end", "0.4" }, \
    { "decay_all", "0" }, \
    { "base_lr", "0.00075" }, \
    { "schedule", "cosine_linspace" }, \
    { "warmup_epochs", "10" }, \
    { "warmup_lr", "0" }, \
    { "min_lr", "2e-6" }, \
    { "clip", "tensor" }, \
    { "clip_grad", "0.3" }, \
    { "freeze_last_layer", "3" }, \
    { "temperature", "0.1" }, \
    { "teacher_temperature", "0.07" }, \
    { "warmup_teacher_temperature", "0.04" }, \
    { "warmup_teacher_temperature_epochs", "50" }, \
    { "center_momentum", "0.9" }, \
    { "ema", "0.996" }, \
    { "ema_end", "1" }
/* clang-format on */

/* c <- m c + (1 - m) mean of all rows of the step; the loss of a step uses the centre before it */
typedef struct hr_center {
    hr_array value, sum; /* real [K] */
    double keep;         /* m */
} hr_center;

hirl_status hr_center_init(hr_center *center, hr_queue *q, const hr_method *method,
                           const hr_method_config *config);
void hr_center_done(hr_center *center, hr_queue *q);
/* takes rows [.., K] of this micro-batch into the mean, with weight `share` each; `first`: of the step */
void hr_center_see(hr_center *center, hr_tape *t, const hr_tensor *rows, double share, bool first);
/* the mean is complete when the step commits */
void hr_center_at_commit(hr_center *center, hr_tape *t);

/* mean over pairs (u, v), u global, v any other view, of mean_n H(p_u, softmax(s_v / tau)) */
hr_tensor *hr_distill(hr_tape *t, const hr_seen *student, const hr_seen *teacher, hr_center *center,
                      const hr_now *now, double temperature);

#endif
