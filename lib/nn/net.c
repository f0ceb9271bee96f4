/* net.c - the whole network: backbone, head, predictor or last layer, HIRL's heads h_l. */
#include "nn/net.h"

#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "methods.h"

#define KEY(name, type, standard, low, high, choices, autos, unit, help)                           \
    {                                                                                              \
#name, type, standard, low, high, choices, autos, unit, help,                              \
            offsetof(hr_model_config, name)                                                        \
    }

static const hr_key keys[] = {
    KEY(method, HR_KEY_CHOICE, "mocov2", 0, 0, HR_METHOD_WORDS, false, "",
        "self-supervised method; own: the application computes the loss"),
    KEY(arch, HR_KEY_CHOICE, "resnet50", 0, 0,
        "resnet18 resnet34 resnet50 vit_micro_patch4_32 vit_tiny_patch16_224 vit_small_patch16_224 "
        "vit_base_patch16_224 vit_large_patch16_224",
        false, "", "architecture of the encoder"),
    KEY(width, HR_KEY_REAL, "1", 0.03125, 4, NULL, false, "", "factor on the channels of a ResNet"),
    KEY(stem, HR_KEY_CHOICE, "normal", 0, 0, "normal small", false, "",
        "first layer of a ResNet; normal: 7x7 stride 2 and max-pool; small: 3x3 stride 1, for "
        "images of about 32 pixels"),
    KEY(zero_init_residual, HR_KEY_FLAG, "0", 0, 1, NULL, false, "",
        "the scale of the last batch norm of each residual branch starts at 0"),
    KEY(image_size, HR_KEY_INT, "224", 8, 1024, NULL, false, "pixels",
        "side of the images that the encoder gets"),
    KEY(patch_size, HR_KEY_INT, "auto", 1, 64, NULL, true, "pixels",
        "side of a ViT's patches; auto: as the name of arch states"),
    KEY(vit_dim, HR_KEY_INT, "auto", 8, 4096, NULL, true, "",
        "columns of a ViT's tokens; auto: the usual value for arch"),
    KEY(vit_depth, HR_KEY_INT, "auto", 1, 64, NULL, true, "",
        "blocks of a ViT; auto: the usual value for arch"),
    KEY(vit_heads, HR_KEY_INT, "auto", 1, 64, NULL, true, "",
        "attention heads of a ViT; auto: the usual value for arch; vit_small has 6, but the "
        "official MoCo v3 uses 12"),
    KEY(positions, HR_KEY_CHOICE, "learned", 0, 0, "learned sincos", false, "",
        "position embeddings of a ViT; sincos: a fixed table of sines and cosines"),
    KEY(vit_init, HR_KEY_CHOICE, "normal", 0, 0, "normal xavier", false, "",
        "initial weights of a ViT; normal: standard deviation 0.02 (DINO); xavier (MoCo v3)"),
    KEY(frozen_patch, HR_KEY_FLAG, "0", 0, 1, NULL, false, "",
        "a ViT's patch embedding keeps its initial values"),
    KEY(drop_path, HR_KEY_REAL, "0", 0, 0.9, NULL, false, "",
        "stochastic depth of a ViT: rate of the last block; grows linearly from 0 in the first"),
    KEY(z_dim, HR_KEY_INT, "128", 2, 16384, NULL, false, "",
        "columns of z0, the output of the head"),
    KEY(hidden_dim, HR_KEY_INT, "2048", 2, 65536, NULL, false, "",
        "width that the word hidden stands for in head"),
    KEY(predictor_dim, HR_KEY_INT, "512", 2, 65536, NULL, false, "",
        "width that the word hidden stands for in predictor"),
    KEY(out_dim, HR_KEY_INT, "3000", 2, 1048576, NULL, false, "",
        "number of prototypes (SwAV) or of outputs (DINO, iBOT)"),
    KEY(head, HR_KEY_TEXT, "mlp in z", 0, 0, NULL, false, "",
        "layers from the encoder to z0: mlp, widths of the linear layers, then any of bn bias gelu "
        "out_bn normal"),
    KEY(predictor, HR_KEY_TEXT, "", 0, 0, NULL, false, "",
        "layers after z0, in the online network only; written as head; empty: none"),
    KEY(last, HR_KEY_CHOICE, "none", 0, 0, "none prototypes weight_norm", false, "",
        "last layer: scores of the normalised z0 by unit prototypes, or by a weight-norm layer"),
    KEY(mask_token, HR_KEY_FLAG, "0", 0, 1, NULL, false, "",
        "a ViT has a mask token, to mask patches (iBOT)"),
    KEY(head_layers, HR_KEY_INT, "2", 1, 8, NULL, false, "",
        "linear layers of each projection head h_l"),
    KEY(levels, HR_KEY_INT, "0", 0, HR_LEVELS, NULL, false, "",
        "projection heads h_l of a model created without a trainer; a trainer has one for each "
        "level of its prototypes"),
    KEY(seed, HR_KEY_INT, "0", 0, 9007199254740992.0, NULL, false, "",
        "seed of all random numbers"),
    { "mean", HR_KEY_TEXT, "0.485,0.456,0.406", 0, 0, NULL, false, "",
      "mean of the colours, 0 to 1, subtracted from the input; auto: that of the data",
      offsetof(hr_model_config, mean_text) },
    { "std", HR_KEY_TEXT, "0.229,0.224,0.225", 0, 0, NULL, false, "",
      "standard deviation of the colours, divides the input; auto: that of the data",
      offsetof(hr_model_config, std_text) },
};

