/* backend.h - the table of operations that a backend fills, and its contract.
 *
 * A kernel gets a queue first, then outputs, inputs, sizes. Arrays are row-major, NHWC. It cannot
 * fail, allocate or wait: what goes wrong sticks in the queue and comes out of `sync`. Work may be
 * asynchronous; one queue is used by one thread at a time. `real` operands are HR_REAL; an operand
 * called "run" below is HR_REAL or HR_BF16, mixed freely (bf16 is widened, computed in real, and
 * rounded once when stored). `beta` is what the output is multiplied with before the result is
 * added: 0 for a first writer (the output is not read), 1 to accumulate. Sums named f64 are HR_F64.
 * Grids and orders of summation depend on sizes only. Rows and columns of an array: hr_rows_of,
 * hr_cols (array.h). An optional array is NULL.
 *
 * Adding a line: write it here, then cpu/ (naive kernel), a case in tests/parity, cuda/missing.txt.
 */
#ifndef HR_BACKEND_H
#define HR_BACKEND_H

#include "array.h"
#include "types.h"

typedef enum hr_trans { HR_N, HR_T } hr_trans;

/* a convolution or pooling window: square, symmetric zero padding */
struct hr_geometry {
    int32_t kernel, stride, pad;
};

static inline int64_t hr_window_count(int64_t n, hr_geometry g)
{
    return (n + 2 * g.pad - g.kernel) / g.stride + 1;
}

/* A feature map kept raw together with what is still to be done to it:
 *
 *     v = [relu] (scale_g raw + shift_g + add)
 *
 * scale, shift: [G, C] real, group g = the g-th of G equal contiguous parts of N; absent: 1 and 0.
 * add: a map of the same shape whose own `add` is NULL (its relu and scale apply), or NULL. */
struct hr_map {
    hr_array raw;          /* run [N, H, W, C] or [N, C] */
    hr_array scale, shift; /* [G, C]; data NULL: identity */
    const hr_map *add;
    bool relu;
};

/* What changes from step to step: filled on the host, uploaded once a step (CPU: read in place). */
enum { HR_GROUPS = 8 };
struct hr_scalars {
    double rate[HR_GROUPS];     /* learning rate of each parameter group */
    double decay[HR_GROUPS];    /* weight decay */
    double momentum[HR_GROUPS]; /* of SGD */
    double first[HR_GROUPS];    /* 1 in a group's first update, else 0 */
    double unbias1[HR_GROUPS];  /* of AdamW: 1 - beta1^t in a group's t-th update, t >= 1 */
    double unbias2[HR_GROUPS];  /* 1 - beta2^t */
    double larc[HR_GROUPS];     /* weight decay that LARC applies; `decay` is 0 then */
    double ema;                 /* m of teacher <- m teacher + (1 - m) online */
    int64_t step;
};

/* Reductions over ranks, in rank order; with one rank each is a no-op or a copy. */
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
    hr_comm *comm;      /* of the context; NULL: one rank */
    hirl_context *context;
};

/* One view of one image: what augmentation does, drawn on the host (data/augment.c). */
typedef struct hr_augment_record {
    int32_t left, top, width, height; /* crop box in source pixels */
    int32_t size;                     /* side of the result */
    int32_t filter;                   /* 1 bilinear, 2 bicubic */
    int32_t resize;   /* evaluation: shorter side before the centre crop, 0: crop box to size */
    int32_t flip;     /* 0 no, 1 last, 2 first (before colour): same pixels */
    int32_t jitter;   /* 0 none, else the four operations in `order` */
    int32_t order[4]; /* 0 brightness, 1 contrast, 2 saturation, 3 hue, -1 nothing */
    float factor[4];  /* brightness, contrast, saturation factors; hue shift */
    int32_t gray, solarize;
    float sigma; /* of the blur, 0: none */
    float mean[3], std[3];
} hr_augment_record;

