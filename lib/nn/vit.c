/* vit.c - vision transformers (Dosovitskiy et al. 2021), with timm's parameter names.
 *
 *   t = (class; patches W + b) + position
 *   t = t + keep attention(LN(t))            in each block, then
 *   t = t + keep fc2(GELU(fc1(LN(t))))
 *   LN(t)                                    after the last block
 *
 * keep: factor of stochastic depth (Huang et al. 2016) for each image and branch: 0 with
 * probability p_b, else 1 / (1 - p_b), where p_b = b p / (depth - 1) for block b. Tokens
 * [N (P+1), D] have the activation type; the class token comes first, then the patches row by row.
 */
#include "nn/vit.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/rng.h"

static const double NORM_EPS = 1e-6; /* epsilon of all layer norms, as in DINO and MoCo v3 */
static const double NORMAL = 0.02, CLASS_OF_XAVIER = 1e-6;

enum { RATIO = 4, CHANNELS = 3, BRANCHES = 2 };

bool hr_vit_named(hr_vit_shape *shape, const char *name)
{
    static const struct {
        const char *name;
        hr_vit_shape shape;
    } known[] = {
        { "vit_micro_patch4_32", { 128, 4, 4, 4, 32, false, HR_VIT_NORMAL, 0 } },
        { "vit_tiny_patch16_224", { 192, 12, 3, 16, 224, false, HR_VIT_NORMAL, 0 } },
        { "vit_small_patch16_224", { 384, 12, 6, 16, 224, false, HR_VIT_NORMAL, 0 } },
        { "vit_base_patch16_224", { 768, 12, 12, 16, 224, false, HR_VIT_NORMAL, 0 } },
        { "vit_large_patch16_224", { 1024, 24, 16, 16, 224, false, HR_VIT_NORMAL, 0 } },
    };

    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (!strcmp(name, known[i].name)) {
            *shape = known[i].shape;
            return true;
        }
    return false;
}

/* ---- parameters ---- */

typedef struct first {
    hr_first kind;
    double fan;
} first;

static hirl_status add(int32_t *slot, hr_layout *params, const char *name, const char *part,
                       first value, int32_t rank, const int64_t *dim)
{
    char full[HR_SLOT_NAME];

    hr_slot_name(full, name, part);
    *slot = hr_layout_add(params, full, value.kind, value.fan, rank, dim);
    return *slot < 0 ? *slot : HIRL_OK;
}

static hirl_status add_norm(hr_vit_pair *pair, hr_layout *params, const char *name, int64_t dim)
{
    HR_TRY(add(&pair->weight, params, name, ".weight", (first){ HR_FIRST_ONE, 1 }, 1, &dim));
    return add(&pair->bias, params, name, ".bias", (first){ HR_FIRST_ZERO, 1 }, 1, &dim);
}

/* parts: number of matrices in the weight that Xavier treats separately (3 for Q, K and V) */
static hirl_status add_linear(hr_vit_pair *pair, hr_layout *params, const char *name,
                              hr_vit_first how, int64_t in, int64_t out, int64_t parts)
{
    first value = { HR_FIRST_NORMAL, NORMAL };

    if (how == HR_VIT_XAVIER)
        value = (first){ HR_FIRST_RANGE, sqrt(6 / (double)(in + out / parts)) };
    HR_TRY(add(&pair->weight, params, name, ".weight", value, 2, (int64_t[]){ out, in }));
    return add(&pair->bias, params, name, ".bias", (first){ HR_FIRST_ZERO, 1 }, 1, &out);
}

static hirl_status add_embedding(hr_vit *net, hr_layout *params)
{
    const hr_vit_shape *s = &net->shape;
    int64_t side = s->image_size / s->patch, dim = s->dim, inputs = CHANNELS * s->patch * s->patch;
    int64_t weight[4] = { dim, s->patch, s->patch, CHANNELS };
    bool xavier = s->first == HR_VIT_XAVIER;
    first class_token = { HR_FIRST_NORMAL, xavier ? CLASS_OF_XAVIER : NORMAL };
    first position = { s->sincos ? HR_FIRST_SINCOS : HR_FIRST_NORMAL, NORMAL };
    first patch = { HR_FIRST_UNIFORM, (double)inputs }, bias = patch;

    if (xavier) {
        patch = (first){ HR_FIRST_RANGE, sqrt(6 / (double)(inputs + dim)) };
        bias = (first){ HR_FIRST_ZERO, 1 };
    }
    HR_TRY(
        add(&net->class_token, params, "cls_token", "", class_token, 3, (int64_t[]){ 1, 1, dim }));
    HR_TRY(add(&net->position, params, "pos_embed", "", position, 3,
               (int64_t[]){ 1, 1 + side * side, dim }));
    HR_TRY(add(&net->patch.weight, params, "patch_embed.proj", ".weight", patch, 4, weight));
    return add(&net->patch.bias, params, "patch_embed.proj", ".bias", bias, 1, &dim);
}

