/* tape.h - reverse-mode automatic differentiation: records operations, then replays them backwards.
 *
 * A tensor has a value x and, once the backward pass has reached it, a gradient g. `grad` states
 * whether it needs one: inputs that do not (targets, prototypes, a teacher) stop gradients.
 * Failure is sticky: a failed operation returns the tape's dead tensor, the tape keeps the first
 * message, and hr_tape_status or hr_tape_backward reports it. The nodes and values of a micro-batch
 * live until hr_tape_next or hr_tape_reset; kept memory lives until hr_tape_reset.
 */
#ifndef HR_TAPE_H
#define HR_TAPE_H

#include "array.h"
#include "backend.h"
#include "base/arena.h"
#include "base/error.h"
#include "types.h"

/* A value on the tape, with its gradient. */
struct hr_tensor {
    hr_array x;            /* value; data NULL: pending, see below */
    hr_array g;            /* gradient, in the type of x (parameters: real); data NULL: none yet */
    const hr_map *pending; /* not NULL: how to compute x, a batch norm's output (op_norm.c) */
    hr_tensor *written;    /* the result of hr_write for a pending tensor; NULL: none yet */
    const char *name;      /* the parameter's name; NULL: not a parameter */
    bool grad;             /* needs a gradient */
    bool live;             /* g holds a value: later writers add to it */
};

enum { HR_NODE_INS = 16, HR_NODE_SAVED = 8 };

/* The record of one operation on the tape. */
struct hr_node {
    const hr_op *op;
    hr_node *before; /* the node recorded before this one */
    hr_tensor *out, *in[HR_NODE_INS];
    hr_array saved[HR_NODE_SAVED]; /* arrays that backward needs besides in and out */
    hr_geometry geo;
    double number[4]; /* settings of the operation, as backward needs them */
    int64_t count[4];
    const void *more; /* other data of the operation; lives as long as the node */
};

/* A kind of operation. */
struct hr_op {
    const char *name;
    /* adds to the gradients of the inputs; NULL: no gradient flows through the operation */
    void (*backward)(hr_tape *t, const hr_node *s);
};

/* An action that hr_tape_commit performs, in order of registration. The commit follows the check
 * that loss and gradients are finite, so a step that fails the check changes no state. */
typedef struct hr_commit {
    struct hr_commit *next;
    void (*run)(hr_queue *q, void *arg);
    void *arg;
} hr_commit;

/* The recording of one step, and its memory. */
struct hr_tape {
    hr_queue *q;
    hr_arena host, device;           /* nodes and tensors; values: of one micro-batch */
    hr_arena kept_host, kept_device; /* data that commit needs: of the whole step */
    hr_node *last;
    hr_node *unchecked; /* with `check`: the node whose output has not been checked yet */
    hr_commit *commits, **commits_end;
    hr_tensor dead;   /* the result of every failed operation */
    hr_error failure; /* the first; status 0: none */
    uint64_t resets;  /* number of resets: identifies the step that kept memory belongs to */
    hr_dtype type;    /* activation type: HR_REAL or HR_BF16 */
    bool training;    /* batch norms use batch statistics, not the running ones */
    bool recording;   /* false: no tensor needs a gradient */
    bool check;       /* check outputs and gradients for NaN and infinity, report the first */
};

hirl_status hr_tape_init(hr_tape *t, hr_queue *q, hr_dtype type);
void hr_tape_done(hr_tape *t);
/* starts a new step: forgets nodes, values, kept memory, registered commits and the failure */
void hr_tape_reset(hr_tape *t);
/* starts the next micro-batch of the same step: forgets nodes and values; kept memory, registered
 * commits and a failure stay */
void hr_tape_next(hr_tape *t);

/* an array on the device arena; data NULL (and the tape in failure) when out of memory */
hr_array hr_tape_array(hr_tape *t, hr_dtype dtype, int rank, const int64_t *dim);
hr_array hr_tape_array_1(hr_tape *t, hr_dtype dtype, int64_t n);
/* host memory, until hr_tape_next or hr_tape_reset */
void *hr_tape_take(hr_tape *t, size_t bytes);
/* As hr_tape_array and hr_tape_take, for data that outlives a micro-batch: kept until
 * hr_tape_reset. */
hr_array hr_tape_keep_array(hr_tape *t, hr_dtype dtype, int rank, const int64_t *dim);
void *hr_tape_keep(hr_tape *t, size_t bytes);
/* a kept copy of x */
hr_array hr_tape_keep_copy(hr_tape *t, const hr_array *x);

/* Makes a tensor of the caller's arrays: the value x and its gradient, to which backward adds. grad
 * NULL, or its data NULL: no gradient. */
hr_tensor *hr_wrap(hr_tape *t, const hr_array *x, const hr_array *grad);

/* For operations: records a node with a new output tensor. NULL: the tape has failed, or an input
 * is the dead tensor. The output needs a gradient if the operation has a backward function, the
 * tape is recording, and an input needs one. */
hr_node *hr_tape_push(hr_tape *t, const hr_op *op, hr_dtype dtype, int rank, const int64_t *dim,
                      int ins, hr_tensor **in);
/* As hr_tape_push, but the output shares the memory of x. Its gradient has its own memory, which
 * backward must add to the gradient of the input. */
hr_node *hr_tape_push_view(hr_tape *t, const hr_op *op, const hr_array *x, int ins, hr_tensor **in);
/* records a failure, unless there is one already; returns the dead tensor */
hr_tensor *hr_tape_fail(hr_tape *t, hirl_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* As hr_tape_fail, with the thread's current message (error.h): for a failure of another
 * function. */
hr_tensor *hr_tape_pass(hr_tape *t, hirl_status status);

/* gradient array of a tensor, and `beta` for the kernel that writes it: 0 for the first writer,
 * then 1. NULL: x needs no gradient or is NULL, or the tape has failed. */
const hr_array *hr_grad(hr_tape *t, hr_tensor *x, double *beta);
/* As hr_grad, but filled with 0 at the first call: for kernels that write only a part, or always
 * add. */
const hr_array *hr_grad_part(hr_tape *t, hr_tensor *x);

/* describes x, pending or written, to a kernel that can read a pending feature map */
const hr_map *hr_map_of(hr_tape *t, const hr_tensor *x);

/* the shape as text for messages: "[32,8,8,64]" */
enum { HR_SHAPE = 96 };
const char *hr_shape(char text[HR_SHAPE], const hr_array *a);
bool hr_same_shape(const hr_array *a, const hr_array *b);

/* The backward pass from loss [1]: adds the gradient of each parameter to its gradient array. */
hirl_status hr_tape_backward(hr_tape *t, hr_tensor *loss);
hirl_status hr_tape_status(const hr_tape *t);

/* registers an action for hr_tape_commit; arg is kept memory (hr_tape_keep) or lives longer */
void hr_tape_at_commit(hr_tape *t, void (*run)(hr_queue *q, void *arg), void *arg);
/* performs the registered actions and forgets them */
void hr_tape_commit(hr_tape *t);

#endif
