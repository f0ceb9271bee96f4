/* mlp.h - heads: linear layers with optional batch norm and ReLU between them. */
#ifndef HR_MLP_H
#define HR_MLP_H

#include "nn/param.h"
#include "types.h"

/* How a network runs: which weights, which statistics. */
typedef struct hr_run {
    hr_tape *tape;
    const hr_weights *weights;
    int64_t groups;         /* BN groups of the batch */
    int64_t running_groups; /* groups that enter the running statistics; 0: of all ranks all */
    bool commit;            /* running statistics are updated at commit */
} hr_run;

/* indices of a batch norm's slots */
typedef struct hr_norm_slots {
    int32_t gamma, beta; /* -1: no affine */
    int32_t mean, var;
} hr_norm_slots;

/* adds <name>.weight, .bias, .running_mean, .running_var; first value of gamma 1, or 0 */
hirl_status hr_norm_add(hr_norm_slots *slots, hr_layout *params, hr_layout *norms, const char *name,
                        int64_t channels, bool zero_gamma);
/* v = [relu](norm(y) + add), pending */
hr_tensor *hr_norm_run(const hr_norm_slots *slots, const hr_run *run, hr_tensor *y, hr_tensor *add,
                       bool relu);

enum { HR_MLP_LAYERS = 8 };

typedef struct hr_mlp {
    int32_t layers;
    struct {
        int32_t weight, bias; /* bias -1: none */
        hr_norm_slots norm;
        bool has_norm, relu;
    } layer[HR_MLP_LAYERS];
    int64_t out; /* columns of the result */
} hr_mlp;

/* MoCo v2's head: Linear(in, hidden) - ReLU - Linear(hidden, out), biases, no norm */
hirl_status hr_mlp_mocov2(hr_mlp *mlp, hr_layout *params, const char *name, int64_t in,
                          int64_t hidden, int64_t out);
/* A projection head h_l of HIRL: (depth-1) x [Linear(d, d, no bias) - BN - ReLU] - Linear(d, d, bias) */
hirl_status hr_mlp_path(hr_mlp *mlp, hr_layout *params, hr_layout *norms, const char *name,
                        int64_t d, int32_t depth);
hr_tensor *hr_mlp_run(const hr_mlp *mlp, const hr_run *run,
                      hr_tensor *x); /* [N,in] -> [N,out] real */

#endif