static hirl_status add_block(hr_vit_block *block, hr_layout *params, const hr_vit_shape *s, int i)
{
    char at[HR_SLOT_NAME], name[HR_SLOT_NAME];

    snprintf(at, sizeof at, "blocks.%d", i);
    hr_slot_name(name, at, ".norm1");
    HR_TRY(add_norm(&block->norm1, params, name, s->dim));
    hr_slot_name(name, at, ".attn.qkv");
    HR_TRY(add_linear(&block->qkv, params, name, s->first, s->dim, 3 * s->dim, 3));
    hr_slot_name(name, at, ".attn.proj");
    HR_TRY(add_linear(&block->proj, params, name, s->first, s->dim, s->dim, 1));
    hr_slot_name(name, at, ".norm2");
    HR_TRY(add_norm(&block->norm2, params, name, s->dim));
    hr_slot_name(name, at, ".mlp.fc1");
    HR_TRY(add_linear(&block->fc1, params, name, s->first, s->dim, RATIO * s->dim, 1));
    hr_slot_name(name, at, ".mlp.fc2");
    return add_linear(&block->fc2, params, name, s->first, RATIO * s->dim, s->dim, 1);
}

static hirl_status check_shape(const hr_vit_shape *s)
{
    if (s->depth < 1 || s->depth > HR_VIT_BLOCKS)
        return hr_fail(HIRL_E_INVALID, "vit_depth: %d blocks; wanted 1 to %d", (int)s->depth,
                       HR_VIT_BLOCKS);
    if (s->heads < 1 || s->dim < 1 || s->dim % s->heads)
        return hr_fail(HIRL_E_INVALID, "vit_heads: %d heads do not divide %lld columns",
                       (int)s->heads, (long long)s->dim);
    if (s->patch < 1 || s->image_size < s->patch || s->image_size % s->patch)
        return hr_fail(HIRL_E_INVALID,
                       "image_size: %d pixels are not a multiple of the patch size %d (patch_size)",
                       (int)s->image_size, (int)s->patch);
    if (s->sincos && s->dim % 4)
        return hr_fail(HIRL_E_INVALID,
                       "vit_dim: sine-cosine positions need a multiple of 4, not %lld",
                       (long long)s->dim);
    if (!(s->drop_path >= 0 && s->drop_path < 1))
        return hr_fail(HIRL_E_INVALID, "drop_path: %g is not in [0, 1)", s->drop_path);
    return HIRL_OK;
}

hirl_status hr_vit_init(hr_vit *net, hr_layout *params, const hr_vit_shape *shape)
{
    HR_TRY(check_shape(shape));
    *net = (hr_vit){ .shape = *shape };
    HR_TRY(add_embedding(net, params));
    for (int i = 0; i < shape->depth; i++)
        HR_TRY(add_block(&net->block[i], params, shape, i));
    return add_norm(&net->norm, params, "norm", shape->dim);
}

/* ---- stochastic depth ---- */

static double rate_of(const hr_vit_shape *s, int block)
{
    return s->depth > 1 ? s->drop_path * block / (s->depth - 1) : 0;
}

int64_t hr_vit_branches(const hr_vit *net)
{
    return net->shape.drop_path > 0 ? (int64_t)BRANCHES * net->shape.depth : 0;
}

int64_t hr_vit_grid(const hr_vit *net)
{
    return net->shape.image_size / net->shape.patch;
}

void hr_vit_draw_keep(real *keep, int64_t stride, const hr_vit *net, hr_vit_row row, uint64_t seed,
                      int64_t step)
{
    for (int b = 0; b < net->shape.depth; b++) {
        double rate = rate_of(&net->shape, b);
        hr_rng rng;

        hr_rng_init(&rng, seed, HR_RNG_DROP, (uint32_t)row.view, (uint32_t)step,
                    (uint32_t)row.image);
        hr_rng_seek(&rng, (uint32_t)b);
        for (int k = 0; k < BRANCHES; k++)
            keep[(BRANCHES * b + k) * stride] =
                (real)(hr_rng_uniform(&rng) < rate ? 0 : 1 / (1 - rate));
    }
}

/* x + branch, scaled by the factors of stochastic depth if there are any */
static hr_tensor *add_branch(hr_tape *t, hr_tensor *x, hr_tensor *branch, const hr_array *keep,
                             int place)
{
    hr_array factors;

    if (!keep->data || place < BRANCHES) /* the first block is never dropped */
        return hr_add(t, x, branch);
    factors = hr_slice(keep, place, 1);
    return hr_add_kept(t, x, branch, &factors);
}

