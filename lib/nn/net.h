/* net.h - the network of a run: backbone, the method's head, HIRL's heads h_l; and its options. */
#ifndef HR_NET_H
#define HR_NET_H

#include "base/option.h"
#include "nn/mlp.h"
#include "nn/param.h"
#include "nn/resnet.h"
#include "types.h"

enum { HR_NET_LEVELS = 8 };

typedef struct hr_model_config {
    int64_t method; /* index into "mocov2" */
    int64_t arch;   /* index into "resnet18 resnet34 resnet50" */
    double width;
    int64_t stem; /* 0 normal, 1 small */
    int64_t zero_init_residual;
    int64_t image_size;
    int64_t z_dim;       /* columns of z0 */
    int64_t head_layers; /* depth of h_l */
    int64_t levels;      /* L heads h_l when the prototypes do not say; 0: none */
    int64_t seed;
    double mean[3], std[3];
    char mean_text[HR_KEY_TEXT_BYTES], std_text[HR_KEY_TEXT_BYTES];
} hr_model_config;
extern const hr_keys hr_model_keys;
const char *hr_arch_name(int64_t arch);
hirl_status hr_model_config_read(hr_model_config *config, const hirl_options *options);

typedef struct hr_net {
    hr_layout params, norms;
    hr_resnet backbone;
    hr_mlp head;
    int32_t levels;             /* L, 0: plain */
    hr_mlp path[HR_NET_LEVELS]; /* h_l */
    int64_t backbone_dim, z_dim;
    int32_t method_params, method_norms; /* slots of backbone and head: those a teacher has too */
    int64_t method_total;                /* length of their part of the flat array */
} hr_net;

hirl_status hr_net_init(hr_net *net, const hr_model_config *config, int32_t levels);
void hr_net_done(hr_net *net);

hr_tensor *hr_net_backbone(const hr_net *net, const hr_run *run,
                           hr_tensor *image); /* [N, backbone_dim] */
hr_tensor *hr_net_z0(const hr_net *net, const hr_run *run, hr_tensor *image); /* [N, z_dim] */
hr_tensor *hr_net_path(const hr_net *net, const hr_run *run, int32_t level,
                       hr_tensor *z0); /* h_l(z0) */

/* A layer by name: "backbone", "z0", "z1" .. "zL". -2 backbone, -1 z0, l-1 for zl; INVALID otherwise. */
enum { HR_LAYER_BACKBONE = -2, HR_LAYER_Z0 = -1 };
hirl_status hr_net_layer(int32_t *layer, const hr_net *net, const char *name);
int64_t hr_net_layer_dim(const hr_net *net, int32_t layer);

/* Features of preprocessed images in evaluation mode: input host f32 [n,S,S,3] -> features host f32
 * [n, dim]; the tape is reset before and after. */
hirl_status hr_net_embed(float *features, const hr_net *net, const hr_weights *weights,
                         hr_tape *tape, int32_t layer, const float *input, int64_t n, int64_t size);

#endif