const hr_keys hr_model_keys = { "model", keys, sizeof keys / sizeof *keys };

/* the architectures, in the order of the key `arch` */
static const struct {
    const char *name;
    int32_t resnet; /* depth; 0: a transformer */
} archs[] = {
    { "resnet18", 18 },
    { "resnet34", 34 },
    { "resnet50", 50 },
    { "vit_micro_patch4_32", 0 },
    { "vit_tiny_patch16_224", 0 },
    { "vit_small_patch16_224", 0 },
    { "vit_base_patch16_224", 0 },
    { "vit_large_patch16_224", 0 },
};

bool hr_arch_is_vit(int64_t arch)
{
    return !archs[arch].resnet;
}

int64_t hr_model_patch(const hr_model_config *config)
{
    hr_vit_shape shape;

    if (config->patch_size != HR_AUTO)
        return config->patch_size;
    return hr_vit_named(&shape, archs[config->arch].name) ? shape.patch : 1;
}

const char *hr_arch_name(int64_t arch)
{
    return archs[arch].name;
}

static hirl_status three_numbers(double value[3], const char *name, const char *text)
{
    const hr_key key = { .name = name, .type = HR_KEY_REAL, .low = -100, .high = 100 };
    char copy[HR_KEY_TEXT_BYTES], *rest = copy, *part;
    int n = 0;

    snprintf(copy, sizeof copy, "%s", text);
    while ((part = strsep(&rest, ",")) && n < 3)
        HR_TRY(hr_key_parse(&value[n++], &key, part));
    if (n != 3 || part)
        return hr_fail(HIRL_E_INVALID, "%s: \"%s\" is not three numbers, as in 0.5,0.5,0.5", name,
                       text);
    return HIRL_OK;
}

static void take_named(int64_t *to, int64_t named)
{
    if (*to == HR_AUTO)
        *to = named;
}

/* replaces HR_AUTO by the values of the named ViT */
static void name_shape(hr_model_config *c)
{
    hr_vit_shape shape;

    if (!hr_vit_named(&shape, archs[c->arch].name))
        return;
    take_named(&c->patch_size, shape.patch);
    take_named(&c->vit_dim, shape.dim);
    take_named(&c->vit_depth, shape.depth);
    take_named(&c->vit_heads, shape.heads);
}

