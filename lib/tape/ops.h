/* ops.h - the differentiable operations, with formulas and shapes; implemented in op_*.c.
 *
 * Each operation computes its result at once and records a node on the tape for the backward pass.
 * All tensors of a call belong to the same tape. N images, C channels, D columns of a token.
 * "Written" means that the value is in memory; a "pending" feature map is not (see op_norm.c).
 */
#ifndef HR_OPS_H
#define HR_OPS_H

#include "tape/tape.h"

/* ---- op_arith.c ---- */
hr_tensor *hr_add(hr_tape *t, hr_tensor *a, hr_tensor *b); /* a + b, same shape */
hr_tensor *hr_scale(hr_tape *t, hr_tensor *x, double k);   /* k x, k a host constant */
hr_tensor *hr_scale_by(hr_tape *t, hr_tensor *x,
                       const hr_array *k);    /* k x; k real [1] in device memory */
hr_tensor *hr_mean(hr_tape *t, hr_tensor *x); /* mean of all elements, [1] */
hr_tensor *hr_convert(hr_tape *t, hr_tensor *x, hr_dtype dtype); /* x as HR_REAL or HR_BF16 */

/* ---- op_linear.c, op_activation.c ---- */
/* x [N,I], w [O,I], b [O] or NULL -> x w' + b [N,O], in the type of x */
hr_tensor *hr_linear(hr_tape *t, hr_tensor *x, hr_tensor *w, hr_tensor *b);
hr_tensor *hr_bias(hr_tape *t, hr_tensor *x, hr_tensor *b); /* x + b over the last dimension */
hr_tensor *hr_relu(hr_tape *t, hr_tensor *x);               /* max(x, 0) */
hr_tensor *hr_gelu(hr_tape *t, hr_tensor *x);               /* x Phi(x), the exact form */

/* ---- op_conv.c ---- */
/* x [N,H,W,I], w [O,k,k,I] -> [N,OH,OW,O], before normalisation; x may be pending */
hr_tensor *hr_conv(hr_tape *t, hr_tensor *x, hr_tensor *w, int stride, int pad);

/* ---- op_norm.c ---- */
/* The sums that one batch norm layer collects during a step to update its running statistics: a
 * list with one record for each forward pass of a micro-batch (a network may encode several views).
 * The caller zeroes the struct before the first step. */
typedef struct hr_norm_record hr_norm_record;
typedef struct hr_norm_slot {
    uint64_t step;       /* value of hr_tape.resets when the records were made */
    int64_t part, parts; /* index of the last pass's micro-batch, and their number */
    hr_norm_record *first, **sequence, **next, **end;
} hr_norm_slot;

/* Parameters and settings of a batch norm. The running statistics mean and var change only at
 * commit. */
typedef struct hr_norm {
    hr_tensor *gamma, *beta; /* [C]; both NULL: no scale and shift */
    hr_array mean, var;      /* [C] real, running statistics */
    double eps, keep;        /* running <- keep running + (1 - keep) batch */
    int64_t groups;          /* G equal contiguous groups of the N images */
    int64_t running_groups;  /* groups that update the running statistics; 0: all */
    hr_norm_slot *slot;      /* NULL: the running statistics are not updated */
    int64_t part, parts;     /* index and number of micro-batches; 0, 0: one whole batch */
    bool sync;               /* group g has statistics over all ranks (SyncBN) */
} hr_norm;
/* y [N,..,C] -> v = [relu](gamma (y - mean) rstd + beta + add). The result is pending: it is not in
 * memory yet. add: NULL, or a tensor with the shape of y, written or pending (a pending one that
 * has an add itself is written first). In evaluation (tape->training is false) the running
 * statistics are used. `norm` is read only during the call, but its tensors and running arrays must
 * live until the step is committed or the tape is reset. */
