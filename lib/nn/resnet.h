/* resnet.h - ResNet-18, -34, -50 (He et al. 2016; torchvision's "v1.5": stride in the 3x3). */
#ifndef HR_RESNET_H
#define HR_RESNET_H

#include "nn/mlp.h"
#include "nn/param.h"
#include "types.h"

/* a convolution (slot, stride, padding) and its batch norm */
typedef struct hr_conv_slots {
    int32_t weight, stride, pad;
    hr_norm_slots norm;
} hr_conv_slots;

/* a residual block of 2 (basic) or 3 (bottleneck) convolutions */
typedef struct hr_block {
    hr_conv_slots conv[3], shortcut;
    int32_t convs;
    bool has_shortcut;
} hr_block;

enum { HR_RESNET_BLOCKS = 16 };

typedef struct hr_resnet {
    hr_conv_slots stem;
    bool small; /* 3x3 stride 1 stem, no max-pool */
    int32_t blocks;
    hr_block block[HR_RESNET_BLOCKS];
    int64_t dim; /* columns of the pooled features */
} hr_resnet;

/* depth 18, 34 or 50; width multiplies the channels; zero_init: the last gamma of each branch
 * starts at 0 */
hirl_status hr_resnet_init(hr_resnet *net, hr_layout *params, hr_layout *norms, int32_t depth,
                           double width, bool small, bool zero_init);
/* [N,H,W,3] -> [N,dim] real */
hr_tensor *hr_resnet_run(const hr_resnet *net, const hr_pass *pass, hr_tensor *image);

#endif