hirl_status hr_model_config_read(hr_model_config *config, const hirl_options *options)
{
    HR_TRY(hr_options_read(config, &hr_model_keys, options));
    config->exif = -1;
    if (strcmp(config->mean_text, "auto"))
        HR_TRY(three_numbers(config->mean, "mean", config->mean_text));
    if (strcmp(config->std_text, "auto"))
        HR_TRY(three_numbers(config->std, "std", config->std_text));
    name_shape(config);
    for (int i = 0; i < 3 && strcmp(config->std_text, "auto"); i++)
        if (config->std[i] <= 0)
            return hr_fail(HIRL_E_INVALID, "std: %g is not above 0", config->std[i]);
    return HIRL_OK;
}

/* ---- creation ---- */

static void take_given(int32_t *to, int64_t given)
{
    if (given != HR_AUTO)
        *to = (int32_t)given;
}

static hirl_status add_vit(hr_net *net, const hr_model_config *c)
{
    hr_vit_shape shape;

    if (!hr_vit_named(&shape, archs[c->arch].name))
        return hr_fail(HIRL_E_INTERNAL, "%s has no shape", archs[c->arch].name);
    if (c->vit_dim != HR_AUTO)
        shape.dim = c->vit_dim;
    take_given(&shape.depth, c->vit_depth);
    take_given(&shape.heads, c->vit_heads);
    take_given(&shape.patch, c->patch_size);
    shape.image_size = (int32_t)c->image_size;
    shape.sincos = c->positions == 1;
    shape.first = c->vit_init == 1 ? HR_VIT_XAVIER : HR_VIT_NORMAL;
    shape.drop_path = c->drop_path;
    net->is_vit = true;
    net->backbone_dim = shape.dim;
    HR_TRY(hr_vit_init(&net->vit, &net->params, &shape));
    net->vit.frozen_patch = c->frozen_patch;
    return HIRL_OK;
}

static hirl_status add_backbone(hr_net *net, const hr_model_config *c)
{
    if (hr_arch_is_vit(c->arch)) {
        HR_TRY(add_vit(net, c));
    } else {
        HR_TRY(hr_resnet_init(&net->resnet, &net->params, &net->norms, archs[c->arch].resnet,
                              c->width, c->stem == 1, c->zero_init_residual));
        net->backbone_dim = net->resnet.dim;
    }
    net->backbone_params = net->params.count;
    net->backbone_norms = net->norms.count;
    return HIRL_OK;
}

static hirl_status add_head(hr_net *net, const hr_model_config *c)
{
    hr_mlp_words words = { net->backbone_dim, c->hidden_dim, c->z_dim };
    hr_mlp_shape shape;

    HR_TRY(hr_mlp_parse(&shape, "head", c->head, &words));
    HR_TRY(hr_mlp_init(&net->head, &net->params, &net->norms, "head", net->backbone_dim, &shape));
    net->z_dim = net->head.out;
    return HIRL_OK;
}

static hirl_status add_rows(hr_net *net, const hr_model_config *c, const char *name)
{
    int64_t shape[2] = { c->out_dim, net->z_dim };

    net->last_kind = (int32_t)c->last;
    net->out_dim = c->out_dim;
    net->last = hr_layout_add(&net->params, name, HR_FIRST_UNIFORM, (double)net->z_dim, 2, shape);
    return net->last < 0 ? net->last : HIRL_OK;
}

static hirl_status add_predictor(hr_net *net, const hr_model_config *c)
{
    hr_mlp_words words = { net->z_dim, c->predictor_dim, net->z_dim };
    hr_mlp_shape shape;

    if (!*c->predictor)
        return HIRL_OK;
    if (c->last)
        return hr_fail(
            HIRL_E_INVALID,
            "predictor=\"%.40s\" cannot be used with a last layer (last): give one of them",
            c->predictor);
    HR_TRY(hr_mlp_parse(&shape, "predictor", c->predictor, &words));
    HR_TRY(
        hr_mlp_init(&net->predictor, &net->params, &net->norms, "predictor", net->z_dim, &shape));
    net->has_predictor = true;
    net->out_dim = net->predictor.out;
    return HIRL_OK;
}

