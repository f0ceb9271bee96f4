/* tape.c - reverse-mode automatic differentiation: records operations, then replays them backwards.
 *
 *   forward    y = op(x_1, x_2, ...)            each call records a node, in order
 *   backward   for nodes from last to first:  g_xi += (dy/dx_i)' g_y
 *
 * A gradient array is allocated for its first writer, which overwrites it (beta 0, so no zeroing is
 * needed); later writers add to it (beta 1). Nodes are in the host arena, values in the device
 * arena: with equal shapes, each step gets the same addresses.
 */
#include "tape/tape.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/halt.h"

static void *device_take(void *owner, size_t bytes)
{
    hr_queue *q = owner;

    return q->be->take(q, bytes);
}

static void device_give(void *owner, void *block)
{
    hr_queue *q = owner;

    q->be->give(q, block);
}

static void start(hr_tape *t)
{
    t->resets++;
    t->last = t->unchecked = NULL;
    t->commits = NULL;
    t->commits_end = &t->commits;
    t->failure.status = HIRL_OK;
    t->dead = (hr_tensor){ .x = hr_array_1(NULL, t->type, 0) };
}

hirl_status hr_tape_init(hr_tape *t, hr_queue *q, hr_dtype type)
{
    if (type != HR_REAL && type != HR_BF16)
        return hr_fail(HIRL_E_INTERNAL, "tape: activations cannot have type %d", (int)type);
    *t = (hr_tape){ .q = q, .type = type, .training = true, .recording = true };
    hr_arena_init_host(&t->host);
    hr_arena_init_host(&t->kept_host);
    hr_arena_init(&t->device, device_take, device_give, q);
    hr_arena_init(&t->kept_device, device_take, device_give, q);
    start(t);
    return HIRL_OK;
}

void hr_tape_done(hr_tape *t)
{
    if (!t->q)
        return;
    hr_arena_done(&t->host);
    hr_arena_done(&t->kept_host);
    hr_arena_done(&t->device);
    hr_arena_done(&t->kept_device);
    t->q = NULL;
}

void hr_tape_reset(hr_tape *t)
{
    hr_arena_reset(&t->host);
    hr_arena_reset(&t->kept_host);
    hr_arena_reset(&t->device);
    hr_arena_reset(&t->kept_device);
    start(t);
}

/* ---- failure ---- */

hr_tensor *hr_tape_fail(hr_tape *t, hirl_status status, const char *format, ...)
{
    va_list args;

    if (t->failure.status < 0)
        return &t->dead;
    va_start(args, format);
    vsnprintf(t->failure.text, sizeof t->failure.text, format, args);
    va_end(args);
    t->failure.status = status;
    t->failure.callback = 0;
    return &t->dead;
}

hr_tensor *hr_tape_pass(hr_tape *t, hirl_status status)
{
    if (t->failure.status >= 0)
        hr_error_keep(&t->failure, status);
    return &t->dead;
}

/* records an out-of-memory failure; the arena or the queue has set the thread's message */
static void fail_memory(hr_tape *t)
{
    hirl_status status;

    if (t->failure.status < 0)
        return;
    status = t->q->be->sync(t->q);
    if (status >= 0)
        status = HIRL_E_NOMEM;
    if (status == HIRL_E_NOMEM || status == HIRL_E_DEVICE_OOM)
        status =
            hr_fail_in(status, "try a smaller batch_size or eval_batch, or a larger accumulate");
    hr_tape_pass(t, status);
}

hirl_status hr_tape_status(const hr_tape *t)
{
    return t->failure.status < 0 ? hr_error_raise(&t->failure) : HIRL_OK;
}

const char *hr_shape(char text[HR_SHAPE], const hr_array *a)
{
    int used = 0;

    for (int i = 0; i < a->rank; i++)
        used += snprintf(text + used, (size_t)(HR_SHAPE - used), "%c%lld", i ? ',' : '[',
                         (long long)a->dim[i]);
    snprintf(text + used, (size_t)(HR_SHAPE - used), "]");
    return text;
}

bool hr_same_shape(const hr_array *a, const hr_array *b)
{
    return a->rank == b->rank && !memcmp(a->dim, b->dim, (size_t)a->rank * sizeof *a->dim);
}

/* ---- memory ---- */

static void *take(hr_tape *t, hr_arena *arena, size_t bytes)
{
    void *taken;

    if (t->failure.status >= 0 && hr_halt_check() < 0)
        hr_tape_pass(t, HIRL_E_CANCELED); /* the operations that follow are not recorded */
    taken = t->failure.status < 0 ? NULL : hr_arena_take(arena, bytes);
    if (!taken)
        fail_memory(t);
    return taken;
}

