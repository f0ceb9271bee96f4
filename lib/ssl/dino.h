/* dino.h - the parts of DINO that iBOT shares: the loss of class tokens, and settings. */
#ifndef HR_DINO_H
#define HR_DINO_H

#include "ssl/center.h"

/* settings of both papers (Caron et al. 2021; Zhou et al. 2022), for ViT-B/16 */
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

/* DINO's loss of class tokens (dino.c). Adds the teacher's outputs to the centre. */
hr_tensor *hr_dino_loss(hr_tape *t, const hr_seen *student, const hr_seen *teacher,
                        hr_center *center, const hr_now *now, double temperature);

/* hr_method.first for DINO's loss */
void hr_dino_first(double low_high[2], const hr_method_config *config);

#endif