hr_tensor *hr_batch_norm(hr_tape *t, hr_tensor *y, const hr_norm *norm, hr_tensor *add, bool relu);
/* Computes a pending tensor's value (the first time only) and returns it as a written tensor.
 * Returns a written tensor unchanged. */
hr_tensor *hr_write(hr_tape *t, hr_tensor *x);

/* ---- op_conv_norm.c ---- */
/* hr_batch_norm of hr_conv as one operation, equal to the bit: the `conv` of the backend also
 * returns the sums for the statistics. x [N,H,W,I] may be pending, w [O,k,k,I] -> pending
 * [N,OH,OW,O] */
hr_tensor *hr_conv_norm(hr_tape *t, hr_tensor *x, hr_tensor *w, hr_geometry geo,
                        const hr_norm *norm, hr_tensor *add, bool relu);

/* ---- op_layer_norm.c ---- */
/* Normalises each row of x [..,D] by its own mean and variance, then multiplies by gamma [D] and
 * adds shift [D]. The result has the type of x. */
hr_tensor *hr_layer_norm(hr_tape *t, hr_tensor *x, hr_tensor *gamma, hr_tensor *shift, double eps);

/* ---- op_attention.c ---- */
/* qkv [N T, 3 D] -> softmax(Q K' / sqrt(D/heads)) V [N T, D], T = tokens of an image. A row of qkv
 * holds the blocks Q, K and V; each block holds its heads one after another. */
hr_tensor *hr_attention(hr_tape *t, hr_tensor *qkv, int64_t tokens, int64_t heads);

/* ---- op_token.c, op_position.c: the tokens of an image are consecutive rows ---- */
/* (class_token; x_n) + position for each image n: x [N P, D] or [N,h,w,D], class_token [..,D],
 * position [1, P+1, D] real -> [N (P+1), D] in the type of x */
hr_tensor *hr_tokens(hr_tape *t, hr_tensor *x, hr_tensor *class_token, hr_tensor *position);
/* Takes the tokens [first, first + count) of each image: x [N rows, D] -> [N count, D]. */
hr_tensor *hr_strip(hr_tape *t, hr_tensor *x, int64_t rows, int64_t first, int64_t count);
/* kept_r x_r + masked_r token: x [..,D], token [..,D]; kept, masked: real, 0 or 1 for each row r */
hr_tensor *hr_mask_tokens(hr_tape *t, hr_tensor *x, hr_tensor *token, const hr_array *kept,
                          const hr_array *masked);
/* x_n + keep_n branch_n, where n counts N equal parts of x and branch; keep [N] real, in device
 * memory */
hr_tensor *hr_add_kept(hr_tape *t, hr_tensor *x, hr_tensor *branch, const hr_array *keep);
/* Resizes position embeddings: x [1, 1 + n n, D] of a grid with side n -> [1, 1 + to to, D] real.
 * Returns x itself if to = n; otherwise weight, real [1 + to to, 1 + n n], must hold the result of
 * hr_position_weights(n, to). */
hr_tensor *hr_resize_positions(hr_tape *t, hr_tensor *x, int64_t to, const hr_array *weight);
void hr_position_weights(real *weight, int64_t from, int64_t to); /* weight in host memory */

/* ---- op_pool.c ---- */
/* [N,H,W,C] -> [N,OH,OW,C]; x may be pending */
hr_tensor *hr_max_pool(hr_tape *t, hr_tensor *x, int kernel, int stride, int pad);
hr_tensor *hr_mean_pool(hr_tape *t, hr_tensor *x); /* [N,H,W,C] -> [N,C] real; x may be pending */

/* ---- op_row.c ---- */
hr_tensor *hr_normalize(hr_tape *t, hr_tensor *x);             /* x_r / max(|x_r|, 1e-12) */
hr_tensor *hr_row_dot(hr_tape *t, hr_tensor *a, hr_tensor *b); /* <a_r, b_r>, [N] */

