/* mlp.h - heads: linear layers with batch norm and activation between them, described by a text.
 *
 *     mlp 2048 2048 128 bn        three linear layers with these widths (numbers of outputs), and
 *                                 a batch norm after each hidden one
 *
 * Words after the widths:
 *     bn        batch norm after the hidden layers, which then have no bias
 *     bias      with bn: the hidden layers keep their bias
 *     gelu      GELU instead of ReLU
 *     out_bn    batch norm without parameters after the last layer, which then has no bias
 *     normal    weights drawn with standard deviation 0.02, biases 0
 * A width may also be a word: in (columns of the input), hidden, z (see hr_mlp_words).
 */
#ifndef HR_MLP_H
#define HR_MLP_H

#include "nn/param.h"
#include "types.h"

/* Settings of a forward pass: the tape, the weights, and the batch norms' statistics. */
typedef struct hr_pass {
    hr_tape *tape;
    const hr_weights *weights;
    int64_t groups;         /* batch norm groups of the batch */
    int64_t running_groups; /* groups that update the running statistics; 0: all, of all ranks */
    bool commit;            /* update the running statistics at commit */
    int64_t part, parts;    /* index and number of micro-batches; 0, 0: one whole batch */
    bool sync;              /* each group has statistics over all ranks (SyncBN) */
} hr_pass;

/* slots of a batch norm: gamma and beta in the parameters' layout, mean and var in the norms' */
typedef struct hr_norm_slots {
    int32_t gamma, beta; /* -1: no scale and shift */
    int32_t mean, var;
} hr_norm_slots;

/* adds <name>.weight, .bias, .running_mean, .running_var; zero_gamma: gamma starts at 0, not 1 */
hirl_status hr_norm_add(hr_norm_slots *slots, hr_layout *params, hr_layout *norms, const char *name,
                        int64_t channels, bool zero_gamma);
/* The batch norm with the weights and statistics of a pass */
hr_norm hr_norm_of(const hr_norm_slots *slots, const hr_pass *pass);

enum { HR_MLP_LAYERS = 8 };

/* the parsed text */
typedef struct hr_mlp_shape {
    int32_t layers;
    int64_t width[HR_MLP_LAYERS]; /* number of outputs of each linear layer */
    bool norm, bias, gelu, out_norm, normal;
} hr_mlp_shape;

/* values of the words in, hidden and z; 0: the word is not allowed */
typedef struct hr_mlp_words {
    int64_t in, hidden, z;
} hr_mlp_words;

/* HIRL_E_INVALID names `key`, the word, and the allowed words. */
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
    int64_t out; /* columns of the output */
} hr_mlp;

/* adds the slots under `name`, numbered as in a torch Sequential */
hirl_status hr_mlp_init(hr_mlp *mlp, hr_layout *params, hr_layout *norms, const char *name,
                        int64_t in, const hr_mlp_shape *shape);
/* a projection head h_l of HIRL: (depth-1) x [Linear(d, d, no bias), BN, ReLU], Linear(d, d) */
hirl_status hr_mlp_path(hr_mlp *mlp, hr_layout *params, hr_layout *norms, const char *name,
                        int64_t d, int32_t depth);
/* [N,in] -> [N,out], in the type of x */
hr_tensor *hr_mlp_run(const hr_mlp *mlp, const hr_pass *pass, hr_tensor *x);

#endif
