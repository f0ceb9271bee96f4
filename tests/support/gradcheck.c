/* gradcheck.c - gradients of the tape against central differences. */
#include "support/gradcheck.h"

#include <check.h>
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "support/close.h"
#include "support/fill.h"
#include "support/tape.h"

/* ---- the probe: an operation that reduces any tensor to one number ---- */

static void probe_backward(hr_tape *t, const hr_node *s)
{
    double beta;
    const hr_array *dx = hr_grad(t, s->in[0], &beta);
    hr_array row;

    if (!dx)
        return;
    row = hr_array_2(dx->data, dx->dtype, 1, hr_count(dx));
    t->q->be->row_dot_grad(t->q, &row, &s->out->g, &s->saved[0], beta);
}

/* [1] = <x, w>; w: fixed random multiples of 1/8 */
static hr_tensor *probe(hr_tape *t, hr_tensor *x)
{
    static const hr_op op = { "probe", probe_backward };
    int64_t n;
    hr_array row;
    real *weight;
    hr_node *s;

    x = hr_write(t, x);
    n = hr_count(&x->x);
    s = hr_tape_push(t, &op, HR_REAL, 1, (int64_t[]){ 1 }, 1, &x);
    if (!s)
        return &t->dead;
    s->saved[0] = hr_tape_array(t, HR_REAL, 2, (int64_t[]){ 1, n });
    weight = hr_tape_take(t, (size_t)n * sizeof *weight);
    hr_fill_uniform(weight, n, 999, -2, 2);
    for (int64_t i = 0; i < n; i++)
        weight[i] = (real)(rint(weight[i] * 8) / 8);
    t->q->be->upload(t->q, &s->saved[0], weight, HR_REAL);
    row = hr_array_2(x->x.data, x->x.dtype, 1, n);
    t->q->be->row_dot(t->q, &s->out->x, &row, &s->saved[0]);
    return s->out;
}

/* ---- leaves ---- */

void hr_gradcheck_init(hr_gradcheck *c, int variant)
{
    memset(c, 0, sizeof *c);
    c->variant = variant;
    c->step = 1e-5;
    hr_assert_ok(hr_context_create(&c->context, "cpu", 2));
    hr_assert_ok(hr_context_take_queue(&c->queue, c->context));
    hr_assert_ok(hr_tape_init(&c->tape, c->queue, HR_REAL));
}

void hr_gradcheck_done(hr_gradcheck *c)
{
    for (int i = 0; i < c->leaves; i++) {
        c->queue->be->give(c->queue, c->leaf[i].x.data);
        c->queue->be->give(c->queue, c->leaf[i].g.data);
        hr_free(c->leaf[i].value);
    }
    hr_tape_done(&c->tape);
    hr_context_give_queue(c->queue);
    hr_context_drop(c->context);
}

static void new_leaf(hr_gradcheck *c, int rank, const int64_t *dim, bool grad)
{
    hr_check_leaf *leaf = &c->leaf[c->leaves++];

    ck_assert_int_le(c->leaves, HR_CHECK_LEAVES);
    leaf->x = (hr_array){ .dtype = HR_REAL, .rank = rank };
    memcpy(leaf->x.dim, dim, (size_t)rank * sizeof *dim);
    leaf->g = leaf->x;
    leaf->count = hr_count(&leaf->x);
    leaf->x.data = c->queue->be->take(c->queue, hr_bytes(&leaf->x));
    leaf->g.data = c->queue->be->take(c->queue, hr_bytes(&leaf->g));
    leaf->value = hr_alloc(hr_bytes(&leaf->x));
    leaf->grad = grad;
    hr_fill_uniform(leaf->value, leaf->count, c->seed++, -1, 1);
    for (int64_t i = 0; c->quantum > 0 && i < leaf->count; i++)
        leaf->value[i] = (real)(rint(leaf->value[i] / c->quantum) * c->quantum);
}

static hr_tensor *take_leaf(hr_gradcheck *c, int rank, const int64_t *dim, bool grad)
{
    hr_check_leaf *leaf;
    hr_tensor *x;

    if (!c->started)
        new_leaf(c, rank, dim, grad);
    leaf = &c->leaf[c->at++];
    c->queue->be->upload(c->queue, &leaf->x, leaf->value, HR_REAL);
    x = hr_wrap(&c->tape, &leaf->x, grad ? &leaf->g : NULL);
    if (!grad || c->variant == 1)
        return x;
    x = hr_scale(&c->tape, x, 1);
    if (c->variant == 0)
        c->shared[c->shares++] = x;
    return x;
}

