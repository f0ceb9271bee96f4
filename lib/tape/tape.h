/* tape.h - operations recorded while they run, and replayed backwards.
 *
 * A tensor has a value x and, once backward has reached it, a gradient g. `grad` says whether one
 * is wanted: leaves without it (targets, prototypes, a teacher) stop gradients by construction.
 * Failure sticks: a failed operation returns the tape's dead tensor, the first message is kept, and
 * hr_tape_status or hr_tape_backward reports it. Everything on a tape lives until hr_tape_reset.
 */
#ifndef HR_TAPE_H
#define HR_TAPE_H

#include "array.h"
#include "backend.h"
#include "base/arena.h"
#include "base/error.h"
#include "types.h"

struct hr_tensor {
    hr_array x; /* value; data NULL while `pending` */
    hr_array g; /* gradient, in the value's type (parameters: real); data NULL: none yet */
    const hr_map *pending; /* not NULL: a feature map still to be normalised (op_norm.c) */
    hr_tensor *written;    /* the value of a pending tensor once hr_write has been asked for it */
    const char *name;      /* of the parameter that a leaf is; NULL: none */
    bool grad;             /* wants a gradient */
    bool live;             /* g holds something: later writers accumulate */
};

enum { HR_NODE_INS = 16, HR_NODE_SAVED = 8 };

struct hr_node {
    const hr_op *op;
    hr_node *before;
    hr_tensor *out, *in[HR_NODE_INS];
    hr_array saved[HR_NODE_SAVED]; /* what backward needs besides in and out */
    hr_geometry geo;
    double number[4];
    int64_t count[4];
    const void *more; /* anything else that outlives the step */
};

struct hr_op {
    const char *name;
    void (*backward)(hr_tape *t, const hr_node *s); /* NULL: stops gradients */
};

/* what commit does after the finite check (decision 15), in the order in which it was asked for */
typedef struct hr_commit {
    struct hr_commit *next;
    void (*run)(hr_queue *q, void *arg);
    void *arg;
} hr_commit;

struct hr_tape {
    hr_queue *q;
    hr_arena host, device;           /* records; values: of one micro-batch */
    hr_arena kept_host, kept_device; /* what commit needs: of the whole step */
    hr_node *last;
    hr_node *unchecked; /* `check`: the step whose output has not been looked at */
    hr_commit *commits, **commits_end;
    hr_tensor dead;
    hr_error failure; /* the first; status 0: none */
    uint64_t resets;  /* counts hr_tape_reset: names the step that kept memory belongs to */
    hr_dtype type;    /* of activations: HR_REAL or HR_BF16 */
    bool training;    /* norms use batch statistics */
    bool recording;   /* false: no gradients are wanted at all */
    bool check;       /* look at every output for NaN and infinity, and name the first */
};

hirl_status hr_tape_init(hr_tape *t, hr_queue *q, hr_dtype type);
void hr_tape_done(hr_tape *t);
void hr_tape_reset(hr_tape *t);
/* the next micro-batch of the same step: forgets records and values; what is kept and what was asked
 * for at commit stays */
void hr_tape_next(hr_tape *t);

/* an array on the device arena; data NULL (and the tape dead) when out of memory */
hr_array hr_tape_array(hr_tape *t, hr_dtype dtype, int rank, const int64_t *dim);
hr_array hr_tape_array_1(hr_tape *t, hr_dtype dtype, int64_t n);
/* host memory until the reset */
void *hr_tape_take(hr_tape *t, size_t bytes);
/* the same for what outlives a micro-batch: kept until hr_tape_reset */
hr_array hr_tape_keep_array(hr_tape *t, hr_dtype dtype, int rank, const int64_t *dim);
void *hr_tape_keep(hr_tape *t, size_t bytes);
/* a kept copy of x */
hr_array hr_tape_keep_copy(hr_tape *t, const hr_array *x);

/* a leaf over an array that the caller owns; grad: its gradient array, or NULL for none */
hr_tensor *hr_leaf(hr_tape *t, const hr_array *x, const hr_array *grad);

/* used by operations: a new tensor and its record; NULL when the tape is dead or an input is.
 * The output wants a gradient when the op has a backward, the tape records and an input wants one. */
hr_node *hr_tape_push(hr_tape *t, const hr_op *op, hr_dtype dtype, int rank, const int64_t *dim,
                      int ins, hr_tensor **in);
/* a view of x's memory as the output of an operation: backward must move g */
hr_node *hr_tape_push_view(hr_tape *t, const hr_op *op, const hr_array *x, int ins, hr_tensor **in);
hr_tensor *hr_tape_fail(hr_tape *t, hirl_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* the same with the thread's message: passes on a failure of something else */
hr_tensor *hr_tape_pass(hr_tape *t, hirl_status status);

/* gradient array of a tensor, and the beta of its next writer (0 the first time, then 1); NULL:
 * none is wanted (x may be NULL), or the tape is dead */
const hr_array *hr_grad(hr_tape *t, hr_tensor *x, double *beta);
/* the same, filled with 0 at the first call: for writers of a part */
const hr_array *hr_grad_part(hr_tape *t, hr_tensor *x);

/* how a kernel that can load a pending feature map reads x */
const hr_map *hr_map_of(hr_tape *t, const hr_tensor *x);

/* "[32,8,8,64]" for messages */
enum { HR_SHAPE = 96 };
const char *hr_shape(char text[HR_SHAPE], const hr_array *a);
bool hr_same_shape(const hr_array *a, const hr_array *b);

/* d loss / d everything; loss: [1]. Gradients of parameters are accumulated. */
hirl_status hr_tape_backward(hr_tape *t, hr_tensor *loss);
hirl_status hr_tape_status(const hr_tape *t);

/* asks for something to be done at commit; arg is kept (hr_tape_keep) or lives longer */
void hr_tape_at_commit(hr_tape *t, void (*run)(hr_queue *q, void *arg), void *arg);
void hr_tape_commit(hr_tape *t);

#endif
