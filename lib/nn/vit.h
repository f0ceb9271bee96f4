/* vit.h - vision transformers (Dosovitskiy et al. 2021), with timm's parameter names. */
#ifndef HR_VIT_H
#define HR_VIT_H

#include "nn/mlp.h"
#include "nn/param.h"
#include "types.h"

/* distribution of the initial values */
typedef enum hr_vit_first {
    HR_VIT_NORMAL, /* DINO, iBOT: normal, standard deviation 0.02 */
    HR_VIT_XAVIER, /* MoCo v3: Xavier uniform */
} hr_vit_first;

typedef struct hr_vit_shape {
    int64_t dim;                             /* D, columns of a token */
    int32_t depth, heads, patch, image_size; /* image_size: that of the position table */
    bool sincos; /* the position table is fixed (sine-cosine) instead of learned */
    hr_vit_first first;
    double drop_path; /* stochastic depth: rate of the last block; grows linearly from 0 */
} hr_vit_shape;

/* slots of a linear layer or a layer norm */
typedef struct hr_vit_pair {
    int32_t weight, bias;
} hr_vit_pair;

typedef struct hr_vit_block {
    hr_vit_pair norm1, qkv, proj, norm2, fc1, fc2;
} hr_vit_block;

enum { HR_VIT_BLOCKS = 64 };

typedef struct hr_vit {
    hr_vit_shape shape;
    bool frozen_patch; /* no gradient for the patch embedding (MoCo v3); init sets false */
    int32_t class_token, position;
    hr_vit_pair patch, norm;
    hr_vit_block block[HR_VIT_BLOCKS];
} hr_vit;

/* Optional inputs of a forward pass, in device memory. An array with data NULL is absent; without
 * them no branch is dropped and no patch is masked. */
typedef struct hr_vit_input {
    hr_array keep;         /* real [2 depth, N]: factors of stochastic depth, by block and branch */
    hr_array kept, masked; /* real [N P]: 0 or 1; masked patches become the mask token (iBOT) */
    hr_array positions;    /* hr_position_weights for the image size; needed if not the table's */
} hr_vit_input;

/* The shape of vit_tiny_patch16_224, vit_small_..., vit_base_..., vit_large_... or
 * vit_micro_patch4_32. False: another name. */
bool hr_vit_named(hr_vit_shape *shape, const char *name);
/* checks the shape and adds the slots */
hirl_status hr_vit_init(hr_vit *net, hr_layout *params, const hr_vit_shape *shape);
/* image [N,S,S,3], S a multiple of the patch size -> all tokens after the last norm, [N (P+1), D],
 * in the activation type. mask_token: slot of the mask token [1,D], used if input has a mask. */
hr_tensor *hr_vit_run(const hr_vit *net, const hr_pass *pass, hr_tensor *image,
                      const hr_vit_input *input, int32_t mask_token);

/* Identifies the factors of one image: they depend on the seed, step, image and view, not on the
 * image's place in the batch. */
typedef struct hr_vit_row {
    int64_t image;
    int32_t view;
} hr_vit_row;
/* Draws the 2 depth factors of one image into host memory, `stride` elements apart. */
void hr_vit_draw_keep(real *keep, int64_t stride, const hr_vit *net, hr_vit_row row, uint64_t seed,
                      int64_t step);
int64_t hr_vit_branches(const hr_vit *net); /* 2 depth; 0 if drop_path is 0 */
int64_t hr_vit_grid(const hr_vit *net);     /* patches along a side of the position table */
/* select from tokens [N (P+1), D], N = images: the class tokens [N, D] real, the patch tokens
 * [N P, D] */
hr_tensor *hr_vit_class(const hr_pass *pass, hr_tensor *tokens, int64_t images);
hr_tensor *hr_vit_patches(const hr_pass *pass, hr_tensor *tokens, int64_t images);

#endif
