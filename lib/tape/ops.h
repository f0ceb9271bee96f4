/* ops.h - every operation: one line of formula and shapes. Each is a file op_*.c of its own kind.
 *
 * All take and return tensors of one tape. N images, C channels; run = the tape's type.
 */
#ifndef HR_OPS_H
#define HR_OPS_H

#include "tape/tape.h"

/* ---- op_arith.c ---- */
hr_tensor *hr_add(hr_tape *t, hr_tensor *a, hr_tensor *b); /* a + b, same shape */
hr_tensor *hr_scale(hr_tape *t, hr_tensor *x, double k);   /* k x, k fixed for the run */
hr_tensor *hr_scale_by(hr_tape *t, hr_tensor *x,
                       const hr_array *k);                       /* k x; k real [1] on the device */
hr_tensor *hr_mean(hr_tape *t, hr_tensor *x);                    /* of all numbers, [1] */
hr_tensor *hr_convert(hr_tape *t, hr_tensor *x, hr_dtype dtype); /* x in another float type */

/* ---- op_linear.c, op_activation.c ---- */
/* [N,I], w [O,I], b [O] or NULL -> x w' + b [N,O], in x's type */
hr_tensor *hr_linear(hr_tape *t, hr_tensor *x, hr_tensor *w, hr_tensor *b);
hr_tensor *hr_bias(hr_tape *t, hr_tensor *x, hr_tensor *b); /* x + b over the last dimension */
hr_tensor *hr_relu(hr_tape *t, hr_tensor *x);               /* max(x, 0) */
hr_tensor *hr_gelu(hr_tape *t, hr_tensor *x);               /* x Phi(x), exact */

/* ---- op_conv.c ---- */
/* [N,H,W,I], w [O,k,k,I] -> [N,OH,OW,O] raw; x may be pending */
hr_tensor *hr_conv(hr_tape *t, hr_tensor *x, hr_tensor *w, int stride, int pad);

/* ---- op_norm.c ---- */
/* Where a batch norm finds what its passes of one step add to the running statistics: one record for
 * each pass of a micro-batch (a network may encode several views), in order. Zeroed before the first step. */
typedef struct hr_norm_record hr_norm_record;
typedef struct hr_norm_slot {
    uint64_t step;       /* of the tape that the records belong to */
    int64_t part, parts; /* micro-batch of the last pass, of how many */
    hr_norm_record *first, **sequence, **next, **end;
} hr_norm_slot;

/* A batch norm's parameters and running statistics; mean, var are written at commit only. */
typedef struct hr_norm {
    hr_tensor *gamma, *beta; /* [C], both NULL: no affine */
    hr_array mean, var;      /* [C] real, running */
    double eps, keep;        /* 1e-5; running <- keep running + (1 - keep) batch, 0.9 */
    int64_t groups;          /* G contiguous equal parts of N with statistics of their own */
    int64_t running_groups;  /* how many of them enter the running statistics (reference: 1) */
    hr_norm_slot *slot;      /* NULL: the running statistics stay as they are */
    int64_t part, parts;     /* which micro-batch of how many; 0 of 0: one whole batch */
    bool sync;               /* statistics over the groups g of all ranks together (SyncBN) */
} hr_norm;
/* y [N,..,C] raw -> v = [relu](gamma (y - mean) rstd + beta + add), pending: not yet in memory.
 * add: NULL, a written tensor, or a pending one without add of its own. In evaluation (tape not
 * training) the running statistics are used. norm is read during the call only, but its tensors
 * and running arrays live as long as the tape's step. */
hr_tensor *hr_batch_norm(hr_tape *t, hr_tensor *y, const hr_norm *norm, hr_tensor *add, bool relu);
/* ---- op_conv_norm.c ---- */
/* hr_conv and hr_batch_norm in one: the statistics come from the convolution itself. x [N,H,W,I], w [O,k,k,I]
 * -> pending [N,OH,OW,O] */
hr_tensor *hr_conv_norm(hr_tape *t, hr_tensor *x, hr_tensor *w, hr_geometry geo,
                        const hr_norm *norm, hr_tensor *add, bool relu);
/* ---- op_norm.c ---- */
/* the value of a pending tensor in memory (made once); a written tensor comes back as it is */
hr_tensor *hr_write(hr_tape *t, hr_tensor *x);

/* ---- op_layer_norm.c ---- */
/* rows [..,D] by their own mean and variance, times gamma [D], plus shift [D], in x's type */
hr_tensor *hr_layer_norm(hr_tape *t, hr_tensor *x, hr_tensor *gamma, hr_tensor *shift, double eps);

/* ---- op_attention.c ---- */
/* qkv [N T, 3 D], blocks Q, K, V, head after head in each -> softmax(Q K' / sqrt(D/heads)) V
 * [N T, D], T = tokens of an image */
hr_tensor *hr_attention(hr_tape *t, hr_tensor *qkv, int64_t tokens, int64_t heads);

/* ---- op_token.c, op_position.c: tokens of an image are neighbouring rows ---- */
/* (class; x_n) + position: x [N P, D] or [N,h,w,D], class [..,D], position [1, P+1, D] real ->
 * [N (P+1), D] in x's type */
