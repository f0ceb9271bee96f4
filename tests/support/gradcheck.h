/* gradcheck.h - gradients of the tape against central differences (double build).
 *
 *     numeric_i = (f(x + h e_i) - f(x - h e_i)) / 2h
 *     error     = max over leaves |g - numeric| / max(|numeric|, 1e-3)
 *
 * A case builds a tensor from leaves; a result that is not [1] is reduced by fixed random weights.
 * Leaves are made at the first build and keep their values: a case asks for the same ones, in the
 * same order, each time it is called. In variant 1 it gets parameters, whose gradient array is the
 * caller's; in the others tensors without a gradient as yet, in variant 0 with a second use behind
 * the case: so every operation is the first writer of a gradient, and a later one.
 */
#ifndef HR_TEST_GRADCHECK_H
#define HR_TEST_GRADCHECK_H

#include "context.h"
#include "tape/ops.h"

enum { HR_CHECK_LEAVES = 24, HR_CHECK_PLACES = 64 };

typedef struct hr_check_leaf {
    hr_array x, g; /* on the device */
    real *value;   /* host */
    int64_t count;
    bool grad;
} hr_check_leaf;

typedef struct hr_gradcheck {
    hirl_context *context;
    hr_queue *queue;
    hr_tape tape;
    hr_check_leaf leaf[HR_CHECK_LEAVES];
    int leaves, at;
    hr_tensor *shared[HR_CHECK_LEAVES];
    int shares;
    int variant;    /* which of its shapes a case is to build */
    double step;    /* h, 1e-5 unless the case sets it while building */
    double quantum; /* leaves and weights are multiples of it; 0: any number */
    uint32_t seed;  /* of values made next */
    bool started;
    int worst; /* the leaf with the largest error */
} hr_gradcheck;

typedef hr_tensor *hr_check_build(hr_gradcheck *c);

void hr_gradcheck_init(hr_gradcheck *c, int variant);
void hr_gradcheck_done(hr_gradcheck *c);

/* uniform in [-1, 1); parameter of the function that is checked */
hr_tensor *hr_check_leaf_of(hr_gradcheck *c, int rank, const int64_t *dim);
/* the same without gradient */
hr_tensor *hr_check_constant(hr_gradcheck *c, int rank, const int64_t *dim);
/* host integers as an array on the tape */
hr_array hr_check_i32(hr_gradcheck *c, const int32_t *value, int rank, const int64_t *dim);
hr_array hr_check_i64(hr_gradcheck *c, const int64_t *value, int64_t n);

/* the largest relative error over the leaves; fails the running test when something else is wrong */
double hr_gradcheck_error(hr_gradcheck *c, hr_check_build *build);
/* is an operation of this name, with a gradient, on the tape? (after hr_gradcheck_error) */
bool hr_gradcheck_used(const hr_gradcheck *c, const char *op);

#endif
