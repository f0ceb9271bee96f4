/* attention.c - multi-head self-attention over the tokens of an image (Vaswani et al. 2017).
 *
 *   S = s Q K',  s = 1 / sqrt d      P = e^(S - lse), lse = log sum_j e^S_ij      y = P V
 *   dV = P' dy      dS = P (dy V' - <dy, y>)      dQ = s dS K      dK = s dS' Q
 *
 * qkv [N T, 3 D], y [N T, D], lse [N,H,T], with D = H d. One task handles head h of image n: its
 * Q, K and V are the [T,d] columns [h d, (h + 1) d) of the three blocks of qkv. Queries are taken
 * ROWS at a time, so that only [ROWS,T] of S, P and dS exists at once; the backward pass recomputes
 * P from lse. The products are sweeps over packed panels (tile.h).
 */
#include <math.h>
#include <string.h>

#include "cpu/clones.h"
#include "cpu/cpu.h"
#include "cpu/dot.h"
#include "cpu/exp.h"
#include "cpu/tile.h"

enum {
    ROWS = 48, /* queries of a block */
    ROUND = 6, /* a sweep takes a multiple of this many queries */
    LANES = 16,
};

typedef struct attention_job {
    hr_queue *q;
    const hr_cpu_tile *key, *column; /* tile for panels of the T keys, of the d columns */
    const real *qkv, *y, *dy;
    real *to, *lse, *dqkv;
    int64_t tokens, heads, d, stride; /* T, H, d; numbers in a row of qkv: 3 D */
    int64_t keys, columns;            /* T and d rounded up to whole panels */
    real scale, beta;
} attention_job;

static attention_job job_of(hr_queue *q, const hr_array *qkv, const hr_array *lse)
{
    attention_job job = { .q = q,
                          .qkv = hr_cpu_in(q, qkv),
                          .lse = lse->data,
                          .heads = lse->dim[1],
                          .tokens = lse->dim[2],
                          .stride = hr_cols(qkv) };

    job.d = job.stride / 3 / job.heads;
    job.key = hr_cpu_tile_for(job.tokens);
    job.column = hr_cpu_tile_for(job.d);
    job.keys = hr_parts(job.tokens, job.key->lanes) * job.key->lanes;
    job.columns = hr_parts(job.d, job.column->lanes) * job.column->lanes;
    job.scale = (real)(1 / sqrt((double)job.d));
    return job;
}

/* ---- panels ---- */

/* [rows, cols], transposed: panels [cols][lanes] of `lanes` rows each, 0 after the last row */
static void pack_transposed(real *panel, const real *x, int64_t stride, int64_t rows, int64_t cols,
                            int64_t lanes)
{
    for (int64_t first = 0; first < rows; first += lanes, panel += cols * lanes)
        for (int64_t l = 0; l < lanes; l++) {
            const real *row = x + (first + l) * stride;

            for (int64_t c = 0; c < cols; c++)
                panel[c * lanes + l] = first + l < rows ? row[c] : 0;
        }
}

/* [rows, cols]: panels [rows][lanes] of `lanes` columns each, 0 after the last column */
static void pack_plain(real *panel, const real *x, int64_t stride, int64_t rows, int64_t cols,
                       int64_t lanes)
{
    for (int64_t first = 0; first < cols; first += lanes)
        for (int64_t r = 0; r < rows; r++, panel += lanes) {
            int64_t count = cols - first < lanes ? cols - first : lanes;

            memcpy(panel, x + r * stride + first, (size_t)count * sizeof *panel);
            memset(panel + count, 0, (size_t)(lanes - count) * sizeof *panel);
        }
}