static hirl_status add_mask_token(hr_net *net, const hr_model_config *c)
{
    int64_t shape[2] = { 1, net->backbone_dim };

    if (!c->mask_token)
        return HIRL_OK;
    if (!net->is_vit)
        return hr_fail(HIRL_E_INVALID, "mask_token: %s has no patches; choose a vit for arch",
                       hr_arch_name(c->arch));
    net->mask_token = hr_layout_add(&net->params, "mask_token", HR_FIRST_ZERO, 1, 2, shape);
    return net->mask_token < 0 ? net->mask_token : HIRL_OK;
}

static hirl_status add_paths(hr_net *net, const hr_model_config *c, int32_t levels)
{
    net->levels = levels;
    for (int l = 0; l < levels; l++) {
        char name[16];

        snprintf(name, sizeof name, "h.%d", l);
        HR_TRY(hr_mlp_path(&net->path[l], &net->params, &net->norms, name, net->z_dim,
                           (int32_t)c->head_layers));
    }
    return HIRL_OK;
}

static hirl_status add_all(hr_net *net, const hr_model_config *c, int32_t levels)
{
    HR_TRY(add_backbone(net, c));
    HR_TRY(add_head(net, c));
    if (c->last == HR_LAST_WEIGHT_NORM)
        HR_TRY(add_rows(net, c, "last_layer.weight"));
    net->shared_params = net->params.count;
    net->shared_norms = net->norms.count;
    HR_TRY(add_predictor(net, c));
    if (c->last == HR_LAST_PROTOTYPES)
        HR_TRY(add_rows(net, c, "prototypes.weight"));
    HR_TRY(add_mask_token(net, c));
    net->method_params = net->params.count;
    net->method_norms = net->norms.count;
    return add_paths(net, c, levels);
}

hirl_status hr_net_init(hr_net *net, const hr_model_config *config, int32_t levels)
{
    hirl_status status;

    *net = (hr_net){ .last = -1, .mask_token = -1 };
    status = add_all(net, config, levels);
    if (status < 0)
        hr_net_done(net);
    return status;
}

hirl_status hr_net_check(const hr_model_config *config)
{
    hr_net net;

    HR_TRY(hr_net_init(&net, config, 0));
    hr_net_done(&net);
    return HIRL_OK;
}

void hr_net_done(hr_net *net)
{
    hr_layout_done(&net->params);
    hr_layout_done(&net->norms);
}

/* ---- forward pass ---- */

hr_features hr_net_encode(const hr_net *net, const hr_pass *pass, hr_tensor *image,
                          const hr_vit_input *input)
{
    hr_features f = { NULL, NULL };

    if (!net->is_vit) {
        f.pooled = hr_resnet_run(&net->resnet, pass, image);
        return f;
    }
    f.tokens = hr_vit_run(&net->vit, pass, image, input, net->mask_token);
    f.pooled = hr_vit_class(pass, f.tokens, image->x.dim[0]);
    return f;
}

hr_tensor *hr_net_head(const hr_net *net, const hr_pass *pass, hr_tensor *x)
{
    return hr_mlp_run(&net->head, pass, x);
}

hr_tensor *hr_net_z0(const hr_net *net, const hr_pass *pass, hr_tensor *image,
                     const hr_vit_input *input)
{
    return hr_net_head(net, pass, hr_net_encode(net, pass, image, input).pooled);
}

hr_tensor *hr_net_out(const hr_net *net, const hr_pass *pass, hr_tensor *z0)
{
    hr_tape *t = pass->tape;
    hr_tensor *rows;

    if (net->has_predictor && pass->weights->slots > net->shared_params)
        return hr_mlp_run(&net->predictor, pass, z0);
    if (net->last < 0 || net->last >= pass->weights->slots)
        return NULL;
    rows = hr_weight(t, pass->weights, net->last); /* [K,d] */
    if (net->last_kind == HR_LAST_WEIGHT_NORM)
        rows = hr_normalize(t, rows);
    return hr_linear(t, hr_normalize(t, z0), rows, NULL);
}