/* ---- op_shape.c ---- */
hr_tensor *hr_rows(hr_tape *t, hr_tensor *x, int64_t first, int64_t count); /* a slice of x */
hr_tensor *hr_concat(hr_tape *t, hr_tensor **part, int parts); /* the rows of all parts, in order */
/* y_r = x_index[r]; index: i32 [n] */
hr_tensor *hr_gather(hr_tape *t, hr_tensor *x, const hr_array *index);
hr_tensor *hr_detach(hr_tape *t, hr_tensor *x); /* x without a gradient */
/* Gathers the rows x [N,..] of all R ranks in rank order, [R N,..]; with one rank it returns x
 * itself. It records no node, so no gradient flows through it. */
hr_array hr_all_ranks(hr_tape *t, const hr_array *x);

/* ---- op_contrast.c ---- */
/* InfoNCE loss [1] (MoCo: He et al. 2020, eq. 1) of unit rows q, k [N,d] against a key queue [K,d]:
 * queue row j is a negative of q_n unless owner_j = id_n (the same image). id [N], owner [K]: i64,
 * in device memory. k and queue get no gradient. */
hr_tensor *hr_info_nce(hr_tape *t, hr_tensor *q, hr_tensor *k, const hr_array *queue,
                       const hr_array *id, const hr_array *owner, double temperature);

/* ---- op_cross_entropy.c ---- */
/* scores z [N,C], label i32 [N] -> mean over the rows, [1] */
hr_tensor *hr_cross_entropy(hr_tape *t, hr_tensor *z, const hr_array *label);
/* p [N,K] without gradient, z [N,K] -> sum_n w_n ( - sum_k p_nk log softmax(z_n / T)_k ), [1].
 * weight: w, real [N] in device memory; NULL: 1/N each. A row of weight 0 is not read. */
hr_tensor *hr_soft_cross_entropy(hr_tape *t, hr_tensor *p, hr_tensor *z, double temperature,
                                 const hr_array *weight);

/* ---- op_target.c: no gradient ---- */
/* softmax((z - center) / T) of each row, [N,K] real; center: real [K] or NULL; temperature: T,
 * f64 [1] in device memory */
hr_tensor *hr_target(hr_tape *t, hr_tensor *z, const hr_array *center, const hr_array *temperature);
/* SwAV's targets: balances scores [N,K] over the rows of all ranks and returns the last `keep` rows
 * (0: all), real [keep,K]; each row sums to 1. Rows of the key queue come first in scores. */
hr_tensor *hr_sinkhorn(hr_tape *t, hr_tensor *scores, double epsilon, int iterations, int64_t keep);

/* ---- op_host.c ---- */
/* A loss computed on the host: reads x, writes `loss` and, unless grad is NULL, its gradient with
 * respect to x. grad holds 0 before the call. */
typedef hirl_status hr_host_fn(double *loss, real *grad, const real *x, void *arg);
/* f(x), [1]; x of any shape */
hr_tensor *hr_host_loss(hr_tape *t, hr_tensor *x, hr_host_fn *f, void *arg);

/* ---- op_spd.c ---- */
/* The prototypes and paths that the path loss of one step uses, in device memory. */
typedef struct hr_spd_paths {
    int32_t levels;
    hr_array proto[HR_LEVELS]; /* c^l: [M_l, d] real, unit rows */
    hr_array path;             /* i32 [M_1, L]: prototype of each leaf's path at each level */
    hr_array positive;         /* i32 [N], leaf of each image; -1: none */
    hr_array negative;         /* i32 [N, K], leaves; -1: not drawn */
    double eps;                /* added inside the logarithms */
    double divisor_eps;        /* added to the number of negatives; profile reference: 1e-6 */
} hr_spd_paths;
/* u[l] = norm2(h_l(z_0)), [N,d] with unit rows for each level -> loss [1] (HIRL eqs. 2 and 3) */
hr_tensor *hr_spd(hr_tape *t, hr_tensor **u, const hr_spd_paths *paths);

#endif
