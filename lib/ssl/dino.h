/* dino.h - what iBOT has of DINO: the loss of class tokens, and settings. */
#ifndef HR_DINO_H
#define HR_DINO_H

#include "ssl/center.h"

/* settings that DINO and iBOT share (spec.md 1.7, 1.8) */
/* clang-format off */
#define HR_DINO_SETTINGS \
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

/* DINO's loss of the outputs of class tokens (dino.c), and what the centre sees of them */
hr_tensor *hr_dino_loss(hr_tape *t, const hr_seen *student, const hr_seen *teacher,
                        hr_center *center, const hr_now *now, double temperature);

/* of its first step: hr_method.first */
void hr_dino_first(double low_high[2], const hr_method_config *config);

#endif
