/* net.c - the network of a run: backbone, the method's head, HIRL's heads h_l (HIRL sec. 4.2).
 *
 *   backbone(x) -> head -> z0;   h_l(z0), l = 1..L, side by side
 */
#include "nn/net.h"

#include <stdio.h>
#include <string.h>

#include "base/error.h"

#define KEY(name, type, standard, low, high, choices, autos, unit, help)                           \
    {                                                                                              \
#name, type, standard, low, high, choices, autos, unit, help,                              \
            offsetof(hr_model_config, name)                                                        \
    }

static const hr_key keys[] = {
    KEY(method, HR_KEY_CHOICE, "mocov2", 0, 0, "mocov2", false, "", "self-supervised method"),
    KEY(arch, HR_KEY_CHOICE, "resnet50", 0, 0, "resnet18 resnet34 resnet50", false, "", "encoder"),
    KEY(width, HR_KEY_REAL, "1", 0.03125, 4, NULL, false, "", "multiplies the encoder's channels"),
    KEY(stem, HR_KEY_CHOICE, "normal", 0, 0, "normal small", false, "",
        "normal: 7x7 stride 2 and max-pool; small: 3x3 stride 1, for images of about 32 pixels"),
    KEY(zero_init_residual, HR_KEY_FLAG, "0", 0, 1, NULL, false, "",
        "last batch norm of each residual branch starts at 0"),
    KEY(image_size, HR_KEY_INT, "224", 8, 1024, NULL, false, "pixels",
        "side of the encoder's input"),
    KEY(z_dim, HR_KEY_INT, "128", 2, 16384, NULL, false, "", "columns of z0, the method's output"),
    KEY(head_layers, HR_KEY_INT, "2", 1, 5, NULL, false, "",
        "linear layers of each projection head h_l"),
    KEY(levels, HR_KEY_INT, "0", 0, HR_NET_LEVELS, NULL, false, "",
        "projection heads h_l of a model created alone; a trainer takes the prototypes' levels"),
    KEY(seed, HR_KEY_INT, "0", 0, 9007199254740992.0, NULL, false, "", "of every random number"),
    { "mean", HR_KEY_TEXT, "0.485,0.456,0.406", 0, 0, NULL, false, "",
      "of the colours, 0 to 1; auto: of the data", offsetof(hr_model_config, mean_text) },
    { "std", HR_KEY_TEXT, "0.229,0.224,0.225", 0, 0, NULL, false, "",
      "standard deviation of the colours; auto: of the data", offsetof(hr_model_config, std_text) },
};

const hr_keys hr_model_keys = { "model", keys, sizeof keys / sizeof *keys };

/* the architectures, in the order of the key `arch` */
static const struct {
    const char *name;
    int32_t depth;
} archs[] = { { "resnet18", 18 }, { "resnet34", 34 }, { "resnet50", 50 } };

const char *hr_arch_name(int64_t arch)
{
    return archs[arch].name;
}

static hirl_status three_numbers(double value[3], const char *name, const char *text)
{
    const hr_key key = { .name = name, .type = HR_KEY_REAL, .low = -100, .high = 100 };
    char copy[HR_KEY_TEXT_BYTES], *rest = NULL;
    int n = 0;

    snprintf(copy, sizeof copy, "%s", text);
    for (char *part = strtok_r(copy, ",", &rest); part; part = strtok_r(NULL, ",", &rest), n++) {
        if (n == 3)
            break;
        HR_TRY(hr_key_parse(&value[n], &key, part));
    }
    if (n != 3)
        return hr_fail(HIRL_E_INVALID, "%s: \"%s\" is not three numbers, as in 0.5,0.5,0.5", name,
                       text);
    return HIRL_OK;
}

hirl_status hr_model_config_read(hr_model_config *config, const hirl_options *options)
{
    HR_TRY(hr_options_read(config, &hr_model_keys, options));
    if (strcmp(config->mean_text, "auto"))
        HR_TRY(three_numbers(config->mean, "mean", config->mean_text));
    if (strcmp(config->std_text, "auto"))
        HR_TRY(three_numbers(config->std, "std", config->std_text));
    for (int i = 0; i < 3 && strcmp(config->std_text, "auto"); i++)
        if (config->std[i] <= 0)
            return hr_fail(HIRL_E_INVALID, "std: %g is not above 0", config->std[i]);
    return HIRL_OK;
}