hr_tensor *hr_tokens(hr_tape *t, hr_tensor *x, hr_tensor *class_token, hr_tensor *position);
/* of x [N rows, D] the tokens [first, first + count) of each image: [N count, D] */
hr_tensor *hr_strip(hr_tape *t, hr_tensor *x, int64_t rows, int64_t first, int64_t count);
/* kept_r x_r + masked_r token, x [..,D], token [..,D]; kept, masked: real, 0 or 1 for each row of x */
hr_tensor *hr_mask_tokens(hr_tape *t, hr_tensor *x, hr_tensor *token, const hr_array *kept,
                          const hr_array *masked);
/* x + keep_n branch, n the N equal parts of x and branch; keep [N] real, on the device */
hr_tensor *hr_add_kept(hr_tape *t, hr_tensor *x, hr_tensor *branch, const hr_array *keep);
/* positions [1, 1 + n n, D] of a grid with side n -> [1, 1 + to to, D] real; x itself if to = n, else
 * weight real [1 + to to, 1 + n n] holds hr_position_weights(n, to) */
hr_tensor *hr_resize_positions(hr_tape *t, hr_tensor *x, int64_t to, const hr_array *weight);
void hr_position_weights(real *weight, int64_t from, int64_t to); /* in host memory */

/* ---- op_pool.c ---- */
hr_tensor *hr_max_pool(hr_tape *t, hr_tensor *x, int kernel, int stride, int pad);
hr_tensor *hr_mean_pool(hr_tape *t, hr_tensor *x); /* [N,H,W,C] -> [N,C] real */

/* ---- op_row.c ---- */
hr_tensor *hr_normalize(hr_tape *t, hr_tensor *x);             /* x_r / max(|x_r|, 1e-12) */
hr_tensor *hr_row_dot(hr_tape *t, hr_tensor *a, hr_tensor *b); /* <a_r, b_r>, [N] */

/* ---- op_shape.c ---- */
hr_tensor *hr_rows(hr_tape *t, hr_tensor *x, int64_t first, int64_t count); /* a view */
hr_tensor *hr_concat(hr_tape *t, hr_tensor **part, int parts);         /* rows of all, in order */
hr_tensor *hr_gather(hr_tape *t, hr_tensor *x, const hr_array *index); /* x_index[r]; i32 [n] */
hr_tensor *hr_detach(hr_tape *t, hr_tensor *x);                        /* x, no gradient */
/* rows [N,..] of all ranks in rank order, [R N,..]; with one rank x itself. No operation: no gradient */
hr_array hr_all_ranks(hr_tape *t, const hr_array *x);

/* ---- op_contrast.c ---- */
/* InfoNCE of unit rows q, k [N,d] against a queue [K,d] whose rows of the same image do not count:
 * loss [1], MoCo (He et al. 2020) eq. 1. id [N], owner [K] i64 arrays on the device. No gradient
 * to k and queue. */
hr_tensor *hr_info_nce(hr_tape *t, hr_tensor *q, hr_tensor *k, const hr_array *queue,
                       const hr_array *id, const hr_array *owner, double temperature);

/* ---- op_cross_entropy.c ---- */
hr_tensor *hr_cross_entropy(hr_tape *t, hr_tensor *z,
                            const hr_array *label); /* i32 [N]; mean, [1] */
/* p [N,K] without gradient, z [N,K] -> sum_n w_n ( - sum_k p_nk log softmax(z_n / T)_k ), [1].
 * weight: w, real [N] on the device, NULL: 1/N each; a row of weight 0 is not looked at. */
hr_tensor *hr_soft_cross_entropy(hr_tape *t, hr_tensor *p, hr_tensor *z, double temperature,
                                 const hr_array *weight);

/* ---- op_target.c: no gradient ---- */
/* softmax((z - center) / T) by rows, [N,K] real; center: real [K] or NULL; temperature: T, f64 [1] */
hr_tensor *hr_target(hr_tape *t, hr_tensor *z, const hr_array *center, const hr_array *temperature);
/* SwAV's targets of scores [N,K] over the rows of all ranks; keep: the last rows that are wanted
 * (rows of a queue come first), 0: all. -> real [keep,K], rows sum to 1 */
hr_tensor *hr_sinkhorn(hr_tape *t, hr_tensor *scores, double epsilon, int iterations, int64_t keep);

/* ---- op_host.c ---- */
/* A loss of the host's own: reads x, writes loss and, unless NULL, its gradient by x (0 before the
 * call). All on the host. */
typedef hirl_status hr_host_fn(double *loss, real *grad, const real *x, void *arg);
/* f(x), [1]; x of any shape */
hr_tensor *hr_host_loss(hr_tape *t, hr_tensor *x, hr_host_fn *f, void *arg);

/* ---- op_spd.c ---- */
/* What one step needs of the tree, on the device. */
typedef struct hr_spd_paths {
    int32_t levels;
    hr_array proto[HR_LEVELS]; /* c^l: [M_l, d] real, unit rows */
    hr_array path;             /* i32 [M_1, L] */
    hr_array positive;         /* i32 [N] leaf of each image, -1: none */
    hr_array negative;         /* i32 [N, K] leaves, -1: not drawn */
    double eps;                /* inside the logarithms */
    double divisor_eps;        /* added to the number of negatives; profile reference: 1e-6 */
} hr_spd_paths;
/* u[l] = norm2(h_l(z_0)) [N,d] each, unit rows -> loss [1] (HIRL eqs. 2 and 3) */
hr_tensor *hr_spd(hr_tape *t, hr_tensor **u, const hr_spd_paths *paths);

#endif
