/* op_norm.c - batch normalisation in groups (Ioffe and Szegedy 2015), and hr_write.
 *
 *   mean_g, var_g   over the images of group g and all positions    (biased; running: unbiased)
 *   xhat = (y - mean_g) rstd_g        rstd = 1 / sqrt(var + eps)
 *   v    = [relu] (gamma xhat + beta + add)
 *
 * With d = dv (0 where ReLU gives 0), and n values in each group and channel:
 *
 *   dgamma += sum d xhat      dbeta += sum d      dadd += d
 *   dy     += gamma rstd (d - sum_g d / n - xhat sum_g(d xhat) / n)
 *
 * y [N,..,C]; statistics [G,C]. v is not computed here but stays pending: kernels that support it
 * compute v while they read y (backend.h: hr_map), and hr_write stores v for all others. Running
 * statistics change only at commit.
 */
#include "tape/norm.h"

#include "tape/ops.h"

/* ---- running statistics ---- */

/* The sums of one pass of a norm in a step, over all micro-batches. */
struct hr_norm_record {
    hr_norm_record *next; /* the next pass of the same norm */
    hr_array mean, var;   /* [C], the running statistics that commit updates */
    hr_array sums;        /* [parts G,2,C] of this rank; with sync, over all ranks */
    hr_array all;         /* [ranks parts G,2,C], all ranks; data NULL: sums is complete */
    double count, keep;
    int64_t groups; /* the first so many groups count */
};

static void commit(hr_queue *q, void *arg)
{
    hr_norm_record *r = arg;

    if (r->all.data)
        q->comm->all_gather(q->comm, q, &r->all, &r->sums);
    q->be->norm_running(q, &r->mean, &r->var, r->all.data ? &r->all : &r->sums, r->count, r->keep,
                        r->groups);
}

static hr_norm_record *new_record(hr_tape *t, const hr_norm *norm, int64_t channels)
{
    hr_norm_record *r = hr_tape_keep(t, sizeof *r);
    int64_t own = norm->groups * (norm->parts ? norm->parts : 1);
    int64_t ranks = norm->sync ? 1 : hr_queue_ranks(t->q), all = own * ranks;

    if (!r)
        return NULL;
    *r =
        (hr_norm_record){ .mean = norm->mean, .var = norm->var, .keep = norm->keep, .groups = all };
    r->sums = hr_tape_keep_array(t, HR_F64, 3, (int64_t[]){ own, 2, channels });
    if (ranks > 1)
        r->all = hr_tape_keep_array(t, HR_F64, 3, (int64_t[]){ all, 2, channels });
    if (norm->running_groups > 0 && norm->running_groups < all)
        r->groups = norm->running_groups;
    hr_tape_at_commit(t, commit, r);
    return r;
}

/* Returns the record of this pass. The first micro-batch of a sequence appends records to the list;
 * the following micro-batches find the same records in the same order. */
static hr_norm_record *record_of(hr_tape *t, const hr_norm *norm, int64_t channels)
{
    hr_norm_slot *slot = norm->slot;
    hr_norm_record *r;

    if (slot->step != t->resets)
        *slot = (hr_norm_slot){ .step = t->resets, .end = &slot->first };
    if (!slot->next || slot->part != norm->part || slot->parts != norm->parts) {
        if (!norm->part || !slot->sequence)
            slot->sequence = slot->end;
        slot->next = slot->sequence;
        slot->part = norm->part;
        slot->parts = norm->parts;
    }
    r = *slot->next;
    if (!r) {
        r = new_record(t, norm, channels);
        if (!r)
            return NULL;
        *slot->next = r;
        slot->end = &r->next;
    }
    slot->next = &r->next;
    return r;
}

/* Returns room for the sums [G,2,C] of this pass, until commit if the running statistics need it.
 */
static hr_array sums_of(hr_tape *t, const hr_norm *norm, int64_t channels, double count)
{
    hr_norm_record *r;

    if (!norm->slot)
        return hr_tape_array(t, HR_F64, 3, (int64_t[]){ norm->groups, 2, channels });
    r = record_of(t, norm, channels);
    if (!r || hr_tape_status(t) < 0)
        return (hr_array){ 0 };
    r->count = count;
    return hr_slice(&r->sums, norm->part * norm->groups, norm->groups);
}