/* to [rows, cols] = scale x + beta to, x in panels of columns; rows of `to` are `stride` apart */
static void unpack_plain(real *to, const real *panel, int64_t stride, int64_t rows, int64_t cols,
                         int64_t lanes, real scale, real beta)
{
    for (int64_t first = 0; first < cols; first += lanes)
        for (int64_t r = 0; r < rows; r++, panel += lanes) {
            real *y = to + r * stride + first;
            int64_t count = cols - first < lanes ? cols - first : lanes;

            for (int64_t c = 0; c < count; c++)
                y[c] = scale * panel[c] + (beta == 0 ? 0 : beta * y[c]);
        }
}

/* ---- products of a block of queries ---- */

typedef struct block {
    int64_t first, rows; /* queries [first, first + rows) */
    int64_t padded;      /* rows rounded up to a multiple of ROUND by repeating the last query */
    int64_t in[ROWS], keys[ROWS], columns[ROWS]; /* where rows start: in the input, in S, in y */
} block;

static block block_of(const attention_job *job, int64_t first, int64_t in_stride)
{
    int64_t left = job->tokens - first;
    block b = { .first = first, .rows = left < ROWS ? left : ROWS };

    b.padded = hr_parts(b.rows, ROUND) * ROUND;
    for (int64_t i = 0; i < b.padded; i++) {
        b.in[i] = (first + (i < b.rows ? i : b.rows - 1)) * in_stride;
        b.keys[i] = i * job->keys;
        b.columns[i] = i * job->columns;
    }
    return b;
}

/* to [padded, keys] = x [padded, d] times transposed panels; row i of x starts at x + at[i] */
static void times_transposed(real *to, const attention_job *job, const block *b, const real *x,
                             const int64_t *at, const real *panels)
{
    hr_cpu_sweep s = { .x = x,
                       .y_at = b->keys,
                       .x_at = at,
                       .places = b->padded,
                       .rows = 1,
                       .run = job->d,
                       .width = job->key->lanes };

    for (int64_t c = 0; c < job->keys; c += s.width) {
        s.y = to + c;
        job->key->sweep(&s, panels + c * job->d);
    }
}

/* to [padded, columns] = x [padded, T] times plain panels */
static void times_plain(real *to, const attention_job *job, const block *b, const real *x,
                        const real *panels)
{
    hr_cpu_sweep s = { .x = x,
                       .y_at = b->columns,
                       .x_at = b->keys,
                       .places = b->padded,
                       .rows = 1,
                       .run = job->tokens,
                       .width = job->column->lanes };

    for (int64_t c = 0; c < job->columns; c += s.width) {
        s.y = to + c;
        job->column->sweep(&s, panels + c * job->tokens);
    }
}

/* sums [T, columns] += x' [T, rows] y [rows, columns]; sums and y in panels */
static void add_outer(real *sums, const attention_job *job, const block *b, const real *x,
                      const real *y)
{
    for (int64_t c = 0; c < job->columns; c += job->column->lanes)
        job->column->gather(sums + c * job->tokens, x, b->keys, y + c * b->rows, b->rows,
                            job->tokens);
}

/* ---- softmax ---- */

HR_CLONES static real total(const real *x, int64_t n)
{
    real sum[LANES] = { 0 };
    int64_t k = 0;

    for (; k + LANES <= n; k += LANES)
        for (int l = 0; l < LANES; l++)
            sum[l] += x[k + l];
    for (int l = 0; k + l < n; l++)
        sum[l] += x[k + l];
    for (int l = 1; l < LANES; l++)
        sum[0] += sum[l];
    return sum[0];
}

HR_CLONES static real product(const real *x, const real *y, int64_t n)
{
    real sum[LANES] = { 0 };
    int64_t k = 0;

    for (; k + LANES <= n; k += LANES)
        for (int l = 0; l < LANES; l++)
            sum[l] += x[k + l] * y[k + l];
    for (int l = 0; k + l < n; l++)
        sum[l] += x[k + l] * y[k + l];
    for (int l = 1; l < LANES; l++)
        sum[0] += sum[l];
    return sum[0];
}