#define HR_BACKEND_OPS(OP)                                                                           \
    /* ---- memory and order: not arithmetic ---- */                                                 \
    /* device memory; NULL: there is none, and the message or `sync` says so */                      \
    OP(void *, take, hr_queue *q, size_t bytes)                                                      \
    OP(void, give, hr_queue *q, void *block)                                                         \
    /* y <- host data of `from` type, converted; returns when src may be reused */                   \
    OP(void, upload, hr_queue *q, const hr_array *y, const void *src, hr_dtype from)                 \
    /* host dst of `to` type <- x; dst is valid after sync */                                        \
    OP(void, download, hr_queue *q, void *dst, hr_dtype to, const hr_array *x)                       \
    /* y <- x, any two float types, or equal types */                                                \
    OP(void, copy, hr_queue *q, const hr_array *y, const hr_array *x)                                \
    OP(void, fill, hr_queue *q, const hr_array *y, double value)                                     \
    /* the step's scalars for the kernels of this queue, until the next call */                      \
    OP(void, scalars, hr_queue *q, const hr_scalars *s)                                              \
                                                                                                     \
    /* ---- matrices ---- */                                                                         \
    /* c[m,n] = alpha op(a) op(b) + beta c; run */                                                   \
    OP(void, gemm, hr_queue *q, const hr_array *c, const hr_array *a, const hr_array *b,             \
       hr_trans ta, hr_trans tb, double alpha, double beta)                                          \
    /* y[r,c] += b[c]; y run, b real */                                                              \
    OP(void, add_rows, hr_queue *q, const hr_array *y, const hr_array *b)                            \
    /* s[c] = beta s[c] + alpha sum_r x[r,c]; s real, x run */                                       \
    OP(void, sum_rows, hr_queue *q, const hr_array *s, const hr_array *x, double alpha,              \
       double beta)                                                                                  \
    /* y = alpha x + beta y, elementwise; run */                                                     \
    OP(void, axpby, hr_queue *q, const hr_array *y, const hr_array *x, double alpha, double beta)    \
    /* y = max(x, 0);  dx = beta dx + (y > 0) dy */                                                  \
    OP(void, relu, hr_queue *q, const hr_array *y, const hr_array *x)                                \
    OP(void, relu_grad, hr_queue *q, const hr_array *dx, const hr_array *dy, const hr_array *y,      \
       double beta)                                                                                  \
    /* y = x Phi(x), Phi the normal distribution;  dx = beta dx + (Phi(x) + x Phi'(x)) dy */         \
    OP(void, gelu, hr_queue *q, const hr_array *y, const hr_array *x)                                \
    OP(void, gelu_grad, hr_queue *q, const hr_array *dx, const hr_array *dy, const hr_array *x,      \
       double beta)                                                                                  \
                                                                                                     \
    /* ---- feature maps ---- */                                                                     \
    /* y[N,OH,OW,O] = x * w[O,k,k,I]; sums f64 [G,2,O] += of y and y^2 by group, or NULL */          \
    OP(void, conv, hr_queue *q, const hr_array *y, const hr_array *sums, const hr_map *x,            \
       const hr_array *w, hr_geometry geo)                                                           \
    /* dx = beta dx + dy *' w: gradient to the value of x's map */                                   \
    OP(void, conv_dx, hr_queue *q, const hr_array *dx, const hr_array *dy, const hr_array *w,        \
       hr_geometry geo, double beta)                                                                 \
    /* dw = beta dw + dy' x; dw real */                                                              \
    OP(void, conv_dw, hr_queue *q, const hr_array *dw, const hr_map *x, const hr_array *dy,          \
       hr_geometry geo, double beta)                                                                 \
    /* sums f64 [G,2,C] = sum of x and x^2 by group and channel (overwrites) */                      \
    OP(void, norm_stats, hr_queue *q, const hr_array *sums, const hr_array *x)                       \
    /* from sums over `count` values a group and channel:  mean, var (biased), rstd;               \
     * scale = gamma rstd, shift = beta - mean scale; all [G,C] real; gamma, beta [C] or NULL */ \
    OP(void, norm_finish, hr_queue *q, const hr_array *scale, const hr_array *shift,                 \
       const hr_array *mean, const hr_array *rstd, const hr_array *sums, const hr_array *gamma,      \
       const hr_array *beta, double count, double eps)                                               \
    /* scale, shift [1,C] from the running statistics [C] */                                         \
    OP(void, norm_frozen, hr_queue *q, const hr_array *scale, const hr_array *shift,                 \
       const hr_array *mean, const hr_array *var, const hr_array *gamma, const hr_array *beta,       \
       double eps)                                                                                   \
    /* running = keep running + (1 - keep) mean over groups of mean and unbiased variance;         \
     * groups: how many of the first groups count (profile reference: 1) */ \
    OP(void, norm_running, hr_queue *q, const hr_array *mean, const hr_array *var,                   \
       const hr_array *sums, double count, double keep, int64_t groups)                              \
    /* y = value of the map */                                                                       \
    OP(void, map_write, hr_queue *q, const hr_array *y, const hr_map *x)                             \
    /* With d = dv (v > 0 if relu): da = beta da + d: the gradient of x's `add` operand */           \
    OP(void, map_add_grad, hr_queue *q, const hr_array *da, const hr_array *dv, const hr_map *x,     \
       double beta)                                                                                  \
    /* sums f64 [G,2,C] = sum of d and d xhat, xhat = (raw - mean) rstd (overwrites) */              \
    OP(void, norm_sums, hr_queue *q, const hr_array *sums, const hr_array *dv, const hr_map *x,      \
       const hr_array *mean, const hr_array *rstd)                                                   \
    /* draw = beta draw + gamma rstd (d - sum d / count - xhat sum(d xhat) / count);               \
     * dgamma += sum over groups of sums[.,1], dbeta += of sums[.,0]; gamma NULL: 1; draw or       \
     * dgamma and dbeta NULL: not wanted */ \
    OP(void, norm_dx, hr_queue *q, const hr_array *draw, const hr_array *dgamma,                     \
       const hr_array *dbeta, const hr_array *dv, const hr_map *x, const hr_array *mean,             \
       const hr_array *rstd, const hr_array *gamma, const hr_array *sums, double count,              \
       double beta)                                                                                  \
    /* y = max over the window of the map's value, at i32 [y]: winner's place in its window */       \
    OP(void, max_pool, hr_queue *q, const hr_array *y, const hr_array *at, const hr_map *x,          \
       hr_geometry geo)                                                                              \
    OP(void, max_pool_grad, hr_queue *q, const hr_array *dx, const hr_array *dy,                     \
       const hr_array *at, hr_geometry geo, double beta)                                             \
    /* y[N,C] real = mean over H, W of the map's value;  dx = beta dx + dy / (H W) */                \
    OP(void, mean_pool, hr_queue *q, const hr_array *y, const hr_map *x)                             \
    OP(void, mean_pool_grad, hr_queue *q, const hr_array *dx, const hr_array *dy, double beta)       \
                                                                                                     \
    /* ---- rows ---- */                                                                             \
    /* y = x / max(|x|, 1e-12); inv[r] = 1 / max(|x|, 1e-12) */                                      \
    OP(void, normalize, hr_queue *q, const hr_array *y, const hr_array *inv, const hr_array *x)      \
    /* dx = beta dx + inv (dy - y <y, dy>); a row of zero length gets 0 */                           \
    OP(void, normalize_grad, hr_queue *q, const hr_array *dx, const hr_array *dy,                    \
       const hr_array *y, const hr_array *inv, double beta)                                          \
    /* y[r] = <a_r, b_r>;  da_r = beta da_r + g[r] b_r */                                            \
    OP(void, row_dot, hr_queue *q, const hr_array *y, const hr_array *a, const hr_array *b)          \
    OP(void, row_dot_grad, hr_queue *q, const hr_array *da, const hr_array *g, const hr_array *b,    \
       double beta)                                                                                  \
    /* y_r = gamma xhat_r + shift, xhat_r = (x_r - mean[r]) rstd[r], variance biased; y, x run     \
     * [R,D], mean, rstd real [R], gamma, shift real [D] */ \
    OP(void, layer_norm, hr_queue *q, const hr_array *y, const hr_array *mean,                       \
       const hr_array *rstd, const hr_array *x, const hr_array *gamma, const hr_array *shift,        \
       double eps)                                                                                   \
    /* with d = gamma dy:  dx = beta dx + rstd (d - mean d - xhat mean(d xhat));                   \
     * dgamma += sum_r dy xhat, dshift += sum_r dy; dx, or dgamma and dshift, NULL: not wanted */ \
    OP(void, layer_norm_grad, hr_queue *q, const hr_array *dx, const hr_array *dgamma,               \
       const hr_array *dshift, const hr_array *dy, const hr_array *x, const hr_array *mean,          \
       const hr_array *rstd, const hr_array *gamma, double beta)                                     \
    /* y_r = x_index[r];  dx_index[r] += dy_r, in order of r; index i32 [r] */                       \
    OP(void, gather, hr_queue *q, const hr_array *y, const hr_array *x, const hr_array *index)       \
    OP(void, scatter_add, hr_queue *q, const hr_array *dx, const hr_array *dy,                       \
       const hr_array *index)                                                                        \
    /* ring[(scalars.step per_step + first + r) mod rows] = x_r; any type */                         \
    OP(void, ring_write, hr_queue *q, const hr_array *ring, const hr_array *x, int64_t per_step,     \
       int64_t first)                                                                                \
                                                                                                     \
    /* ---- tokens: T rows an image ---- */                                                          \
    /* y[n, at + i] = x[n, from + i] + beta y[n, at + i], i < count; run y [N,T,D], x [N,U,D],     \
     * or [1,U,D]: the same for all n */ \
    OP(void, strip, hr_queue *q, const hr_array *y, const hr_array *x, int64_t at, int64_t from,     \
       int64_t count, double beta)                                                                   \
    /* y_n = k[n] x_n + beta y_n, n the N equal contiguous parts of y and x, run; k real [N] */      \
    OP(void, scale_blocks, hr_queue *q, const hr_array *y, const hr_array *k, const hr_array *x,     \
       double beta)                                                                                  \
    /* H heads of d columns; a row of qkv [N T, 3 H d]: blocks Q, K, V, head after head in each.   \
     * S = Q K' / sqrt d, lse[n,h,i] = log sum_j e^S_ij, P_ij = e^(S_ij - lse_i), y = P V;         \
     * y [N T, H d], qkv run, lse real [N,H,T]; no [T,T] array is kept */ \
    OP(void, attention, hr_queue *q, const hr_array *y, const hr_array *lse, const hr_array *qkv)    \
    /* dV = P' dy;  dS = P (dy V' - <dy, y>);  dQ = dS K / sqrt d;  dK = dS' Q / sqrt d;           \
     * dqkv = beta dqkv + (dQ, dK, dV) */ \
    OP(void, attention_grad, hr_queue *q, const hr_array *dqkv, const hr_array *dy,                  \
       const hr_array *y, const hr_array *lse, const hr_array *qkv, double beta)                     \
                                                                                                     \
    /* ---- losses ---- */                                                                           \
    /* InfoNCE: loss[1] = mean_n [ -pos/T + log( exp(pos/T) + sum_k exp(neg/T) ) ], the sum over   \
     * k with owner[k] != id[n]; lse[n] is the logarithm. pos[N], neg[N,K]; id, owner i64 */ \
    OP(void, info_nce, hr_queue *q, const hr_array *loss, const hr_array *lse,                       \
       const hr_array *pos, const hr_array *neg, const hr_array *id, const hr_array *owner,          \
       double temperature)                                                                           \
    /* dpos[N], dneg[N,K] = g[0] d loss (overwrite); dneg may be neg */                              \
    OP(void, info_nce_grad, hr_queue *q, const hr_array *dpos, const hr_array *dneg,                 \
       const hr_array *g, const hr_array *lse, const hr_array *pos, const hr_array *neg,             \
       const hr_array *id, const hr_array *owner, double temperature)                                \
    /* loss[1] = mean_n -log softmax(z_n)[label_n]; label i32; lse[n];  dz = beta dz + g ... */      \
    OP(void, cross_entropy, hr_queue *q, const hr_array *loss, const hr_array *lse,                  \
       const hr_array *z, const hr_array *label)                                                     \
    OP(void, cross_entropy_grad, hr_queue *q, const hr_array *dz, const hr_array *g,                 \
       const hr_array *lse, const hr_array *z, const hr_array *label, double beta)                   \
    /* p[N,K] real = softmax((z - center) / T) by rows; z run; center [K] or NULL */                 \
    OP(void, target, hr_queue *q, const hr_array *p, const hr_array *z, const hr_array *center,      \
       double temperature)                                                                           \
    /* h[n] real = - sum_k p_nk log p_nk, 0 log 0 = 0; p real [N,K] */                               \
    OP(void, entropy, hr_queue *q, const hr_array *h, const hr_array *p)                             \
    /* loss[1] = sum_n w_n ( - sum_k p_nk log softmax(z_n / T)_k ); p, z [N,K] run; weight [N],    \
     * NULL or absent: 1/N; lse[n], 0 where the weight is 0;  dz = beta dz + g ... */ \
    OP(void, soft_cross_entropy, hr_queue *q, const hr_array *loss, const hr_array *lse,             \
       const hr_array *p, const hr_array *z, const hr_array *weight, double temperature)             \
    OP(void, soft_cross_entropy_grad, hr_queue *q, const hr_array *dz, const hr_array *g,            \
       const hr_array *lse, const hr_array *p, const hr_array *z, const hr_array *weight,            \
       double temperature, double beta)                                                              \
    /* y[R,K] real = rows [first, first + R) of Sinkhorn-Knopp of exp(s / epsilon): iterations of  \
     * { columns sum to N/K, rows to 1 }; s[N,K] run */ \
    OP(void, sinkhorn, hr_queue *q, const hr_array *y, const hr_array *s, int64_t first,             \
       double epsilon, int iterations)                                                               \
    /* Path loss, HIRL eqs. 2 and 3, and its gradient by u (spec.md 3.7):                          \
     * u [L,N,d] unit rows; proto: L arrays [M_l,d]; path i32 [M_1,L] node of each leaf's path;    \
     * positive i32 [N] leaf or -1 (row without loss); negative i32 [N,K] leaves, -1 = not drawn.  \
     * loss[1] = (1/N') sum_n (l+ + l-), l- over the drawn divided by (their number + divisor_eps) \
     * N' = rows with a leaf; du [L,N,d] overwritten */ \
    OP(void, spd, hr_queue *q, const hr_array *loss, const hr_array *du, const hr_array *u,          \
       const hr_array *proto, const hr_array *path, const hr_array *positive,                        \
       const hr_array *negative, double eps, double divisor_eps)                                     \
                                                                                                     \
    /* ---- optimiser: flat arrays, group g of hr_scalars ---- */                                    \
    /* SGD: v <- mu v + (grad + wd p), first step v = ...; p <- p - lr v */                          \
    OP(void, sgd, hr_queue *q, const hr_array *p, const hr_array *v, const hr_array *grad,           \
       int32_t group)                                                                                \
    /* AdamW: p <- p (1 - lr wd); m <- beta1 m + (1 - beta1) grad;                                 \
     * v <- beta2 v + (1 - beta2) grad^2; p <- p - lr (m / unbias1) / (sqrt(v / unbias2) + eps) */ \
    OP(void, adamw, hr_queue *q, const hr_array *p, const hr_array *m, const hr_array *v,            \
       const hr_array *grad, int32_t group, double beta1, double beta2, double eps)                  \
    /* y <- m y + (1 - m) x, m = scalars.ema */                                                      \
    OP(void, ema, hr_queue *q, const hr_array *y, const hr_array *x)                                 \
    /* bad[0] i32 |= 1 when x holds a NaN or an infinity */                                          \
    OP(void, finite, hr_queue *q, const hr_array *bad, const hr_array *x)                            \
    /* s f64 [1] = sum of squares */                                                                 \
    OP(void, square_sum, hr_queue *q, const hr_array *s, const hr_array *x)                          \
                                                                                                     \
    /* ---- parts of a flat array: parts i64 [P,2] = first number and count of each ---- */          \
    /* s f64 [P] = sum of squares of each part */                                                    \
    OP(void, part_square, hr_queue *q, const hr_array *s, const hr_array *x,                         \
       const hr_array *parts)                                                                        \
    /* factor f64 = min(1, limit / (norm + 1e-6)); [P]: norm = sqrt(s) of each part; [1]: norm =   \
     * sqrt(sum s) of all together */ \
    OP(void, clip_factor, hr_queue *q, const hr_array *factor, const hr_array *s, double limit)      \
    /* x of each part <- factor x; factor f64 [P], or [1] for all */                                 \
    OP(void, part_scale, hr_queue *q, const hr_array *x, const hr_array *factor,                     \
       const hr_array *parts)                                                                        \
    /* LARC: grad of each part <- a (grad + wd p), a = trust |p| / (|grad| + wd |p| + eps), where  \
     * both lengths are > 0, wd = scalars.larc; grad_square, p_square f64 [P] from part_square */ \
    OP(void, larc, hr_queue *q, const hr_array *grad, const hr_array *p,                             \
       const hr_array *grad_square, const hr_array *p_square, const hr_array *parts,                 \
       int32_t group, double trust, double eps)                                                      \
                                                                                                     \
    /* ---- images ---- */                                                                           \
    /* y run [n,S,S,3]: y[i] is images[i], u8 RGB [H_i,W_i,3], after records[i]; i < n. The lists  \
     * images and records are in host memory; the size in every record is S. */ \
    OP(void, augment, hr_queue *q, const hr_array *y, const hr_array *images,                        \
       const hr_augment_record *records)                                                             \
                                                                                                     \
    /* ---- clustering and neighbours: real ---- */                                                  \
    /* label i32 [n], distance real [n]: nearest centroid of each row and its squared L2 distance  \
     * |x|^2 + |c|^2 - 2 x.c (>= 0), lowest index on ties; no [n,k] array */ \
    OP(void, kmeans_assign, hr_queue *q, const hr_array *label, const hr_array *distance,            \
       const hr_array *x, const hr_array *c)                                                         \
    /* sum f64 [k,d], weight f64 [k]: of the rows of each cluster in row order; label -1: none */    \
    OP(void, kmeans_sum, hr_queue *q, const hr_array *sum, const hr_array *weight,                   \
       const hr_array *x, const hr_array *label, const hr_array *row_weight)                         \
    /* the K rows of bank with the largest dot product, falling, lowest index on ties:             \
     * index i32 [n,K], score real [n,K]; skip i32 [n]: a bank row that does not count, or NULL */ \
    OP(void, top, hr_queue *q, const hr_array *index, const hr_array *score, const hr_array *x,      \
       const hr_array *bank, const hr_array *skip)

