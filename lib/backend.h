/* backend.h - the table of operations that a backend fills, and its contract.
 *
 * A kernel takes a work queue first, then outputs, inputs and sizes. Arrays are row-major, images
 * NHWC. A kernel returns no status and does not wait: the queue keeps its first failure until
 * `sync` returns it. Work may be asynchronous; one thread at a time uses a queue. Operands marked
 * real are HR_REAL. Operands marked act have the activation type, HR_REAL or HR_BF16, in any
 * mixture: bf16 is widened, computed in real, and rounded once when it is stored. An operand marked
 * f64, i64, i32 or u8 has this type. An output is multiplied by `beta` before the result is added:
 * 0 for the first writer (the output is not read), 1 to accumulate. How work is divided, and the
 * order of sums, depend on sizes only. hr_rows_of and hr_cols (array.h) define the rows and columns
 * of an array. An optional array may be NULL.
 *
 * To add an operation: write it here, a kernel in cpu/, a case in tests/parity, and a CUDA kernel
 * or a line in cuda/missing.txt.
 */
#ifndef HR_BACKEND_H
#define HR_BACKEND_H

#include "array.h"
#include "types.h"

typedef enum hr_trans { HR_N, HR_T } hr_trans;

/* a window of a convolution or pooling: square, with the same zero padding on all sides */
struct hr_geometry {
    int32_t kernel, stride, pad;
};

static inline int64_t hr_window_count(int64_t n, hr_geometry g)
{
    return (n + 2 * g.pad - g.kernel) / g.stride + 1;
}

/* A feature map whose normalisation and activation are still to be applied:
 *
 *     v = [relu] (scale_g raw + shift_g + add)
 *
 * scale, shift: real [G,C] for G equal contiguous groups of the N images; absent: 1 and 0.
 * add: NULL, or a map of the same shape with its own scale, shift and relu, whose `add` is NULL. */
struct hr_map {
    hr_array raw;          /* act [N,H,W,C] or [N,C] */
    hr_array scale, shift; /* real [G,C]; data NULL: identity */
    const hr_map *add;
    bool relu;
};

/* The numbers that change from step to step. They are uploaded once a step; the CPU reads them in
 * place. */
enum { HR_GROUPS = 8 };
struct hr_scalars {
    double rate[HR_GROUPS];     /* learning rate of each parameter group */
    double decay[HR_GROUPS];    /* weight decay */
    double momentum[HR_GROUPS]; /* momentum of SGD */
    double first[HR_GROUPS];    /* 1 in the first update of a group, else 0 */
    double unbias1[HR_GROUPS];  /* AdamW: 1 - beta1^t in the t-th update of a group, t >= 1 */
    double unbias2[HR_GROUPS];  /* 1 - beta2^t */
    double larc[HR_GROUPS];     /* weight decay when LARC applies it; then `decay` is 0 */
    double ema;                 /* m of teacher <- m teacher + (1 - m) online */
    int64_t step;
};

/* Communication between the ranks of a distributed run. Sums are taken in rank order. */
struct hr_comm {
    int32_t rank, ranks;
    void *state;
    void (*all_reduce)(hr_comm *comm, hr_queue *q, const hr_array *sum); /* in place */
    void (*all_gather)(hr_comm *comm, hr_queue *q, const hr_array *all, const hr_array *mine);
    void (*broadcast)(hr_comm *comm, hr_queue *q, const hr_array *x, int32_t from);
};

struct hr_queue {
    const hr_backend *be;
    void *state;        /* the backend's own */
    hr_workspace *work; /* threads, memory and first failure on the host: base/workspace.h */
    hr_comm *comm;      /* shared with the context; NULL: one rank */
    hirl_context *context;
};

static inline int32_t hr_queue_rank(const hr_queue *q)
{
    return q->comm ? q->comm->rank : 0;
}

static inline int32_t hr_queue_ranks(const hr_queue *q)
{
    return q->comm ? q->comm->ranks : 1;
}

/* Filters that resize images. The value is the filter's radius in source pixels at full size. */
enum { HR_BILINEAR = 1, HR_BICUBIC = 2 };

