/* tape.h - tapes in tests: arrays and leaves with given values, values read back. */
#ifndef HR_TEST_TAPE_H
#define HR_TEST_TAPE_H

#include <check.h>

#include "context.h"
#include "support/close.h"
#include "tape/ops.h"

#define HR_DIM(...) ((const int64_t[]){ __VA_ARGS__ })

/* an array on the tape with values from the host, which are of type `from` there */
static inline hr_array hr_test_upload(hr_tape *t, hr_dtype dtype, int rank, const int64_t *dim,
                                      const void *value, hr_dtype from)
{
    hr_array x = hr_tape_array(t, dtype, rank, dim);

    ck_assert_ptr_nonnull(x.data);
    t->q->be->upload(t->q, &x, value, from);
    return x;
}

/* ---- a CPU tape of its own ---- */

typedef struct hr_test_tape {
    hirl_context *context;
    hr_queue *q;
    hr_tape t;
} hr_test_tape;

/* on one of several ranks; comm NULL: one rank */
static inline void hr_test_tape_init_on(hr_test_tape *test, hr_comm *comm)
{
    hr_assert_ok(hr_context_create(&test->context, "cpu", 2));
    hr_context_set_comm(test->context, comm);
    hr_assert_ok(hr_context_take_queue(&test->q, test->context));
    hr_assert_ok(hr_tape_init(&test->t, test->q, HR_REAL));
}

static inline void hr_test_tape_init(hr_test_tape *test)
{
    hr_test_tape_init_on(test, NULL);
}

static inline void hr_test_tape_done(hr_test_tape *test)
{
    hr_tape_done(&test->t);
    hr_context_give_queue(test->q);
    hr_context_drop(test->context);
}

static inline hr_array hr_test_array(hr_test_tape *test, int rank, const int64_t *dim,
                                     const double *value)
{
    return hr_test_upload(&test->t, HR_REAL, rank, dim, value, HR_F64);
}

static inline hr_array hr_test_i32(hr_test_tape *test, int rank, const int64_t *dim,
                                   const int32_t *value)
{
    return hr_test_upload(&test->t, HR_I32, rank, dim, value, HR_I32);
}

/* a leaf with these values and a zeroed gradient */
static inline hr_tensor *hr_test_leaf(hr_test_tape *test, int rank, const int64_t *dim,
                                      const double *value)
{
    hr_array x = hr_test_array(test, rank, dim, value);
    hr_array g = hr_tape_array(&test->t, HR_REAL, rank, dim);

    ck_assert_ptr_nonnull(g.data);
    test->q->be->fill(test->q, &g, 0);
    return hr_wrap(&test->t, &x, &g);
}

static inline hr_tensor *hr_test_constant(hr_test_tape *test, int rank, const int64_t *dim,
                                          const double *value)
{
    hr_array x = hr_test_array(test, rank, dim, value);

    return hr_wrap(&test->t, &x, NULL);
}

static inline void hr_test_read(double *value, hr_test_tape *test, const hr_array *x)
{
    ck_assert_ptr_nonnull(x->data);
    test->q->be->download(test->q, value, HR_F64, x);
    hr_assert_ok(test->q->be->sync(test->q));
}

/* compares the n values of an array with values worked out by hand */
#define hr_assert_values(test, array, n, ...)                                                      \
    do {                                                                                           \
        double hr_want[] = { __VA_ARGS__ }, hr_got[256];                                           \
                                                                                                   \
        ck_assert_int_eq((int64_t)(sizeof hr_want / sizeof *hr_want), (n));                        \
        ck_assert_int_eq(hr_count(array), (n));                                                    \
        hr_test_read(hr_got, (test), (array));                                                     \
        hr_assert_close(hr_got, hr_want, (n), 2e-6, 2e-6);                                         \
    } while (0)

#endif