struct hr_backend {
    const char *name; /* "cpu", "cuda" */
    void *state;      /* the backend's own */
    void (*close)(hr_backend *be); /* frees state; NULL: nothing to free */
    /* called when a public call of the context starts and stops computing, nested and from several
     * threads; NULL: nothing to do */
    void (*enter)(const hr_backend *be);
    void (*leave)(const hr_backend *be);
    /* sets q->state; the other fields are set before */
    hirl_status (*open_queue)(hr_queue *q);
    void (*close_queue)(hr_queue *q);
    /* waits; returns and clears the first failure since the last sync of this queue */
    hirl_status (*sync)(hr_queue *q);
#define OP(type, op, ...) type (*op)(__VA_ARGS__);
    HR_BACKEND_OPS(OP)
#undef OP
};

/* memory for an array of this type and shape, filled with 0; the message of a failure begins with
 * `what`, and data stays NULL */
hirl_status hr_array_take(hr_array *a, hr_queue *q, const char *what);
void hr_array_give(hr_array *a, hr_queue *q); /* data NULL: nothing */

/* Writes the names of the table's empty slots, as "a, b, c and 12 more"; returns their number. */
int hr_backend_missing(char *text, size_t bytes, const hr_backend *backend);
/* UNSUPPORTED, naming the operations that the backend lacks. */
hirl_status hr_backend_complete(const hr_backend *backend);

#endif
