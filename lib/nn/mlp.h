/* mlp.h - heads: linear layers with batch norm and activation between them, described by a text.
 *
 *     mlp 2048 2048 128 bn        three linear layers; their outputs; batch norm after the hidden ones
 *
 * Words after the numbers: bn (hidden layers lose their bias to the norm), bias (they keep it),
 * gelu (instead of ReLU), out_bn (a last batch norm without parameters; the last bias goes), normal
 * (weights of standard deviation 0.02, biases 0). In place of a number: in (columns of the input),
 * hidden, z (numbers that the caller gives).
 */
#ifndef HR_MLP_H
#define HR_MLP_H

#include "nn/param.h"
#include "types.h"

/* How a network runs: which weights, which statistics. */
typedef struct hr_pass {
    hr_tape *tape;
    const hr_weights *weights;
    int64_t groups;         /* BN groups of the batch */
    int64_t running_groups; /* groups that enter the running statistics; 0: of all ranks all */
    bool commit;            /* running statistics are updated at commit */
    int64_t part, parts;    /* which micro-batch of how many of the step; 0 of 0: one whole batch */
    bool sync;              /* statistics of each group over all ranks (SyncBN) */
} hr_pass;

/* indices of a batch norm's slots */
typedef struct hr_norm_slots {
    int32_t gamma, beta; /* -1: no affine */
    int32_t mean, var;
} hr_norm_slots;

/* adds <name>.weight, .bias, .running_mean, .running_var; first value of gamma 1, or 0 */
hirl_status hr_norm_add(hr_norm_slots *slots, hr_layout *params, hr_layout *norms, const char *name,
                        int64_t channels, bool zero_gamma);
/* the norm with the weights and statistics of a pass */
hr_norm hr_norm_of(const hr_norm_slots *slots, const hr_pass *run);

enum { HR_MLP_LAYERS = 8 };

/* what a text says */
typedef struct hr_mlp_shape {
    int32_t layers;
    int64_t width[HR_MLP_LAYERS]; /* outputs of each linear layer */
    bool norm, bias, gelu, out_norm, normal;
} hr_mlp_shape;

/* numbers that words of a text stand for; 0: the word is not known here */
typedef struct hr_mlp_words {
    int64_t in, hidden, z;
} hr_mlp_words;

/* INVALID names `key`, the word, and what is known */
hirl_status hr_mlp_parse(hr_mlp_shape *shape, const char *key, const char *text,
                         const hr_mlp_words *words);

typedef struct hr_mlp {
    int32_t layers;
    bool gelu;
    struct {
        int32_t weight, bias; /* bias -1: none */
        hr_norm_slots norm;
        bool has_norm;
    } layer[HR_MLP_LAYERS];
    int64_t out; /* columns of the result */
} hr_mlp;

/* adds the slots under `name`, numbered as a torch Sequential */
hirl_status hr_mlp_init(hr_mlp *mlp, hr_layout *params, hr_layout *norms, const char *name,
                        int64_t in, const hr_mlp_shape *shape);
/* A projection head h_l of HIRL: (depth-1) x [Linear(d, d, no bias) - BN - ReLU] - Linear(d, d, bias) */
hirl_status hr_mlp_path(hr_mlp *mlp, hr_layout *params, hr_layout *norms, const char *name,
                        int64_t d, int32_t depth);
hr_tensor *hr_mlp_run(const hr_mlp *mlp, const hr_pass *run,
                      hr_tensor *x); /* [N,in] -> [N,out] real */

#endif
