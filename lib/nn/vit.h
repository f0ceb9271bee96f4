/* vit.h - vision transformers (Dosovitskiy et al. 2021), parameters named as timm's. */
#ifndef HR_VIT_H
#define HR_VIT_H

#include "nn/mlp.h"
#include "nn/param.h"
#include "types.h"

/* which first values (spec.md 1.2) */
typedef enum hr_vit_first {
    HR_VIT_NORMAL, /* DINO, iBOT: normal of 0.02 */
    HR_VIT_XAVIER, /* MoCo v3: Xavier uniform */
} hr_vit_first;

typedef struct hr_vit_shape {
    int64_t dim;                             /* D, columns of a token */
    int32_t depth, heads, patch, image_size; /* image_size: the one that has learned positions */
    bool sincos; /* positions are the fixed sine-cosine table, which is not trained */
    hr_vit_first first;
    double drop_path; /* stochastic depth of the last block; linear from 0 in the first */
} hr_vit_shape;

/* slots of a linear layer or of a norm */
typedef struct hr_vit_pair {
    int32_t weight, bias;
} hr_vit_pair;

typedef struct hr_vit_block {
    hr_vit_pair norm1, qkv, proj, norm2, fc1, fc2;
} hr_vit_block;

enum { HR_VIT_BLOCKS = 64 };

typedef struct hr_vit {
    hr_vit_shape shape;
    bool frozen_patch; /* no gradient for the patch embedding (MoCo v3); false after init */
    int32_t class_token, position;
    hr_vit_pair patch, norm;
    hr_vit_block block[HR_VIT_BLOCKS];
} hr_vit;

/* What a step decides for a batch, on the device; data NULL or the struct NULL: nothing is dropped or masked. */
typedef struct hr_vit_input {
    hr_array keep;         /* real [2 depth, N]: factors of stochastic depth, by block and branch */
    hr_array kept, masked; /* real [N P]: 0 or 1; masked patches become the mask token (iBOT) */
    hr_array positions; /* hr_position_weights to this image size; needed where the size differs */
} hr_vit_input;

/* dim, depth, heads, patch, image_size of vit_tiny_patch16_224, vit_small_, vit_base_, vit_large_
 * and vit_micro_patch4_32; false: no such name */
bool hr_vit_named(hr_vit_shape *shape, const char *name);
hirl_status hr_vit_init(hr_vit *net, hr_layout *params, const hr_vit_shape *shape);
/* [N,S,S,3], S any multiple of the patch -> all tokens after the last norm [N (P+1), D], in the
 * activation type. mask_token: its slot [1,D], read when input has a mask. */
hr_tensor *hr_vit_run(const hr_vit *net, const hr_pass *run, hr_tensor *image,
                      const hr_vit_input *input, int32_t mask_token);

/* Rows of `keep` are drawn by (seed, step, image, view), whatever their place in the batch. */
typedef struct hr_vit_row {
    int64_t image;
    int32_t view;
} hr_vit_row;
/* 2 depth factors of one image, stride apart, in host memory */
void hr_vit_draw_keep(real *keep, int64_t stride, const hr_vit *net, hr_vit_row row, uint64_t seed,
                      int64_t step);
int64_t hr_vit_branches(const hr_vit *net); /* 2 depth, or 0 where nothing is ever dropped */
int64_t hr_vit_grid(const hr_vit *net);     /* side of the grid that the learned positions have */
/* of the tokens of so many images: the class tokens [N, D] real, the patch tokens [N P, D] */
hr_tensor *hr_vit_class(const hr_pass *run, hr_tensor *tokens, int64_t images);
hr_tensor *hr_vit_patches(const hr_pass *run, hr_tensor *tokens, int64_t images);

#endif
