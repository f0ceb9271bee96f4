/* loss.c - functions of <hirl/loss.h>: the path loss on plain arrays, computed on a small tape.
 *
 *   loss = spd_weight L_SPD(norm2(z), tree, leaf, negative)      HIRL eqs. 2 and 3
 *   grad = d loss / d z
 */
#include <hirl/loss.h>

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "context.h"
#include "hier/paths.h"
#include "hier/tree.h"
#include "tape/ops.h"

/* arguments and work memory of one call, all in host memory */
typedef struct call {
    hr_spd_config config;
    const hirl_tree *tree;
    const float *z; /* [L,n,d] */
    const int32_t *leaf;
    int32_t *path;     /* [M_1,L] */
    int32_t *negative; /* [n,k]; -1: the path does not count */
    float *result;     /* [1 + L n d] loss and gradient; copied to the caller on success */
    int64_t n, k;
    bool want_grad;
} call;

static int64_t count_values(const call *c)
{
    return c->tree->levels * c->n * c->tree->d;
}

/* ---- arguments ---- */

static hirl_status check_leaves(const int32_t *leaf, int64_t n, int64_t leaves, const char *what)
{
    for (int64_t i = 0; i < n; i++)
        if (leaf[i] < -1 || leaf[i] >= leaves)
            return hr_fail(HIRL_E_INVALID, "spd_loss: %s[%lld] is %d; the tree has %lld leaves",
                           what, (long long)i, (int)leaf[i], (long long)leaves);
    return HIRL_OK;
}

static hirl_status check_finite(const call *c)
{
    int64_t count = count_values(c), d = c->tree->d;

    for (int64_t i = 0; i < count; i++)
        if (!isfinite(c->z[i]))
            return hr_fail(
                HIRL_E_NONFINITE, "spd_loss: z of level %lld, row %lld, column %lld is not finite",
                (long long)(i / d / c->n + 1), (long long)(i / d % c->n), (long long)(i % d));
    return HIRL_OK;
}

static hirl_status check(const call *c, const int32_t *negative)
{
    int64_t leaves = c->tree->m[0], z_count, negative_count;

    if (c->n < 1 || c->k < 1)
        return hr_fail(HIRL_E_INVALID,
                       "spd_loss: %lld images, %lld negatives; 1 or more are expected",
                       (long long)c->n, (long long)c->k);
    if (c->n > INT32_MAX || c->k > INT32_MAX ||
        __builtin_mul_overflow(c->n * c->tree->levels, c->tree->d * (int64_t)sizeof(double),
                               &z_count) ||
        __builtin_mul_overflow(c->n * c->k, (int64_t)sizeof(double), &negative_count))
        return hr_fail(HIRL_E_INVALID, "spd_loss: %lld images with %lld negatives are too many",
                       (long long)c->n, (long long)c->k);
    HR_TRY(check_leaves(c->leaf, c->n, leaves, "leaf"));
    if (negative)
        HR_TRY(check_leaves(negative, c->n * c->k, leaves, "negative"));
    return check_finite(c);
}

/* ---- the paths ---- */

/* masked [n,k] <- negative, with -1 for the image's positive leaf, which does not count */
static void mask_positive(int32_t *masked, const int32_t *negative, const call *c)
{
    for (int64_t i = 0; i < c->n; i++)
        for (int64_t j = 0; j < c->k; j++) {
            int32_t leaf = negative[i * c->k + j];

            masked[i * c->k + j] = leaf == c->leaf[i] ? -1 : leaf;
        }
}

static hirl_status draw(const call *c, uint64_t seed)
{
    int64_t *image = hr_alloc_array((size_t)c->n, sizeof *image);

    if (!image)
        return HIRL_E_NOMEM;
    for (int64_t i = 0; i < c->n; i++)
        image[i] = i;
    hr_paths_draw(c->negative, c->n, c->k, c->leaf, image, c->tree->m[0], seed, 0,
                  hr_spd_draws_all(&c->config));
    hr_free(image);
    return HIRL_OK;
}

static hirl_status prepare(call *c, const int32_t *negative, uint64_t seed)
{
    const hirl_tree *tree = c->tree;

    c->path = hr_alloc_array((size_t)(tree->m[0] * tree->levels), sizeof *c->path);
    c->negative = hr_alloc_array((size_t)(c->n * c->k), sizeof *c->negative);
    c->result = hr_alloc_array((size_t)(1 + count_values(c)), sizeof *c->result);
    if (!c->path || !c->negative || !c->result)
        return HIRL_E_NOMEM;
    hr_tree_paths(c->path, tree);
    if (!negative)
        return draw(c, seed);
    mask_positive(c->negative, negative, c);
    return HIRL_OK;
}

static void release(call *c)
{
    hr_free(c->path);
    hr_free(c->negative);
    hr_free(c->result);
}