/* ---- training ---- */

void hr_norm_add_backward(hr_tape *t, const hr_node *s)
{
    double beta;
    const hr_array *dadd = hr_grad(t, s->in[HR_NORM_ADD], &beta);

    if (dadd)
        t->q->be->map_add_grad(t->q, dadd, &s->out->g, s->out->pending, beta);
}

void hr_norm_backward(hr_tape *t, const hr_node *s, const hr_array *dy, double keep)
{
    hr_tensor *gamma = s->in[HR_NORM_GAMMA];
    const hr_map *map = s->out->pending;
    const hr_array *dv = &s->out->g, *scale = gamma ? &gamma->x : NULL;
    const hr_array *mean = &s->saved[HR_NORM_MEAN], *rstd = &s->saved[HR_NORM_RSTD];
    const hr_array *dgamma = hr_grad_part(t, gamma);
    const hr_array *dbeta = hr_grad_part(t, s->in[HR_NORM_BETA]);
    hr_queue *q = t->q;
    hr_array sums = hr_tape_array(t, HR_F64, 3, s->saved[HR_NORM_SUMS].dim);

    if (!sums.data || (!dy && !dgamma && !dbeta))
        return;
    q->be->norm_sums(q, &sums, dv, map, mean, rstd);
    if (s->count[0]) { /* each rank adds its own share of dgamma, dbeta; dy needs all sums */
        q->be->norm_dx(q, NULL, dgamma, dbeta, dv, map, mean, rstd, scale, &sums, s->number[0], 1);
        q->comm->all_reduce(q->comm, q, &sums);
        dgamma = dbeta = NULL;
    }
    q->be->norm_dx(q, dy, dgamma, dbeta, dv, map, mean, rstd, scale, &sums, s->number[0], keep);
}

static void backward(hr_tape *t, const hr_node *s)
{
    const hr_array *dy;
    double keep = 0;

    hr_norm_add_backward(t, s); /* before hr_grad: add may be y itself */
    dy = hr_grad(t, s->in[HR_NORM_Y], &keep);
    hr_norm_backward(t, s, dy, keep);
}

bool hr_norm_open(hr_tape *t, hr_node *s, const hr_norm *norm, hr_map *map)
{
    int64_t channels = hr_cols(&map->raw), stat[2] = { norm->groups, channels };

    s->number[0] = (double)(hr_rows_of(&map->raw) / norm->groups);
    if (norm->sync && hr_queue_ranks(t->q) > 1) {
        s->number[0] *= t->q->comm->ranks;
        s->count[0] = 1;
    }
    s->saved[HR_NORM_SUMS] = sums_of(t, norm, channels, s->number[0]);
    s->saved[HR_NORM_MEAN] = hr_tape_array(t, HR_REAL, 2, stat);
    s->saved[HR_NORM_RSTD] = hr_tape_array(t, HR_REAL, 2, stat);
    map->scale = hr_tape_array(t, HR_REAL, 2, stat);
    map->shift = hr_tape_array(t, HR_REAL, 2, stat);
    return s->saved[HR_NORM_SUMS].data && map->shift.data;
}

void hr_norm_close(hr_tape *t, hr_node *s, const hr_norm *norm, hr_map *map)
{
    const hr_array *gamma = norm->gamma ? &norm->gamma->x : NULL;
    const hr_array *beta = norm->beta ? &norm->beta->x : NULL;
    hr_array *sums = &s->saved[HR_NORM_SUMS];
    hr_queue *q = t->q;

    if (s->count[0])
        q->comm->all_reduce(q->comm, q, sums);
    q->be->norm_finish(q, &map->scale, &map->shift, &s->saved[HR_NORM_MEAN],
                       &s->saved[HR_NORM_RSTD], sums, gamma, beta, s->number[0], norm->eps);
}

/* ---- evaluation ---- */

void hr_norm_no_backward(hr_tape *t, const hr_node *s)
{
    hr_tape_fail(t, HIRL_E_UNSUPPORTED, "%s: there is no gradient in evaluation", s->op->name);
}

