/* net.h - the network of a run: backbone, the method's head and what follows it, HIRL's heads h_l; and its
 * options.
 *
 *     backbone(x) -> head -> z0 [N,d] -> predictor(z0), or scores of a last layer: `out` [N,K]
 *                            z0       -> h_l(z0), l = 1..L, side by side          (HIRL eq. 1)
 *
 * Slots lie in this order: backbone, head, last layer of weight norm | predictor, prototypes, mask
 * token | h_l. A teacher has those before the first bar, a method those before the second.
 */
#ifndef HR_NET_H
#define HR_NET_H

#include "base/option.h"
#include "nn/mlp.h"
#include "nn/param.h"
#include "nn/resnet.h"
#include "nn/vit.h"
#include "types.h"

/* what follows z0 in place of a predictor: scores of unit rows */
enum {
    HR_LAST_NONE,
    HR_LAST_PROTOTYPES,  /* norm2(z0) . c_k; the learner keeps rows c_k at unit length (SwAV) */
    HR_LAST_WEIGHT_NORM, /* norm2(z0) . norm2(v_k) (DINO, iBOT); a teacher has one too */
};

typedef struct hr_model_config {
    int64_t method; /* index into the methods */
    int64_t arch;   /* index into the architectures */
    double width;
    int64_t stem; /* 0 normal, 1 small */
    int64_t zero_init_residual;
    int64_t image_size;
    int64_t patch_size, vit_dim, vit_depth, vit_heads; /* HR_AUTO: of the architecture */
    int64_t positions;                                 /* 0 learned, 1 sine-cosine */
    int64_t vit_init;                                  /* 0 normal, 1 xavier */
    int64_t frozen_patch;
    double drop_path;
    int64_t z_dim; /* columns of z0 */
    int64_t hidden_dim, predictor_dim, out_dim;
    char head[HR_KEY_TEXT_BYTES],
        predictor[HR_KEY_TEXT_BYTES]; /* texts of mlp.h; predictor "": none */
    int64_t last;                     /* HR_LAST_ */
    int64_t mask_token;
    int64_t head_layers; /* depth of h_l */
    int64_t levels;      /* L heads h_l when the prototypes do not say; 0: none */
    int64_t seed;
    double mean[3], std[3];
    char mean_text[HR_KEY_TEXT_BYTES], std_text[HR_KEY_TEXT_BYTES];
} hr_model_config;
extern const hr_keys hr_model_keys;
const char *hr_arch_name(int64_t arch);
bool hr_arch_is_vit(int64_t arch);
int64_t hr_model_patch(const hr_model_config *config); /* side of a ViT's patches, 1 for a ResNet */
hirl_status hr_model_config_read(hr_model_config *config, const hirl_options *options);

typedef struct hr_net {
    hr_layout params, norms;
    bool is_vit;
    hr_resnet resnet;
    hr_vit vit;
    hr_mlp head, predictor;
    bool has_predictor;
    int32_t last_kind, last;                 /* HR_LAST_; slot of its rows [K,d], -1: none */
    int32_t mask_token;                      /* slot [1,D], -1: none */
    int32_t levels;                          /* L, 0: plain */
    hr_mlp path[HR_LEVELS];                  /* h_l */
    int64_t backbone_dim, z_dim, out_dim;    /* out_dim: columns of `out`, 0: there is none */
    int32_t backbone_params, backbone_norms; /* slots of the backbone */
    int32_t shared_params, shared_norms;     /* those that a teacher has too */
    int32_t method_params, method_norms;     /* those before h_l */
} hr_net;

hirl_status hr_net_init(hr_net *net, const hr_model_config *config, int32_t levels);
/* whether its settings go together; nothing is made */
hirl_status hr_net_check(const hr_model_config *config);
void hr_net_done(hr_net *net);

typedef struct hr_features {
    hr_tensor *pooled; /* [N, backbone_dim] real: mean over H, W, or the class token */
    hr_tensor *tokens; /* [N (P+1), D], transformers only */
} hr_features;

/* input: of a transformer, may be NULL */
hr_features hr_net_encode(const hr_net *net, const hr_pass *run, hr_tensor *image,
                          const hr_vit_input *input);
hr_tensor *hr_net_head(const hr_net *net, const hr_pass *run,
                       hr_tensor *x); /* [N, backbone_dim] -> z0 [N, z_dim] */
/* [N, z_dim] */
hr_tensor *hr_net_z0(const hr_net *net, const hr_pass *run, hr_tensor *image,
                     const hr_vit_input *input);
hr_tensor *hr_net_out(const hr_net *net, const hr_pass *run,
                      hr_tensor *z0); /* [N, out_dim]; NULL: nothing follows z0 */
hr_tensor *hr_net_path(const hr_net *net, const hr_pass *run, int32_t level,
                       hr_tensor *z0); /* h_l(z0) */
/* patches of an image of this side, 0 for a ResNet */
int64_t hr_net_patches(const hr_net *net, int64_t size);

/* A layer by name: "backbone", "z0", "z1" .. "zL". -2 backbone, -1 z0, l-1 for zl; INVALID otherwise. */
enum { HR_LAYER_BACKBONE = -2, HR_LAYER_Z0 = -1 };
hirl_status hr_net_layer(int32_t *layer, const hr_net *net, const char *name);
int64_t hr_net_layer_dim(const hr_net *net, int32_t layer);

/* Features of preprocessed images in evaluation mode: input host f32 [n,S,S,3] -> features host f32
 * [n, dim]; the tape is reset before and after. */
hirl_status hr_net_embed(float *features, const hr_net *net, const hr_weights *weights,
                         hr_tape *tape, int32_t layer, const float *input, int64_t n, int64_t size);

#endif
