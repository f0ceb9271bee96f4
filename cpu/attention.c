/* attention.c - multi-head attention of the tokens of an image (Vaswani et al. 2017).
 *
 *   S = s Q K',  s = 1 / sqrt d      P = e^(S - lse), lse = log sum_j e^S_ij      y = P V
 *   dV = P' dy      dS = P (dy V' - <dy, y>)      dQ = s dS K      dK = s dS' Q
 *
 * One task is a head h of an image n; its Q, K and V are [T, d] columns h d .. of the three blocks
 * of a row of qkv. Queries are taken ROWS at a time: no more of S, P and dS than [ROWS, T] is
 * there at once, and backward makes P again from lse. The products are sweeps over packed panels
 * (tile.h): [T, d] turned for S, straight for y.
 */
#include <math.h>
#include <string.h>

#include "cpu/clones.h"
#include "cpu/cpu.h"
#include "cpu/exp.h"
#include "cpu/tile.h"

enum { ROWS = 48, ROUND = 6, LANES = 16 }; /* queries of a block; of a sweep a multiple of ROUND */

typedef struct attention_job {
    hr_queue *q;
    const hr_cpu_tile *key, *column; /* panels of T keys; of d columns */
    const real *qkv, *y, *dy;
    real *to, *lse, *dqkv;
    int64_t tokens, heads, d, stride; /* T; stride of a row of qkv, 3 D */
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

/* [rows, cols] -> panels of rows: [cols][lanes], rows beyond the end are 0 */
static void pack_turned(real *panel, const real *x, int64_t stride, int64_t rows, int64_t cols,
                        int64_t lanes)
{
    for (int64_t first = 0; first < rows; first += lanes, panel += cols * lanes)
        for (int64_t l = 0; l < lanes; l++) {
            const real *row = x + (first + l) * stride;

            for (int64_t c = 0; c < cols; c++)
                panel[c * lanes + l] = first + l < rows ? row[c] : 0;
        }
}

/* [rows, cols] -> panels of columns: [rows][lanes], columns beyond the end are 0 */
static void pack_straight(real *panel, const real *x, int64_t stride, int64_t rows, int64_t cols,
                          int64_t lanes)
{
    for (int64_t first = 0; first < cols; first += lanes)
        for (int64_t r = 0; r < rows; r++, panel += lanes) {
            int64_t count = cols - first < lanes ? cols - first : lanes;

            memcpy(panel, x + r * stride + first, (size_t)count * sizeof *panel);
            memset(panel + count, 0, (size_t)(lanes - count) * sizeof *panel);
        }
}

/* to [rows, cols] = scale panels of columns + beta to; rows `stride` apart */
static void unpack_straight(real *to, const real *panel, int64_t stride, int64_t rows, int64_t cols,
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
    int64_t padded;      /* a multiple of ROUND: the last query again and again */
    int64_t in[ROWS], keys[ROWS], columns[ROWS]; /* starts of rows: in qkv, in S, in y */
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

/* to [padded, keys] = x [rows, d] times turned panels */
static void times_turned(real *to, const attention_job *job, const block *b, const real *x,
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

/* to [padded, columns] = x [padded, T] times straight panels */
static void times_straight(real *to, const attention_job *job, const block *b, const real *x,
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

/* sums [T, columns] in panels += x' [T, rows] y [rows, columns] in panels */
static void add_outer(real *sums, const attention_job *job, const block *b, const real *x,
                      const real *y)
{
    for (int64_t c = 0; c < job->columns; c += job->column->lanes)
        job->column->gather(sums + c * job->tokens, x, b->keys, y + c * b->rows, b->rows,
                            job->tokens);
}

/* ---- softmax ---- */

HR_CLONES static real largest(const real *x, int64_t n)
{
    real top[LANES];
    int64_t k = 0;

    for (int l = 0; l < LANES; l++)
        top[l] = x[0];
    for (; k + LANES <= n; k += LANES)
        for (int l = 0; l < LANES; l++)
            top[l] = x[k + l] > top[l] ? x[k + l] : top[l];
    for (; k < n; k++)
        top[0] = x[k] > top[0] ? x[k] : top[0];
    for (int l = 1; l < LANES; l++)
        top[0] = top[l] > top[0] ? top[l] : top[0];
    return top[0];
}

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

typedef struct forward_room {
    real *k, *v;    /* panels: K turned, V straight */
    real *s, *sums; /* [ROWS, keys], [ROWS, columns] */
} forward_room;

static bool forward_room_of(forward_room *room, const attention_job *job, int worker)
{
    int64_t turned = job->keys * job->d, straight = job->columns * job->tokens;
    int64_t scores = ROWS * job->keys, sums = ROWS * job->columns;

    room->k = hr_cpu_scratch(job->q, worker,
                             (size_t)(turned + straight + scores + sums) * sizeof *room->k);
    room->v = room->k + turned;
    room->s = room->v + straight;
    room->sums = room->s + scores;
    return room->k;
}

static void forward_task(void *arg, int64_t i, int worker)
{
    const attention_job *job = arg;
    int64_t n = i / job->heads, h = i % job->heads, dim = job->stride / 3;
    const real *q = job->qkv + n * job->tokens * job->stride + h * job->d;
    real *y = job->to + n * job->tokens * dim + h * job->d, *lse = job->lse + i * job->tokens;
    forward_room room;

    if (!forward_room_of(&room, job, worker))
        return;
    pack_turned(room.k, q + dim, job->stride, job->tokens, job->d, job->key->lanes);
    pack_straight(room.v, q + 2 * dim, job->stride, job->tokens, job->d, job->column->lanes);
    for (int64_t first = 0; first < job->tokens; first += ROWS) {
        block b = block_of(job, first, job->stride);

        times_turned(room.s, job, &b, q, b.in, room.k);
        for (int64_t r = 0; r < b.rows; r++) {
            real *s = room.s + b.keys[r], top = job->scale * largest(s, job->tokens);

            exponential(s, job->scale, top, job->tokens);
            lse[first + r] = top + (real)log((double)total(s, job->tokens));
        }
        times_straight(room.sums, job, &b, room.s, room.v);
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

typedef struct backward_room {
    real *k, *v, *straight; /* panels: K and V turned, K straight */
    real *dk, *dv;          /* [T, columns] in panels */
    real *p, *ds;           /* [ROWS, keys] */
    real *rows, *sums;      /* [ROWS, columns]: of dy or Q in panels; of dQ */
} backward_room;

static bool backward_room_of(backward_room *room, const attention_job *job, int worker)
{
    int64_t turned = job->keys * job->d, straight = job->columns * job->tokens;
    int64_t scores = ROWS * job->keys, sums = ROWS * job->columns;
    int64_t numbers = 2 * turned + 3 * straight + 2 * scores + 2 * sums;

    room->k = hr_cpu_scratch(job->q, worker, (size_t)numbers * sizeof *room->k);
    room->v = room->k + turned;
    room->straight = room->v + turned;
    room->dk = room->straight + straight;
    room->dv = room->dk + straight;
    room->p = room->dv + straight;
    room->ds = room->p + scores;
    room->rows = room->ds + scores;
    room->sums = room->rows + sums;
    return room->k;
}

/* P and dS / s of a block, from its scores and from dy V' */
static void probabilities(const backward_room *room, const attention_job *job, const block *b,
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
    backward_room room;

    if (!backward_room_of(&room, job, worker))
        return;
    lanes = job->column->lanes;
    pack_turned(room.k, q + dim, job->stride, job->tokens, job->d, job->key->lanes);
    pack_turned(room.v, q + 2 * dim, job->stride, job->tokens, job->d, job->key->lanes);
    pack_straight(room.straight, q + dim, job->stride, job->tokens, job->d, lanes);
    memset(room.dk, 0, (size_t)(2 * job->columns * job->tokens) * sizeof *room.dk);
    for (int64_t first = 0; first < job->tokens; first += ROWS) {
        block b = block_of(job, first, job->stride), out = block_of(job, first, dim);
        real *to = dq + first * job->stride;

        times_turned(room.p, job, &b, q, b.in, room.k);
        times_turned(room.ds, job, &b, dy, out.in, room.v);
        probabilities(&room, job, &b, lse, y, dy);
        pack_straight(room.rows, dy + first * dim, dim, b.rows, job->d, lanes);
        add_outer(room.dv, job, &b, room.p, room.rows);
        pack_straight(room.rows, q + first * job->stride, job->stride, b.rows, job->d, lanes);
        add_outer(room.dk, job, &b, room.ds, room.rows);
        times_straight(room.sums, job, &b, room.ds, room.straight);
        for (int64_t r = 0; r < b.rows; r++)
            unpack_straight(to + r * job->stride, room.sums + b.columns[r], 0, 1, job->d,
                            job->columns, scale, job->beta);
    }
    unpack_straight(dq + dim, room.dk, job->stride, job->tokens, job->d, lanes, scale, job->beta);
    unpack_straight(dq + 2 * dim, room.dv, job->stride, job->tokens, job->d, lanes, 1, job->beta);
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
