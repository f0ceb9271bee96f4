/* gradcheck.h - gradients of the tape against central differences (double build).
 *
 *     numeric_i = (f(x + h e_i) - f(x - h e_i)) / 2h
 *     error     = max over leaves |g - numeric| / max(|numeric|, 1e-3)
 *
 * A case builds a tensor from leaves, which stand for x; a result that is not [1] is multiplied
 * with fixed random weights and summed. The first build creates the leaves, and they keep their
 * values: a case must request the same leaves in the same order each time. In variant 1 a leaf is a
 * parameter, whose gradient array exists before the backward pass. In the other variants it is a
 * tensor without a gradient so far, in variant 0 with a second use after the case. So every
 * operation is tested both as the first and as a later writer of a gradient.
 */
#ifndef HR_TEST_GRADCHECK_H
#define HR_TEST_GRADCHECK_H

#include "context.h"
#include "tape/ops.h"

enum { HR_CHECK_LEAVES = 24, HR_CHECK_PLACES = 64 };

typedef struct hr_check_leaf {
    hr_array x, g; /* on the device */
    real *value;   /* the values of x on the host */
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
    int variant;    /* which of its shapes the case builds */
    double step;    /* h, 1e-5 unless the case sets it while building */
    double quantum; /* the values of leaves are multiples of it; 0: any number */
    uint32_t seed;  /* seed of the next leaf's values */
    bool started;   /* the leaves exist */
    int worst;      /* the leaf with the largest error */
} hr_gradcheck;

typedef hr_tensor *hr_check_build(hr_gradcheck *c);

void hr_gradcheck_init(hr_gradcheck *c, int variant);
void hr_gradcheck_done(hr_gradcheck *c);

/* a leaf with values uniform in [-1, 1), whose gradient is checked */
hr_tensor *hr_check_leaf_of(hr_gradcheck *c, int rank, const int64_t *dim);
/* the same without a gradient */
hr_tensor *hr_check_constant(hr_gradcheck *c, int rank, const int64_t *dim);
/* integers of the host as an array on the tape */
hr_array hr_check_i32(hr_gradcheck *c, const int32_t *value, int rank, const int64_t *dim);
hr_array hr_check_i64(hr_gradcheck *c, const int64_t *value, int64_t n);

/* the largest relative error over the leaves; any other error fails the current test */
double hr_gradcheck_error(hr_gradcheck *c, hr_check_build *build);
/* a whole check: fails the current test if the error is larger than 1e-6 */
void hr_gradcheck_case(hr_check_build *build, int variant);
/* after hr_gradcheck_error: whether the tape holds an operation of this name with a gradient */
bool hr_gradcheck_used(const hr_gradcheck *c, const char *op);

#endif