/* One view of one image: the random draws of augmentation, made on the host (data/augment.c). */
typedef struct hr_augment_record {
    int32_t left, top, width, height; /* crop box in source pixels */
    int32_t size;                     /* side of the result */
    int32_t filter;                   /* HR_BILINEAR or HR_BICUBIC */
    int32_t resize;   /* evaluation: shorter side before the centre crop; else 0: box to size */
    int32_t flip;     /* 0 no, 1 last, 2 before the colours: the pixels are the same */
    int32_t jitter;   /* 0: none; else the operations in `order` */
    int32_t order[4]; /* 0 brightness, 1 contrast, 2 saturation, 3 hue, -1 nothing */
    float factor[4];  /* brightness, contrast, saturation factors; hue shift */
    int32_t gray, solarize;
    float sigma; /* blur; 0: none */
    float mean[3], std[3];
} hr_augment_record;

/* clang-format off */
#define HR_BACKEND_OPS(OP) \
    /* ---- memory and order: not arithmetic ---- */ \
    /* Device memory; NULL: there is none, and the message or `sync` gives the reason. */ \
    OP(void *, take, hr_queue *q, size_t bytes) \
    OP(void, give, hr_queue *q, void *block) \
    /* y <- host data of type `from`, converted. src may be reused after the return. */ \
    OP(void, upload, hr_queue *q, const hr_array *y, const void *src, hr_dtype from) \
    /* Host dst of type `to` <- x, converted. dst is valid after sync. */ \
    OP(void, download, hr_queue *q, void *dst, hr_dtype to, const hr_array *x) \
    /* y <- x, of any two float types, or of equal types */ \
    OP(void, copy, hr_queue *q, const hr_array *y, const hr_array *x) \
    OP(void, fill, hr_queue *q, const hr_array *y, double value) \
    /* sets the scalars that the kernels of this queue read, until the next call */ \
    OP(void, scalars, hr_queue *q, const hr_scalars *s) \
    \
    /* ---- matrices ---- */ \
    /* c[m,n] = alpha op(a) op(b) + beta c; act. With ta = HR_N, alpha = 1 and tb = HR_N or \
     * beta = 0, the bits of a row depend on its row of a, on b and on n and k, never on m */ \
    OP(void, gemm, hr_queue *q, const hr_array *c, const hr_array *a, const hr_array *b, \
       hr_trans ta, hr_trans tb, double alpha, double beta) \
    /* y[r,c] += b[c]; y act, b real */ \
    OP(void, add_rows, hr_queue *q, const hr_array *y, const hr_array *b) \
    /* s[c] = beta s[c] + alpha sum_r x[r,c]; s real, x act */ \
    OP(void, sum_rows, hr_queue *q, const hr_array *s, const hr_array *x, double alpha, \
       double beta) \
    /* y = alpha x + beta y, elementwise; act */ \
    OP(void, axpby, hr_queue *q, const hr_array *y, const hr_array *x, double alpha, double beta) \
    /* y = max(x, 0);  dx = beta dx + (y > 0) dy */ \
    OP(void, relu, hr_queue *q, const hr_array *y, const hr_array *x) \
    OP(void, relu_grad, hr_queue *q, const hr_array *dx, const hr_array *dy, const hr_array *y, \
       double beta) \
    /* y = x Phi(x), Phi the normal distribution;  dx = beta dx + (Phi(x) + x Phi'(x)) dy */ \
    OP(void, gelu, hr_queue *q, const hr_array *y, const hr_array *x) \
    OP(void, gelu_grad, hr_queue *q, const hr_array *dx, const hr_array *dy, const hr_array *x, \
       double beta) \
    \
    /* ---- feature maps ---- */ \
    /* y[N,OH,OW,O] = x * w[O,k,k,I]; sums f64 [G,2,O] += of y and y^2 by group, or NULL */ \
    OP(void, conv, hr_queue *q, const hr_array *y, const hr_array *sums, const hr_map *x, \
       const hr_array *w, hr_geometry geo) \
    /* dx = beta dx + dy *' w, the gradient of the value of the map x */ \
    OP(void, conv_dx, hr_queue *q, const hr_array *dx, const hr_array *dy, const hr_array *w, \
       hr_geometry geo, double beta) \
    /* dw = beta dw + dy' x; dw real */ \
    OP(void, conv_dw, hr_queue *q, const hr_array *dw, const hr_map *x, const hr_array *dy, \
       hr_geometry geo, double beta) \
    /* sums f64 [G,2,C] = sums of x and x^2 by group and channel (overwrites) */ \
    OP(void, norm_stats, hr_queue *q, const hr_array *sums, const hr_array *x) \
    /* From sums over `count` values per group and channel: mean, var (biased), rstd; \
     * scale = gamma rstd, shift = beta - mean scale; all [G,C] real; gamma, beta [C] or NULL */ \
    OP(void, norm_finish, hr_queue *q, const hr_array *scale, const hr_array *shift, \
       const hr_array *mean, const hr_array *rstd, const hr_array *sums, const hr_array *gamma, \
       const hr_array *beta, double count, double eps) \
    /* scale, shift [1,C] from the running statistics [C] */ \
    OP(void, norm_frozen, hr_queue *q, const hr_array *scale, const hr_array *shift, \
       const hr_array *mean, const hr_array *var, const hr_array *gamma, const hr_array *beta, \
       double eps) \
    /* running = keep running + (1 - keep) mean over groups of mean and unbiased variance, \
     * over the first `groups` groups (profile=reference: 1) */ \
    OP(void, norm_running, hr_queue *q, const hr_array *mean, const hr_array *var, \
       const hr_array *sums, double count, double keep, int64_t groups) \
    /* y = value of the map */ \
    OP(void, map_write, hr_queue *q, const hr_array *y, const hr_map *x) \
    /* With d = dv, but 0 where x has relu and v <= 0: da = beta da + d, the gradient of x->add */ \
    OP(void, map_add_grad, hr_queue *q, const hr_array *da, const hr_array *dv, const hr_map *x, \
       double beta) \
    /* sums f64 [G,2,C] = sums of d and d xhat, xhat = (raw - mean) rstd (overwrites) */ \
    OP(void, norm_sums, hr_queue *q, const hr_array *sums, const hr_array *dv, const hr_map *x, \
       const hr_array *mean, const hr_array *rstd) \
    /* draw = beta draw + gamma rstd (d - sum d / count - xhat sum(d xhat) / count); \
     * dgamma += sum over groups of sums[.,1], dbeta += of sums[.,0]; gamma NULL: 1. draw, or \
     * dgamma and dbeta, may be NULL */ \
    OP(void, norm_dx, hr_queue *q, const hr_array *draw, const hr_array *dgamma, \
       const hr_array *dbeta, const hr_array *dv, const hr_map *x, const hr_array *mean, \
       const hr_array *rstd, const hr_array *gamma, const hr_array *sums, double count, \
       double beta) \
    /* y = maximum of the map's value in each window; at i32, as y: its position in the window */ \
    OP(void, max_pool, hr_queue *q, const hr_array *y, const hr_array *at, const hr_map *x, \
       hr_geometry geo) \
    OP(void, max_pool_grad, hr_queue *q, const hr_array *dx, const hr_array *dy, \
       const hr_array *at, hr_geometry geo, double beta) \
    /* y[N,C] real = mean over H, W of the map's value;  dx = beta dx + dy / (H W) */ \
    OP(void, mean_pool, hr_queue *q, const hr_array *y, const hr_map *x) \
    OP(void, mean_pool_grad, hr_queue *q, const hr_array *dx, const hr_array *dy, double beta) \
    \
    /* ---- rows ---- */ \
    /* y = x / max(|x|, 1e-12); inv[r] = 1 / max(|x|, 1e-12) */ \
    OP(void, normalize, hr_queue *q, const hr_array *y, const hr_array *inv, const hr_array *x) \
    /* dx = beta dx + inv (dy - y <y, dy>); a row of length 0 gets 0 */ \
    OP(void, normalize_grad, hr_queue *q, const hr_array *dx, const hr_array *dy, \
       const hr_array *y, const hr_array *inv, double beta) \
    /* y[r] = <a_r, b_r>;  da_r = beta da_r + g[r] b_r */ \
    OP(void, row_dot, hr_queue *q, const hr_array *y, const hr_array *a, const hr_array *b) \
    OP(void, row_dot_grad, hr_queue *q, const hr_array *da, const hr_array *g, const hr_array *b, \
       double beta) \
    /* y_r = gamma xhat_r + shift, xhat_r = (x_r - mean[r]) rstd[r], variance biased; y, x act \
     * [R,D], mean, rstd real [R], gamma, shift real [D] */ \
    OP(void, layer_norm, hr_queue *q, const hr_array *y, const hr_array *mean, \
       const hr_array *rstd, const hr_array *x, const hr_array *gamma, const hr_array *shift, \
       double eps) \
    /* with d = gamma dy:  dx = beta dx + rstd (d - mean d - xhat mean(d xhat)); \
     * dgamma += sum_r dy xhat, dshift += sum_r dy. dx, or dgamma and dshift, may be NULL */ \
    OP(void, layer_norm_grad, hr_queue *q, const hr_array *dx, const hr_array *dgamma, \
       const hr_array *dshift, const hr_array *dy, const hr_array *x, const hr_array *mean, \
       const hr_array *rstd, const hr_array *gamma, double beta) \
    /* y_r = x_index[r];  dx_index[r] += dy_r, in order of r; index i32 [r] */ \
    OP(void, gather, hr_queue *q, const hr_array *y, const hr_array *x, const hr_array *index) \
    OP(void, scatter_add, hr_queue *q, const hr_array *dx, const hr_array *dy, \
       const hr_array *index) \
    /* ring[(scalars.step per_step + first + r) mod rows] = x_r; any type */ \
    OP(void, ring_write, hr_queue *q, const hr_array *ring, const hr_array *x, int64_t per_step, \
       int64_t first) \
    \
    /* ---- tokens: T rows per image ---- */ \
    /* y[n, at + i] = x[n, from + i] + beta y[n, at + i], i < count; act y [N,T,D], x [N,U,D], \
     * or [1,U,D]: the same rows for all n */ \
    OP(void, strip, hr_queue *q, const hr_array *y, const hr_array *x, int64_t at, int64_t from, \
       int64_t count, double beta) \
    /* y_n = k[n] x_n + beta y_n, for N equal contiguous parts y_n and x_n, act; k real [N] */ \
    OP(void, scale_blocks, hr_queue *q, const hr_array *y, const hr_array *k, const hr_array *x, \
       double beta) \
    /* H heads of d columns. A row of qkv [N T, 3 H d] is Q, K and V, each head after head. \
     * S = Q K' / sqrt d, lse[n,h,i] = log sum_j e^S_ij, P_ij = e^(S_ij - lse_i), y = P V; \
     * y [N T, H d], qkv act, lse real [N,H,T]; no [T,T] array is kept */ \
    OP(void, attention, hr_queue *q, const hr_array *y, const hr_array *lse, const hr_array *qkv) \
    /* dV = P' dy;  dS = P (dy V' - <dy, y>);  dQ = dS K / sqrt d;  dK = dS' Q / sqrt d; \
     * dqkv = beta dqkv + (dQ, dK, dV) */ \
    OP(void, attention_grad, hr_queue *q, const hr_array *dqkv, const hr_array *dy, \
       const hr_array *y, const hr_array *lse, const hr_array *qkv, double beta) \
    \
    /* ---- losses ---- */ \
    /* InfoNCE: loss[1] = mean_n [ -pos/T + log( exp(pos/T) + sum_k exp(neg/T) ) ], the sum over \
     * k with owner[k] != id[n]; lse[n] is the logarithm. pos[N], neg[N,K]; id, owner i64 */ \
    OP(void, info_nce, hr_queue *q, const hr_array *loss, const hr_array *lse, \
       const hr_array *pos, const hr_array *neg, const hr_array *id, const hr_array *owner, \
       double temperature) \
    /* dpos[N], dneg[N,K] = g[0] times the gradient of loss (overwrite); dneg may be neg */ \
    OP(void, info_nce_grad, hr_queue *q, const hr_array *dpos, const hr_array *dneg, \
       const hr_array *g, const hr_array *lse, const hr_array *pos, const hr_array *neg, \
       const hr_array *id, const hr_array *owner, double temperature) \
    /* loss[1] = mean_n -log softmax(z_n)[label_n], label i32; lse[n]; \
     * dz = beta dz + g[0] dloss/dz */ \
    OP(void, cross_entropy, hr_queue *q, const hr_array *loss, const hr_array *lse, \
       const hr_array *z, const hr_array *label) \
    OP(void, cross_entropy_grad, hr_queue *q, const hr_array *dz, const hr_array *g, \
       const hr_array *lse, const hr_array *z, const hr_array *label, double beta) \
    /* p[N,K] real = softmax((z - center) / T) by rows; z act; center [K] or NULL; T f64 [1] */ \
    OP(void, target, hr_queue *q, const hr_array *p, const hr_array *z, const hr_array *center, \
       const hr_array *temperature) \
    /* h[n] real = - sum_k p_nk log p_nk, 0 log 0 = 0; p real [N,K] */ \
    OP(void, entropy, hr_queue *q, const hr_array *h, const hr_array *p) \
    /* loss[1] = sum_n w_n ( - sum_k p_nk log softmax(z_n / T)_k ); p, z [N,K] act; weight [N], \
     * NULL or without data: 1/N; lse[n], 0 where weight is 0;  dz = beta dz + g[0] dloss/dz */ \
    OP(void, soft_cross_entropy, hr_queue *q, const hr_array *loss, const hr_array *lse, \
       const hr_array *p, const hr_array *z, const hr_array *weight, double temperature) \
    OP(void, soft_cross_entropy_grad, hr_queue *q, const hr_array *dz, const hr_array *g, \
       const hr_array *lse, const hr_array *p, const hr_array *z, const hr_array *weight, \
       double temperature, double beta) \
    /* y[R,K] real = rows [first, first + R) of Sinkhorn-Knopp of exp(s / epsilon): iterations of \
     * { columns sum to N/K, rows to 1 }; s[N,K] act */ \
    OP(void, sinkhorn, hr_queue *q, const hr_array *y, const hr_array *s, int64_t first, \
       double epsilon, int iterations) \
    /* Path loss, HIRL eqs. 2 and 3 (see cpu/spd.c), and its gradient with respect to u: \
     * u [L,N,d] unit rows; proto: L arrays [M_l,d]; path i32 [M_1,L], nodes of each leaf's path; \
     * positive i32 [N] leaf, or -1: row without loss; negative i32 [N,K] leaves, -1: not drawn. \
     * loss[1] = (1/N') sum_n (l+ + l-), l- over drawn leaves divided by (number + divisor_eps), \
     * N' = rows with a leaf; du [L,N,d] overwritten */ \
    OP(void, spd, hr_queue *q, const hr_array *loss, const hr_array *du, const hr_array *u, \
       const hr_array *proto, const hr_array *path, const hr_array *positive, \
       const hr_array *negative, double eps, double divisor_eps) \
    /* Leaves of a step: positive i32 [N], where it is not -1, becomes chosen [N] (NULL: kept); \
     * negative i32 [N,K] is made of drawn [N,K], which may be the same array: with `all` drawn \
     * itself, or -1 where it is the positive, else drawn + (drawn >= positive); -1 where \
     * drawn or positive is -1 */ \
    OP(void, path_leaves, hr_queue *q, const hr_array *positive, const hr_array *negative, \
       const hr_array *chosen, const hr_array *drawn, int32_t all) \
    /* count f64 [1] += rows of z [N,C] whose largest number, the first among equals, is at label; \
     * label i32 [N], -1: no label, never counted */ \
    OP(void, hits, hr_queue *q, const hr_array *count, const hr_array *z, const hr_array *label) \
    /* sum f64 [1] += x, [1] real or bf16: a loss joins the results of the step */ \
    OP(void, tally, hr_queue *q, const hr_array *sum, const hr_array *x) \
    \
    /* ---- optimiser: flat arrays, group g of hr_scalars ---- */ \
    /* SGD: v <- mu v + (grad + wd p), first step v = ...; p <- p - lr v */ \
    OP(void, sgd, hr_queue *q, const hr_array *p, const hr_array *v, const hr_array *grad, \
       int32_t group) \
    /* AdamW: p <- p (1 - lr wd); m <- beta1 m + (1 - beta1) grad; \
     * v <- beta2 v + (1 - beta2) grad^2; p <- p - lr (m / unbias1) / (sqrt(v / unbias2) + eps) */ \
    OP(void, adamw, hr_queue *q, const hr_array *p, const hr_array *m, const hr_array *v, \
       const hr_array *grad, int32_t group, double beta1, double beta2, double eps) \
    /* y <- m y + (1 - m) x, m = scalars.ema */ \
    OP(void, ema, hr_queue *q, const hr_array *y, const hr_array *x) \
    /* bad[0] i32 |= 1 if x holds a NaN or an infinity */ \
    OP(void, finite, hr_queue *q, const hr_array *bad, const hr_array *x) \
    /* s f64 [1] = sum of squares */ \
    OP(void, square_sum, hr_queue *q, const hr_array *s, const hr_array *x) \
    \
    /* ---- parts of a flat array: parts i64 [P,2] = first number and size of each part ---- */ \
    /* s f64 [P] = sum of squares of each part */ \
    OP(void, part_square, hr_queue *q, const hr_array *s, const hr_array *x, \
       const hr_array *parts) \
    /* factor f64 = min(1, limit / (norm + 1e-6)); [P]: norm = sqrt(s) of each part; [1]: norm = \
     * sqrt(sum s) of all parts */ \
    OP(void, clip_factor, hr_queue *q, const hr_array *factor, const hr_array *s, double limit) \
    /* x of each part <- factor x; factor f64 [P], or [1] for all */ \
    OP(void, part_scale, hr_queue *q, const hr_array *x, const hr_array *factor, \
       const hr_array *parts) \
    /* LARC: grad of each part <- a (grad + wd p), a = trust |p| / (|grad| + wd |p| + eps), where \
     * both lengths are > 0, wd = scalars.larc; grad_square, p_square f64 [P] from part_square */ \
    OP(void, larc, hr_queue *q, const hr_array *grad, const hr_array *p, \
       const hr_array *grad_square, const hr_array *p_square, const hr_array *parts, \
       int32_t group, double trust, double eps) \
    \
    /* ---- images ---- */ \
    /* y act [n,S,S,3]: y[i] is images[i], u8 RGB [H_i,W_i,3], after records[i]; i < n. The lists \
     * images and records, and the pixels, are in host memory: each image lies where its decoder \
     * wrote it. The size in every record is S. */ \
    OP(void, augment, hr_queue *q, const hr_array *y, const hr_array *images, \
       const hr_augment_record *records) \
    \
    /* ---- clustering and neighbours: real ---- */ \
    /* label i32 [n], distance f64 [n]: nearest centroid of each row, by squared distances in f64 \
     * of x and c as stored, lowest index on ties; distance is that of the label; no [n,k] \
     * array */ \
    OP(void, kmeans_assign, hr_queue *q, const hr_array *label, const hr_array *distance, \
       const hr_array *x, const hr_array *c) \
    /* sum f64 [k,d], weight f64 [k]: sums over the rows of each cluster in row order; label -1: \
     * the row is in none */ \
    OP(void, kmeans_sum, hr_queue *q, const hr_array *sum, const hr_array *weight, \
       const hr_array *x, const hr_array *label, const hr_array *row_weight) \
    /* the K rows of bank with the largest dot products, in f64 of x and bank as stored, in \
     * falling order, lowest index on ties: index i32 [n,K], score real [n,K]; skip i32 [n]: a \
     * bank row to leave out, or NULL */ \
    OP(void, top, hr_queue *q, const hr_array *index, const hr_array *score, const hr_array *x, \
       const hr_array *bank, const hr_array *skip)
