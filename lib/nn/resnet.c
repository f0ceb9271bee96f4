/* resnet.c - ResNet-18, -34, -50 (He et al. 2016; torchvision's "v1.5": stride in the 3x3).
 *
 *   stem:   conv 7x7/2, BN, ReLU, max-pool 3x3/2     (small: conv 3x3/1, BN, ReLU)
 *   basic:  v = relu(BN(conv3(relu(BN(conv3(x))))) + shortcut(x))
 *   bottleneck: the same with the convolutions 1x1, 3x3 (stride), 1x1 (four times the channels)
 *   at the end: mean over H, W
 */
#include "nn/resnet.h"

#include <math.h>
#include <stdio.h>

#include "base/error.h"

enum { STAGES = 4, BASE_CHANNELS = 64, EXPANSION = 4 };

static hirl_status add_conv(hr_conv_slots *c, hr_layout *params, const char *name, int64_t in,
                            int64_t out, int32_t kernel, int32_t stride)
{
    int64_t shape[4] = { out, kernel, kernel, in };
    char full[HR_SLOT_NAME];

    hr_slot_name(full, name, ".weight");
    c->stride = stride;
    c->pad = kernel / 2;
    c->weight =
        hr_layout_add(params, full, HR_FIRST_KAIMING, (double)(out * kernel * kernel), 4, shape);
    return c->weight < 0 ? c->weight : HIRL_OK;
}

typedef struct builder {
    hr_layout *params, *norms;
    bool bottleneck, zero_init;
    int64_t in; /* input channels of the next block */
} builder;

static hirl_status add_branch_conv(hr_block *block, builder *b, const char *name, int64_t in,
                                   int64_t out, int32_t kernel, int32_t stride, bool last)
{
    int i = block->convs++;
    char full[HR_SLOT_NAME];

    snprintf(full, sizeof full, "%s.conv%d", name, i + 1);
    HR_TRY(add_conv(&block->conv[i], b->params, full, in, out, kernel, stride));
    snprintf(full, sizeof full, "%s.bn%d", name, i + 1);
    return hr_norm_add(&block->conv[i].norm, b->params, b->norms, full, out, last && b->zero_init);
}

static hirl_status add_block(hr_block *block, builder *b, const char *name, int64_t channels,
                             int32_t stride)
{
    int64_t out = b->bottleneck ? EXPANSION * channels : channels;
    char full[HR_SLOT_NAME];

    if (b->bottleneck) {
        HR_TRY(add_branch_conv(block, b, name, b->in, channels, 1, 1, false));
        HR_TRY(add_branch_conv(block, b, name, channels, channels, 3, stride, false));
        HR_TRY(add_branch_conv(block, b, name, channels, out, 1, 1, true));
    } else {
        HR_TRY(add_branch_conv(block, b, name, b->in, channels, 3, stride, false));
        HR_TRY(add_branch_conv(block, b, name, channels, out, 3, 1, true));
    }
    block->has_shortcut = stride != 1 || b->in != out;
    if (block->has_shortcut) {
        hr_slot_name(full, name, ".downsample.0");
        HR_TRY(add_conv(&block->shortcut, b->params, full, b->in, out, 1, stride));
        hr_slot_name(full, name, ".downsample.1");
        HR_TRY(hr_norm_add(&block->shortcut.norm, b->params, b->norms, full, out, false));
    }
    b->in = out;
    return HIRL_OK;
}

static const int32_t *stage_blocks(int32_t depth)
{
    static const int32_t eighteen[STAGES] = { 2, 2, 2, 2 }, thirty_four[STAGES] = { 3, 4, 6, 3 };

    /* 50 has as many blocks as 34, with three convolutions each */
    return depth == 18 ? eighteen : thirty_four;
}

hirl_status hr_resnet_init(hr_resnet *net, hr_layout *params, hr_layout *norms, int32_t depth,
                           double width, bool small, bool zero_init)
{
    int64_t base = (int64_t)floor(BASE_CHANNELS * width + 0.5);
    builder b = { params, norms, depth == 50, zero_init, base };

    *net = (hr_resnet){ .small = small };
    if (depth != 18 && depth != 34 && depth != 50)
        return hr_fail(HIRL_E_INVALID, "resnet: depth %d is none of 18, 34, 50", (int)depth);
    if (base < 1)
        return hr_fail(HIRL_E_INVALID, "width: %g leaves a ResNet without channels", width);
    HR_TRY(add_conv(&net->stem, params, "conv1", 3, base, small ? 3 : 7, small ? 1 : 2));
    HR_TRY(hr_norm_add(&net->stem.norm, params, norms, "bn1", base, false));
    for (int s = 0; s < STAGES; s++)
        for (int i = 0; i < stage_blocks(depth)[s]; i++) {
            char name[HR_SLOT_NAME];

            snprintf(name, sizeof name, "layer%d.%d", s + 1, i);
            HR_TRY(add_block(&net->block[net->blocks++], &b, name, base << s, s && !i ? 2 : 1));
        }
    net->dim = b.in;
    return HIRL_OK;
}

static hr_tensor *conv_norm(const hr_conv_slots *c, const hr_pass *pass, hr_tensor *x,
                            hr_tensor *add, bool relu)
{
    hr_tensor *w = hr_weight_cast(pass->tape, pass->weights, c->weight);
    hr_geometry geo = { (int32_t)w->x.dim[1], c->stride, c->pad };
    hr_norm norm = hr_norm_of(&c->norm, pass);

    return hr_conv_norm(pass->tape, x, w, geo, &norm, add, relu);
}

static hr_tensor *run_block(const hr_block *block, const hr_pass *pass, hr_tensor *x)
{
    hr_tensor *shortcut = x, *y = x;

    if (block->has_shortcut)
        shortcut = conv_norm(&block->shortcut, pass, x, NULL, false);
    for (int i = 0; i + 1 < block->convs; i++)
        y = conv_norm(&block->conv[i], pass, y, NULL, true);
    return hr_write(pass->tape, conv_norm(&block->conv[block->convs - 1], pass, y, shortcut, true));
}

hr_tensor *hr_resnet_run(const hr_resnet *net, const hr_pass *pass, hr_tensor *image)
{
    hr_tensor *x = conv_norm(&net->stem, pass, image, NULL, true);

    x = net->small ? hr_write(pass->tape, x) : hr_max_pool(pass->tape, x, 3, 2, 1);
    for (int i = 0; i < net->blocks; i++)
        x = run_block(&net->block[i], pass, x);
    return hr_mean_pool(pass->tape, x);
}