/* ---- network ---- */

static hr_tensor *norm_run(const hr_vit_pair *pair, const hr_pass *pass, hr_tensor *x)
{
    return hr_layer_norm(pass->tape, x, hr_weight(pass->tape, pass->weights, pair->weight),
                         hr_weight(pass->tape, pass->weights, pair->bias), NORM_EPS);
}

static hr_tensor *linear_run(const hr_vit_pair *pair, const hr_pass *pass, hr_tensor *x)
{
    return hr_linear(pass->tape, x, hr_weight_cast(pass->tape, pass->weights, pair->weight),
                     hr_weight(pass->tape, pass->weights, pair->bias));
}

/* [N,S,S,3] -> [N,h,w,D] */
static hr_tensor *embed(const hr_vit *net, const hr_pass *pass, hr_tensor *image)
{
    hr_tape *t = pass->tape;
    hr_tensor *weight = hr_weight_cast(t, pass->weights, net->patch.weight);
    hr_tensor *bias = hr_weight(t, pass->weights, net->patch.bias);

    if (net->frozen_patch) {
        weight = hr_detach(t, weight);
        bias = hr_detach(t, bias);
    }
    return hr_bias(t, hr_conv(t, image, weight, net->shape.patch, 0), bias);
}

/* [1, 1 + side^2, D] */
static hr_tensor *positions(const hr_vit *net, const hr_pass *pass, int64_t side,
                            const hr_array *weight)
{
    hr_tensor *table = hr_weight(pass->tape, pass->weights, net->position);

    if (net->shape.sincos)
        table = hr_detach(pass->tape, table);
    return hr_resize_positions(pass->tape, table, side, weight);
}

static hr_tensor *run_block(const hr_vit *net, int i, const hr_pass *pass, hr_tensor *x,
                            int64_t rows, const hr_array *keep)
{
    const hr_vit_block *block = &net->block[i];
    hr_tape *t = pass->tape;
    hr_tensor *y = linear_run(&block->qkv, pass, norm_run(&block->norm1, pass, x)); /* [N T, 3 D] */

    y = linear_run(&block->proj, pass, hr_attention(t, y, rows, net->shape.heads));
    x = add_branch(t, x, y, keep, BRANCHES * i);
    y = linear_run(&block->fc1, pass, norm_run(&block->norm2, pass, x)); /* [N T, 4 D] */
    y = linear_run(&block->fc2, pass, hr_gelu(t, y));
    return add_branch(t, x, y, keep, BRANCHES * i + 1);
}

hr_tensor *hr_vit_run(const hr_vit *net, const hr_pass *pass, hr_tensor *image,
                      const hr_vit_input *input, int32_t mask_token)
{
    static const hr_vit_input nothing;
    hr_tape *t = pass->tape;
    int64_t side = image->x.dim[1] / net->shape.patch;
    char found[HR_SHAPE];
    hr_tensor *x;

    if (image->x.rank != 4 || image->x.dim[1] != image->x.dim[2] || side < 1 ||
        image->x.dim[1] % net->shape.patch)
        return hr_tape_fail(t, HIRL_E_INVALID,
                            "vit: image is %s; wanted [N,S,S,3], S a multiple of the patch size %d",
                            hr_shape(found, &image->x), (int)net->shape.patch);
    input = input ? input : &nothing;
    x = embed(net, pass, image); /* [N,h,w,D] */
    if (input->masked.data)
        x = hr_mask_tokens(t, x, hr_weight(t, pass->weights, mask_token), &input->kept,
                           &input->masked);
    x = hr_tokens(t, x, hr_weight(t, pass->weights, net->class_token),
                  positions(net, pass, side, &input->positions));
    for (int i = 0; i < net->shape.depth; i++)
        x = run_block(net, i, pass, x, 1 + side * side, &input->keep);
    return norm_run(&net->norm, pass, x);
}

/* tokens of one image; at least 1, so that a failed tensor is reported by the next operation */
static int64_t tokens_of(const hr_tensor *tokens, int64_t images)
{
    int64_t rows = images > 0 ? hr_rows_of(&tokens->x) / images : 0;

    return rows > 0 ? rows : 1;
}

hr_tensor *hr_vit_class(const hr_pass *pass, hr_tensor *tokens, int64_t images)
{
    return hr_convert(pass->tape, hr_strip(pass->tape, tokens, tokens_of(tokens, images), 0, 1),
                      HR_REAL);
}

hr_tensor *hr_vit_patches(const hr_pass *pass, hr_tensor *tokens, int64_t images)
{
    int64_t rows = tokens_of(tokens, images);

    return hr_strip(pass->tape, tokens, rows, 1, rows - 1);
}
