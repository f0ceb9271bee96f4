/* small_host.c - a loss that a teacher and a moving mean pull at.
 *
 *   L = mean_n ( |x_0 - x_1|^2 / 2 - <x_0, c + t_1> )          x_v: student of view v
 *
 * c: moving mean of x_0, moved at commit; t_1: the teacher's view 1, in its first columns, or 0.
 */
#include "small_host.h"

#include <check.h>
#include <math.h>
#include <string.h>

static const size_t STATE_BYTES = sizeof(double[SMALL_HOST_DIM]) + sizeof(int64_t);

static void note(small_host *h, const hirl_method_step *s, bool with_grad)
{
    h->seen = *s;
    h->asked++;
    h->with_grad += with_grad;
    for (int64_t i = 0; i < s->n; i++)
        if (s->image[i] >= 0 && s->image[i] < SMALL_HOST_IMAGES)
            h->id_seen[s->image[i]] = true;
    if (!s->micro)
        memset(h->next, 0, sizeof h->next);
}

/* column k of the teacher's view 1 of image n */
static double taught(const hirl_method_step *s, int64_t n, int64_t k)
{
    return k < s->teacher_dim ? s->teacher[(s->n + n) * s->teacher_dim + k] : 0;
}

static int32_t loss_of(double *loss, float *grad, const hirl_method_step *s, void *user)
{
    small_host *h = user;
    const float *a = s->student, *b = s->student + s->n * s->d;
    double share = 1 / (double)s->n;

    ck_assert_int_le(s->d, SMALL_HOST_DIM);
    ck_assert(*loss == 0 && (!grad || grad[s->n * s->d - 1] == 0));
    note(h, s, grad != NULL);
    for (int64_t i = 0; i < s->n * s->d; i++) {
        int64_t k = i % s->d;
        double apart = a[i] - b[i], pull = h->center[k] + taught(s, i / s->d, k);

        *loss += share * (apart * apart / 2 - a[i] * pull);
        h->next[k] += share * a[i] / s->micros;
        if (grad) {
            grad[i] = (float)(share * (apart - pull));
            grad[s->n * s->d + i] = (float)(-share * apart);
        }
    }
    if (h->spoil && grad)
        grad[3] = NAN;
    if (h->spoil_held_out && !grad)
        *loss = NAN;
    return h->loss_answer;
}

static int32_t commit_of(int64_t step, void *user)
{
    small_host *h = user;

    if (h->commit_answer < 0)
        return h->commit_answer;
    ck_assert_int_eq(step, h->committed);
    h->committed++;
    for (int k = 0; k < SMALL_HOST_DIM; k++)
        h->center[k] = 0.5 * h->center[k] + 0.5 * tanh(h->next[k]);
    return 0;
}

static int32_t save_of(void *blob, size_t *size, void *user)
{
    small_host *h = user;

    if (blob) {
        ck_assert_uint_eq(*size, STATE_BYTES);
        memcpy(blob, h->center, sizeof h->center);
        memcpy((char *)blob + sizeof h->center, &h->committed, sizeof h->committed);
    }
    *size = STATE_BYTES;
    return h->save_answer;
}

static int32_t load_of(const void *blob, size_t size, void *user)
{
    small_host *h = user;

    ck_assert_uint_eq(size, STATE_BYTES);
    if (h->load_answer < 0)
        return h->load_answer;
    memcpy(&h->committed, (const char *)blob + sizeof h->center, sizeof h->committed);
    if (!h->forgetful)
        memcpy(h->center, blob, sizeof h->center);
    return 0;
}

hirl_method_calls small_host_calls(small_host *host)
{
    return (hirl_method_calls){
        .struct_size = sizeof(hirl_method_calls),
        .name = "pulled",
        .loss = loss_of,
        .commit = commit_of,
        .save = save_of,
        .load = load_of,
        .user = host,
    };
}
