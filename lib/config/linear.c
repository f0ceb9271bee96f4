/* linear.c - settings of a linear probe: a classifier on a frozen encoder.
 *
 * SGD with momentum 0.9 and a cosine schedule without weight decay, on random crops of 8 to 100 %
 * of the image and flips, as MoCo, SimSiam and MoCo v3 do on ImageNet. The best rate depends on the
 * scale of the features: published ones range from 0.1 to 30, and a sweep over `lr` is usual. The
 * default suits small encoders. In 4 epochs on features of HIRL-MoCo v2 (hirl-mocov2-small, 4
 * epochs too) for CIFAR-100-25k the accuracy in per cent was (tests/bench/README.md)
 *
 *     base_lr     0.03    0.1    0.3      1      3     10     30
 *     top-1        9.8   11.3   12.8   14.5   11.7   10.8   10.7
 */
#include "config/linear.h"

#include <stddef.h>

const hr_setting_pair hr_linear_settings[] = {
    { "hirl", "0" },          { "recipe", "linear" },  { "optimizer", "sgd" },
    { "momentum", "0.9" },    { "weight_decay", "0" }, { "base_lr", "1" },
    { "schedule", "cosine" }, { "epochs", "20" },      { NULL, NULL },
};