void *hr_tape_take(hr_tape *t, size_t bytes)
{
    return take(t, &t->host, bytes);
}

void *hr_tape_keep(hr_tape *t, size_t bytes)
{
    return take(t, &t->kept_host, bytes);
}

static hr_array take_array(hr_tape *t, hr_arena *arena, hr_dtype dtype, int rank,
                           const int64_t *dim)
{
    hr_array a = { NULL, dtype, rank, { 1, 1, 1, 1 } };

    memcpy(a.dim, dim, (size_t)rank * sizeof *dim);
    a.data = take(t, arena, hr_bytes(&a));
    return a;
}

hr_array hr_tape_array(hr_tape *t, hr_dtype dtype, int rank, const int64_t *dim)
{
    return take_array(t, &t->device, dtype, rank, dim);
}

hr_array hr_tape_keep_array(hr_tape *t, hr_dtype dtype, int rank, const int64_t *dim)
{
    return take_array(t, &t->kept_device, dtype, rank, dim);
}

hr_array hr_tape_keep_copy(hr_tape *t, const hr_array *x)
{
    hr_array kept = hr_tape_keep_array(t, x->dtype, x->rank, x->dim);

    if (kept.data)
        t->q->be->copy(t->q, &kept, x);
    return kept;
}

hr_array hr_tape_array_1(hr_tape *t, hr_dtype dtype, int64_t n)
{
    return hr_tape_array(t, dtype, 1, &n);
}

static hr_tensor *new_tensor(hr_tape *t)
{
    hr_tensor *x = hr_tape_take(t, sizeof *x);

    if (x)
        memset(x, 0, sizeof *x);
    return x;
}

hr_tensor *hr_wrap(hr_tape *t, const hr_array *x, const hr_array *grad)
{
    hr_tensor *made = new_tensor(t);

    if (!made)
        return &t->dead;
    made->x = *x;
    if (grad && grad->data) {
        made->g = *grad;
        made->grad = made->live = true;
    }
    return made;
}

const hr_map *hr_map_of(hr_tape *t, const hr_tensor *x)
{
    hr_map *identity;

    if (x->pending)
        return x->pending;
    identity = hr_tape_take(t, sizeof *identity);
    if (identity)
        *identity = (hr_map){ .raw = x->x };
    return identity;
}

/* ---- check: finds the first value that is not finite ---- */

enum { PARAMETER = 128 };

static bool holds_bad(hr_tape *t, const hr_array *x)
{
    hr_array flag = hr_tape_array_1(t, HR_I32, 1);
    int32_t bad = 0;
    hirl_status status;

    if (!flag.data || !x->data)
        return false;
    t->q->be->fill(t->q, &flag, 0);
    t->q->be->finite(t->q, &flag, x);
    t->q->be->download(t->q, &bad, HR_I32, &flag);
    status = t->q->be->sync(t->q);
    if (status < 0)
        hr_tape_pass(t, status);
    return status >= 0 && bad;
}

static int position(const hr_node *s)
{
    int n = 0;

    for (; s; s = s->before)
        n++;
    return n;
}

/* for messages: " of head.0.weight", the first parameter among the inputs of a node */
static const char *parameter(char text[PARAMETER], const hr_node *s)
{
    text[0] = 0;
    for (int i = 0; i < HR_NODE_INS && !text[0]; i++)
        if (s->in[i] && s->in[i]->name)
            snprintf(text, PARAMETER, " of %s", s->in[i]->name);
    return text;
}

static void check_output(hr_tape *t)
{
    hr_node *s = t->unchecked;
    const hr_map *map = s ? s->out->pending : NULL;
    char shape[HR_SHAPE], of[PARAMETER];
    bool bad;

    t->unchecked = NULL;
    if (!s || t->failure.status < 0)
        return;
    /* in evaluation scale and shift do not depend on raw */
    bad = map ? holds_bad(t, &map->raw) || holds_bad(t, &map->scale) || holds_bad(t, &map->shift)
              : holds_bad(t, &s->out->x);
    if (bad)
        hr_tape_fail(t, HIRL_E_NONFINITE, "%s%s (operation %d): output %s is not finite",
                     s->op->name, parameter(of, s), position(s), hr_shape(shape, &s->out->x));
}

void hr_tape_next(hr_tape *t)
{
    if (t->check)
        check_output(t);
    hr_arena_reset(&t->host);
    hr_arena_reset(&t->device);
    t->last = t->unchecked = NULL;
}

