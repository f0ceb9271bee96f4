/* own_method.c - an application's loss with a state: features are
 * pulled towards a moving mean and the teacher.
 *
 *   L = mean_n ( |x_0 - x_1|^2 / 2 - <x_0, c + t_1> )          x_v: student of view v
 *
 * c: moving mean of x_0, updated at commit; t_1: the teacher's
 * output of view 1, 0 in columns it lacks.
 */
#include "own_method.h"

#include <check.h>
#include <math.h>
#include <string.h>

static const size_t STATE_BYTES = sizeof(double[OWN_METHOD_DIM]) + sizeof(int64_t);

static void record(own_method *m, const hirl_method_step *s, bool with_grad)
{
    m->seen = *s;
    m->first_id = s->image[0]; /* arrays may be read during the call only */
    m->calls++;
    m->with_grad += with_grad;
    for (int64_t i = 0; i < s->n; i++)
        if (s->image[i] >= 0 && s->image[i] < OWN_METHOD_IMAGES)
            m->id_seen[s->image[i]] = true;
    if (!s->micro)
        memset(m->next, 0, sizeof m->next);
}

/* column k of the teacher's output for view 1 of image n; 0 without a teacher */
static double target(const hirl_method_step *s, int64_t n, int64_t k)
{
    return k < s->teacher_dim ? s->teacher[(s->n + n) * s->teacher_dim + k] : 0;
}

static int32_t loss_of(double *loss, float *grad, const hirl_method_step *s, void *user)
{
    own_method *m = user;
    const float *a = s->student, *b = s->student + s->n * s->d;
    double share = 1 / (double)s->n;

    ck_assert_int_le(s->d, OWN_METHOD_DIM);
    ck_assert(*loss == 0 && (!grad || grad[s->n * s->d - 1] == 0));
    record(m, s, grad != NULL);
    for (int64_t i = 0; i < s->n * s->d; i++) {
        int64_t k = i % s->d;
        double apart = a[i] - b[i], pull = m->center[k] + target(s, i / s->d, k);

        *loss += share * (apart * apart / 2 - a[i] * pull);
        m->next[k] += share * a[i] / s->micros;
        if (grad) {
            grad[i] = (float)(share * (apart - pull));
            grad[s->n * s->d + i] = (float)(-share * apart);
        }
    }
    if (m->spoil && grad)
        grad[3] = NAN;
    if (m->spoil_held_out && !grad)
        *loss = NAN;
    return m->loss_value;
}

static int32_t commit_of(int64_t step, void *user)
{
    own_method *m = user;

    if (m->commit_value)
        return m->commit_value;
    ck_assert_int_eq(step, m->committed);
    m->committed++;
    for (int k = 0; k < OWN_METHOD_DIM; k++)
        m->center[k] = 0.5 * m->center[k] + 0.5 * tanh(m->next[k]);
    return 0;
}

static int32_t save_of(void *blob, size_t *size, void *user)
{
    own_method *m = user;

    if (blob) {
        ck_assert_uint_eq(*size, STATE_BYTES);
        memcpy(blob, m->center, sizeof m->center);
        memcpy((char *)blob + sizeof m->center, &m->committed, sizeof m->committed);
    }
    *size = STATE_BYTES;
    return m->save_value;
}

static int32_t load_of(const void *blob, size_t size, void *user)
{
    own_method *m = user;

    ck_assert_uint_eq(size, STATE_BYTES);
    if (m->load_value < 0)
        return m->load_value;
    memcpy(&m->committed, (const char *)blob + sizeof m->center, sizeof m->committed);
    if (!m->forgetful)
        memcpy(m->center, blob, sizeof m->center);
    return 0;
}

hirl_method_calls own_method_calls(own_method *method)
{
    return (hirl_method_calls){
        .struct_size = sizeof(hirl_method_calls),
        .name = "pulled",
        .loss = loss_of,
        .commit = commit_of,
        .save = save_of,
        .load = load_of,
        .user = method,
    };
}