static hirl_status add_all(hr_net *net, const hr_model_config *config, int32_t levels)
{
    HR_TRY(hr_resnet_init(&net->backbone, &net->params, &net->norms, archs[config->arch].depth,
                          config->width, config->stem == 1, config->zero_init_residual));
    net->backbone_dim = net->backbone.dim;
    net->z_dim = config->z_dim;
    HR_TRY(hr_mlp_mocov2(&net->head, &net->params, "head", net->backbone_dim, net->backbone_dim,
                         net->z_dim));
    net->method_params = net->params.count;
    net->method_norms = net->norms.count;
    net->method_total = net->params.total;
    net->levels = levels;
    for (int l = 0; l < levels; l++) {
        char name[16];

        snprintf(name, sizeof name, "h.%d", l);
        HR_TRY(hr_mlp_path(&net->path[l], &net->params, &net->norms, name, net->z_dim,
                           (int32_t)config->head_layers));
    }
    return HIRL_OK;
}

hirl_status hr_net_init(hr_net *net, const hr_model_config *config, int32_t levels)
{
    hirl_status status;

    *net = (hr_net){ 0 };
    status = add_all(net, config, levels);
    if (status < 0)
        hr_net_done(net);
    return status;
}

void hr_net_done(hr_net *net)
{
    hr_layout_done(&net->params);
    hr_layout_done(&net->norms);
}

hr_tensor *hr_net_backbone(const hr_net *net, const hr_run *run, hr_tensor *image)
{
    return hr_resnet_run(&net->backbone, run, image);
}

hr_tensor *hr_net_z0(const hr_net *net, const hr_run *run, hr_tensor *image)
{
    return hr_mlp_run(&net->head, run, hr_net_backbone(net, run, image));
}

hr_tensor *hr_net_path(const hr_net *net, const hr_run *run, int32_t level, hr_tensor *z0)
{
    return hr_mlp_run(&net->path[level], run, z0);
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
    return hr_fail(HIRL_E_INVALID, "layer: \"%s\" is none of backbone, z0%s%c", name,
                   net->levels ? " to z" : "", net->levels ? '0' + net->levels : ' ');
}

int64_t hr_net_layer_dim(const hr_net *net, int32_t layer)
{
    return layer == HR_LAYER_BACKBONE ? net->backbone_dim : net->z_dim;
}

static hr_tensor *run_layer(const hr_net *net, const hr_run *run, int32_t layer, hr_tensor *image)
{
    hr_tensor *x;

    if (layer == HR_LAYER_BACKBONE)
        return hr_net_backbone(net, run, image);
    x = hr_net_z0(net, run, image);
    return layer == HR_LAYER_Z0 ? x : hr_net_path(net, run, layer, x);
}

hirl_status hr_net_embed(float *features, const hr_net *net, const hr_weights *weights,
                         hr_tape *tape, int32_t layer, const float *input, int64_t n, int64_t size)
{
    hr_run run = { .tape = tape, .weights = weights, .groups = 1, .running_groups = 1 };
    int64_t shape[4] = { n, size, size, 3 };
    hr_queue *q = tape->q;
    hirl_status status;
    hr_array image;

    hr_tape_reset(tape);
    tape->training = tape->recording = false;
    image = hr_tape_array(tape, tape->run, 4, shape);
    if (image.data) {
        hr_tensor *out;

        q->be->upload(q, &image, input, HR_F32);
        out = run_layer(net, &run, layer, hr_leaf(tape, &image, NULL));
        if (hr_tape_status(tape) >= 0)
            q->be->download(q, features, HR_F32, &out->x);
    }
    status = hr_tape_status(tape);
    if (status >= 0)
        status = q->be->sync(q);
    hr_tape_reset(tape);
    return status;
}