static void check_gradients(hr_tape *t, const hr_node *s)
{
    char shape[HR_SHAPE], of[PARAMETER];

    for (int i = 0; i < HR_NODE_INS; i++)
        if (s->in[i] && s->in[i]->live && holds_bad(t, &s->in[i]->g)) {
            hr_tape_fail(t, HIRL_E_NONFINITE,
                         "%s%s (operation %d): gradient of its input %d, %s %s, is not finite",
                         s->op->name, parameter(of, s), position(s), i + 1,
                         s->in[i]->name ? s->in[i]->name : "a tensor of shape",
                         hr_shape(shape, &s->in[i]->g));
            return;
        }
}

/* ---- record ---- */

static hr_node *push(hr_tape *t, const hr_op *op, int ins, hr_tensor **in)
{
    hr_node *s;

    if (t->check)
        check_output(t);
    for (int i = 0; i < ins; i++)
        if (in[i] == &t->dead)
            hr_tape_fail(t, HIRL_E_INTERNAL, "%s: input %d is the result of a failed operation",
                         op->name, i + 1);
    s = hr_tape_take(t, sizeof *s);
    if (!s)
        return NULL;
    *s = (hr_node){ .op = op, .before = t->last, .out = new_tensor(t) };
    if (!s->out)
        return NULL;
    for (int i = 0; i < ins; i++) {
        s->in[i] = in[i];
        s->out->grad |= in[i] && in[i]->grad && op->backward && t->recording;
    }
    t->last = s;
    t->unchecked = t->check ? s : NULL;
    return s;
}

hr_node *hr_tape_push(hr_tape *t, const hr_op *op, hr_dtype dtype, int rank, const int64_t *dim,
                      int ins, hr_tensor **in)
{
    hr_node *s = push(t, op, ins, in);

    if (!s)
        return NULL;
    s->out->x = hr_tape_array(t, dtype, rank, dim);
    return s->out->x.data ? s : NULL;
}

hr_node *hr_tape_push_view(hr_tape *t, const hr_op *op, const hr_array *x, int ins, hr_tensor **in)
{
    hr_node *s = push(t, op, ins, in);

    if (s)
        s->out->x = *x;
    return s;
}

/* ---- backward ---- */

const hr_array *hr_grad(hr_tape *t, hr_tensor *x, double *beta)
{
    if (!x || !x->grad || t->failure.status < 0)
        return NULL;
    if (!x->g.data)
        x->g = hr_tape_array(t, x->x.dtype, x->x.rank, x->x.dim);
    if (!x->g.data)
        return NULL;
    *beta = x->live ? 1 : 0;
    x->live = true;
    return &x->g;
}

const hr_array *hr_grad_part(hr_tape *t, hr_tensor *x)
{
    double beta;
    const hr_array *g = hr_grad(t, x, &beta);

    if (g && beta == 0)
        t->q->be->fill(t->q, g, 0);
    return g;
}

hirl_status hr_tape_backward(hr_tape *t, hr_tensor *loss)
{
    char shape[HR_SHAPE];
    double beta;
    const hr_array *g;

    if (t->check)
        check_output(t);
    if (hr_count(&loss->x) != 1)
        hr_tape_fail(t, HIRL_E_INTERNAL, "backward: the loss has shape %s; wanted one number",
                     hr_shape(shape, &loss->x));
    if (!loss->grad)
        hr_tape_fail(t, HIRL_E_INTERNAL,
                     "backward: the loss depends on no tensor that needs a gradient");
    g = hr_grad(t, loss, &beta);
    if (g)
        t->q->be->fill(t->q, g, 1);
    for (const hr_node *s = t->last; s && t->failure.status >= 0; s = s->before) {
        if (!s->out->grad || !s->out->live)
            continue;
        s->op->backward(t, s);
        if (t->check)
            check_gradients(t, s);
    }
    return hr_tape_status(t);
}

/* ---- commit ---- */

void hr_tape_at_commit(hr_tape *t, void (*run)(hr_queue *q, void *arg), void *arg)
{
    hr_commit *commit = hr_tape_keep(t, sizeof *commit);

    if (!commit)
        return;
    *commit = (hr_commit){ .run = run, .arg = arg };
    *t->commits_end = commit;
    t->commits_end = &commit->next;
}

void hr_tape_commit(hr_tape *t)
{
    for (hr_commit *commit = t->commits; commit; commit = commit->next)
        commit->run(t->q, commit->arg);
    t->commits = NULL;
    t->commits_end = &t->commits;
}