void hr_norm_frozen(hr_tape *t, const hr_norm *norm, hr_map *map)
{
    int64_t stat[2] = { 1, hr_cols(&map->raw) };

    map->scale = hr_tape_array(t, HR_REAL, 2, stat);
    map->shift = hr_tape_array(t, HR_REAL, 2, stat);
    if (map->shift.data)
        t->q->be->norm_frozen(t->q, &map->scale, &map->shift, &norm->mean, &norm->var,
                              norm->gamma ? &norm->gamma->x : NULL,
                              norm->beta ? &norm->beta->x : NULL, norm->eps);
}

/* ---- the operations ---- */

bool hr_norm_fits(hr_tape *t, const hr_array *y, const hr_norm *norm, const hr_tensor *add)
{
    char found[HR_SHAPE], other[HR_SHAPE];
    int64_t channels = hr_cols(y);

    if (!norm->gamma != !norm->beta ||
        (norm->gamma &&
         (hr_count(&norm->gamma->x) != channels || hr_count(&norm->beta->x) != channels)) ||
        (norm->mean.data && hr_count(&norm->mean) != channels)) {
        hr_tape_fail(t, HIRL_E_INVALID, "batch_norm: parameters do not fit %lld channels",
                     (long long)channels);
        return false;
    }
    if (add && !hr_same_shape(&add->x, y)) {
        hr_tape_fail(t, HIRL_E_INVALID, "batch_norm: shape %s cannot be added to shape %s",
                     hr_shape(other, &add->x), hr_shape(found, y));
        return false;
    }
    if (!t->training)
        return true;
    if (norm->groups < 1 || y->dim[0] % norm->groups || hr_rows_of(y) / norm->groups < 2) {
        hr_tape_fail(
            t, HIRL_E_INVALID,
            "batch_norm: %s cannot be divided into %lld equal groups of at least two values",
            hr_shape(found, y), (long long)norm->groups);
        return false;
    }
    return true;
}

hr_tensor *hr_batch_norm(hr_tape *t, hr_tensor *y, const hr_norm *norm, hr_tensor *add, bool relu)
{
    static const hr_op op = { "batch_norm", backward },
                       frozen = { "batch_norm", hr_norm_no_backward };
    hr_tensor *in[HR_NORM_INS];
    hr_array later;
    hr_map *map;
    hr_node *s;

    y = hr_write(t, y);
    if (add && add->pending && add->pending->add)
        add = hr_write(t, add);
    if (!hr_norm_fits(t, &y->x, norm, add))
        return &t->dead;
    in[HR_NORM_Y] = y;
    in[HR_NORM_GAMMA] = norm->gamma;
    in[HR_NORM_BETA] = norm->beta;
    in[HR_NORM_ADD] = add;
    later = y->x;
    later.data = NULL;
    map = hr_tape_take(t, sizeof *map);
    s = hr_tape_push_view(t, t->training ? &op : &frozen, &later, HR_NORM_INS, in);
    if (!s || !map)
        return &t->dead;
    *map = (hr_map){ .raw = y->x, .add = add ? hr_map_of(t, add) : NULL, .relu = relu };
    s->out->pending = map;
    if (!t->training) {
        hr_norm_frozen(t, norm, map);
    } else if (hr_norm_open(t, s, norm, map)) {
        t->q->be->norm_stats(t->q, &s->saved[HR_NORM_SUMS], &map->raw);
        hr_norm_close(t, s, norm, map);
    }
    return t->failure.status < 0 ? &t->dead : s->out;
}

static void write_backward(hr_tape *t, const hr_node *s)
{
    double beta;
    const hr_array *dx = hr_grad(t, s->in[0], &beta);

    if (dx)
        t->q->be->axpby(t->q, dx, &s->out->g, 1, beta);
}

hr_tensor *hr_write(hr_tape *t, hr_tensor *x)
{
    static const hr_op op = { "write", write_backward };
    hr_node *s;

    if (!x->pending)
        return x;
    if (x->written)
        return x->written;
    s = hr_tape_push(t, &op, x->x.dtype, x->x.rank, x->x.dim, 1, &x);
    if (!s)
        return &t->dead;
    t->q->be->map_write(t->q, &s->out->x, x->pending);
    x->written = s->out;
    return s->out;
}