/* ---- loss and gradient ---- */

static hr_array upload(hr_tape *t, hr_dtype dtype, int64_t rows, int64_t cols, const void *src,
                       hr_dtype from)
{
    hr_array a = hr_tape_array(t, dtype, 2, (int64_t[]){ rows, cols });

    if (a.data)
        t->q->be->upload(t->q, &a, src, from);
    return a;
}

static hr_spd_paths upload_paths(hr_tape *t, const call *c)
{
    const hirl_tree *tree = c->tree;
    bool reference = c->config.profile == HR_PROFILE_REFERENCE;
    hr_spd_paths paths = { .levels = tree->levels,
                           .eps = c->config.spd_eps,
                           .divisor_eps = hr_spd_divisor_eps(reference) };

    for (int l = 0; l < tree->levels; l++)
        paths.proto[l] = upload(t, HR_REAL, tree->m[l], tree->d, tree->proto[l], HR_F32);
    paths.path = upload(t, HR_I32, tree->m[0], tree->levels, c->path, HR_I32);
    paths.negative = upload(t, HR_I32, c->n, c->k, c->negative, HR_I32);
    paths.positive = hr_tape_array_1(t, HR_I32, c->n);
    if (paths.positive.data)
        t->q->be->upload(t->q, &paths.positive, c->leaf, HR_I32);
    return paths;
}

/* z of a level as unit rows [n,d]; its gradient goes to grad[level] */
static hr_tensor *upload_level(hr_tape *t, const call *c, const hr_array *grad, int level)
{
    int64_t d = c->tree->d;
    hr_array z = upload(t, HR_REAL, c->n, d, c->z + level * c->n * d, HR_F32), g = { 0 };

    if (c->want_grad && grad->data) {
        g = hr_slice(grad, level, 1);
        g = hr_array_2(g.data, g.dtype, c->n, d);
    }
    return hr_normalize(t, hr_wrap(t, &z, &g));
}

static hirl_status compute(hr_tape *t, call *c)
{
    const hr_backend *be = t->q->be;
    hr_tensor *u[HR_LEVELS], *loss;
    hr_spd_paths paths = upload_paths(t, c);
    hr_array grad = hr_tape_array(t, HR_REAL, 3, (int64_t[]){ c->tree->levels, c->n, c->tree->d });

    HR_TRY(hr_tape_status(t));
    be->fill(t->q, &grad, 0);
    for (int l = 0; l < c->tree->levels; l++)
        u[l] = upload_level(t, c, &grad, l);
    loss = hr_scale(t, hr_spd(t, u, &paths), hr_spd_weight(&c->config));
    if (c->want_grad)
        HR_TRY(hr_tape_backward(t, loss));
    HR_TRY(hr_tape_status(t));
    be->download(t->q, c->result, HR_F32, &loss->x);
    be->download(t->q, c->result + 1, HR_F32, &grad);
    HR_TRY(be->sync(t->q));
    if (!isfinite(c->result[0]))
        return hr_fail(HIRL_E_NONFINITE, "spd_loss: a logarithm of 0, because spd_eps is %g",
                       c->config.spd_eps);
    return HIRL_OK;
}

static hirl_status compute_in(hirl_context *context, call *c)
{
    hr_queue *queue = NULL;
    hr_tape tape = { 0 };
    hirl_status status;
    hr_call entered;

    HR_TRY(hr_context_enter(&entered, context));
    status = hr_context_take_queue(&queue, context);
    if (status >= 0)
        status = hr_tape_init(&tape, queue, HR_REAL);
    if (status >= 0)
        status = compute(&tape, c);
    hr_tape_done(&tape);
    hr_context_give_queue(queue);
    return hr_context_leave(&entered, status);
}

hirl_status hirl_spd_loss(double *loss, float *grad, hirl_context *context, const hirl_tree *tree,
                          const float *z, int64_t n, const int32_t *leaf, const int32_t *negative,
                          int64_t k, uint64_t seed, const hirl_options *options)
{
    call c = { .tree = tree, .z = z, .leaf = leaf, .n = n, .k = k, .want_grad = grad != NULL };
    hirl_status status;

    if (!loss || !context || !tree || !z || !leaf)
        return hr_fail(HIRL_E_INVALID, "spd_loss: loss, context, tree, z or leaf is NULL");
    HR_TRY(hr_options_read(&c.config, &hr_spd_keys, options));
    HR_TRY(check(&c, negative));
    status = prepare(&c, negative, seed);
    if (status >= 0)
        status = compute_in(context, &c);
    if (status >= 0) {
        *loss = c.result[0];
        if (grad)
            memcpy(grad, c.result + 1, (size_t)count_values(&c) * sizeof *grad);
    }
    release(&c);
    return status;
}
