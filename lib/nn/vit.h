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

/* Who is in the batch: a draw of stochastic depth depends on the image, its view and the step, not
 * on the row. Arrays of one entry a row, on the host. */
typedef struct hr_vit_draw {
    uint64_t seed;
    int64_t step;
    const int64_t *image;
    const int32_t *view;
} hr_vit_draw;

/* masked patches become the mask token before positions are added (iBOT) */
typedef struct hr_vit_mask {
    const uint8_t *mask; /* [N P], host: not 0 where masked */
    int32_t token;       /* slot of the mask token [1, D] */
} hr_vit_mask;

/* dim, depth, heads, patch, image_size of vit_tiny_patch16_224, vit_small_, vit_base_, vit_large_
 * and vit_micro_patch4_32; false: no such name */
bool hr_vit_named(hr_vit_shape *shape, const char *name);
hirl_status hr_vit_init(hr_vit *net, hr_layout *params, const hr_vit_shape *shape);
/* [N,S,S,3], S any multiple of the patch -> all tokens after the last norm [N (P+1), D], in the
 * run's type; draw NULL: no stochastic depth; mask NULL: none */
hr_tensor *hr_vit_run(const hr_vit *net, const hr_pass *run, hr_tensor *image,
                      const hr_vit_draw *draw, const hr_vit_mask *mask);
/* of the tokens of so many images: the class tokens [N, D] real, the patch tokens [N P, D] */
hr_tensor *hr_vit_class(const hr_pass *run, hr_tensor *tokens, int64_t images);
hr_tensor *hr_vit_patches(const hr_pass *run, hr_tensor *tokens, int64_t images);

#endif