/* x = e^(scale x - shift) */
HR_CLONES static void exponential(real *x, real scale, real shift, int64_t n)
{
    for (int64_t k = 0; k < n; k++)
        x[k] = hr_cpu_exp(scale * x[k] - shift);
}

/* ds = p (ds - delta) */
HR_CLONES static void softmax_grad(real *restrict ds, const real *restrict p, real delta, int64_t n)
{
    for (int64_t k = 0; k < n; k++)
        ds[k] = p[k] * (ds[k] - delta);
}

/* ---- forward ---- */

typedef struct forward_memory {
    real *k, *v;    /* panels: K transposed, V plain */
    real *s, *sums; /* [ROWS, keys], [ROWS, columns] */
} forward_memory;

static bool forward_memory_of(forward_memory *room, const attention_job *job, int worker)
{
    int64_t transposed = job->keys * job->d, plain = job->columns * job->tokens;
    int64_t scores = ROWS * job->keys, sums = ROWS * job->columns;

    room->k = hr_cpu_scratch(job->q, worker,
                             (size_t)(transposed + plain + scores + sums) * sizeof *room->k);
    room->v = room->k + transposed;
    room->s = room->v + plain;
    room->sums = room->s + scores;
    return room->k;
}

static void forward_task(void *arg, int64_t i, int worker)
{
    const attention_job *job = arg;
    int64_t n = i / job->heads, h = i % job->heads, dim = job->stride / 3;
    const real *q = job->qkv + n * job->tokens * job->stride + h * job->d;
    real *y = job->to + n * job->tokens * dim + h * job->d, *lse = job->lse + i * job->tokens;
    forward_memory room;

    if (!forward_memory_of(&room, job, worker))
        return;
    pack_transposed(room.k, q + dim, job->stride, job->tokens, job->d, job->key->lanes);
    pack_plain(room.v, q + 2 * dim, job->stride, job->tokens, job->d, job->column->lanes);
    for (int64_t first = 0; first < job->tokens; first += ROWS) {
        block b = block_of(job, first, job->stride);

        times_transposed(room.s, job, &b, q, b.in, room.k);
        for (int64_t r = 0; r < b.rows; r++) {
            real *s = room.s + b.keys[r], top = job->scale * hr_cpu_largest(s, job->tokens);

            exponential(s, job->scale, top, job->tokens);
            lse[first + r] = top + (real)log((double)total(s, job->tokens));
        }
        times_plain(room.sums, job, &b, room.s, room.v);
        for (int64_t r = 0; r < b.rows; r++) {
            real share = 1 / total(room.s + b.keys[r], job->tokens);

            for (int64_t c = 0; c < job->d; c++)
                y[(first + r) * dim + c] = share * room.sums[b.columns[r] + c];
        }
    }
}

void hr_cpu_attention(hr_queue *q, const hr_array *y, const hr_array *lse, const hr_array *qkv)
{
    attention_job job = job_of(q, qkv, lse);

    job.to = hr_cpu_out(q, y, false);
    hr_cpu_run(q, lse->dim[0] * job.heads, forward_task, &job);
    hr_cpu_end(q);
}

/* ---- backward ---- */

typedef struct backward_memory {
    real *k, *v, *plain_k; /* panels: K and V transposed, K plain */
    real *dk, *dv;         /* [T, columns] in panels */
    real *p, *ds;          /* [ROWS, keys] */
    real *rows;            /* [ROWS, columns] of dy or Q, in panels */
    real *sums;            /* [ROWS, columns] of dQ */
} backward_memory;

static bool backward_memory_of(backward_memory *room, const attention_job *job, int worker)
{
    int64_t transposed = job->keys * job->d, plain = job->columns * job->tokens;
    int64_t scores = ROWS * job->keys, sums = ROWS * job->columns;
    int64_t numbers = 2 * transposed + 3 * plain + 2 * scores + 2 * sums;

    room->k = hr_cpu_scratch(job->q, worker, (size_t)numbers * sizeof *room->k);
    room->v = room->k + transposed;
    room->plain_k = room->v + transposed;
    room->dk = room->plain_k + plain;
    room->dv = room->dk + plain;
    room->p = room->dv + plain;
    room->ds = room->p + scores;
    room->rows = room->ds + scores;
    room->sums = room->rows + sums;
    return room->k;
}