hr_tensor *hr_net_path(const hr_net *net, const hr_pass *pass, int32_t level, hr_tensor *z0)
{
    return hr_mlp_run(&net->path[level], pass, z0);
}

int64_t hr_net_patches(const hr_net *net, int64_t size)
{
    return net->is_vit ? (size / net->vit.shape.patch) * (size / net->vit.shape.patch) : 0;
}

hirl_status hr_net_layer(int32_t *layer, const hr_net *net, const char *name)
{
    if (!strcmp(name, "backbone")) {
        *layer = HR_LAYER_BACKBONE;
        return HIRL_OK;
    }
    if (name[0] == 'z' && name[1] >= '0' && name[1] <= '9' && !name[2] &&
        name[1] - '0' <= net->levels) {
        *layer = name[1] - '0' - 1;
        return HIRL_OK;
    }
    if (!net->levels)
        return hr_fail(HIRL_E_INVALID,
                       "layer: \"%s\" is neither backbone nor z0; only the online network of a run "
                       "with hirl=1 has z1 and above (network=online)",
                       name);
    return hr_fail(HIRL_E_INVALID, "layer: \"%s\" is none of backbone, z0 to z%c", name,
                   '0' + net->levels);
}

int64_t hr_net_layer_dim(const hr_net *net, int32_t layer)
{
    return layer == HR_LAYER_BACKBONE ? net->backbone_dim : net->z_dim;
}

static hr_tensor *run_layer(const hr_net *net, const hr_pass *pass, int32_t layer, hr_tensor *image,
                            const hr_vit_input *input)
{
    hr_tensor *x;

    if (layer == HR_LAYER_BACKBONE)
        return hr_net_encode(net, pass, image, input).pooled;
    x = hr_net_z0(net, pass, image, input);
    return layer == HR_LAYER_Z0 ? x : hr_net_path(net, pass, layer, x);
}

/* hr_position_weights for images of this size; no array if it is the size of the position table */
static hr_array positions_for(const hr_net *net, hr_tape *t, int64_t size)
{
    int64_t from = net->is_vit ? hr_vit_grid(&net->vit) : 0;
    int64_t to = net->is_vit ? size / net->vit.shape.patch : 0, cols = 1 + from * from;
    real *host;
    hr_array weight;

    if (from == to || to < 1)
        return (hr_array){ 0 };
    host = hr_tape_take(t, (size_t)((1 + to * to) * cols) * sizeof *host);
    weight = hr_tape_array(t, HR_REAL, 2, (int64_t[]){ 1 + to * to, cols });
    if (hr_tape_status(t) < 0)
        return (hr_array){ 0 };
    hr_position_weights(host, from, to);
    t->q->be->upload(t->q, &weight, host, HR_REAL);
    return weight;
}

hirl_status hr_net_embed(float *features, const hr_net *net, const hr_weights *weights,
                         hr_tape *tape, int32_t layer, const float *input, int64_t n, int64_t size)
{
    hr_pass pass = { .tape = tape, .weights = weights, .groups = 1, .running_groups = 1 };
    int64_t shape[4] = { n, size, size, 3 };
    hr_queue *q = tape->q;
    hirl_status status;
    hr_array image;

    hr_tape_reset(tape);
    tape->training = tape->recording = false;
    image = hr_tape_array(tape, tape->type, 4, shape);
    if (image.data) {
        hr_vit_input positions = { .positions = positions_for(net, tape, size) };
        hr_tensor *out;

        q->be->upload(q, &image, input, HR_F32);
        out = run_layer(net, &pass, layer, hr_wrap(tape, &image, NULL), &positions);
        if (hr_tape_status(tape) >= 0)
            q->be->download(q, features, HR_F32, &out->x);
    }
    status = hr_tape_status(tape);
    if (status >= 0)
        status = q->be->sync(q);
    hr_tape_reset(tape);
    return status;
}
