/* linear.c - settings of a linear probe: a classifier on a frozen encoder.
 *
 * SGD with momentum 0.9 and a cosine schedule without weight decay, on random crops of 8 to 100 % of the image
 * and flips, as MoCo, SimSiam and MoCo v3 do on ImageNet. The rate is for features as the encoder gives
 * them; the published ones go from 0.1 to 30, and a sweep over `lr` is usual.
 */
#include "config/linear.h"

#include <stddef.h>

const hr_setting_pair hr_linear_settings[] = {
    { "hirl", "0" },          { "recipe", "linear" },  { "optimizer", "sgd" },
    { "momentum", "0.9" },    { "weight_decay", "0" }, { "base_lr", "0.3" },
    { "schedule", "cosine" }, { "epochs", "20" },      { NULL, NULL },
};