/* p: from Q K' to P; ds: from dy V' to dS */
static void probabilities(const backward_memory *room, const attention_job *job, const block *b,
                          const real *lse, const real *y, const real *dy)
{
    int64_t dim = job->stride / 3;

    for (int64_t r = 0; r < b->rows; r++) {
        int64_t row = (b->first + r) * dim;
        real delta = product(dy + row, y + row, job->d);

        exponential(room->p + b->keys[r], job->scale, lse[b->first + r], job->tokens);
        softmax_grad(room->ds + b->keys[r], room->p + b->keys[r], delta, job->tokens);
    }
}

static void backward_task(void *arg, int64_t i, int worker)
{
    const attention_job *job = arg;
    int64_t n = i / job->heads, h = i % job->heads, dim = job->stride / 3, lanes;
    int64_t at = n * job->tokens * dim + h * job->d, all = n * job->tokens * job->stride;
    const real *q = job->qkv + all + h * job->d, *lse = job->lse + i * job->tokens;
    const real *y = job->y + at, *dy = job->dy + at;
    real *dq = job->dqkv + all + h * job->d, scale = job->scale;
    backward_memory room;

    if (!backward_memory_of(&room, job, worker))
        return;
    lanes = job->column->lanes;
    pack_transposed(room.k, q + dim, job->stride, job->tokens, job->d, job->key->lanes);
    pack_transposed(room.v, q + 2 * dim, job->stride, job->tokens, job->d, job->key->lanes);
    pack_plain(room.plain_k, q + dim, job->stride, job->tokens, job->d, lanes);
    memset(room.dk, 0, (size_t)(2 * job->columns * job->tokens) * sizeof *room.dk);
    for (int64_t first = 0; first < job->tokens; first += ROWS) {
        block b = block_of(job, first, job->stride), out = block_of(job, first, dim);
        real *to = dq + first * job->stride;

        times_transposed(room.p, job, &b, q, b.in, room.k);
        times_transposed(room.ds, job, &b, dy, out.in, room.v);
        probabilities(&room, job, &b, lse, y, dy);
        pack_plain(room.rows, dy + first * dim, dim, b.rows, job->d, lanes);
        add_outer(room.dv, job, &b, room.p, room.rows);
        pack_plain(room.rows, q + first * job->stride, job->stride, b.rows, job->d, lanes);
        add_outer(room.dk, job, &b, room.ds, room.rows);
        times_plain(room.sums, job, &b, room.ds, room.plain_k);
        for (int64_t r = 0; r < b.rows; r++)
            unpack_plain(to + r * job->stride, room.sums + b.columns[r], 0, 1, job->d, job->columns,
                         scale, job->beta);
    }
    unpack_plain(dq + dim, room.dk, job->stride, job->tokens, job->d, lanes, scale, job->beta);
    unpack_plain(dq + 2 * dim, room.dv, job->stride, job->tokens, job->d, lanes, 1, job->beta);
}

void hr_cpu_attention_grad(hr_queue *q, const hr_array *dqkv, const hr_array *dy, const hr_array *y,
                           const hr_array *lse, const hr_array *qkv, double beta)
{
    attention_job job = job_of(q, qkv, lse);

    job.dqkv = hr_cpu_out(q, dqkv, beta != 0);
    job.y = hr_cpu_in(q, y);
    job.dy = hr_cpu_in(q, dy);
    job.beta = (real)beta;
    hr_cpu_run(q, lse->dim[0] * job.heads, backward_task, &job);
    hr_cpu_end(q);
}