hr_tensor *hr_check_leaf_of(hr_gradcheck *c, int rank, const int64_t *dim)
{
    return take_leaf(c, rank, dim, true);
}

hr_tensor *hr_check_constant(hr_gradcheck *c, int rank, const int64_t *dim)
{
    return take_leaf(c, rank, dim, false);
}

hr_array hr_check_i32(hr_gradcheck *c, const int32_t *value, int rank, const int64_t *dim)
{
    return hr_test_upload(&c->tape, HR_I32, rank, dim, value, HR_I32);
}

hr_array hr_check_i64(hr_gradcheck *c, const int64_t *value, int64_t n)
{
    return hr_test_upload(&c->tape, HR_I64, 1, &n, value, HR_I64);
}

/* ---- the check ---- */

#define SMALL 1e-3 /* for a gradient that cancels, differences contain only rounding errors */

static hr_tensor *built(hr_gradcheck *c, hr_check_build *build)
{
    hr_tape *t = &c->tape;
    hr_tensor *y;

    hr_tape_reset(t);
    c->at = c->shares = 0;
    y = build(c);
    c->started = true;
    hr_assert_ok(hr_tape_status(t));
    if (hr_count(&y->x) != 1 || !y->x.data)
        y = probe(t, y);
    for (int i = 0; i < c->shares; i++)
        y = hr_add(t, y, probe(t, c->shared[i]));
    return y;
}

static double value_of(hr_gradcheck *c, hr_check_build *build)
{
    hr_tensor *loss = built(c, build);
    double value;

    hr_assert_ok(hr_tape_status(&c->tape));
    c->queue->be->download(c->queue, &value, HR_F64, &loss->x);
    hr_assert_ok(c->queue->be->sync(c->queue));
    return value;
}

static double difference(hr_gradcheck *c, hr_check_build *build, real *x)
{
    real kept = *x;
    double up, down;

    *x = (real)(kept + c->step);
    up = value_of(c, build);
    *x = (real)(kept - c->step);
    down = value_of(c, build);
    *x = kept;
    return (up - down) / (2 * c->step);
}

/* relative error of a leaf's gradient, over at most HR_CHECK_PLACES of its numbers */
static double leaf_error(hr_gradcheck *c, hr_check_build *build, hr_check_leaf *leaf,
                         const double *gradient)
{
    int64_t stride = leaf->count / HR_CHECK_PLACES + 1;
    double wrong = 0, length = 0;

    for (int64_t i = 0; i < leaf->count; i += stride) {
        double numeric = difference(c, build, &leaf->value[i]);

        wrong += (gradient[i] - numeric) * (gradient[i] - numeric);
        length += numeric * numeric;
    }
    ck_assert_msg(length > 0, "leaf %d of %lld numbers does not change the result",
                  (int)(leaf - c->leaf), (long long)leaf->count);
    return sqrt(wrong) / fmax(sqrt(length), SMALL);
}

double hr_gradcheck_error(hr_gradcheck *c, hr_check_build *build)
{
    double *gradient[HR_CHECK_LEAVES];
    double worst = 0;

    value_of(c, build); /* creates the leaves */
    for (int i = 0; i < c->leaves; i++)
        c->queue->be->fill(c->queue, &c->leaf[i].g, 0);
    hr_assert_ok(hr_tape_backward(&c->tape, built(c, build)));
    for (int i = 0; i < c->leaves; i++) {
        gradient[i] = hr_alloc_array((size_t)c->leaf[i].count, sizeof(double));
        c->queue->be->download(c->queue, gradient[i], HR_F64, &c->leaf[i].g);
    }
    hr_assert_ok(c->queue->be->sync(c->queue));
    for (int i = 0; i < c->leaves; i++) {
        double error = c->leaf[i].grad ? leaf_error(c, build, &c->leaf[i], gradient[i]) : 0;

        if (!(error <= worst)) {
            worst = error;
            c->worst = i;
        }
        hr_free(gradient[i]);
    }
    return worst;
}

void hr_gradcheck_case(hr_check_build *build, int variant)
{
    hr_gradcheck check;
    double error;

    hr_gradcheck_init(&check, variant);
    error = hr_gradcheck_error(&check, build);
    ck_assert_msg(error <= 1e-6, "variant %d, leaf %d: relative error %g", variant, check.worst,
                  error);
    hr_gradcheck_done(&check);
}

bool hr_gradcheck_used(const hr_gradcheck *c, const char *op)
{
    for (const hr_node *s = c->tape.last; s; s = s->before)
        if (s->op->backward && s->out->grad && !strcmp(s->op->name, op))
            return true;
    return false;
}