/* clang-format on */

struct hr_backend {
    const char *name;
    void *state;                   /* the backend's own */
    void (*close)(hr_backend *be); /* frees state; NULL: nothing to free */
    /* called when a public call of the context starts and stops computing, nested and from several
     * threads; NULL: nothing to do */
    void (*enter)(const hr_backend *be);
    void (*leave)(const hr_backend *be);
    /* sets q->state; the other fields of q are set before */
    hirl_status (*open_queue)(hr_queue *q);
    void (*close_queue)(hr_queue *q);
    /* waits for the queue; returns and clears its first failure since the last sync */
    hirl_status (*sync)(hr_queue *q);
    /* The next steps of this queue have other operations or arrays than those before, or the host
     * takes part in them. Steps with the same `stage` can be captured once and replayed; 0: they
     * cannot be captured. NULL: the backend does not capture. */
    void (*stage)(hr_queue *q, uint64_t stage);
#define OP(type, op, ...) type (*op)(__VA_ARGS__);
    HR_BACKEND_OPS(OP)
#undef OP
};

/* Gives an array of this type and shape memory that is filled with 0. On failure the message begins
 * with `what`, and data stays NULL. */
hirl_status hr_array_take(hr_array *a, hr_queue *q, const char *what);
void hr_array_give(hr_array *a, hr_queue *q); /* data NULL: does nothing */

/* Writes the names of the table's empty slots, as "a, b, c and 12 more"; returns their number. */
int hr_backend_missing(char *text, size_t bytes, const hr_backend *backend);
/* UNSUPPORTED, naming the operations that the backend lacks. */
hirl_status hr_backend_complete(const hr_backend *backend);

#endif
