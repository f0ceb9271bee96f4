/* net.h - the whole network: backbone, head, predictor or last layer, HIRL's heads h_l; its keys.
 *
 *     backbone(x) -> head -> z0 [N,d] -> predictor(z0), or scores of a last layer: `out` [N,K]
 *                            z0       -> h_l(z0) for each level l = 1..L          (HIRL eq. 1)
 *
 * Order of the parameter slots: backbone, head, weight-norm last layer | predictor, prototypes,
 * mask token | h_l. A teacher has the slots before the first bar, a method without HIRL those
 * before the second.
 */
#ifndef HR_NET_H
#define HR_NET_H

#include "base/option.h"
#include "nn/mlp.h"
#include "nn/param.h"
#include "nn/resnet.h"
#include "nn/vit.h"
#include "types.h"

/* the last layer, which may follow z0 instead of a predictor: scores [N,K] from unit-length rows */
enum {
    HR_LAST_NONE,
    HR_LAST_PROTOTYPES,  /* norm2(z0) . c_k; the learner keeps the rows c_k at unit length (SwAV) */
    HR_LAST_WEIGHT_NORM, /* norm2(z0) . norm2(v_k) (DINO, iBOT); a teacher has one too */
};

typedef struct hr_model_config {
    int64_t method; /* index in the list of methods */
    int64_t arch;   /* index in the list of architectures */
    double width;
    int64_t stem; /* 0 normal, 1 small */
    int64_t zero_init_residual;
    int64_t image_size;
    int64_t patch_size, vit_dim, vit_depth, vit_heads; /* ViT only; HR_AUTO: the value of arch */
    int64_t positions;                                 /* 0 learned, 1 sine-cosine */
    int64_t vit_init;                                  /* 0 normal, 1 xavier */
    int64_t frozen_patch;
    double drop_path;
    int64_t z_dim; /* columns of z0 */
    int64_t hidden_dim, predictor_dim, out_dim;
    char head[HR_KEY_TEXT_BYTES];      /* text of mlp.h */
    char predictor[HR_KEY_TEXT_BYTES]; /* the same; "": none */
    int64_t last;                      /* HR_LAST_ */
    int64_t mask_token;
    int64_t head_layers; /* depth of h_l */
    int64_t levels;      /* number L of heads h_l, of a model without a trainer */
    int64_t seed;
    double mean[3], std[3];
    char mean_text[HR_KEY_TEXT_BYTES], std_text[HR_KEY_TEXT_BYTES];
    /* No key: whether the training photos were turned as their Exif tag states; -1: unknown, or the
     * images were no files. */
    int32_t exif;
} hr_model_config;
extern const hr_keys hr_model_keys;
const char *hr_arch_name(int64_t arch);
bool hr_arch_is_vit(int64_t arch);
int64_t hr_model_patch(const hr_model_config *config); /* side of a ViT's patches; 1: ResNet */
hirl_status hr_model_config_read(hr_model_config *config, const hirl_options *options);

/* The layers of a network, as slots of two layouts: parameters, and batch norm statistics. */
typedef struct hr_net {
    hr_layout params, norms;
    bool is_vit;
    hr_resnet resnet;
    hr_vit vit;
    hr_mlp head, predictor;
    bool has_predictor;
    int32_t last_kind, last;                 /* HR_LAST_; slot of its rows [K,d], -1: none */
    int32_t mask_token;                      /* slot [1,D], -1: none */
    int32_t levels;                          /* L; 0: no heads h_l */
    hr_mlp path[HR_LEVELS];                  /* h_l */
    int64_t backbone_dim, z_dim, out_dim;    /* out_dim: columns of `out`; 0: no `out` */
    int32_t backbone_params, backbone_norms; /* number of slots of the backbone */
    int32_t shared_params, shared_norms;     /* slots that a teacher has as well */
    int32_t method_params, method_norms;     /* slots before h_l */
} hr_net;

hirl_status hr_net_init(hr_net *net, const hr_model_config *config, int32_t levels);
/* checks that the settings fit together; makes no network */
hirl_status hr_net_check(const hr_model_config *config);
void hr_net_done(hr_net *net);

typedef struct hr_features {
    hr_tensor *pooled; /* [N, backbone_dim] real: mean over H, W, or the class token */
    hr_tensor *tokens; /* [N (P+1), D], transformers only */
} hr_features;

/* image [N,S,S,3]; input: for transformers only, may be NULL */
hr_features hr_net_encode(const hr_net *net, const hr_pass *pass, hr_tensor *image,
                          const hr_vit_input *input);
/* the head: [N, backbone_dim] -> z0 [N, z_dim] */
hr_tensor *hr_net_head(const hr_net *net, const hr_pass *pass, hr_tensor *x);
/* backbone and head: image [N,S,S,3] -> z0 [N, z_dim] */
hr_tensor *hr_net_z0(const hr_net *net, const hr_pass *pass, hr_tensor *image,
                     const hr_vit_input *input);
/* z0 -> `out` [N, out_dim]; NULL if these weights have neither predictor nor last layer */
hr_tensor *hr_net_out(const hr_net *net, const hr_pass *pass, hr_tensor *z0);
/* h_l(z0); level = l - 1 */
hr_tensor *hr_net_path(const hr_net *net, const hr_pass *pass, int32_t level, hr_tensor *z0);
/* number of patches of an image with this side; 0 for a ResNet */
int64_t hr_net_patches(const hr_net *net, int64_t size);

/* Index of a layer: "backbone" -2, "z0" -1, "z1" to "zL" 0 to L-1. Another name: HIRL_E_INVALID. */
enum { HR_LAYER_BACKBONE = -2, HR_LAYER_Z0 = -1 };
hirl_status hr_net_layer(int32_t *layer, const hr_net *net, const char *name);
int64_t hr_net_layer_dim(const hr_net *net, int32_t layer);

/* Computes features in evaluation mode: preprocessed images, f32 [n,S,S,3] in host memory ->
 * features f32 [n, dim] in host memory. The tape is reset before and after. */
hirl_status hr_net_embed(float *features, const hr_net *net, const hr_weights *weights,
                         hr_tape *tape, int32_t layer, const float *input, int64_t n, int64_t size);

#endif
